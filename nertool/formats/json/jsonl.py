"""JSON lines: one object per line, with a text and its entities.

```
{"text": "Ada met me in London.", "entities": [{"start": 0, "end": 3, "label": "PER"}]}
```

objects.py lists the known keys. All other keys are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.blocks import is_blank, read_blocks
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json.objects import plain_object, record_of
from nertool.formats.json.parse import parse_json
from nertool.formats.json.text import dump, keys_shown

_OBJECT = re.compile(r"\{\s*(?:[\"'}]|$)")


def detect(head: Head) -> str | None:
    """Recognise a text that begins with a JSON object."""
    if not _OBJECT.match(head.begin):
        return None
    first = next(line for line in head.lines if not is_blank(line))
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        value = None
    return f"JSON lines{keys_shown(value)}"


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield the record of each line. Errors: CorpusError with file:line for a line that isn't JSON."""
    before: dict[str, Any] | None = None
    for block in read_blocks(stream, source):
        for number, line in enumerate(block.lines, block.first):
            if not line or line.isspace():
                continue
            place = f"{source}:{number}"
            try:
                value = parse_json(line, place)
                record = record_of(value, number, place, reading, ledger, before)
            except CorpusError as error:
                pass_over(error, place, reading.pass_over_faulty, ledger)
                continue
            if record is not None:
                before = record.fields
                yield record


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one record per line."""
    for view in record_views(pieces, writing, tokens=writing.exact):
        yield dump(plain_object(view, writing.exact)) + "\n"
