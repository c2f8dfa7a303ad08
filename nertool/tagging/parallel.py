"""Pieces of text tagged side by side, in processes of their own, and given back in their order."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from multiprocessing.pool import AsyncResult
from pathlib import Path
from typing import NamedTuple

from nertool.corpus.annotated import Annotated
from nertool.corpus.formats import count
from nertool.corpus.ledger import Ledger
from nertool.corpus.records import Reading, Record, build_corpus
from nertool.corpus.writers import Writer, Writing
from nertool.tagging.annotate import Asked, annotate
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.storage import load_model

_AHEAD = 3  # pieces in hand for each process: enough that none waits, few enough to hold


class Task(NamedTuple):
    """A piece of text, and what is to be done to it. writer: None if the piece is wanted as it is."""

    records: list[Record]
    source: str
    layout: str
    reading: Reading
    asked: Asked
    writer: Writer | None
    writing: Writing


class Done(NamedTuple):
    """What became of a piece: its text, or itself; and the account of it."""

    text: str
    piece: Annotated | None
    ledger: Ledger


class Workers:
    """Processes with a model each. Use it in a `with`."""

    def __init__(self, model_path: Path, number: int) -> None:
        kinds = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if "fork" in kinds else "spawn")
        self.number = number
        self._pool = context.Pool(number, _begin, (str(model_path),))

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *failure: object) -> None:
        self._pool.terminate()
        self._pool.join()

    def run(self, tasks: Iterator[Task]) -> Iterator[Done]:
        """Do tasks side by side; yield what became of them in their order, holding few at a time."""
        waiting: deque[AsyncResult[Done]] = deque()
        for task in tasks:
            waiting.append(self._pool.apply_async(do, (task,)))
            if len(waiting) >= _AHEAD * self.number:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()


_tagger: CompiledTagger | None = None  # of this process, once it has begun


def _begin(model_path: str) -> None:
    global _tagger
    _tagger = CompiledTagger(load_model(Path(model_path)))


def do(task: Task, tagger: CompiledTagger | None = None) -> Done:
    """Tag a piece, and write it if there is a writer."""
    tagger = tagger or _tagger
    assert tagger is not None
    ledger = Ledger(keep=True)
    corpus = build_corpus(task.records, task.source, task.layout, task.reading, ledger)
    count(corpus, ledger, files=0)
    piece = annotate(tagger, corpus, task.asked, ledger)
    ledger.read["entities found"] += len(piece.spans)
    if task.writer is None:
        return Done("", piece, ledger)
    return Done("".join(task.writer([piece], task.writing, ledger)), None, ledger)
