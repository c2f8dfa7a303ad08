"""Run independent pieces of a training in parallel processes.

Each piece reads its inputs from the run folder and writes its result there. Only its progress is sent back.
Each piece has one BLAS thread, however many run in parallel, so the result does not depend on their number.
"""

from __future__ import annotations

import multiprocessing
import os
import queue as queues
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, NamedTuple

from nertool.errors import NertoolError, TrainingError
from nertool.files.unfinished import remove_unfinished
from nertool.processes import end_at_once, watch_parent

_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")

_PATIENCE = 5.0  # seconds that a process has to clean up after it was told to end
# Times that the signal is sent: one that arrives just before a blocking system call does not end that call.
_SIGNALS = 10

Send = Callable[[Any], None]


class Piece(NamedTuple):
    """A piece of work: run(*arguments, send). It calls send with each progress record."""

    name: str
    run: Callable[..., None]
    arguments: tuple[Any, ...]


def run_pieces(pieces: Sequence[Piece], workers: int) -> Iterator[tuple[str, Any]]:
    """Run pieces, `workers` at a time; yield (piece's name, record) as the records arrive.

    Errors: the NertoolError that a piece raised; TrainingError if its process was killed. The other pieces
    are stopped first.
    """
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue()
    waiting = deque(pieces)
    running: dict[str, Any] = {}
    silent: set[str] = set()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                piece = waiting.popleft()
                process = context.Process(target=_work, args=(piece, queue))
                with _one_thread(), _unheard_interrupt():
                    process.start()
                running[piece.name] = process
            try:
                name, record, error = queue.get(timeout=1.0)
            except queues.Empty:
                _refuse_dead(running, silent)
                silent = {name for name, own in running.items() if own.exitcode is not None}
                continue
            if error is not None:
                raise error
            if record is None:
                running.pop(name).join()
            else:
                yield name, record
    finally:
        for process in running.values():
            _stop(process)


def _stop(process: Any) -> None:
    """End a process, by force if it does not end when told.

    It gets time to clean up. But a signal at a bad moment can leave its queue locked, and then it would never
    end.
    """
    for _ in range(_SIGNALS):
        process.terminate()
        process.join(_PATIENCE / _SIGNALS)
        if not process.is_alive():
            break
    else:
        process.kill()
        process.join()


def _refuse_dead(running: dict[str, Any], silent: set[str]) -> None:
    """Raise TrainingError for a process that has ended without reporting that its piece is done.

    silent: names of the processes that had ended when the queue was last empty. Whatever they sent before has
    arrived by now.
    """
    for name, process in running.items():
        if process.exitcode is None:
            continue
        if process.exitcode != 0 or name in silent:
            raise TrainingError(
                f"{name}: its process ended with exit code {process.exitcode} and without a result; "
                "if memory ran out, try --workers 1"
            )


def _work(piece: Piece, queue: Any) -> None:
    """Run a piece, in its own process."""
    parent = multiprocessing.parent_process()

    def send(record: Any) -> None:
        if parent is not None and not parent.is_alive():
            raise _Stopped
        queue.put((piece.name, record, None))

    def stop(*_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it cleans up now
        raise _Stopped

    error: BaseException | None = None
    try:
        signal.signal(signal.SIGTERM, stop)
        watch_parent(_end_orphan)
        try:
            piece.run(*piece.arguments, send)
        except (NertoolError, OSError, MemoryError) as raised:
            error = raised
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        queue.put((piece.name, None, error))
    except _Stopped:
        remove_unfinished()
        queue.cancel_join_thread()  # data that nobody reads must not keep the process alive


def _end_orphan() -> None:
    """End this process, whose parent is gone, and give it time to clean up first."""
    for _ in range(_SIGNALS):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE / _SIGNALS)
    end_at_once()


class _Stopped(BaseException):
    """Raised to end a piece whose result nobody waits for: unfinished files and its own processes are
    removed."""


@contextmanager
def _unheard_interrupt() -> Iterator[None]:
    """Start processes inside this context with Ctrl-C blocked: only this process receives it, and stops
    them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Otherwise the first process that starts would also start the resource tracker of multiprocessing, which
    # unblocks SIGINT again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Start processes inside this context with one BLAS thread each."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
