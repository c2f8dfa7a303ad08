"""Independent pieces of a training, side by side in processes of their own.

Every piece reads what it needs from the run folder and leaves its result there, so nothing but its
progress has to come back. Each has one BLAS thread, however many run beside it: so the result
does not depend on how many there are.
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

_PATIENCE = 5.0  # seconds that a process has to tidy up after it was told to end
# It is told several times: a signal that arrives just before a wait in the system does not end that wait.
_SIGNALS = 10

Send = Callable[[Any], None]


class Piece(NamedTuple):
    """Work to be done: run(*arguments, send), where send passes a progress record on."""

    name: str
    run: Callable[..., None]
    arguments: tuple[Any, ...]


def run_pieces(pieces: Sequence[Piece], workers: int) -> Iterator[tuple[str, Any]]:
    """Run pieces, `workers` at a time; yield (piece's name, record) as the records come.

    Errors: the NertoolError that a piece ended with; TrainingError if its process was killed. All
    other pieces are stopped first.
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
    """End a process. It may tidy up first, but a signal in the wrong moment leaves its queue locked."""
    for _ in range(_SIGNALS):
        process.terminate()
        process.join(_PATIENCE / _SIGNALS)
        if not process.is_alive():
            break
    else:
        process.kill()
        process.join()


def _refuse_dead(running: dict[str, Any], silent: set[str]) -> None:
    """Refuse to wait for a process that has ended without a word.

    silent: those that had ended when the queue was last empty; what they sent before has come by now.
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
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it tidies up now
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
        queue.cancel_join_thread()  # what nobody reads must not keep the process


def _end_orphan() -> None:
    """End this process, whose parent is gone: it may tidy up first."""
    for _ in range(_SIGNALS):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE / _SIGNALS)
    end_at_once()


class _Stopped(BaseException):
    """Nobody waits for the result any more: what is half-written goes, and so do pieces of this piece."""


@contextmanager
def _unheard_interrupt() -> Iterator[None]:
    """Let processes that are started now not hear of Ctrl-C: this one does, and stops them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The first process that is started would else start this helper of its module's, which lets
    # SIGINT through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes that are started now have one BLAS thread each."""
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
