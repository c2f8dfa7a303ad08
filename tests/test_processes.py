"""Workers end with the process that started them, though that was killed and could say nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from nertool.processes import watch_parent

PARENT = """
import multiprocessing, sys, time
from nertool.processes import end_at_once, watch_parent

def work(ready):
    watch_parent(end_at_once)
    ready.set()
    time.sleep(120)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    ready = context.Event()
    workers = [context.Process(target=work, args=(ready,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    ready.wait()
    print(*(worker.pid for worker in workers), flush=True)
    time.sleep(120)
"""


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended, and whom nobody has asked how, is still listed.
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="this system has no /proc")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_no_worker_outlives_a_parent_that_is_killed(tmp_path, method):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, script, method], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(workers) == 2
    assert all(map(lives, workers))
    parent.kill()
    parent.wait()
    end = time.monotonic() + 20
    while any(map(lives, workers)) and time.monotonic() < end:
        time.sleep(0.01)
    left = [pid for pid in workers if lives(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    parent.stdout.close()
    assert left == []


def test_the_parents_number_is_watched_too_where_others_hold_the_pipe(monkeypatch):
    # The pipe stays open here: its other end is this test's.
    reader, writer = multiprocessing.Pipe()

    class Parent:
        pid = os.getppid() + 1  # not the number of this process's parent: that one is gone
        sentinel = reader

    monkeypatch.setattr(multiprocessing, "parent_process", Parent)
    gone = threading.Event()
    watch_parent(gone.set, period=0.01)
    assert gone.wait(5)
    Parent.pid = os.getppid()
    gone.clear()
    watch_parent(gone.set, period=0.01)
    assert not gone.wait(0.1)
    writer.close()
    assert gone.wait(5)
