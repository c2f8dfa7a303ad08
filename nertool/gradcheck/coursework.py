"""Coursework: a backward pass to write, graded by the gradient check, and a mistake to name.

`nertool lesson init` writes a folder with backward.py, a stub; bug.md, which shows the effect of a hidden
mistake on each block's gradient; and answer.txt for the mistake's name. `nertool lesson check` runs
backward.py, which is the student's own code, and grades both parts.
"""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nertool.errors import LessonError, did_you_mean
from nertool.files.folders import replacing_folder
from nertool.gradcheck.case import Case, draw_masks
from nertool.gradcheck.check import ALL, FAIL, check_gradients
from nertool.gradcheck.mistakes import MISTAKES, Mistake
from nertool.network.activations import Activation, Array
from nertool.network.lookup import RowGradient
from nertool.network.objective import (
    NO_MASKS,
    PLAIN,
    Batch,
    Objective,
    ParameterGradients,
    Parameters,
    dense,
    initial_weights,
    loss_and_gradients,
)
from nertool.network.scorer import Cache, Gradients, Weights

BACKWARD, BUG, ANSWER, SEED = "backward.py", "bug.md", "answer.txt", "lesson.json"

# A student's backward pass: (W, U, x, h, ds) → (∂J/∂W, ∂J/∂b, ∂J/∂U, ∂J/∂x).
Backward = Callable[[Array, Array, Array, Array, Array], tuple[Array, Array, Array, Array]]

_NAMES = ("∂J/∂W", "∂J/∂b", "∂J/∂U", "∂J/∂x")
# Mistakes whose effects on W, b, U and L differ, so that each can be distinguished from the others.
_CANDIDATES = (
    "sign of p − y", "missing 1/B", "δ without f′", "transposed W", "bias forgotten",
    "hidden mask forgotten in U", "L2 forgotten", "L2 doubled",
)  # fmt: skip

STUB = '''"""Write the backward pass of s = U h, h = tanh(W x + b).

Check it with: nertool lesson check {folder}

One row for each of B examples:

    W (H, D)    U (K, H)    x (B, D)    h (B, H): tanh of the hidden layer, kept from the forward pass
    ds (B, K):  ∂J/∂s, already divided by B

docs/lesson.md, section 6, has the equations for one example; section 5 says how a batch is written.
"""

import numpy as np


def backward(W, U, x, h, ds):
    """Return ∂J/∂W, ∂J/∂b, ∂J/∂U and ∂J/∂x."""
    # First δ = ∂J/∂z (B, H), the error signal, from ds. tanh′(z) = 1 − h².
    delta = np.zeros_like(h)

    dW = np.zeros_like(W)               # (H, D)  from δ and x
    db = np.zeros(len(W))               # (H,)    from δ
    dU = np.zeros_like(U)               # (K, H)  from ds and h
    dx = np.zeros_like(x)               # (B, D)  from δ and W
    return dW, db, dU, dx
'''


class Grade(NamedTuple):
    """The result for a part of the coursework. part: a file name; lines: the explanation for the student."""

    part: str
    passed: bool
    lines: tuple[str, ...]


def write_coursework(folder: Path, seed: int) -> list[Path]:
    """Write the coursework into a new or empty folder and return its files.

    Errors: LessonError if the folder is not empty, OutputError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LessonError(
            f"{folder}: found something there, expected a new folder; choose another name"
        )
    texts = {
        BACKWARD: STUB.replace("{folder}", str(folder)),
        BUG: bug_table(seed),
        ANSWER: "",
        SEED: json.dumps({"seed": seed}) + "\n",
    }
    with replacing_folder(folder) as aside:
        for name, text in texts.items():
            (aside / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def check_coursework(folder: Path) -> list[Grade]:
    """Run backward.py, and grade it and the name in answer.txt. Errors: LessonError."""
    return [grade_backward(load_backward(folder / BACKWARD)), _grade_answer(folder)]


def problem(seed: int) -> Case:
    """Return the small network for grading: one table L, tanh, softmax, L2, and dropout of hidden units."""
    rng = np.random.default_rng([seed, 9])
    V, d, C, H, K, B, n = 9, 3, 3, 6, 3, 8, 10
    weights = initial_weights(rng, C * d, H, K, np.float64)
    parameters = {"L": rng.normal(size=(V, d)), **weights._asdict()}
    parameters["b"] = rng.normal(size=H) / 2
    ids = rng.integers(0, V, size=(n, 1)).astype(np.int32)
    batch = Batch(ids, rng.integers(0, n, size=(B, C)), np.eye(K)[rng.integers(0, K, size=B)])
    objective = Objective("tanh", "softmax", l2=0.05)
    masks = draw_masks(rng, objective, parameters, batch, 0.0, 0.4)
    return Case(objective, parameters, batch, masks, rng)


# --- the backward pass


def load_backward(path: Path) -> Backward:
    """Run a student's file and return its function `backward`. Errors: LessonError with file:line."""
    try:
        source = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise LessonError(
            f"{path}: no such file, expected the one that nertool lesson init wrote"
        ) from None
    except UnicodeDecodeError as error:
        raise LessonError(f"{path}: not UTF-8 (byte {error.start})") from None
    space: dict[str, Any] = {"__name__": "backward", "__file__": str(path)}
    try:
        exec(compile(source, str(path), "exec"), space)
    except (Exception, SystemExit) as error:
        raise LessonError(_where(path, error)) from None
    if not callable(space.get("backward")):
        raise LessonError(f"{path}: found no function backward(W, U, x, h, ds)")

    def backward(W: Array, U: Array, x: Array, h: Array, ds: Array) -> Any:
        try:
            return space["backward"](W.copy(), U.copy(), x.copy(), h.copy(), ds.copy())
        except (Exception, SystemExit) as error:
            raise LessonError(_where(path, error)) from None

    return backward


def _where(path: Path, error: BaseException) -> str:
    """Return one line that says where and how a student's file failed."""
    line = getattr(error, "lineno", None)
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == str(path):
            line = frame.lineno
    return f"{path}{f':{line}' if line else ''}: {type(error).__name__}: {error}"


def grade_backward(student: Backward, seed: int = 1) -> Grade:
    """Compare a student's gradients with numerical ones, and add a hint if one is wrong."""
    case = problem(seed)
    parameters, batch = case.parameters, case.batch
    objective = case.objective._replace(l2=0.0)
    shapes: list[str] = []

    def backward(weights: Weights, activation: Activation, ds: Array, cache: Cache) -> Gradients:
        W, b, U = weights
        found = student(W, U, cache.x, cache.h, ds)
        arrays, told = _fitted(found, (W.shape, b.shape, U.shape, cache.x.shape))
        shapes[:] = told
        dW, db, dU, dx = arrays
        return Gradients(Weights(dW, db, dU), dx)

    chain = PLAIN._replace(backward=backward)
    checks = check_gradients(
        objective, parameters, batch, np.random.default_rng(0), NO_MASKS, samples=40, chain=chain
    )
    wrong_blocks = {check.block for check in checks if not check.passed}
    failed = [block for block in ("W", "b", "U", "L") if block in wrong_blocks]
    errors = {check.block: check.error for check in checks}
    lines = list(shapes)
    for block, name in zip(("W", "b", "U", "L"), _NAMES, strict=True):
        verdict = "wrong" if block in failed else "right"
        lines.append(f"{name}: {verdict} (relative error {errors[block]:.1e})")
    if failed and not shapes:
        with np.errstate(all="ignore"):
            _, wrong = loss_and_gradients(objective, parameters, batch, NO_MASKS, chain)
        lines.append(f"hint: {_hint(objective, parameters, batch, wrong, failed)}")
    return Grade(BACKWARD, not failed and not shapes, tuple(lines))


def _fitted(found: Any, shapes: tuple[tuple[int, ...], ...]) -> tuple[list[Array], list[str]]:
    """Return a student's arrays, and a line for each that has a wrong shape, which zeros replace.

    Errors: LessonError if the result is not four arrays of numbers.
    """
    if not isinstance(found, tuple | list) or len(found) != 4:
        raise LessonError("backward returned something else than its four gradients dW, db, dU, dx")
    arrays, lines = [], []
    for name, value, shape in zip(_NAMES, found, shapes, strict=True):
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise LessonError(f"backward returned no array of numbers for {name}") from None
        if array.shape != shape:
            lines.append(
                f"{name} has the shape {array.shape}, expected {shape}: a gradient has the shape of "
                "what it is the gradient of"
            )
            array = np.zeros(shape)
        arrays.append(array)
    return arrays, lines


def _hint(
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    wrong: ParameterGradients,
    failed: Sequence[str],
) -> str:
    """Return a hint: the known mistake that gives the same gradients, or else a likely cause."""
    for mistake in MISTAKES:
        if mistake.harmless(objective, parameters, batch) or "mask" in mistake.name:
            continue
        try:
            _, known = loss_and_gradients(objective, parameters, batch, NO_MASKS, mistake.chain)
        except AssertionError:  # a mistake in the use of a mask, but there is no mask
            continue
        if all(_same(wrong[name], known[name], parameters[name]) for name in failed):
            return f"these are the numbers of the mistake “{mistake.name}”: {mistake.what}"
    _, right = loss_and_gradients(objective, parameters, batch)
    for name in failed:
        if not np.any(dense(wrong[name], parameters[name])):
            letter = "x" if name == "L" else name
            return f"∂J/∂{letter} is 0 throughout: it is still to be written"
    ratio = {name: _ratio(wrong[name], right[name], parameters[name]) for name in failed}
    constant = [name for name, (size, cosine) in ratio.items() if cosine > 1 - 1e-9]
    if constant:
        return f"{constant[0]} has the right direction, and is {ratio[constant[0]][0]:.3g} times too long"
    if "U" in failed and len(failed) == 1:
        return "only U is wrong: ∂J/∂U is made of ds and h, not of δ"
    if failed == ["L"]:
        return "only ∂J/∂x is wrong, so δ is right: ∂J/∂x = Wᵀ δ, and x's row is of length D"
    if set(failed) >= {"W", "b", "L"} and "U" not in failed:
        return "all that δ flows into is wrong, and U is right: look at δ = (Uᵀ ds) ∘ f′(z)"
    return f"{failed[0]} is wrong: write down the shapes of what it is made of"


def _same(a: Array | RowGradient, b: Array | RowGradient, like: Array) -> bool:
    return bool(np.allclose(dense(a, like), dense(b, like), rtol=1e-9, atol=1e-12))


def _ratio(
    wrong: Array | RowGradient, right: Array | RowGradient, like: Array
) -> tuple[float, float]:
    """Return the ratio of the lengths of a wrong and the right gradient, and the cosine of their angle."""
    a, b = dense(wrong, like).ravel(), dense(right, like).ravel()
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    cosine = float(a @ b) / (lengths[0] * lengths[1]) if all(lengths) else 0.0
    return lengths[0] / lengths[1] if lengths[1] else 0.0, cosine


# --- the mistake to be named


def candidates() -> list[Mistake]:
    """Return the mistakes that a student chooses from. One of them is the hidden mistake."""
    return [mistake for mistake in MISTAKES if mistake.name in _CANDIDATES]


def hidden_mistake(seed: int) -> Mistake:
    """Return the hidden mistake for a seed."""
    names = candidates()
    digest = hashlib.sha256(f"nertool lesson {seed}".encode()).digest()
    return names[int.from_bytes(digest[:4], "big") % len(names)]


def bug_table(seed: int) -> str:
    """Return the text of bug.md: the hidden mistake's effect on each block's gradient, and the choices."""
    case, mistake = problem(seed), hidden_mistake(seed)
    problem_of = case.objective, case.parameters, case.batch, case.masks
    _, right = loss_and_gradients(*problem_of)
    _, wrong = loss_and_gradients(*problem_of, mistake.chain)
    checks = check_gradients(
        *problem_of[:3], np.random.default_rng(0), case.masks, samples=40, chain=mistake.chain
    )
    rows = []
    for check in checks:
        if check.block == ALL:
            continue
        length, cosine = _ratio(
            wrong[check.block], right[check.block], case.parameters[check.block]
        )
        verdict = "right" if check.error < FAIL else "**wrong**"
        rows.append(
            f"| {check.block} | {verdict} | {check.error:.1e} | {length:.3f} | {cosine + 0.0:.3f} |"
        )
    lines = "\n".join(rows)
    names = "\n".join(f"- {own.name}: {own.what}" for own in candidates())
    B = len(case.batch.windows)
    return (
        "# Name the bug\n\n"
        f"A network (tanh, softmax, dropout in the hidden layer, L2 on W and U; {B} windows in the batch)\n"
        "has one mistake in its backward pass. This is what the gradient check says of each block, and how\n"
        "the wrong gradient compares with the right one: how many times as long it is, and the cosine of\n"
        "the angle between both.\n\n"
        "| block | gradient | relative error | length | cosine |\n|---|---|---|---|---|\n"
        f"{lines}\n\nWhich of these is it? Write its name into {ANSWER}.\n\n{names}\n"
    )


def _grade_answer(folder: Path) -> Grade:
    try:
        seed = json.loads((folder / SEED).read_text(encoding="utf-8"))["seed"]
        answer = (folder / ANSWER).read_text(encoding="utf-8").strip()
    except (OSError, ValueError, KeyError, TypeError):
        raise LessonError(
            f"{folder}: found no {SEED} and {ANSWER}, expected a folder of nertool lesson init"
        ) from None
    names = [mistake.name for mistake in candidates()]
    if not answer:
        return Grade(ANSWER, False, (f"no name yet: {BUG} says what there is to see",))
    if answer not in names:
        line = f"found {answer}, expected a name of {BUG}{did_you_mean(answer, names)}"
        return Grade(ANSWER, False, (line,))
    hidden = hidden_mistake(int(seed))
    if answer == hidden.name:
        return Grade(ANSWER, True, (f"{answer}: yes",))
    told = next(mistake for mistake in MISTAKES if mistake.name == answer)
    line = f"no: {answer} would spoil {_blocks(told)}"
    if set(told.spoils) == set(hidden.spoils):
        line = f"no: {answer} would spoil the same blocks; look at length and cosine"
    return Grade(ANSWER, False, (line,))


def _blocks(mistake: Mistake) -> str:
    return ", ".join("L" if block == "tables" else block for block in mistake.spoils)
