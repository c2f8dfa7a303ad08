"""Thresholds by class, against all thresholds there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.evaluation.measures import Ratios, ratios
from nertool.evaluation.thresholds import best_threshold

P = np.array([0.9, 0.8, 0.8, 0.4, 0.3])
CORRECT = np.array([True, True, False, True, False])


def test_the_best_f1_worked_by_hand():
    # 4 to find. Kept 1: F1 2/5; 3: 4/7; 4: 6/8; all 5: 6/9. So 0.4 stays and 0.3 goes.
    found = best_threshold(P, CORRECT, 4)
    assert found.threshold == pytest.approx(0.35)
    assert found.after == Ratios(0.75, 0.75, 0.75)
    assert found.before == Ratios(0.6, 0.75, 6 / 9)


def test_a_wanted_precision_takes_the_highest_recall_that_has_it():
    # Precision: kept 1: 1; 3: 2/3; 4: 3/4; 5: 3/5.
    assert best_threshold(P, CORRECT, 4, 0.7).threshold == pytest.approx(0.35)
    assert best_threshold(P, CORRECT, 4, 0.8).threshold == pytest.approx(0.85)
    assert best_threshold(P, CORRECT, 4, 0.5).threshold == 0.0
    found = best_threshold(P[2:], CORRECT[2:], 4, 0.9)  # 0, 1/2, 1/3
    assert (found.reached, found.threshold) == (False, pytest.approx(0.35))


def test_nothing_found_has_nothing_to_leave_out():
    found = best_threshold(np.zeros(0), np.zeros(0, dtype=bool), 3)
    assert (found.threshold, found.after) == (0.0, Ratios(None, 0.0, 0.0))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=12),
    st.integers(0, 5),
    st.one_of(st.none(), st.sampled_from([0.5, 0.75, 1.0])),
)
def test_no_other_threshold_is_better(rows, missed, precision):
    p = np.array([tenth / 10 for tenth, _ in rows])
    correct = np.array([right for _, right in rows])
    gold = int(correct.sum()) + missed
    found = best_threshold(p, correct, gold, precision)

    def at(threshold):
        return ratios(int(correct[p >= threshold].sum()), gold, int((p >= threshold).sum()))

    assert at(found.threshold) == found.after
    every = [at(threshold) for threshold in p]
    if precision is None:
        if gold:
            assert found.after.f1 == max(row.f1 for row in every)
        return
    good = [row for row in every if row.precision >= precision]
    assert found.reached == bool(good)
    if good and gold:
        assert found.after.recall == max(row.recall for row in good)
