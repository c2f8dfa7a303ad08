"""Processes that end when the process that started them ends, however that ends.

A process that is killed (SIGKILL, out of memory) can tell its workers nothing. Each worker therefore watches
its parent: through the pipe that multiprocessing keeps for this (it works on every system, and at
once), and by the parent's number, once a second. The second is needed where another process holds the
pipe's other end: each worker that is forked later inherits it. Linux has a signal for this purpose
(PR_SET_PDEATHSIG), but sends it when the *thread* ends that started the worker, and so would end the
workers of a thread that hands its results to another.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import connection

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
PERIOD = 1.0  # seconds between two looks at the parent's number


def watch_parent(end: Callable[[], None], period: float = PERIOD) -> None:
    """In a process of multiprocessing: call `end`, in a thread of its own, once the parent is gone.

    It may be gone already. In a process that multiprocessing did not start this does nothing.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        return
    thread = threading.Thread(
        target=_watch, args=(parent.sentinel, parent.pid, end, period), name="parent", daemon=True
    )
    thread.start()


def _watch(sentinel: int, pid: int, end: Callable[[], None], period: float) -> None:
    if hasattr(
        signal, "pthread_sigmask"
    ):  # the main thread alone can act on a signal: not to take it away
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    has_parent_number = sys.platform != "win32"  # there it stays the same when the parent ends
    while not (has_parent_number and os.getppid() != pid):
        if connection.wait([sentinel], period):
            break
    end()


def leave_signals_to_parent() -> None:
    """Let the process that started this one answer Ctrl-C; other signals end this one silently."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def end_at_once() -> None:
    """End this process from any thread, without tidying up."""
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def keep_freed_memory(most: int = 1 << 26) -> None:
    """Let the C library keep memory that is freed, for the next arrays of up to `most` bytes each.

    Without this, it gives arrays of some megabytes back to the system at once, which clears their pages for
    the next ones: a tenth of the time that tagging takes. It is a setting of the whole process, so that a
    command may make it, but not the library. It does nothing where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_THRESHOLD, most)
    mallopt(_TRIM_THRESHOLD, 4 * most)
