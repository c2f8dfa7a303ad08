"""Worker processes that end when their parent process ends, even if that is killed.

A process that is killed (SIGKILL, out of memory) can't notify its workers. Therefore each worker watches its
parent in two ways. First, through the pipe that multiprocessing keeps for this purpose, which works on every
system, and at once. Second, by the parent's process id, once a second. This is necessary because a worker
that is forked later inherits the other end of the pipe, and keeps it open. Linux has a signal for this
purpose (PR_SET_PDEATHSIG). But Linux sends it when the *thread* that started the worker ends, so it would end
the workers of a thread that hands its results to another.
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
PERIOD = 1.0  # seconds between two checks of the parent's process id


def watch_parent(end: Callable[[], None], period: float = PERIOD) -> None:
    """Call `end` in a separate thread when the parent process has ended, also if it ended before this call.

    It does nothing in a process that multiprocessing did not start. period: seconds between two checks.
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
    ):  # only the main thread can handle signals, so this one must not receive them
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    has_parent_number = sys.platform != "win32"  # Windows keeps the id after the parent has ended
    while not (has_parent_number and os.getppid() != pid):
        if connection.wait([sentinel], period):
            break
    end()


def leave_signals_to_parent() -> None:
    """Ignore Ctrl-C, which the parent process handles; let SIGTERM and SIGHUP end this process silently."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def end_at_once() -> None:
    """End this process at once, from any thread, without any clean-up."""
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def keep_freed_memory(most: int = 1 << 26) -> None:
    """Let the C library keep freed memory for later arrays of up to `most` bytes each.

    Otherwise it returns arrays of some megabytes to the system at once, and the system must clear the pages
    of the next ones. This takes a tenth of the time of tagging. The setting is for the whole process, so a
    command may change it, but not the library. It has an effect only with glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_MMAP_THRESHOLD, most)
    mallopt(_TRIM_THRESHOLD, 4 * most)
