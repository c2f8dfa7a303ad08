"""Processes that tag parts of a text in parallel, and return the results in order."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice

from nertool.errors import TaggingError
from nertool.predict.tasks.task import Result, Task, Worker
from nertool.processes import end_at_once, leave_signals_to_parent, watch_parent
from nertool.tagging.compiled import CompiledTagger

_FEWEST_TASKS = 3  # with fewer tasks, starting processes takes longer than it saves
_SIGNAL_DELAY = 0.1  # seconds
_AHEAD = 3  # tasks per process in the queue: enough that no process waits, few enough for memory


class Workers:
    """A context manager with processes that share a tagger.

    They are started by fork, so that they share the tagger's memory until they write to it. Tasks run in
    this process if the system has no fork, if `number` is 1, or if there are few tasks.
    """

    def __init__(self, tagger: CompiledTagger, number: int = 1) -> None:
        self.tagger = tagger
        self._local = Worker(tagger)
        can_fork = "fork" in multiprocessing.get_all_start_methods()
        self.number = number if can_fork else 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def run(self, tasks: Iterator[Task]) -> Iterator[Result]:
        """Run tasks, and yield their results in order. Many tasks run in parallel, with a limited queue.

        Errors: those of a task; TaggingError if a process was killed.
        """
        first = list(islice(tasks, _FEWEST_TASKS)) if self.number > 1 else []
        tasks = chain(first, tasks)
        if len(first) < _FEWEST_TASKS:
            yield from (_counted(task, self._local) for task in tasks)
            return
        pool = self._started()
        waiting: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_run, task))
                if len(waiting) >= _AHEAD * self.number:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            # A signal to the process group also ends this process: wait for it before raising an error.
            time.sleep(_SIGNAL_DELAY)
            raise TaggingError(
                "a process that tags ended before its work was done; if memory ran out, try --workers 1"
            ) from None
        finally:
            for future in waiting:
                future.cancel()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("fork")
            self._pool = ProcessPoolExecutor(self.number, context, _start, (self._local,))
        return self._pool


_worker: Worker | None = None  # set only in a process of the pool


def _start(worker: Worker) -> None:
    """Prepare a process of the pool. It ends when its parent ends, and leaves Ctrl-C to the parent."""
    global _worker
    _worker = worker
    leave_signals_to_parent()
    watch_parent(end_at_once)


def _run(task: Task) -> Result:
    assert _worker is not None
    return _counted(task, _worker)


def _counted(task: Task, worker: Worker) -> Result:
    """Run a task, and add the number of phrases that rules found to its ledger."""
    result = task.run(worker)
    if worker.tagger.rules is not None:
        result.ledger.read["phrases found by rules"] += worker.tagger.rules.take_found()
    return result


def usable_cores() -> int:
    """Return the number of processes that can run in parallel."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not available on every system
        return os.cpu_count() or 1
