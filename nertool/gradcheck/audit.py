"""Checks of a training while it runs: gradient audits, sizes of steps, and the batch that led to NaN.

An audit checks the gradients of a part of the batch in float64. It takes one complex step along a random
direction of each block. This costs a forward pass for each block, and finds every mistake that
`nertool gradcheck --mutate` makes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from safetensors import SafetensorError, safe_open

from nertool.errors import ModelError, TrainingError
from nertool.files.arrays import write_arrays
from nertool.gradcheck.check import Ladders, check_gradients, in_float64
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import RowGradient, embed
from nertool.network.losses import LOSSES
from nertool.network.objective import (
    PLAIN,
    WEIGHTS,
    Batch,
    Chain,
    Masks,
    Objective,
    ParameterGradients,
    Parameters,
    forward_loss,
    loss_and_gradients,
    tables_of,
    weights_of,
)

_WINDOWS = 64  # windows of a batch that an audit uses; it then takes a few hundredths of a second
_KIND = "nertool batch"


class Snapshot(NamedTuple):
    """Everything that J and its gradients depend on at one training step.

    where: the epoch, the step and the learning rate alpha.
    """

    where: dict[str, Any]
    objective: Objective
    parameters: Parameters
    batch: Batch
    masks: Masks


class NonFiniteError(TrainingError):
    """An error of training: a value is not a finite number. snapshot: the batch and its parameters."""

    def __init__(self, message: str, snapshot: Snapshot) -> None:
        super().__init__(message)
        self.snapshot = snapshot


class Audit(NamedTuple):
    """The result of an audit.

    step: counted from 1; J: the loss; error: the relative error of each block, and of all together; passed:
    whether all blocks passed; update_to_weight: ‖change of θ‖ / ‖θ‖ of each block, in a table only over the
    rows with a gradient. About a thousandth is usual. A much larger ratio suggests that the learning rate
    is too large, a much smaller one that it is too small.
    """

    step: int
    J: float
    error: dict[str, float]
    passed: bool
    update_to_weight: dict[str, float]


def is_finite(J: float, gradients: ParameterGradients) -> bool:
    """Return whether a loss and all of its gradients are finite numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(J)) and all(map(_all_finite, map(_values, gradients.values())))


def _all_finite(values: Array) -> bool:
    flat = values.ravel()
    # The sum of squares is quick to compute. It is finite unless a value is not finite, or very large.
    squares = flat @ flat
    return bool(np.isfinite(squares) or np.isfinite(flat).all())


def _values(gradient: Array | RowGradient) -> Array:
    return gradient.values if isinstance(gradient, RowGradient) else gradient


def copy_met(parameters: Parameters, gradients: ParameterGradients) -> dict[str, Array]:
    """Copy the values that a step will change: in a table, only the rows that have a gradient."""
    return {
        name: np.array(_met(parameters[name], gradient)) for name, gradient in gradients.items()
    }


def _met(array: Array, gradient: Array | RowGradient) -> Array:
    return array[gradient.rows] if isinstance(gradient, RowGradient) else array


def audit(
    snapshot: Snapshot,
    J: float,
    gradients: ParameterGradients,
    before: dict[str, Array],
    after: Parameters,
    chain: Chain = PLAIN,
) -> Audit:
    """Audit one step of training.

    gradients: those of the step; before: the result of copy_met before the step; after: the parameters after
    the step. The audit restores the changed values from `before` in copies, so snapshot.parameters may
    already be changed.
    """
    step = int(snapshot.where["step"])
    theta = dict(after)
    for name, gradient in gradients.items():
        if isinstance(gradient, RowGradient):
            theta[name] = after[name].copy()
            theta[name][gradient.rows] = before[name]
        else:
            theta[name] = before[name]
    objective, batch, masks = snapshot.objective, snapshot.batch, snapshot.masks
    part = batch._replace(
        **{
            name: array[:_WINDOWS]
            for name, array in batch._asdict().items()
            if name != "ids" and array is not None
        }
    )
    hidden = None if masks.hidden is None else masks.hidden[:_WINDOWS]
    # The seed is the step's number: an audit must not change the random numbers of training.
    checks = check_gradients(
        objective, theta, part, np.random.default_rng(step), masks._replace(hidden=hidden),
        samples=0, ladders=Ladders(central=(), complex=(1e-20,)), directions=1, chain=chain,
    )  # fmt: skip
    ratios = {}
    for name, gradient in gradients.items():
        size = float(np.linalg.norm(before[name]))
        moved = float(np.linalg.norm(_met(after[name], gradient) - before[name]))
        ratios[name] = moved / size if size else 0.0
    passed = all(check.passed for check in checks)
    return Audit(step, J, {check.block: check.error for check in checks}, passed, ratios)


# --- the batch as a file


def save_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot as a safetensors file: its arrays, and a header in plain JSON.

    Of a table, only the rows that the batch uses are written.
    """
    where, objective, parameters, batch, masks = snapshot
    tables, ids = _cut_tables(objective, parameters, batch)
    theta = {**tables, **weights_of(parameters)._asdict()}
    arrays = {f"theta.{i}.{name}": array for i, (name, array) in enumerate(theta.items())}
    arrays |= {
        f"batch.{name}": a for name, a in batch._replace(ids=ids)._asdict().items() if a is not None
    }
    arrays |= {f"masks.{name}": a for name, a in masks._asdict().items() if a is not None}
    header = {"kind": _KIND, "where": where, "objective": objective._asdict()}
    aside = path.with_name(f".{path.name}.new")
    write_arrays(aside, arrays, {"nertool": json.dumps(header)})
    aside.replace(path)


def _cut_tables(
    objective: Objective, parameters: Parameters, batch: Batch
) -> tuple[dict[str, Array], Array]:
    """Return the rows of each table that the batch uses, and the batch's ids in these smaller tables."""
    tables = tables_of(parameters)
    ids = np.empty_like(batch.ids)
    cut, end = {}, 0
    for (name, table), c in zip(
        tables.items(), objective.columns or (1,) * len(tables), strict=True
    ):
        start, end = end, end + abs(c)
        rows, ids[:, start:end] = _renumbered(batch.ids[:, start:end], keep_zero=c < 0)
        cut[name] = table[rows]
    return cut, ids


def _renumbered(ids: Array, keep_zero: bool = False) -> tuple[Array, Array]:
    """Return the distinct ids, and for each id its index among them.

    keep_zero: 0 means "no row" (in a pooled table), and keeps the index 0.
    """
    rows, place = np.unique(ids, return_inverse=True)
    if keep_zero and rows[0] != 0:
        rows, place = np.append([0], rows), place + 1
    return rows, place.reshape(ids.shape)


BROKEN = "broken_batch.safetensors"
T = TypeVar("T")


def keeping_batch(records: Iterator[T], path: Path) -> Iterator[T]:
    """Yield a training's records. If a value is not finite, write the batch to `path`.

    Errors: TrainingError, which names `path`.
    """
    try:
        yield from records
    except NonFiniteError as error:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_snapshot(error.snapshot, path)
        raise TrainingError(
            f"{error}; where it began: nertool gradcheck --batch {shlex.quote(str(path))}"
        ) from None


def load_snapshot(path: Path) -> Snapshot:
    """Read a snapshot. Errors: ModelError for a file that is missing, damaged or of another kind."""
    what = f"{path}: found no batch of nertool train, expected the file that it names when it stops"
    if path.is_dir():
        raise ModelError(f"{path}: found a folder, expected a batch that nertool train saved")
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["nertool"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if header["kind"] != _KIND:
            raise ModelError(what)
        fields = header["objective"]
        objective = Objective(
            **{**fields, "frozen": tuple(fields["frozen"]), "columns": tuple(fields["columns"])}
        )
        names = sorted(
            (name for name in arrays if name.startswith("theta.")),
            key=lambda name: int(name.split(".")[1]),
        )
        snapshot = Snapshot(
            dict(header["where"]),
            objective,
            {name.split(".", 2)[2]: arrays[name] for name in names},
            Batch(**_fields("batch.", arrays)),
            Masks(**_fields("masks.", arrays)),
        )
    except FileNotFoundError:
        raise ModelError(
            f"{path}: no such file, expected a batch that nertool train saved"
        ) from None
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise ModelError(what) from None
    if not _fits(snapshot):
        raise ModelError(f"{path}: damaged: its arrays don't belong together; train again")
    return snapshot


def _fields(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _fits(snapshot: Snapshot) -> bool:
    """Return whether J and the gradients can be computed from a snapshot's arrays."""
    objective, parameters, batch = snapshot.objective, snapshot.parameters, snapshot.batch
    if objective.activation not in ACTIVATIONS or objective.output not in LOSSES:
        return False
    if not set(WEIGHTS) < set(parameters):
        return False
    try:
        ids = [batch.ids, batch.windows]
        if any(a.size and (a.min() < 0 or a.dtype.kind not in "iu") for a in ids):
            return False
        with np.errstate(all="ignore"):
            loss_and_gradients(objective, parameters, batch, snapshot.masks)
    except (ValueError, IndexError, TypeError):
        return False
    return True


def loss_of(snapshot: Snapshot) -> tuple[float, float]:
    """Return J as training computed it, and J in 64-bit floats.

    If only the second is finite, a number was too large for 32 bits, but not for 64.
    """
    _, objective, parameters, batch, masks = snapshot
    with np.errstate(all="ignore"):
        J = forward_loss(objective, parameters, batch, masks).J
        return J, forward_loss(objective, *in_float64(parameters, batch, masks)).J


def first_not_finite(snapshot: Snapshot) -> str | None:
    """Return a text that describes the first value that is not finite in the forward and backward pass.

    Return None if all values are finite.
    """
    _, objective, parameters, batch, masks = snapshot
    with np.errstate(all="ignore"):
        J, ds, cache = forward_loss(objective, parameters, batch, masks)
        W, b, U = weights_of(parameters)
        z = cache.x @ W.T + b
        h = cache.h if masks.hidden is None else cache.h * masks.hidden
        _, gradients = loss_and_gradients(objective, parameters, batch, masks)
        values: dict[str, Array] = dict(parameters)
        if batch.side is not None:
            values["side"] = batch.side
        R = embed(list(tables_of(parameters).values()), batch.ids, objective.columns)
        values |= {
            "R": R,
            "x": cache.x,
            "z": z,
            "h": h,
            "s": h @ U.T,
            "J": np.array([J]),
            "∂J/∂s": ds,
        }
        values |= {f"∂J/∂{name}": _values(gradient) for name, gradient in gradients.items()}
    for name, array in values.items():
        bad = ~np.isfinite(array)
        if bad.any():
            place = ", ".join(map(str, np.argwhere(bad)[0].tolist()))
            found = array[bad][0]
            of = f"{int(bad.sum()):,} of {array.size:,}"
            return f"{name}[{place}] = {found} ({of} of its numbers are not finite)"
    return None
