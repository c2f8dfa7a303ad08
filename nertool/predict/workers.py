"""Pieces of text tagged side by side, in processes of their own, and given back in their order."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice

from nertool.errors import TaggingError
from nertool.predict.tasks.task import Done, Task, Worker
from nertool.tagging.compiled import CompiledTagger

_WORTH = 3  # pieces from which on processes are worth their beginning
_AHEAD = 3  # pieces in hand for each process: enough that none waits, few enough to hold


class Workers:
    """Processes that share a tagger: the machine's own way of copying a process (fork) copies nothing
    of it until it is written to. Where there is no such way, and where there is one process, or not
    much text, all is done here. Use it in a `with`."""

    def __init__(self, tagger: CompiledTagger, number: int = 1) -> None:
        self._here = Worker(tagger)
        can_fork = "fork" in multiprocessing.get_all_start_methods()
        self.number = number if can_fork else 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def run(self, tasks: Iterator[Task]) -> Iterator[Done]:
        """Do tasks side by side; yield what became of them in their order, holding few at a time.

        Errors: a task's own; TaggingError if a process was killed.
        """
        first = list(islice(tasks, _WORTH)) if self.number > 1 else []
        tasks = chain(first, tasks)
        if len(first) < _WORTH:
            yield from (task.run(self._here) for task in tasks)
            return
        pool = self._begun()
        waiting: deque[Future[Done]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_run, task))
                if len(waiting) >= _AHEAD * self.number:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise TaggingError(
                "a process that tags ended before its work was done; if memory ran out, try --workers 1"
            ) from None
        finally:
            for future in waiting:
                future.cancel()

    def _begun(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("fork")
            self._pool = ProcessPoolExecutor(self.number, context, _begin, (self._here,))
        return self._pool


_worker: Worker | None = None  # of a process that others have begun


def _begin(worker: Worker) -> None:
    global _worker
    _worker = worker
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the process that has begun this one


def _run(task: Task) -> Done:
    assert _worker is not None
    return task.run(_worker)


def usable_cores() -> int:
    """Return how many processes can run side by side."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
