"""JSON lines, and JSON files that hold a list of the same objects, as records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.blocks import read_blocks
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.json.objects import dump, json_list, plain_object, record_of


def read_jsonl(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
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
                if not reading.pass_over_faulty:
                    raise
                ledger.refuse(place, "records that can't be read", str(error))
                continue
            if record is not None:
                before = record.fields
                yield record


def read_json_list(
    stream: BinaryIO, source: str, reading: Reading, ledger: Ledger
) -> Iterator[Record]:
    """Yield the records of a JSON file: a list of objects, or one object. Places count them, from 1."""
    before: dict[str, Any] | None = None
    for number, value in enumerate(load_json_list(stream, source), 1):
        record = record_of(value, number, f"{source}:#{number}", reading, ledger, before)
        if record is not None:
            before = record.fields
            yield record


def load_json_list(stream: BinaryIO, source: str) -> list[Any]:
    """Read a whole JSON file; what is no list becomes one of a single value."""
    raw = stream.read()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CorpusError(
            f"{source}:{line}: found the byte 0x{raw[error.start]:02x}, expected UTF-8 text"
        ) from None
    value = parse_json(text, source)
    return value if isinstance(value, list) else [value]


def parse_json(text: str, place: str) -> Any:
    """Read a JSON value. Errors: CorpusError that says what is wrong, and where in the line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = place if error.lineno == 1 else f"{place}:{error.lineno}"
        raise CorpusError(
            f"{where}: not JSON: {error.msg} in column {error.colno}; mend it (is it cut short?)"
        ) from None
    except RecursionError:
        raise CorpusError(f"{place}: found lists nested too deeply, expected a record") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise CorpusError(f"{place}: not JSON that can be read: {error}") from None


def write_jsonl(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    for view in record_views(pieces, writing, tokens=writing.exact):
        yield dump(plain_object(view, writing.exact)) + "\n"


def write_json(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    records = record_views(pieces, writing, tokens=writing.exact)
    yield from json_list(plain_object(view, writing.exact) for view in records)
