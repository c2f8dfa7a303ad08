"""Paired tests of two systems on one text."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nertool.errors import CorpusError
from nertool.evaluation.compare import compare_systems, differing_sentences, paired_tests
from nertool.evaluation.comparison import compare_files
from nertool.evaluation.intervals import UnitCounts, measures_of
from tests.support.spans import corpus_of


def side(right: np.ndarray, gold: int, predicted: np.ndarray) -> UnitCounts:
    counts = np.stack([right, right, np.full(len(right), gold), predicted], axis=1)
    return UnitCounts(counts[:, None].astype(float), (), "sentence")


def test_randomisation_equals_the_share_of_all_swaps_that_differ_as_much():
    a = side(np.array([2, 3, 1, 2, 3, 3, 2, 0]), 3, np.array([3, 3, 2, 3, 4, 3, 2, 1]))
    b = side(np.array([3, 3, 2, 3, 3, 2, 2, 2]), 3, np.array([3, 4, 2, 3, 3, 3, 2, 2]))
    both = np.stack([a.counts, b.counts], axis=1)
    found = abs(np.subtract(*measures_of(both.sum(axis=0))[:, 0, 2]))
    as_large = 0
    for swaps in product([0, 1], repeat=8):
        swapped = np.array([unit[::-1] if s else unit for unit, s in zip(both, swaps, strict=True)])
        difference = abs(np.subtract(*measures_of(swapped.sum(axis=0))[:, 0, 2]))
        as_large += difference >= found - 1e-12
    test = paired_tests(a, b, samples=20_000)[""]
    assert test.p_randomisation == pytest.approx(as_large / 2**8, abs=0.01)
    assert paired_tests(a, b, samples=500) == paired_tests(a, b, samples=500)


def test_the_same_system_twice_differs_by_nothing_and_never_significantly():
    a = side(np.array([2, 3, 1, 2]), 3, np.array([3, 3, 2, 3]))
    test = paired_tests(a, a, samples=200)[""]
    assert (test.difference, test.low, test.high) == (0.0, 0.0, 0.0)
    assert (test.p_bootstrap, test.p_randomisation) == (1.0, 1.0)


def test_p_values_of_systems_that_are_alike_are_below_5_percent_in_5_percent_of_texts():
    # Two systems of one accuracy on 300 texts of 60 sentences; four standard deviations are 5 %.
    rng = np.random.default_rng(3)
    low = np.zeros(2)
    for _ in range(300):
        skill = rng.beta(8, 2, 60)
        one, other = (rng.binomial(4, skill) for _ in range(2))
        full = np.full(60, 4)
        test = paired_tests(side(one, 4, full), side(other, 4, full), samples=300)[""]
        low += [test.p_bootstrap < 0.05, test.p_randomisation < 0.05]
    assert (np.abs(low / 300 - 0.05) < 0.05).all()


def test_a_class_that_one_system_never_finds_is_compared_too():
    gold = corpus_of(*[["Ada/B-PER in/O Rome/B-LOC"]] * 30)
    one = corpus_of(*[["Ada/B-PER in/O Rome/O"]] * 30)
    sides = [compare_files(gold, found) for found in (one, gold)]
    tests, unit, n = compare_systems(*sides)
    assert (unit, n) == ("document", 30)
    assert (tests["LOC"].a, tests["LOC"].b) == (0.0, 1.0)
    assert tests["PER"].difference == 0.0
    assert tests[""].difference == pytest.approx(1 - 2 * 30 / 90)


def test_differing_sentences_come_with_all_three_readings():
    gold = corpus_of(["Ada/B-PER left/O", "New/B-LOC York/I-LOC", "x/O"])
    one = corpus_of(["Ada/B-PER left/O", "New/O York/B-LOC", "x/O"])
    other = corpus_of(["Ada/O left/O", "New/B-LOC York/I-LOC", "x/O"])
    rows = differing_sentences(compare_files(gold, one), compare_files(gold, other))
    assert [(row.place, row.errors_a, row.errors_b) for row in rows] == [
        ("x:4", 2, 0),
        ("x:1", 0, 1),
    ]
    assert (rows[0].gold, rows[0].a, rows[0].b) == (
        ["[New York](LOC)"],
        ["[York](LOC)"],
        ["[New York](LOC)"],
    )


def test_systems_measured_against_other_gold_entities_are_refused():
    one, other = corpus_of(["Ada/B-PER"]), corpus_of(["Ada/O"])
    with pytest.raises(CorpusError, match=r"1 gold entities for A and 0 for B"):
        compare_systems(compare_files(one, one), compare_files(other, other))
