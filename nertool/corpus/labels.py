"""Check labels before they become tags: records without labels, duplicate entities, overlaps."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError

CHOOSE = "choose snap or drop (--misaligned, corpus.misaligned)"


def labelled_alone(records: Iterable[Record], source: str, ledger: Ledger) -> Iterator[Record]:
    """Leave out records without labels if other records have labels: nobody has annotated them.

    A record whose labels are an empty list stays: it is an annotated text without entities.
    """
    held: list[Record] = []  # records without labels, as long as no record with labels was read
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
    """Leave out the spans whose class is `outside`, which stands for no entity."""
    kept = []
    for span in record.spans or ():
        if span.label != outside:
            kept.append(span)
            continue
        place = place_of(record, source, span.start)
        ledger.refuse(place, "spans whose class stands for no entity (outside)", outside)
    return record._replace(spans=kept)


def flat_spans(record: Record, source: str, reading: Reading, ledger: Ledger) -> Sequence[Span]:
    """Return a record's entities in order and without overlaps. Of overlapping entities the longest is kept.

    Errors: CorpusError for an overlap, if reading.misaligned is error.
    """
    in_order = sorted(record.spans or (), key=lambda span: (span.start, -span.end))
    for a, b in pairwise(in_order):
        if a == b:
            ledger.alter(
                place_of(record, source, a.start),
                "duplicate entities, kept once",
                excerpt(record.text, a),
            )
    in_order = list(dict.fromkeys(in_order))
    if all(a.end <= b.start for a, b in pairwise(in_order)):
        return in_order
    kept: list[Span] = []
    # The text between two boundaries belongs to one kept entity, or to none. Entities are taken from the
    # longest to the shortest, so one that overlaps a kept entity does so at its own first or last boundary.
    borders = sorted({border for span in in_order for border in span[:2]})
    number = {border: i for i, border in enumerate(borders)}
    owners: list[Span | None] = [None] * len(borders)
    for span in sorted(in_order, key=lambda span: span.start - span.end):
        first, end = number[span.start], number[span.end]
        if first < end:
            other = owners[first] or owners[end - 1]
        else:  # an entity without characters may lie within another
            other = owners[first - 1] if first and owners[first - 1] is owners[first] else None
        if other is None:
            kept.append(span)
            owners[first:end] = [span] * (end - first)
            continue
        place = place_of(record, source, span.start)
        names = [f'"{excerpt(record.text, s)}" ({s.label})' for s in (span, other)]
        if reading.misaligned == "error":
            raise CorpusError(
                f"{place}: found the entity {names[0]} overlapping {names[1]}, expected flat "
                f"entities; {CHOOSE}: both keep the longest"
            )
        ledger.refuse(place, "entities that overlap a longer one", " in ".join(names))
    return sorted(kept)


def place_of(record: Record, source: str, at: int = 0) -> str:
    """Return the position of a character of a record, as file:line."""
    if record.place:
        return record.place
    lines = bisect_left(_line_ends(record.text), at) if record.lined and at else 0
    return f"{source}:{record.line + lines}"


@lru_cache(maxsize=1)
def _line_ends(text: str) -> list[int]:
    """Return the positions of a text's line ends. They are cached for the last text, since many entities of
    one text may be faulty."""
    return [match.start() for match in re.finditer("\n", text)]


def excerpt(text: str, span: Span) -> str:
    """Return an entity's text, shortened to 60 characters for a message."""
    return short(text[span.start : span.end])


def short(text: str) -> str:
    """Shorten a text to at most 60 characters, for a message."""
    return text if len(text) <= 60 else f"{text[:57]}…"
