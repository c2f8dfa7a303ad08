"""Text tagged as it streams by, a block of sentences at a time: memory stays bounded.

Two kinds of text come in: CoNLL columns, which leave as the same lines with one more column, and
tokenised sentences, one a line, which leave with their entities marked inline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from nertool.corpus.blocks import Block, is_blank, regrouped, whole_sentences
from nertool.corpus.columnar import Ids, Offsets, Span
from nertool.corpus.conll import DOCUMENT_START, is_document_start
from nertool.corpus.inline import mark_inline, to_inline
from nertool.corpus.ledger import Ledger
from nertool.corpus.lines import DOCUMENT, Lines, Rows, starts_of
from nertool.corpus.linetable import Bytes, line_bounds
from nertool.corpus.schemes import OUTSIDE, TagSpans, tag_names, tags_of
from nertool.embeddings.context import Setting, cut_documents
from nertool.kernels.library import put_cells
from nertool.tagging.parallel import Done, Worker
from nertool.tagging.tagger import setting_of

_WORD = re.compile(r"\S+")
_LINES = 4096  # as many as are moved together: their bytes stay in the processor's cache


class ColumnsTask(NamedTuple):
    """CoNLL lines to be tagged. to: conll for the same lines with a column more, or inline; scheme:
    what the tags are written in."""

    block: Block
    source: str
    rows: Rows
    to: str
    scheme: str

    def run(self, worker: Worker) -> Done:
        """Errors: CorpusError with file:line for a line that is no row."""
        kinds, raw, words = worker.kinds(self.rows, self.block, self.source)
        setting = Setting(words, kinds[kinds >= 0], *starts_of(kinds))
        spans = worker.tagger.spans(setting)
        ledger = _account(setting.sentence_starts, spans)
        if self.to == "inline":
            lines = self.block.lines
            for i in np.flatnonzero(kinds < 0).tolist():
                if not is_blank(lines[i]):
                    place = f"{self.source}:{self.block.first + i}"
                    ledger.alter(place, "document marks and comments, left out of inline", lines[i])
            return Done(_inline(setting, spans), None, ledger)
        names = tag_names(worker.tagger.model.labels, self.scheme)
        column = np.full(len(kinds), len(names), dtype=np.int32)  # one past the tags: no column
        column[kinds == DOCUMENT] = names.index(OUTSIDE)
        column[kinds >= 0] = tags_of(spans, setting.sentence_starts, names, self.scheme)
        cells = [*(self.rows.layout.delimiter + name for name in names), ""]
        text = _with_cells(raw, column, [cell.encode() for cell in cells])
        if not self.block.ended:
            text = text[:-1]
        return Done(self.block.marked(text), None, ledger)


def _with_cells(raw: Bytes, column: Ids, cells: list[bytes]) -> str:
    """Put a cell at the end of each line of a text that ends with LF, before the CR that may end it.

    column (n,) int32: each line's cell.
    """
    lengths = np.array([len(cell) for cell in cells])
    of_lines = lengths[column]
    out = np.empty(len(raw) + int(of_lines.sum()), dtype=np.uint8)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    if not put_cells(raw, column, np.frombuffer(b"".join(cells), np.uint8), starts, out):
        _move_all(raw, column, of_lines, cells, out)
    return out.tobytes().decode()


def _move_all(raw: Bytes, column: Ids, lengths: Offsets, cells: list[bytes], out: Bytes) -> None:
    """Do as _with_cells: all bytes go to their new places at once, without a string for any line.

    lengths (n,): of each line's cell.
    """
    starts, ends = line_bounds(raw)
    gap = np.cumsum(lengths)  # (n,) how far what follows a line's text moves
    # A line's end moves with what follows: its LF, and the CR before it.
    has_cr = (raw[ends - 1] == ord("\r")) & (ends > starts)
    text_ends = ends - has_cr
    for first in range(0, len(starts), _LINES):
        own = slice(first, first + _LINES)
        a, b = starts[own][0], ends[own][-1] + 1
        moved = np.zeros(b - a, dtype=np.int64)
        moved[0] = a + (gap[first - 1] if first else 0)
        moved[text_ends[own] - a] += lengths[own]
        out[np.arange(b - a) + np.cumsum(moved)] = raw[a:b]
    places = text_ends + gap - lengths
    for number, cell in enumerate(cells):
        at = places[column == number]
        for i, byte in enumerate(cell):
            out[at + i] = byte


def _inline(setting: Setting, spans: TagSpans) -> str:
    tokens = [setting.words[i] for i in setting.word_ids.tolist()]
    sentences = [tokens[a:b] for a, b in pairwise(setting.sentence_starts.tolist())]
    found = _by_sentence(spans, setting.sentence_starts)
    return "".join(to_inline(*pair) + "\n" for pair in zip(sentences, found, strict=True))


class SentencesTask(NamedTuple):
    """Lines that are sentences, words divided by white space, to be tagged; all of one document."""

    block: Block
    to: str
    scheme: str

    def run(self, worker: Worker) -> Done:
        lines = self.block.lines
        sentences = [line.split() for line in lines]
        setting = setting_of(sentences, np.array([0, len(sentences)]))
        starts = setting.sentence_starts
        spans = worker.tagger.spans(setting)
        ledger = _account(starts, spans)
        if self.to == "conll":
            names = tag_names(worker.tagger.model.labels, self.scheme)
            tags = [names[i] for i in tags_of(spans, starts, names, self.scheme)]
            text = []
            for first, sentence in zip(starts.tolist(), sentences, strict=False):
                pairs = zip(sentence, tags[first : first + len(sentence)], strict=True)
                text += [*(f"{word} {tag}\n" for word, tag in pairs), "\n"]
            return Done("".join(text), None, ledger)
        for i, own in enumerate(_by_sentence(spans, starts)):
            if own or "[" in lines[i] or "]" in lines[i] or "\\" in lines[i]:
                spots = [match.span() for match in _WORD.finditer(lines[i])]
                marks = [Span(spots[a][0], spots[b - 1][1], label) for a, b, label in own]
                lines[i] = mark_inline(lines[i], marks)
        return Done(self.block.joined(iter(lines)), None, ledger)


def _by_sentence(spans: TagSpans, sentence_starts: Offsets) -> Iterator[list[Span]]:
    """Yield each sentence's entities, in tokens of the sentence."""
    found = spans.as_list()
    bounds = pairwise(np.searchsorted(spans.starts, sentence_starts).tolist())
    for first, (a, b) in zip(sentence_starts.tolist(), bounds, strict=False):
        yield [Span(start - first, end - first, label) for start, end, label in found[a:b]]


def _account(sentence_starts: Offsets, spans: TagSpans) -> Ledger:
    ledger = Ledger(keep=True)
    ledger.read["sentences"] = int((np.diff(sentence_starts) > 0).sum())
    ledger.read["tokens"] = int(sentence_starts[-1])
    ledger.read["entities found"] = len(spans)
    return ledger


# Where a text may be cut


def whole_columns(blocks: Iterator[Block], rows: Rows, documents: bool) -> Iterator[Block]:
    """Cut blocks of CoNLL columns anew, so that no sentence lies in two; nor, with `documents`, any
    document, or part of a very long one."""
    if not documents:
        return whole_sentences(blocks)
    lines = Lines(rows)

    def cut(block: Block) -> int:
        nonlocal lines
        if lines.full:
            lines = Lines(rows)
        return after_last_document(block, lines)

    return regrouped(blocks, cut)


def after_last_document(block: Block, lines: Lines) -> int:
    """Return where the last document of a block starts, or the last part of one; 0 if there is no other
    before it."""
    text = block.text
    at = text.rfind("\n" + DOCUMENT_START) + 1
    while at:
        if is_document_start(text[at:].partition("\n")[0].removesuffix("\r")):
            return at
        at = text.rfind("\n" + DOCUMENT_START, 0, at - 1) + 1
    kinds, starts = lines.outline(block)
    sentence_starts, document_starts = starts_of(kinds)
    *_, last, _ = [0, *cut_documents(sentence_starts, document_starts)]
    if not last:
        return 0
    line = int(np.flatnonzero(kinds >= 0)[sentence_starts[last]])
    return len(text.encode()[: starts[line]].decode())


def whole_sentence_lines(blocks: Iterator[Block], documents: bool) -> Iterator[Block]:
    """Cut blocks of a sentence a line anew, so that no part of the document that they are lies in two."""
    return regrouped(blocks, _after_last_part) if documents else blocks


def _after_last_part(block: Block) -> int:
    lines = block.lines
    sentence_starts = np.cumsum([0, *(len(line.split()) for line in lines)])
    *_, last, _ = [0, *cut_documents(sentence_starts, np.array([0, len(lines)]))]
    return sum(map(len, lines[:last])) + int(last)
