"""A JSON file with a list of objects, or with one object over several lines.

```
[
  {"text": "Ada met me in London.", "entities": [[0, 3, "PER"], [14, 20, "LOC"]]},
  {"text": "It rained.", "entities": []}
]
```
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.blocks import is_blank
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.files.encodings import HEAD_BYTES, not_utf8
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json.objects import plain_object, record_or_none
from nertool.formats.json.parse import parse_json, parsed
from nertool.formats.json.text import json_list, keys_shown

_EXAMPLES = re.compile(r'\{\s*"examples"\s*:\s*\[')  # LightTag's export
# TRAIN_DATA = [("Ada met me.", {"entities": [(0, 3, "PER")]}), …]
_PYTHON = re.compile(r"^(?:[A-Za-z_]\w*\s*(?::[^=\n]+)?=\s*)?\[\s*\(\s*[rRuU]?[\"']", re.MULTILINE)
_RASA = re.compile(r'\{\s*"rasa_nlu_data"\s*:')
_ARRAY = re.compile(r"\[\s*[{\[\]]")


def detect(head: Head) -> str | None:
    """Recognise a list of objects or lists, or one object whose first line is only its bracket.

    Also recognises lists in Python's notation, Rasa's JSON, and LightTag's objects with "examples".
    """
    if _is_python(head):
        return "a list in Python's notation"
    if is_list(head):
        return f"a JSON list{keys_shown(first_of_list(head))}"
    if _RASA.match(head.begin):
        return "Rasa's training data in JSON"
    if _EXAMPLES.match(head.begin):
        return 'a JSON object with "examples"'
    if head.whole and head.begin.startswith("{"):
        first = next(line for line in head.lines if not is_blank(line))
        # If the first line holds more, it is a line of JSON lines, perhaps an incomplete one: their reader
        # reports its position.
        return "a JSON object" if first.strip() == "{" else None
    return None


def is_list(head: Head) -> bool:
    """Tell whether a text begins with a list of objects or lists."""
    return bool(_ARRAY.match(head.begin))


def first_of_list(head: Head) -> Any:
    """Return the first value of a list, or None if the head does not contain it completely."""
    try:
        return json.JSONDecoder().raw_decode(head.begin.lstrip("[ \t\r\n"))[0]
    except (ValueError, RecursionError):
        return None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield the records of a JSON file with a list of objects or one object. Places number them from 1."""
    before: dict[str, Any] | None = None
    for number, value in enumerate(load_json_list(stream, source), 1):
        record = record_or_none(value, number, f"{source}:#{number}", reading, ledger, before)
        if record is not None:
            before = record.fields
            yield record


def load_json_list(stream: BinaryIO, source: str) -> list[Any]:
    """Read a whole JSON file. A value that is not a list becomes a list of one value."""
    text = decoded(stream.read(), source)
    if _PYTHON.search(text[:HEAD_BYTES]):
        return _python_list(text, source)
    value = parse_json(text, source)
    rasa = value.get("rasa_nlu_data") if isinstance(value, dict) else None
    if isinstance(rasa, dict) and isinstance(rasa.get("common_examples"), list):
        return [_of_rasa(example) for example in rasa["common_examples"]]
    if isinstance(value, dict) and isinstance(value.get("examples"), list):
        value = value["examples"]  # LightTag's export
    return value if isinstance(value, list) else [value]


def _of_rasa(example: Any) -> Any:
    """Return an example of Rasa's with a list of entities, empty if the example has none."""
    if not isinstance(example, dict):
        return example
    return {**example, "entities": example.get("entities") or []}


def _is_python(head: Head) -> bool:
    """Tell whether a text is a list of tuples in Python's notation, as in spaCy's early examples."""
    found = _PYTHON.search(head.text)
    return found is not None and (
        found.start() == len(head.text) - len(head.begin) or head.ending == ".py"
    )


def _python_list(text: str, source: str) -> list[Any]:
    """Return the first list of literals in Python source. Nothing in it is executed."""
    try:
        nodes = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CorpusError(
            f"{source}:{getattr(error, 'lineno', None) or 1}: found a list in Python's notation that "
            f"can't be read ({getattr(error, 'msg', error)}); correct it, or write it as JSON"
        ) from None
    for node in nodes:
        value = getattr(node, "value", None)
        if isinstance(value, ast.List):
            found = parsed(ast.get_source_segment(text, value) or "")
            if isinstance(found, list):
                return found
    raise CorpusError(
        f"{source}: found Python's notation without a list of texts and entities, expected one of literals "
        "alone; write it as JSON"
    )


def decoded(raw: bytes, source: str) -> str:
    """Decode a whole file from UTF-8. Errors: CorpusError with the line of bytes that are not UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise not_utf8(f"{source}:{line}", error) from None


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write a list with one object for each record, each on a line of its own."""
    records = record_views(pieces, writing, tokens=writing.exact)
    yield from json_list(plain_object(view, writing.exact) for view in records)
