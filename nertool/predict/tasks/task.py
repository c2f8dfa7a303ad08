"""Tasks: parts of an input that any worker can tag separately."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
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


class Result(NamedTuple):
    """The result of a task: text that is ready to be written, or an annotated piece for a writer.

    ledger: the counts for this part of the input; document_before, document_after: for pieces of CoNLL
    columns, whether there is a document mark before the first token, and after the last one.
    """

    text: str
    piece: Annotated | None
    ledger: Ledger
    document_before: bool = False
    document_after: bool = False


class Worker:
    """A tagger with a cache of parsed lines, which is kept from one task to the next."""

    def __init__(self, tagger: CompiledTagger) -> None:
        self.tagger = tagger
        self._lines: Lines | None = None
        self._words = WordTypes([])

    def kinds(self, rows: Rows, block: Block, source: str) -> tuple[Kinds, Bytes, WordTypes]:
        """Return the kind of each line of a block, the block's bytes, and the list of words.

        A kind may be the index of a word in the list (see Lines.kinds). The list only grows, so that the
        tagger needs to look up only its new words. A new list is started when it has too many words.
        """
        full = len(self._words) > self.tagger.most_forms
        if full or self._lines is None or self._lines.rows != rows or self._lines.full:
            self._lines = Lines(rows)
            word_set = self._lines.word_set
            self._words = WordTypes([] if word_set is None else word_set)
        kinds, raw = self._lines.kinds(block, source)
        if self._lines.word_set is None:
            self._words.words.extend(self._lines.words_from(len(self._words)))
        return kinds, raw, self._words


class Task(Protocol):
    """A part of an input, and the way to tag it. Tasks can be sent to another process."""

    def run(self, worker: Worker) -> Result:
        """Tag this part. Errors: CorpusError with file:line for input that can't be read."""
        ...


def by_sentence(spans: TagSpans, sentence_starts: Offsets) -> Iterator[list[Span]]:
    """Yield each sentence's entities, in tokens of the sentence."""
    entities = spans.as_list()
    bounds = pairwise(np.searchsorted(spans.starts, sentence_starts).tolist())
    for first, (a, b) in zip(sentence_starts.tolist(), bounds, strict=False):
        yield [Span(start - first, end - first, label) for start, end, label in entities[a:b]]


def counts_of(sentence_starts: Offsets, spans: TagSpans) -> Ledger:
    """Return a ledger with the numbers of sentences, tokens and entities."""
    ledger = Ledger(keep=True)
    ledger.read["sentences"] = int((np.diff(sentence_starts) > 0).sum())
    ledger.read["tokens"] = int(sentence_starts[-1])
    ledger.read["entities found"] = len(spans)
    return ledger
