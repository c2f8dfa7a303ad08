"""A JSON file that holds a list of objects, or one object over several lines.

```
[
  {"text": "Ada met me in London.", "entities": [[0, 3, "PER"], [14, 20, "LOC"]]},
  {"text": "It rained.", "entities": []}
]
```
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.blocks import is_blank
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json.objects import plain_object, record_or_none
from nertool.formats.json.text import json_list, keys_shown, parse_json

_EXAMPLES = re.compile(r'\{\s*"examples"\s*:\s*\[')  # LightTag's export
_ARRAY = re.compile(r"\[\s*[{\[\]]")


def detect(head: Head) -> str | None:
    """Recognise a list of objects or lists, or an object whose first line is its bracket alone."""
    if is_list(head):
        return f"a JSON list{keys_shown(first_of_list(head))}"
    if _EXAMPLES.match(head.begin):
        return 'a JSON object with "examples"'
    if head.whole and head.begin.startswith("{"):
        first = next(line for line in head.lines if not is_blank(line))
        # One object over several lines, if it is that; a line cut short is better named by its place.
        return "a JSON object" if first.strip() == "{" else None
    return None


def is_list(head: Head) -> bool:
    """Tell whether a text begins with a list of objects or lists."""
    return bool(_ARRAY.match(head.begin))


def first_of_list(head: Head) -> Any:
    """Return a list's first value, which is enough to recognise it, and may be all that the head
    holds; None if it does not hold that."""
    try:
        return json.JSONDecoder().raw_decode(head.begin.lstrip("[ \t\r\n"))[0]
    except (ValueError, RecursionError):
        return None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield the records of a JSON file: a list of objects, or one object. Places count them, from 1."""
    before: dict[str, Any] | None = None
    for number, value in enumerate(load_json_list(stream, source), 1):
        record = record_or_none(value, number, f"{source}:#{number}", reading, ledger, before)
        if record is not None:
            before = record.fields
            yield record


def load_json_list(stream: BinaryIO, source: str) -> list[Any]:
    """Read a whole JSON file; what is no list becomes one of a single value."""
    value = parse_json(decoded(stream.read(), source), source)
    if isinstance(value, dict) and isinstance(value.get("examples"), list):
        value = value["examples"]  # LightTag's export
    return value if isinstance(value, list) else [value]


def decoded(raw: bytes, source: str) -> str:
    """Return a whole file's text. Errors: CorpusError with the line of bytes that are not UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CorpusError(
            f"{source}:{line}: found the byte 0x{raw[error.start]:02x}, expected UTF-8 text"
        ) from None


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write a list of one object a record, each in a line of its own."""
    records = record_views(pieces, writing, tokens=writing.exact)
    yield from json_list(plain_object(view, writing.exact) for view in records)
