"""A run folder's lock: one process at a time writes to it, and the lock ends with the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nertool.errors import BusyError
from nertool.files.folders import locked
from nertool.model.load import load_model
from nertool.training.run import writing_run

pytest.importorskip("fcntl", reason="this system has no flock")


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited 30 s in vain"
        time.sleep(0.01)


@contextmanager
def training(config: Path, run_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Train in a process of its own, for longer than any test lasts; inside, it has a model already."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nertool", "train", config, "--run-dir", run_dir, "--workers", "1",
         "--set", "training.epochs=10000", "--set", "training.patience=10000"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_for(lambda: (run_dir / "best" / "model.json").exists() or process.poll() is not None)
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        yield process
    finally:
        process.kill()
        process.communicate()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_a_second_training_is_refused_and_sigterm_ends_the_first_cleanly(tiny, tmp_path, main):
    run_dir = tmp_path / "run"
    with training(tiny / "config.yaml", run_dir) as first:
        second = main("train", tiny / "config.yaml", "--run-dir", run_dir, "--overwrite")
        assert second.returncode == 1
        assert second.stderr.splitlines()[-1] == (
            f"nertool: {run_dir}: another process is writing to it; wait until it has ended, or choose "
            "another --run-dir"
        )
        assert "Traceback" not in second.stderr
        load_model(run_dir)  # readers need no lock, and find a whole model at any moment
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=30) == 128 + signal.SIGTERM
        assert first.stderr is not None
        assert "ended by SIGTERM; " in first.stderr.read().decode().splitlines()[-1]
    left = {name for name in names(run_dir) if name.startswith(".")}
    assert left == set(), "unfinished files"
    load_model(run_dir)
    with writing_run(run_dir):  # and the lock is free
        pass


def test_a_refused_training_changes_nothing(tiny, tmp_path, main):
    run_dir = tmp_path / "run"
    with locked(run_dir):
        (run_dir / "best").mkdir()
        (run_dir / ".best.new-x").mkdir()  # what the other process is writing
        refused = main("train", tiny / "config.yaml", "--run-dir", run_dir, "--overwrite")
        assert refused.returncode == 1
        assert names(run_dir) == {"best", ".best.new-x"}


def test_the_lock_of_a_killed_process_is_free_and_its_unfinished_files_go(tmp_path):
    run_dir = tmp_path / "run"
    code = (
        "import sys, time; from pathlib import Path; from nertool.files.folders import locked\n"
        "with locked(Path(sys.argv[1])):\n"
        "    (Path(sys.argv[1]) / '.best.new-x').mkdir(); print(flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, run_dir], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(BusyError), locked(run_dir):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert (run_dir / ".best.new-x").exists()
    with writing_run(run_dir):
        assert os.listdir(run_dir) == []


def test_a_folder_that_was_made_for_work_that_failed_is_removed(tmp_path):
    with pytest.raises(ValueError, match="early"), locked(tmp_path / "a" / "b"):
        raise ValueError("early")
    assert list(tmp_path.iterdir()) == []
