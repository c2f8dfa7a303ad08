"""CSV and TSV tables with a header: a text a row, and its entities as JSON in a column.

```
id,text,label
7,"Ada met me in London.","[[0, 3, ""PER""], [14, 20, ""LOC""]]"
```

The text's column is text_field; the entities' is label, labels, entities or spans, or any other whose cells
are lists of spans, in JSON or as pandas writes Python's lists. tokens and ner_tags may stand in columns, too.
An empty cell says nothing of labels.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json.json_list import decoded
from nertool.formats.json.literals import is_entry_list, parsed
from nertool.formats.json.objects import record_or_none
from nertool.formats.json.text import dump

_LABELS = ("label", "labels", "entities", "spans", "annotations", "tokens", "ner_tags", "tags")
_NOTHING = ("", "None", "nan", "NaN", "null", "<NA>")
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
        names = _usual(next(csv.reader([first], delimiter=sign), []))
        if len(names) < 2 or not all(_NAME.match(name) for name in names):
            continue
        rows = list(csv.reader(lines[1:20], delimiter=sign))
        even = [row for row in rows if len(row) == len(names)]
        # A table of a word a row, whose header calls the words text, is one of CoNLL's columns.
        labels = [i for i, name in enumerate(names) if name in _LABELS]
        listed = any(row[i].strip().startswith(("[", "{")) for row in even for i in labels)
        spans = any(is_entry_list(cell) for row in even for cell in row)
        known = "text" in names or ("tokens" in names and {"ner_tags", "tags"} & set(names))
        if spans or (known and (listed or (even and not labels))):
            return f"a table with the columns {', '.join(names[:8])}"
    return None


def _usual(names: list[str]) -> list[str]:
    """Return a header's names without blanks, the known ones in small letters; a table of pandas has an index
    without a name."""
    names = [name.strip() for name in names]
    names = [name.lower() if name.lower() in (*_LABELS, "text") else name for name in names]
    return ["index", *names[1:]] if names and not names[0] else names


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
                names = names if reading.text_field in names else _usual(names)
                continue
            place = f"{source}:{number}"
            if len(row) != len(names):
                fault = CorpusError(
                    f"{place}: found {len(row)} columns, expected {len(names)} as in the header; mend the "
                    "row (a text with commas must stand in quotes)"
                )
                pass_over(fault, place, reading.pass_over_faulty, ledger)
                continue
            value = {name: _value(cell, name) for name, cell in zip(names, row, strict=True)}
            record = record_or_none(value, number, place, reading, ledger, before)
            if record is not None:
                before = record.fields
                yield record
    except csv.Error as error:
        raise CorpusError(
            f"{source}:{rows.line_num}: no table that can be read ({error})"
        ) from None


def _value(cell: str, name: str) -> Any:
    """Read a cell: a list of spans in any column, and any JSON where labels are expected. An empty one, and
    what pandas writes for it, is null there; other texts stay as they are."""
    if name not in _LABELS:
        return parsed(cell) if is_entry_list(cell) else cell
    if cell.strip() in _NOTHING:
        return None
    value = parsed(cell)
    return cell if value is None else value


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
