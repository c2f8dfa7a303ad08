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
from typing import NamedTuple, Protocol

from nertool.corpus.annotated import Annotated
from nertool.corpus.blocks import Block
from nertool.corpus.ledger import Ledger
from nertool.corpus.lines import Kinds, Lines, Rows
from nertool.corpus.linetable import Bytes
from nertool.embeddings.wordforms import WordForms
from nertool.errors import TaggingError
from nertool.tagging.compiled import CompiledTagger

_WORTH = 3  # pieces from which on processes are worth their beginning
_AHEAD = 3  # pieces in hand for each process: enough that none waits, few enough to hold


class Done(NamedTuple):
    """What became of a piece of text: what is to be written of it, or itself; and its account.

    opens, closes: of columns, whether a document's mark stands before its first token, and after its last.
    """

    text: str
    piece: Annotated | None
    ledger: Ledger
    opens: bool = False
    closes: bool = False


class Worker:
    """A tagger, and what it remembers from one piece of text to the next."""

    def __init__(self, tagger: CompiledTagger) -> None:
        self.tagger = tagger
        self._lines: Lines | None = None
        self._words = WordForms([])

    def kinds(self, rows: Rows, block: Block, source: str) -> tuple[Kinds, Bytes, WordForms]:
        """Return what each line of a block is and its bytes, as Lines.kinds, and the words that the
        former points into."""
        # The tagger meets a new list's words only, one that is too long over and over.
        full = len(self._words) > self.tagger.most_forms
        if full or self._lines is None or self._lines.rows != rows or self._lines.full:
            self._lines, self._words = Lines(rows), WordForms([])
        kinds, raw = self._lines.kinds(block, source)
        self._words.words += islice(self._lines.words, len(self._words), None)
        return kinds, raw, self._words


class Task(Protocol):
    """A piece of text, and what is to be done to it. It can be sent to another process."""

    def run(self, worker: Worker) -> Done: ...


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
