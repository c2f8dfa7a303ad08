"""Pieces of work in processes of their own: what they report, how they fail, and that none is left."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from nertool.errors import ModelError, TrainingError
from nertool.training.parallel.pool import Piece, run_pieces
from tests.support import pieces


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(path: Path) -> int:
    """Return the process number that a piece leaves once it has begun."""
    while not path.exists():
        time.sleep(0.01)
    return int(path.read_text())


def test_every_record_comes_with_its_pieces_name_and_in_order():
    work = [Piece(name, pieces.count, (name, n)) for name, n in (("a", 3), ("b", 0), ("c", 2))]
    found = list(run_pieces(work, workers=2))
    assert Counter(name for name, _ in found) == {"a": 3, "c": 2}
    assert all(name == sent for name, (sent, _) in found)
    for name, n in (("a", 3), ("c", 2)):
        assert [i for own, (_, i) in found if own == name] == list(range(n))
    assert list(run_pieces([], workers=3)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_no_more_pieces_are_at_work_than_were_asked_for(tmp_path, workers):
    work = [Piece(name, pieces.overlap, (tmp_path, name)) for name in "abc"]
    at_once = [n for _, n in run_pieces(work, workers)]
    assert len(at_once) == 3
    assert max(at_once) <= workers


def test_a_piece_has_a_process_with_one_thread_that_does_not_hear_of_ctrl_c(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    ((_, (pid, threads, blocked)),) = run_pieces([Piece("a", pieces.tell, ())], 1)
    assert pid != os.getpid()
    assert {threads[f"{name}_NUM_THREADS"] for name in ("OPENBLAS", "MKL", "OMP")} == {"1"}
    assert blocked
    # What was set for it is this process's own again.
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7"
    assert "OMP_NUM_THREADS" not in os.environ


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        (pieces.refuse, ModelError, "a/b.c: found d, expected e"),
        (pieces.run_full, OSError, "No space left on device: 'some/file'"),
        (pieces.run_out, MemoryError, ""),
        (pieces.die, TrainingError, "b: its process ended with exit code -9"),
        (pieces.leave, TrainingError, "b: its process ended with exit code 0 and without a result"),
    ],
    ids=["refused", "disk-full", "out-of-memory", "killed", "no-result"],
)
def test_what_ends_a_piece_ends_all_and_is_raised_as_it_is(tmp_path, capfd, work, error, message):
    # a goes on and on; b fails; c is never begun.
    begun = [tmp_path / "a", tmp_path / "c"]
    waiting = [Piece(path.name, pieces.linger, (path,)) for path in begun]
    run = run_pieces([waiting[0], Piece("b", work, ()), waiting[1]], workers=2)
    with pytest.raises(error) as caught:
        for _ in run:
            pass
    assert message in str(caught.value)
    assert not begun[0].exists() or not is_alive(int(begun[0].read_text()))
    assert not begun[1].exists()
    assert capfd.readouterr() == ("", "")


def test_who_stops_listening_leaves_no_process_behind(tmp_path):
    run = run_pieces([Piece("a", pieces.linger, (tmp_path / "a",))], workers=1)
    assert next(run) == ("a", "begun")
    pid = wait_for(tmp_path / "a")
    assert is_alive(pid)
    run.close()
    assert not is_alive(pid)


def test_what_a_stopped_piece_had_half_written_goes_with_it(tmp_path, capfd):
    run = run_pieces([Piece("a", pieces.write, (tmp_path / "folder",))], workers=1)
    assert next(run) == ("a", "begun")
    assert [path.name for path in tmp_path.glob(".folder.new-*/*")] == ["half"]
    run.close()
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
