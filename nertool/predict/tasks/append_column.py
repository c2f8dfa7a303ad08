"""Append a column of tags to CoNLL lines, or mark their entities inline, without building records.

This is the fastest way to tag a file: each distinct line is parsed once, and the output is built from the
input's bytes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from nertool.corpus.blocks import Block, is_blank
from nertool.corpus.columnar import Ids, Offsets
from nertool.corpus.schemes import OUTSIDE, TagSpans, tag_names, tags_of
from nertool.formats.conll.linetable import Bytes, line_bounds
from nertool.formats.conll.rows import DOCUMENT, Rows, starts_of
from nertool.formats.markup.inline import to_inline
from nertool.inputs.text import Text
from nertool.kernels.lines import put_cells
from nertool.predict.tasks.task import Result, Worker, by_sentence, counts_of
from nertool.tagging.analyse import analyse

_LINES = 4096  # lines that are copied at a time, so that their bytes stay in the processor's cache


class AppendColumnTask(NamedTuple):
    """CoNLL lines to tag.

    inline: write sentences with marked entities instead of columns; scheme: the scheme of the tags.
    """

    block: Block
    source: str
    rows: Rows
    inline: bool
    scheme: str

    def run(self, worker: Worker) -> Result:
        """Tag the lines. Errors: CorpusError with file:line for a line that is not a row."""
        kinds, raw, words = worker.kinds(self.rows, self.block, self.source)
        text = Text(words, kinds[kinds >= 0], *starts_of(kinds), worker.tagger.document_tokens)
        spans = analyse(worker.tagger, text).spans
        ledger = counts_of(text.sentence_starts, spans)
        if self.inline:
            lines = self.block.lines
            place = f"{self.source}:{self.block.first}"
            other = int(text.sentence_starts[-1]) * (self.rows.layout.width - 1)
            ledger.leave_out(place, "cells of columns other than the words", number=other)
            for i in np.flatnonzero(kinds < 0).tolist():
                if not is_blank(lines[i]):
                    line = f"{self.source}:{self.block.first + i}"
                    ledger.alter(line, "document marks and comments, left out of inline", lines[i])
            return Result(_inline(text, spans), None, ledger)
        names = tag_names(worker.tagger.model.labels, self.scheme)
        column = np.full(len(kinds), len(names), dtype=np.int32)  # one past the tags: no column
        column[kinds == DOCUMENT] = names.index(OUTSIDE)
        column[kinds >= 0] = tags_of(spans, text.sentence_starts, names, self.scheme)
        cells = [*(self.rows.layout.delimiter + name for name in names), ""]
        out = _with_cells(raw, column, [cell.encode() for cell in cells])
        if not self.block.ended:
            out = out[:-1]
        return Result(self.block.marked(out), None, ledger)


def _with_cells(raw: Bytes, column: Ids, cells: list[bytes]) -> str:
    """Return a text with a cell at the end of each line, before its LF or CR LF.

    The text ends with LF. column (n,) int32: the index of each line's cell in cells.
    """
    lengths = np.array([len(cell) for cell in cells])
    of_lines = lengths[column]
    out = np.empty(len(raw) + int(of_lines.sum()), dtype=np.uint8)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    if not put_cells(raw, column, np.frombuffer(b"".join(cells), np.uint8), starts, out):
        _move_all(raw, column, of_lines, cells, out)
    return out.tobytes().decode()


def _move_all(raw: Bytes, column: Ids, lengths: Offsets, cells: list[bytes], out: Bytes) -> None:
    """Write the result of _with_cells to out, without the kernel: all bytes at once, not line by line.

    lengths (n,): the length of each line's cell.
    """
    starts, ends = line_bounds(raw)
    gap = np.cumsum(lengths)  # (n,) by how much the bytes after a line's text move
    # These bytes begin with the line's own LF, or the CR before it.
    has_cr = (raw[ends - 1] == ord("\r")) & (ends > starts)
    text_ends = ends - has_cr
    for first in range(0, len(starts), _LINES):
        some = slice(first, first + _LINES)
        a, b = starts[some][0], ends[some][-1] + 1
        moved = np.zeros(b - a, dtype=np.int64)
        moved[0] = a + (gap[first - 1] if first else 0)
        moved[text_ends[some] - a] += lengths[some]
        out[np.arange(b - a) + np.cumsum(moved)] = raw[a:b]
    cell_starts = text_ends + gap - lengths
    for number, cell in enumerate(cells):
        at = cell_starts[column == number]
        for i, byte in enumerate(cell):
            out[at + i] = byte


def _inline(text: Text, spans: TagSpans) -> str:
    """Return each sentence as a line with its entities marked."""
    tokens = [text.words[i] for i in text.word_ids.tolist()]
    sentences = [tokens[a:b] for a, b in pairwise(text.sentence_starts.tolist())]
    entities = by_sentence(spans, text.sentence_starts)
    return "".join(to_inline(*pair) + "\n" for pair in zip(sentences, entities, strict=True))
