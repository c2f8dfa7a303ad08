"""Running text: paragraphs separated by blank lines.

```
Ada Lovelace met Charles Babbage
in London. They talked.

It rained all day.
```
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.corpus.sentences import sentence_bounds
from nertool.files.encodings import not_utf8
from nertool.formats.head import Head
from nertool.formats.plain.lines import BYTE_ORDER_MARK

CHUNK_BYTES = 1 << 18
_GAP = re.compile(r"\n[ \t\r]*\n\s*")
_STRIPPED = re.compile(r"\S(?:.*\S)?", re.DOTALL)


def detect(head: Head) -> str | None:
    """Accept every input: this format is tried last."""
    return "running text"


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each paragraph of running text as a record. All records are one document.

    Blank lines separate paragraphs. A paragraph that is too long for memory (a line of a gigabyte) is cut
    at the ends of sentences. The field `offset` is the position of the record's text in the file, in
    characters.
    """
    goes_on = False
    for record in read_whole(stream, source):
        if record.tokens is not None:
            continue  # a byte-order mark
        text, line, base = record.text, record.line, record.fields["offset"]
        at = counted = 0
        for gap in [*_GAP.finditer(text), None]:
            end = gap.start() if gap else len(text)
            inner = _STRIPPED.search(text, at, end)
            if inner:
                fields = {"offset": base + inner.start()}
                line += text.count("\n", counted, inner.start())
                counted = inner.start()
                yield Record(inner[0], line, fields=fields, goes_on=goes_on, lined=True)
                goes_on = True
            at = gap.end() if gap else end


def read_whole(stream: BinaryIO, source: str) -> Iterator[Record]:
    """Yield a file's text in pieces whose concatenation is the whole text.

    Each piece ends at the end of a paragraph, or of a sentence if the piece holds no end of a paragraph. A
    byte-order mark is a piece of its own, without tokens. Errors: CorpusError with the line of bytes that are
    not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest, line, offset, goes_on = "", 1, 0, False
    first = True
    while True:
        raw = stream.read(CHUNK_BYTES)
        try:
            text = decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            at = line + rest.count("\n") + error.object[: error.start].count(b"\n")
            raise not_utf8(f"{source}:{at}", error) from None
        if first and text:
            first = False
            if text.startswith(BYTE_ORDER_MARK):
                yield Record(BYTE_ORDER_MARK, 1, tokens=[])
                text = text.removeprefix(BYTE_ORDER_MARK)
        rest += text
        if raw and len(rest) < CHUNK_BYTES // 4:
            continue
        cut = len(rest) if not raw else _last_end(rest)
        if cut:
            yield Record(rest[:cut], line, fields={"offset": offset}, goes_on=goes_on, lined=True)
            goes_on = True
            line += rest.count("\n", 0, cut)
            offset += cut
            rest = rest[cut:]
        if not raw:
            return


def _last_end(text: str) -> int:
    """Return the end of the last complete paragraph, or else of the last complete sentence. 0 if none."""
    # Search backwards in growing windows, because most texts have a blank line near their end.
    for window in (4096, len(text)):
        ends = [gap.end() for gap in _GAP.finditer(text, max(0, len(text) - window))]
        ends = [end for end in ends if end < len(text)]
        if ends:
            return ends[-1]
    bounds = sentence_bounds(text)
    return bounds[-2] if len(bounds) > 2 else 0
