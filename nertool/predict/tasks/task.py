"""What a task is: a piece of an input that any worker can tag by itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from typing import NamedTuple, Protocol

import numpy as np

from nertool.corpus.annotated import Annotated
from nertool.corpus.blocks import Block
from nertool.corpus.columnar import Offsets, Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import TagSpans
from nertool.formats.conll.lines import Lines
from nertool.formats.conll.linetable import Bytes
from nertool.formats.conll.rows import Kinds, Rows
from nertool.inputs.word_types import WordTypes
from nertool.tagging.compiled import CompiledTagger


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
        self._words = WordTypes([])

    def kinds(self, rows: Rows, block: Block, source: str) -> tuple[Kinds, Bytes, WordTypes]:
        """Return what each line of a block is and its bytes, as Lines.kinds, and the words that the
        former points into."""
        # The tagger meets a new list's words only, one that is too long over and over.
        full = len(self._words) > self.tagger.most_forms
        if full or self._lines is None or self._lines.rows != rows or self._lines.full:
            self._lines, self._words = Lines(rows), WordTypes([])
        kinds, raw = self._lines.kinds(block, source)
        self._words.words += islice(self._lines.words, len(self._words), None)
        return kinds, raw, self._words


class Task(Protocol):
    """A piece of text, and what is to be done to it. It can be sent to another process."""

    def run(self, worker: Worker) -> Done: ...


def by_sentence(spans: TagSpans, sentence_starts: Offsets) -> Iterator[list[Span]]:
    """Yield each sentence's entities, in tokens of the sentence."""
    found = spans.as_list()
    bounds = pairwise(np.searchsorted(spans.starts, sentence_starts).tolist())
    for first, (a, b) in zip(sentence_starts.tolist(), bounds, strict=False):
        yield [Span(start - first, end - first, label) for start, end, label in found[a:b]]


def ledger_of(sentence_starts: Offsets, spans: TagSpans) -> Ledger:
    ledger = Ledger(keep=True)
    ledger.read["sentences"] = int((np.diff(sentence_starts) > 0).sum())
    ledger.read["tokens"] = int(sentence_starts[-1])
    ledger.read["entities found"] = len(spans)
    return ledger
