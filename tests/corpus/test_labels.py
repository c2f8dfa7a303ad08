"""Entities of a record that overlap: the longest are kept, in time that does not grow as their square."""

from __future__ import annotations

import random

import pytest

from nertool.corpus.columnar import Span
from nertool.corpus.labels import flat_spans, place_of
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError

SNAP = Reading(misaligned="snap")


def longest_apart(spans: list[Span]) -> list[Span]:
    """Keep the longest first, comparing each with all that are kept."""
    kept: list[Span] = []
    in_order = sorted(dict.fromkeys(spans), key=lambda span: (span.start, -span.end))
    for span in sorted(in_order, key=lambda span: span.start - span.end):
        if not any(other.start < span.end and span.start < other.end for other in kept):
            kept.append(span)
    return sorted(kept)


def test_of_overlapping_entities_the_longest_are_kept() -> None:
    drawn = random.Random(1)
    for _ in range(300):
        borders = [sorted(drawn.sample(range(12), 2)) for _ in range(drawn.randint(1, 8))]
        spans = [Span(a, b, drawn.choice("XY")) for a, b in borders]
        ledger = Ledger()
        kept = flat_spans(Record("abcdefghijkl", 1, spans), "text", SNAP, ledger)
        assert list(kept) == longest_apart(spans)
        assert len(set(spans)) - len(kept) == sum(ledger.refused.values())


def test_an_entity_without_a_character_may_lie_between_others_but_not_within() -> None:
    beside = [Span(0, 3, "X"), Span(3, 3, "X"), Span(3, 5, "X")]
    assert flat_spans(Record("abcdefgh", 1, beside), "text", SNAP, Ledger()) == beside
    within = [Span(0, 3, "X"), Span(2, 2, "X")]
    assert flat_spans(Record("abcdefgh", 1, within), "text", SNAP, Ledger()) == within[:1]


def test_very_many_overlapping_entities_take_no_longer_than_their_number() -> None:
    n = 50_000
    spans = [Span(3 * i, 3 * i + 5 + i % 2, "X") for i in range(n)]
    record = Record("ab\n" * (n + 2), 1, spans, lined=True)
    ledger = Ledger()
    assert len(flat_spans(record, "text", SNAP, ledger)) == n - ledger.refused.total()
    assert n / 3 < ledger.refused.total() < n


def test_an_overlap_names_both_entities_and_the_line() -> None:
    record = Record("Ada\nLovelace here", 4, [Span(0, 12, "PER"), Span(4, 17, "ORG")], lined=True)
    with pytest.raises(CorpusError, match='text:4: found the entity "Ada'):
        flat_spans(record, "text", Reading(misaligned="error"), Ledger())


def test_a_place_counts_the_line_ends_before_it() -> None:
    record = Record("a\nbc\nd", 7, lined=True)
    assert [place_of(record, "f", at) for at in (0, 1, 2, 4, 5)] == [
        "f:7",
        "f:7",
        "f:8",
        "f:8",
        "f:9",
    ]
