"""The labels of records as they are read, before they become tags: which records have any, and which entities
are taken once, left out, or in conflict."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError

CHOOSE = "choose snap or drop (--misaligned, corpus.misaligned)"


def labelled_alone(records: Iterable[Record], source: str, ledger: Ledger) -> Iterator[Record]:
    """Leave out records that bear no labels at all, if others do: nobody has looked for entities there.
    A record whose labels are an empty list stays, as a text without entities."""
    held: list[Record] = []  # without labels, while no other has any
    labelled = False
    for record in records:
        if record.spans is None and record.tags is None:
            held.append(record)
        else:
            labelled = True
        for unlabelled in held if labelled else ():
            what = "records without labels (absent, null or skipped) among labelled ones"
            ledger.refuse(place_of(unlabelled, source), what, short(unlabelled.text))
        if labelled:
            held.clear()
        if record.spans is not None or record.tags is not None:
            yield record
    yield from held


def without_outside(record: Record, outside: str, source: str, ledger: Ledger) -> Record:
    """Leave out the spans whose class says that they are no entities."""
    kept = []
    for span in record.spans or ():
        if span.label != outside:
            kept.append(span)
            continue
        place = place_of(record, source, span.start)
        ledger.refuse(place, "spans whose class stands for no entity (outside)", outside)
    return record._replace(spans=kept)


def flat_spans(record: Record, source: str, reading: Reading, ledger: Ledger) -> Sequence[Span]:
    """Return a record's entities in order, without overlaps: the longest of those that overlap."""
    in_order = sorted(record.spans or (), key=lambda span: (span.start, -span.end))
    for a, b in pairwise(in_order):
        if a == b:
            ledger.alter(
                place_of(record, source, a.start),
                "entities twice, taken once",
                excerpt(record.text, a),
            )
    in_order = list(dict.fromkeys(in_order))
    if all(a.end <= b.start for a, b in pairwise(in_order)):
        return in_order
    kept: list[Span] = []
    for span in sorted(in_order, key=lambda span: span.start - span.end):
        at = bisect_left(kept, span)
        beside = kept[max(0, at - 1) : at + 1]
        other = next((k for k in beside if k.start < span.end and span.start < k.end), None)
        if other is None:
            kept.insert(at, span)
            continue
        place = place_of(record, source, span.start)
        names = [f'"{excerpt(record.text, s)}" ({s.label})' for s in (span, other)]
        if reading.misaligned == "error":
            raise CorpusError(
                f"{place}: found the entity {names[0]} overlapping {names[1]}, expected flat "
                f"entities; {CHOOSE}: both keep the longest"
            )
        ledger.refuse(place, "entities that overlap a longer one", " in ".join(names))
    return kept


def place_of(record: Record, source: str, at: int = 0) -> str:
    """Say where a character of a record stands, as file:line."""
    line = record.line + (record.text.count("\n", 0, at) if record.lined else 0)
    return record.place or f"{source}:{line}"


def excerpt(text: str, span: Span) -> str:
    """Return an entity's text, shortened for a message."""
    return short(text[span.start : span.end])


def short(text: str) -> str:
    """Return a text of at most 60 characters, for a message."""
    return text if len(text) <= 60 else f"{text[:57]}…"
