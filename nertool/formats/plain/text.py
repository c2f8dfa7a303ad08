"""Sentences, one per line, whose words are separated by spaces.

```
Ada Lovelace met Charles Babbage in London .
It rained all day .
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from nertool.corpus.blocks import is_blank
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.corpus.tokens import tokenize
from nertool.formats.head import Head
from nertool.formats.plain.lines import numbered_lines, read_whole_lines

_LONGEST = 1000  # a line with more words is not a sentence
_WORD = re.compile(r"\S+")


def detect(head: Head) -> str | None:
    """Recognise lines that are already tokenised: the tokeniser changes at most 2 % of their words."""
    rows = head.rows or [line for line in head.lines if not is_blank(line)]
    lines = [line.split() for line in rows[:200]]
    if any(len(words) > _LONGEST for words in lines) or (not head.whole and len(rows) == 1):
        return None
    words = [word for line in lines for word in line[:200]]
    changed = sum(len(tokenize(word)) != 1 for word in words)
    if 50 * changed > len(words):
        return None
    return "text, one sentence per line, words separated by spaces"


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each line as a record. All records are one document.

    The field `offset` is the position of the record's text in the file, in characters.
    """
    goes_on = False
    for number, line, offset in numbered_lines(stream, source):
        tokens = [match.span() for match in _WORD.finditer(line)]
        if tokens:
            fields = {"offset": offset}
            yield Record(line, number, tokens=tokens, fields=fields, goes_on=goes_on)
            goes_on = True


def read_whole(stream: BinaryIO, source: str) -> Iterator[Record]:
    """Yield every line as read_whole_lines does. Whitespace separates its words."""
    return read_whole_lines(stream, source, cut=False)
