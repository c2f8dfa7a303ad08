"""CSV and TSV tables with a header: one text per row, with its entities as JSON in a column.

```
id,text,label
7,"Ada met me in London.","[[0, 3, ""PER""], [14, 20, ""LOC""]]"
```

The texts are in the column text_field. The entities are in the column label, labels, entities or spans, or in
any other column of lists of spans, in JSON or in Python's notation as pandas writes it. Columns may also hold
tokens and ner_tags. An empty cell means that the text is not labelled.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.files.encodings import HEAD_BYTES
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head, head_of
from nertool.formats.json.json_list import decoded
from nertool.formats.json.objects import record_of
from nertool.formats.json.parse import is_entry_list, parsed
from nertool.formats.json.text import dump
from nertool.formats.tables.layout import (
    LABELS,
    SEPARATOR,
    SIGNS,
    find_table,
    tags_in_cell,
    usual_names,
)

_NOTHING = ("", "None", "nan", "NaN", "null", "<NA>")
_LARGEST = 1 << 27  # the maximum number of characters in a cell


def detect(head: Head) -> str | None:
    """Recognise a header that names a column of texts, or of tokens with their tags."""
    table = find_table(head)
    if table is None:
        return None
    texts = "" if table.text in (None, "text") else f'; texts in the column "{table.text}"'
    return f"a table with the columns {', '.join(table.names[:8])}{texts}"


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each row as a record. The other columns become its fields.

    Errors: CorpusError with file:line for a row with a wrong number of cells, and for invalid labels.
    """
    text = decoded(stream.read(), source)
    table = find_table(
        head_of(text.encode("utf-8")[:HEAD_BYTES], len(text) < HEAD_BYTES, reading, source)
    )
    if table is not None and table.fault is not None:
        raise CorpusError(f"{source}: {table.fault}")
    skipped = 0
    if named := SEPARATOR.match(text):
        skipped, text = 1, text[named.end() :]
    first = text.lstrip().partition("\n")[0]
    sign = table.sign if table else named[1] if named else max(SIGNS, key=first.count)
    if table is not None and table.text is not None:
        reading = replace(reading, text_field=table.text)
    tags = table.tags if table is not None and table.text is not None else None
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
                names = table.names if table is not None else usual_names(row, reading.text_field)
                if len(set(names)) < len(names):
                    twice = next(name for name in names if names.count(name) > 1)
                    raise CorpusError(
                        f'{source}:{number}: found two columns named "{twice}", expected each name once; '
                        "rename one of them"
                    )
                continue
            place = f"{source}:{number}"
            if len(row) != len(names):
                fault = CorpusError(
                    f"{place}: found {len(row)} columns, expected {len(names)} as in the header; correct the "
                    "row (a text with commas must stand in quotes)"
                )
                pass_over(fault, place, reading.pass_over_faulty, ledger)
                continue
            try:
                value = _record(names, row, tags)
                record = record_of(value, number, place, reading, ledger, before)
            except CorpusError as error:
                if not str(error).startswith(place):
                    error = CorpusError(f"{place}: {error}")
                pass_over(error, place, reading.pass_over_faulty, ledger)
                continue
            if record is not None:
                before = record.fields
                yield record
    except csv.Error as error:
        raise CorpusError(
            f"{source}:{rows.line_num}: no table that can be read ({error})"
        ) from None


def _record(names: list[str], row: list[str], tags: str | None) -> dict[str, Any]:
    """Return a row as an object. tags: the column with one tag for each word, which becomes `ner_tags`."""
    value: dict[str, Any] = {}
    for name, cell in zip(names, row, strict=True):
        if name != tags:
            value[name] = _value(cell, name)
        elif cell.strip() not in _NOTHING:
            value["ner_tags"] = tags_in_cell(cell)
    return value


def _value(cell: str, name: str) -> Any:
    """Read a cell. Lists of spans are parsed in any column; in columns of labels, any JSON is.

    In columns of labels, an empty cell, and what pandas writes for it, becomes None. Other texts are
    unchanged.
    """
    if name not in LABELS:
        return parsed(cell) if is_entry_list(cell) else cell
    if cell.strip() in _NOTHING:
        return None
    value = parsed(cell)
    return cell if value is None else value


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write the columns id, text and label. The column label holds a JSON list of [start, end, class]."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["id", "text", "label"])
    for number, view in enumerate(record_views(pieces, writing)):
        labels = dump([[e.start, e.end, e.label] for e in view.entities])
        table.writerow([view.fields.get("id", number), view.text, labels])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()
