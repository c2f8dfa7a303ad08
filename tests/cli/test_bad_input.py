"""Whatever is wrong with the input: one line that names the place, the right exit code, nothing left over."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.bad_input_cases import CASES, TRAIN, Case
from tests.support.models import tree


@pytest.fixture(scope="module")
def prepared_only(tiny: Path, run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny data with a run, a model and prepared inputs, to be copied for each case."""
    folder = tmp_path_factory.mktemp("bad") / "template"
    shutil.copytree(tiny, folder)
    shutil.copytree(run_dir, folder / "run")
    shutil.copytree(run_dir / "best", folder / "model")
    shutil.copytree(run_dir / "prepared", folder / "prepared-only" / "prepared")
    return folder


def error_line(stderr: str, code: int) -> str:
    """Return the error's one line, without what it begins with, after checking that it is alone."""
    lines = stderr.splitlines()
    start = {1: "nertool: ", 2: "Error: "}[code]
    assert [line for line in lines if line.startswith(("nertool: ", "Error"))] == lines[-1:]
    assert lines[-1].startswith(start)
    assert "Traceback" not in stderr
    return lines[-1].removeprefix(start)


def test_the_cases_have_names_of_their_own():
    assert len({case.name for case in CASES}) == len(CASES) > 90


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_gets_one_line_and_leaves_nothing_behind(
    case: Case, prepared_only: Path, tmp_path: Path, main: Callable
):
    work = tmp_path / "work"
    shutil.copytree(prepared_only, work)
    for name, content in case.files.items():
        path = work / name
        path.parent.mkdir(exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
    before = tree(tmp_path)

    done = main(*case.command, stdin=case.stdin, cwd=work)

    assert done.returncode == case.code, done.stderr
    line = error_line(done.stderr, case.code)
    # A path in a config is given from the config's folder: here, the working folder.
    assert line.replace(f"{work}/", "").startswith(case.begins)
    assert case.holds in line
    assert done.stdout == ""
    assert tree(tmp_path) == before


def test_the_same_goes_for_a_process_of_its_own(prepared_only, cli):
    before = tree(prepared_only)
    done = cli("predict", "run", "caf\udcff.txt", cwd=prepared_only)  # a name that is not UTF-8
    assert done.returncode == 1
    assert "no such file" in error_line(done.stderr, 1)
    done = cli("predict", "run", "-", "--scheme", "iob3", cwd=prepared_only)
    assert done.returncode == 2
    assert "iob3" in error_line(done.stderr, 2)
    assert done.stdout == ""
    assert tree(prepared_only) == before


def test_a_header_less_vectors_file_is_no_fault(prepared_only, tmp_path, main):
    work = tmp_path / "work"
    shutil.copytree(prepared_only, work)
    lines = (work / "vectors.txt").read_text().splitlines(keepends=True)
    (work / "vectors.txt").write_text("".join(lines[1:]))
    done = main(*TRAIN, "--set", "training.epochs=1", cwd=work)
    assert done.returncode == 0, done.stderr
    assert "GloVe text (no header)" in done.stderr


def test_a_loss_that_runs_away_is_named_and_leaves_a_folder_that_can_be_trained_again(
    prepared_only, tmp_path, main
):
    work = tmp_path / "work"
    shutil.copytree(prepared_only, work)
    sets = ["training.optimizer=sgd", "training.alpha=100", "training.l2=1000"]
    done = main(*TRAIN, *[part for text in sets for part in ("--set", text)], cwd=work)
    assert done.returncode == 1
    assert "in epoch" in error_line(done.stderr, 1)
    assert "training.alpha = 100" in done.stderr
    assert "RuntimeWarning" not in done.stderr
    assert sorted(path.name for path in (work / "new").iterdir()) == [
        "broken_batch.safetensors",  # what `nertool gradcheck --batch` takes up
        "config.yaml",
        "prepared",
    ]
    done = main(*TRAIN, "--set", "training.epochs=1", cwd=work)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named_before_any_work(prepared_only, tmp_path, main):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    for command in (
        ("train", "config.yaml", "--run-dir", locked / "run"),
        ("predict", "run", "dev.conll", "-o", locked / "out"),
    ):
        done = main(*command, cwd=prepared_only)
        assert done.returncode == 1
        assert str(locked) in error_line(done.stderr, 1)
        assert "epoch" not in done.stderr
    assert tree(locked) == {}


def test_a_full_disk_is_one_line_too(prepared_only, tmp_path, main, monkeypatch):
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    done = main("predict", "run", "dev.conll", "-o", tmp_path / "out", cwd=prepared_only)
    assert done.returncode == 1
    assert "No space left" in error_line(done.stderr, 1)
    assert tree(tmp_path) == {}
    monkeypatch.setattr(os, "fsync", real)


def test_the_error_is_told_apart_from_notes_before_it(prepared_only, main):
    # The check itself must be able to fail.
    with pytest.raises(AssertionError):
        error_line("nertool: a\nnertool: b\n", 1)
    with pytest.raises(AssertionError):
        error_line("nertool: a\nand a line that stands after it\n", 1)
    assert error_line("a note\nnertool: a\n", 1) == "a"


def test_json_output_is_not_spoilt_by_an_error(prepared_only, main):
    done = main("evaluate", "run", "-", "--json", stdin=b"Ada\n", cwd=prepared_only)
    assert (done.returncode, done.stdout) == (1, "")
    with pytest.raises(json.JSONDecodeError):
        json.load(io.StringIO(done.stdout))
