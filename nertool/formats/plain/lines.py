"""Texts, one per line: messages, titles, questions.

```
Ada Lovelace met Charles Babbage in London. They talked.
Why did it rain all day?
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from nertool.corpus.blocks import is_blank, read_blocks
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.formats.head import Head

BYTE_ORDER_MARK = "\ufeff"
_ENDS = ".!?…\"'”’)。！？"
_WORD = re.compile(r"\S+")


def detect(head: Head) -> str | None:
    """Recognise several lines without blank ones between, at least half of which end like sentences."""
    rows = head.rows
    several = len(rows) > 1 and not any(is_blank(line) for line in _inner(head.lines))
    ended = sum(line.rstrip()[-1:] in _ENDS for line in rows)
    return "texts, one per line" if several and 2 * ended >= len(rows) else None


def _inner(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines from the first non-blank one up to, but not including, the last non-blank one."""
    filled = [i for i, line in enumerate(lines) if not is_blank(line)]
    return lines[filled[0] : filled[-1]] if filled else []


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each line as a record, which is a document of its own.

    The field `offset` is the position of the record's text in the file, in characters.
    """
    for number, line, offset in numbered_lines(stream, source):
        if line and not line.isspace():
            yield Record(line, number, fields={"offset": offset})


def numbered_lines(stream: BinaryIO, source: str) -> Iterator[tuple[int, str, int]]:
    """Yield (number, line, offset) for each line. The line has no line end; the offset counts characters."""
    offset = 0
    for block in read_blocks(stream, source):
        for number, line in enumerate(block.lines, block.first):
            yield number, line.removesuffix("\r"), offset
            offset += len(line) + 1


def read_whole(stream: BinaryIO, source: str) -> Iterator[Record]:
    """Yield every line as read_whole_lines does. The tokeniser will find the words."""
    return read_whole_lines(stream, source, cut=True)


def read_whole_lines(stream: BinaryIO, source: str, cut: bool) -> Iterator[Record]:
    """Yield every line with its line end, also blank ones. Their concatenation is the file's text.

    cut: True if the tokeniser is to find the words, and each line is a document. False if whitespace
    separates the words, and all lines are one document.
    """
    goes_on = False
    for block in read_blocks(stream, source):
        if block.mark:
            yield Record(BYTE_ORDER_MARK, 1, tokens=[])
        lines = block.lines
        ends = len(lines) - (not block.ended)
        for i, line in enumerate(lines):
            tokens = None if cut else [match.span() for match in _WORD.finditer(line)]
            end = "\n" if i < ends else ""
            yield Record(line + end, block.first + i, tokens=tokens, goes_on=goes_on)
            goes_on = not cut
