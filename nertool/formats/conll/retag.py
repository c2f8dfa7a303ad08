"""Write new tags into the lines of a CoNLL file. All other bytes are kept."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from nertool.corpus.blocks import read_blocks
from nertool.corpus.columnar import Corpus
from nertool.formats.conll.rows import QUOTED, Layout

_FIELD = re.compile("[^ ]+")
_OF_ANY_BLANK = re.compile(r"\S+")


def retagged(
    stream: BinaryIO, corpus: Corpus, tags: Sequence[str], layout: Layout, tag_column: int
) -> Iterator[str]:
    """Yield a stream's text with new tags in the tag column, which counts from 0.

    corpus: the corpus that was read from the same stream. tags (N,): the new tag of each token.
    """
    at = 0
    numbers = corpus.line_numbers.tolist()
    for block in read_blocks(stream, corpus.source):
        lines = block.lines
        last = block.first + len(lines)
        while at < len(numbers) and numbers[at] < last:
            i = numbers[at] - block.first
            lines[i] = with_tag(lines[i], layout, tag_column, tags[at])
            at += 1
        yield block.joined(iter(lines))


def with_tag(line: str, layout: Layout, column: int, tag: str) -> str:
    """Return a line with a new tag in one of its columns. Whitespace, and a CR at its end, are kept."""
    if layout.delimiter == " " or layout.is_blank:
        fields = _FIELD if layout.delimiter == " " else _OF_ANY_BLANK
        field = list(fields.finditer(line.removesuffix("\r")))[column]
        return line[: field.start()] + tag + line[field.end() :]
    end = "\r" if line.endswith("\r") else ""
    cells = layout.split(line.removesuffix("\r"))
    cells[column] = tag
    if layout.delimiter in QUOTED:
        row = io.StringIO()
        csv.writer(row, lineterminator=end, delimiter=layout.delimiter).writerow(cells)
        return row.getvalue()
    return layout.delimiter.join(cells) + end
