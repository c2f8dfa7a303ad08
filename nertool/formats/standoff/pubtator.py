"""PubTator: a title, an abstract, and a row for each entity with cells separated by tabs.

```
1001|t|Ada met me.
1001|a|She lives in London.
1001<tab>0<tab>3<tab>Ada<tab>PER
1001<tab>25<tab>31<tab>London<tab>LOC
```

Offsets count characters of the title and the abstract, with one character between them. A blank line ends a
document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.annotated import by_document, views
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing
from nertool.formats.head import Head
from nertool.formats.json.entries import spans_of_entries
from nertool.formats.plain.lines import numbered_lines
from nertool.formats.writable import held_id, with_labels

_TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
_NOT_IN_LABEL = re.compile(r"[\t\n\r]+|^\s+|\s+$")
_NOT_IN_ID = re.compile(r"[|\s]+")
_LINE_END = re.compile(r"[\t\r\n]")


def detect(head: Head) -> str | None:
    """Recognise a first line such as `1001|t|Ada met me.`."""
    first = next((line for line in head.lines if line.strip()), "")
    return "PubTator" if re.match(r"[^|\s]+\|t\|", first) else None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each document's title and abstract as one record. Rows of relations are counted.

    Errors: CorpusError with file:line for an invalid row.
    """
    name, texts, first = "", list[str](), 1
    rows: list[tuple[str, dict[str, Any]]] = []  # the place and the entity of each of its rows

    def record() -> Record:
        place, text = f"{source}:{first}", "\n".join(texts)
        spans: list[Span] | None = None
        if reading.with_labels:
            places, entries = [at for at, _ in rows], [entry for _, entry in rows]
            spans = spans_of_entries(entries, text, places, place, reading, ledger)
        return Record(text, first, spans, fields={"id": name}, place=place)

    def documents() -> Iterator[Record]:
        try:
            if texts:
                yield record()
        except CorpusError as fault:
            pass_over(fault, f"{source}:{first}", reading.pass_over_faulty, ledger)

    for number, line, _ in numbered_lines(stream, source):
        place = f"{source}:{number}"
        if not line.strip():
            yield from documents()
            name, texts, rows = "", [], []
            continue
        part = _TEXT.fullmatch(line)
        if part and (not texts or part[2] == "a"):
            if not texts:
                name, first = part[1], number
            texts.append(part[3])
            continue
        cells = line.split("\t")
        if cells[0] != name or len(cells) < 3:
            raise CorpusError(
                f"{place}: found {line[:40]!r}, expected ID|t|title, ID|a|abstract or a row of ID, start, "
                "end, text and class, separated by tabs; correct the line (is a blank line missing?)"
            )
        if len(cells) < 5 or not (cells[1].isdigit() and cells[2].isdigit()):
            ledger.refuse(place, "rows of relations", line)
            continue
        if reading.with_labels:
            entry = {
                "start": int(cells[1]),
                "end": int(cells[2]),
                "text": cells[3],
                "label": cells[4],
            }
            rows.append((place, entry))
    yield from documents()


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write each document: its first line as the title, and the other lines as the abstract."""
    number = 0
    for given in pieces:
        piece = with_labels(given, _NOT_IN_LABEL, ledger)
        piece = by_document(piece)
        corpus = piece.corpus
        for view in views(piece, tokens=False):
            number += 1
            place = f"{corpus.source}, record {view.number}"
            name = held_id(view.fields.get("id"), _NOT_IN_ID, "_", place, ledger) or str(number)
            title, end, abstract = view.text.partition("\n")
            if corpus.records.own_text and _LINE_END.search(title + abstract):  # type: ignore[union-attr]
                ledger.alter(place, "line ends and tabs within an abstract, written as blanks")
            yield f"{name}|t|{_LINE_END.sub(' ', title)}\n"
            yield f"{name}|a|{_LINE_END.sub(' ', abstract)}\n" if end else ""
            for e in view.entities:
                text = _LINE_END.sub(" ", view.text[e.start : e.end])
                yield f"{name}\t{e.start}\t{e.end}\t{text}\t{e.label}\n"
            yield "\n"
