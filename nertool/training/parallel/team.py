"""The threads that share the work of a training step, in place of those of the matrix library (BLAS).

numpy lets other threads run while it computes, so two shards of a batch can go through the whole step
side by side. Two threads inside of each product share the products alone, and one that waits for the
other's half of a small product waits busily: where other programs want the cores too, that costs
several times the step.
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
    """Return how many threads BLAS has: what its environment variables (OPENBLAS_NUM_THREADS, …)
    ask for, or else one a core."""
    libraries = ThreadpoolController().select(user_api="blas").info()
    return max((library["num_threads"] for library in libraries), default=os.cpu_count() or 1)


class Threads(NamedTuple):
    """How a training step is shared out. The result does not depend on their number.

    workers: the threads, None for as many as BLAS would have; shard_size: windows in a shard of a batch.
    """

    workers: int | None = None
    shard_size: int = SHARD_SIZE


def _unwarned() -> None:
    # A number too large is caught by J: no need for numpy to warn of it first. Said in each thread.
    np.seterr(over="ignore", invalid="ignore")


class Team:
    """So many threads, of which the caller's is one. In a `with`: the others are sent home at its end."""

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
        """Hold BLAS to one thread: results must not depend on how many there are."""
        held: AbstractContextManager[object] = self._blas.limit(limits=1)
        return held

    def begin(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Begin something in another thread, if there is one; return a function that waits for its
        result."""
        return self._others.submit(work).result if self._others else work

    def parallel_map(
        self, work: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result]:
        """Do as `map` does, at once; each thread takes the next item when it is done with one."""
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
