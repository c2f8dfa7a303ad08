"""Coursework: a right backward pass passes, each wrong one gets a hint, and the bug can be named."""

from __future__ import annotations

from pathlib import Path

import pytest

from nertool.gradcheck.coursework import bug_table, candidates, hidden_mistake, write_coursework

RIGHT = """
    delta = ds @ U * (1 - h * h)
    return delta.T @ x, delta.sum(axis=0), ds.T @ h, delta @ W
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_coursework(tmp_path / "course", seed=1)
    return tmp_path / "course"


def write(folder: Path, body: str) -> None:
    code = f"import numpy as np\n\ndef backward(W, U, x, h, ds):\n{body}"
    (folder / "backward.py").write_text(code, encoding="utf-8")


def test_the_stub_runs_and_says_what_is_to_be_written(folder, main):
    done = main("lesson", "check", folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert "backward.py: not yet\n" in done.stdout
    assert "hint: ∂J/∂W is 0 throughout: it is still to be written" in done.stdout
    assert "answer.txt: not yet\n  no name yet" in done.stdout


def test_right_work_passes(folder, main):
    write(folder, RIGHT)
    (folder / "answer.txt").write_text(hidden_mistake(1).name + "\n", encoding="utf-8")
    done = main("lesson", "check", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "backward.py: passed" in done.stdout
    assert "answer.txt: passed" in done.stdout


@pytest.mark.parametrize(
    ("body", "wrong", "hint"),
    [
        (RIGHT.replace("ds @ U * (1 - h * h)", "ds @ U"), "W b x", "δ without f′"),
        (RIGHT.replace("delta = ds", "ds = -ds\n    delta = ds"), "W b U x", "sign of p − y"),
        (RIGHT.replace("delta.sum(axis=0)", "0 * delta.sum(axis=0)"), "b", "bias forgotten"),
        (RIGHT.replace("1 - h * h", "1 - h"), "W b x", "look at δ"),
        (RIGHT.replace("delta @ W\n", "3 * delta @ W\n"), "x", "3 times too long"),
        (RIGHT.replace("ds.T @ h", "ds.T @ np.tanh(h)"), "U", "made of ds and h"),
    ],
)
def test_a_wrong_gradient_gets_a_hint(folder, main, body, wrong, hint):
    write(folder, body)
    done = main("lesson", "check", folder)
    assert done.returncode == 1
    for name in "WbUx":
        verdict = "wrong" if name in wrong.split() else "right"
        assert f"∂J/∂{name}: {verdict} (" in done.stdout
    assert hint in next(line for line in done.stdout.splitlines() if "hint: " in line)


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        ("    exit(3)\n", "backward.py:4: SystemExit: 3"),
        ("    return 1\n", "something else than its four gradients"),
        ("    return unknown\n", "backward.py:4: NameError: name 'unknown' is not defined"),
        ("    return W W\n", "backward.py:4: SyntaxError"),
        ("    return 'a', 2, 3, 4\n", "no array of numbers for ∂J/∂W"),
    ],
)
def test_what_cannot_be_graded_is_said_in_a_line(folder, main, body, holds):
    write(folder, body)
    done = main("lesson", "check", folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert holds in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_gradient_of_another_shape_is_named(folder, main):
    write(folder, RIGHT.replace("delta.T @ x", "x.T @ delta").replace("delta.sum(axis=0)", "delta"))
    done = main("lesson", "check", folder)
    assert "∂J/∂W has the shape (9, 6), expected (6, 9)" in done.stdout
    assert "∂J/∂b has the shape (8, 6), expected (6,)" in done.stdout


def test_a_folder_with_something_in_it_is_left_alone(folder, main):
    done = main("lesson", "init", folder)
    assert done.returncode == 1
    assert "expected a new folder" in done.stderr
    assert main("lesson", "check", folder / "nowhere").returncode == 1


def rows_of(table: str) -> dict[str, list[str]]:
    """Return the table's rows by block: verdict, error, length, cosine."""
    cells = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in table.splitlines()
        if "|" in line
    ]
    return {block: rest for block, *rest in cells[2:]}


def test_each_bug_can_be_told_from_the_others():
    shown = set()
    for mistake in candidates():
        seed = next(seed for seed in range(200) if hidden_mistake(seed).name == mistake.name)
        rows = rows_of(bug_table(seed))
        assert list(rows) == ["L", "W", "b", "U"]
        spoiled = {"L" if block == "tables" else block for block in mistake.spoils}
        assert {block for block, row in rows.items() if "wrong" in row[0]} == spoiled
        # By the blocks, or whether they are longer, shorter or turned round.
        signs = [
            (row[0], float(row[2]) > 1, float(row[3]) < 0, float(row[3]) > 0.999)
            for row in rows.values()
        ]
        shown.add(tuple(signs))
    assert len(shown) == len(candidates()) == 8


def test_the_table_is_the_same_each_time_and_names_no_answer():
    assert bug_table(3) == bug_table(3)
    assert len({hidden_mistake(seed).name for seed in range(40)}) == 8


def test_a_wrong_name_is_told_what_it_would_spoil(folder, main):
    hidden = hidden_mistake(1)
    other = next(m for m in candidates() if set(m.spoils) != set(hidden.spoils))
    (folder / "answer.txt").write_text(other.name, encoding="utf-8")
    assert f"no: {other.name} would spoil " in main("lesson", "check", folder).stdout
    (folder / "answer.txt").write_text("bias forgoten", encoding="utf-8")
    assert "did you mean" in main("lesson", "check", folder).stdout
