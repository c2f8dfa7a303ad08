"""Threads that share the work of a training step, in place of those of the matrix library (BLAS).

numpy releases the interpreter lock while it computes, so two shards of a batch can go through the whole step
in parallel. BLAS threads would share the matrix products alone, and a thread that waits for the other's half
of a small product waits busily: where other programs want the cores too, that costs several times the step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from nertool.network.shards import SHARD_SIZE

Item = TypeVar("Item")
Result = TypeVar("Result")


def blas_threads() -> int:
    """Return how many threads BLAS uses.

    That is the value of its environment variables (OPENBLAS_NUM_THREADS, …), or else one per core.
    """
    libraries = ThreadpoolController().select(user_api="blas").info()
    return max((library["num_threads"] for library in libraries), default=os.cpu_count() or 1)


class Threads(NamedTuple):
    """How the work of a training step is divided. The result does not depend on the number of workers.

    workers: number of threads; None means as many as BLAS would use. shard_size: windows in a shard of a
    batch.
    """

    workers: int | None = None
    shard_size: int = SHARD_SIZE


def _unwarned() -> None:
    # An overflow shows in J, so numpy need not warn of it first. numpy has this setting per thread.
    np.seterr(over="ignore", invalid="ignore")


class Team:
    """A number of threads, of which the caller's is one. A `with` statement stops the others at its end."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._blas = ThreadpoolController().select(user_api="blas")
        self._others = ThreadPoolExecutor(threads - 1, "step", _unwarned) if threads > 1 else None

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._others:
            self._others.shutdown(cancel_futures=True)

    def alone(self) -> AbstractContextManager[object]:
        """Limit BLAS to one thread, so that results do not depend on the number of BLAS threads."""
        held: AbstractContextManager[object] = self._blas.limit(limits=1)
        return held

    def begin(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Run a function in another thread, if there is one; return a function that waits for its result.

        Without another thread, `work` itself is returned, and runs when it is called.
        """
        return self._others.submit(work).result if self._others else work

    def parallel_map(
        self, work: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result]:
        """Apply a function to all items in the threads, and wait; return an iterator over the results in
        order.

        Each thread takes the next item when it is free.
        """
        items = list(items)
        if not self._others or len(items) == 1:
            return iter([work(item) for item in items])
        results: list[Any] = [None] * len(items)
        waiting = iter(range(len(items)))

        def take() -> None:
            for i in waiting:
                results[i] = work(items[i])

        others: list[Future[None]] = [self._others.submit(take) for _ in range(self.threads - 1)]
        try:
            take()
        finally:
            for other in others:
                other.result()
        return iter(results)
