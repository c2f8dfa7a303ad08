"""The matching of gold with predicted entities, against all matchings there are."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings

from nertool.evaluation.matching import (
    Pairs,
    best_matching,
    overlapping_pairs,
    sentence_of,
    with_common_labels,
)
from tests.support.spans import Rows, disjoint, spans


def pairs_of(gold: Rows, predicted: Rows) -> Pairs:
    return overlapping_pairs(*with_common_labels(spans(gold), spans(predicted)))


@settings(max_examples=150, deadline=None)
@given(disjoint(), disjoint())
def test_the_pairs_are_all_that_share_a_token(gold, predicted):
    pairs = pairs_of(gold, predicted)
    expected = []
    for g, (a, b, label) in enumerate(gold):
        for p, (c, d, other) in enumerate(predicted):
            shared = len(set(range(a, b)) & set(range(c, d)))
            if shared:
                expected.append((g, p, label == other, (a, b) == (c, d), shared))
    assert list(zip(*(column.tolist() for column in pairs), strict=True)) == expected


@pytest.mark.parametrize("label_first", [True, False])
@settings(max_examples=150, deadline=None)
@given(gold=disjoint(), predicted=disjoint())
def test_no_matching_is_better_than_the_one_chosen(label_first, gold, predicted):
    pairs = pairs_of(gold, predicted)
    chosen = best_matching(pairs, label_first)

    def value(which: Pairs) -> tuple[int, int, int]:
        same, n = int(which.same_label.sum()), len(which.gold)
        return (
            (same, n, int(which.shared.sum()))
            if label_first
            else (n, same, int(which.shared.sum()))
        )

    def one_to_one(which: Pairs) -> bool:
        return all(len(set(c.tolist())) == len(c) for c in (which.gold, which.predicted))

    assert one_to_one(chosen)
    n = len(pairs.gold)
    if n > 9:  # 2^n matchings: enough of them are tried below that
        return
    every = (
        pairs.take(np.array(some, dtype=np.int64))
        for size in range(n + 1)
        for some in combinations(range(n), size)
    )
    assert value(chosen) == max(value(which) for which in every if one_to_one(which))


def test_a_chain_is_matched_as_a_whole():
    # gold      XXXX  YYYY       X over tokens 0–3, Y over 4–7
    # predicted   YYYYYY ZZ      Y over 2–6 and Z over 7: Y is matched with Y, which leaves X and Z alone;
    #                            by number alone, X with Y and Y with Z are two pairs.
    gold, predicted = [(0, 4, "X"), (4, 8, "Y")], [(2, 7, "Y"), (7, 8, "Z")]
    pairs = pairs_of(gold, predicted)
    by_label, by_number = best_matching(pairs, True), best_matching(pairs, False)
    assert (by_label.gold.tolist(), by_label.predicted.tolist()) == ([1], [0])
    assert (by_number.gold.tolist(), by_number.predicted.tolist()) == ([0, 1], [0, 1])


def test_labels_that_nothing_bears_are_left_out_and_the_rest_renumbered():
    a, b = with_common_labels(spans([(0, 1, "Y")]), spans([(0, 1, "X"), (2, 3, "Y")]))
    assert a.label_names == b.label_names == ["X", "Y"]
    assert a.as_list() == [(0, 1, "Y")]
    assert b.as_list() == [(0, 1, "X"), (2, 3, "Y")]


def test_a_token_stands_in_the_sentence_that_starts_at_or_before_it():
    starts = np.array([0, 2, 5])
    assert sentence_of(np.arange(5), starts).tolist() == [0, 0, 1, 1, 1]
