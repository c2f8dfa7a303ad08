"""CSV and TSV tables with a header: a text a row, and its entities as JSON in a column.

```
id,text,label
7,"Ada met me in London.","[[0, 3, ""PER""], [14, 20, ""LOC""]]"
```

The text's column is text_field; the entities' is label, labels, entities or spans, and holds what those
keys hold in JSON; tokens and ner_tags may stand in columns, too. An empty cell says nothing of labels.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json.json_list import decoded
from nertool.formats.json.objects import dump, record_or_none

_LABELS = ("label", "labels", "entities", "spans", "annotations", "tokens", "ner_tags", "tags")
_NAME = re.compile(r"[A-Za-z_][\w .#-]{0,30}\Z")
_SIGNS = ",;\t|"
_SEPARATOR = re.compile(r"sep=(.)\r?(?:\n|\Z)")  # Excel's first line, which names the delimiter
_LARGEST = 1 << 27  # characters of a cell


def detect(head: Head) -> str | None:
    """Recognise a header that names a column of texts, or of tokens with their tags."""
    try:
        return _header(head)
    except csv.Error:  # a bare CR within a line, or a cell without an end
        return None


def _header(head: Head) -> str | None:
    lines = [line for line in head.lines if line.strip()]
    lines = lines[1:] if lines and _SEPARATOR.match(lines[0]) else lines
    first = lines[0] if lines else ""
    for sign in _SIGNS:
        names = [name.strip() for name in next(csv.reader([first], delimiter=sign), [])]
        if len(names) < 2 or not all(_NAME.match(name) for name in names):
            continue
        if "text" in names or ("tokens" in names and {"ner_tags", "tags"} & set(names)):
            labels = [name for name in names if name in _LABELS]
            rows = list(csv.reader(lines[1:20], delimiter=sign))
            # A table of a word a row, whose header calls the words text, is one of CoNLL's columns.
            cells = [
                row[names.index(labels[0])] for row in rows if labels and len(row) == len(names)
            ]
            if labels and not any(cell.strip().startswith(("[", "{")) for cell in cells):
                continue
            if labels or any(len(row) == len(names) for row in rows):
                return f"a table with the columns {', '.join(names[:8])}"
    return None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each row as a record; other columns are its fields.

    Errors: CorpusError with file:line for a row of another width, and for labels that are no JSON.
    """
    text = decoded(stream.read(), source)
    skipped = 0
    if named := _SEPARATOR.match(text):
        skipped, text = 1, text[named.end() :]
    first = text.lstrip().partition("\n")[0]
    sign = named[1] if named else max(_SIGNS, key=first.count)
    csv.field_size_limit(_LARGEST)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    names: list[str] = []
    before: dict[str, Any] | None = None
    start = 1 + skipped
    try:
        for row in rows:
            number, start = start, rows.line_num + 1 + skipped
            if not any(row):
                continue
            if not names:
                names = [name.strip() for name in row]
                continue
            place = f"{source}:{number}"
            if len(row) != len(names):
                raise CorpusError(
                    f"{place}: found {len(row)} columns, expected {len(names)} as in the header; mend the "
                    "row (a text with commas must stand in quotes)"
                )
            value = {
                name: _value(cell, place, name) if name in _LABELS else cell
                for name, cell in zip(names, row, strict=True)
            }
            record = record_or_none(value, number, place, reading, ledger, before)
            if record is not None:
                before = record.fields
                yield record
    except csv.Error as error:
        raise CorpusError(
            f"{source}:{rows.line_num}: no table that can be read ({error})"
        ) from None


def _value(cell: str, place: str, name: str) -> Any:
    """Read a cell that holds JSON; an empty one is null. Python's quotes are taken for JSON's."""
    if not cell.strip():
        return None
    for text in (cell, cell.replace("'", '"')):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            continue
    if cell.lstrip().startswith(("[", "{")):
        raise CorpusError(
            f'{place}: {name}: found "{cell[:40]}", expected JSON such as [[0, 3, "PER"]]'
        )
    return cell


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write the columns id, text and label; label holds a list of [start, end, class] in JSON."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["id", "text", "label"])
    for view in record_views(pieces, writing):
        labels = dump([[e.start, e.end, e.label] for e in view.entities])
        table.writerow([view.fields.get("id", view.number), view.text, labels])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()
