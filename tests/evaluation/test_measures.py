"""The measures of all modes, by hand and against nervaluate and seqeval."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from nervaluate.entities import Entity
from nervaluate.strategies import (
    EntityTypeEvaluation,
    ExactEvaluation,
    PartialEvaluation,
    StrictEvaluation,
)

from nertool.catalogue import MODES
from nertool.evaluation.matching import with_common_labels
from nertool.evaluation.measures import (
    Marks,
    Ratios,
    by_class,
    macro,
    marks_of,
    mode_as_dict,
    overall,
    ratios,
)
from nertool.evaluation.scores import count_spans
from tests.support.spans import Rows, disjoint, spans

THEIRS = {
    "strict": StrictEvaluation,
    "exact-boundary": ExactEvaluation,
    "partial": PartialEvaluation,
    "type": EntityTypeEvaluation,
}


def marks(mode: str, gold: Rows, predicted: Rows) -> Marks:
    return marks_of(mode, *with_common_labels(spans(gold), spans(predicted)))


def nervaluate(mode: str, gold: Rows, predicted: Rows):
    sides = [[Entity(label, a, b - 1) for a, b, label in rows] for rows in (gold, predicted)]
    return THEIRS[mode]().evaluate(*sides, ["X", "Y", "Z"])[0]


# nervaluate takes the predicted entities in order, each with the first gold one that is free. That
# is the best matching by number, but not by class.


@pytest.mark.parametrize("mode", ["strict", "exact-boundary", "partial"])
@settings(max_examples=120, deadline=None)
@given(gold=disjoint(), predicted=disjoint())
def test_the_measures_equal_nervaluates(mode, gold, predicted):
    ours, theirs = marks(mode, gold, predicted), nervaluate(mode, gold, predicted)
    measures = overall(ours)
    assert [x or 0 for x in vars(measures).values()] == pytest.approx(
        [theirs.precision, theirs.recall, theirs.f1], abs=1e-12
    )
    assert (ours.correct, ours.partial) == (theirs.correct, theirs.partial)
    assert (ours.incorrect, ours.missed, ours.spurious) == (
        theirs.incorrect,
        theirs.missed,
        theirs.spurious,
    )


@settings(max_examples=150, deadline=None)
@given(disjoint(), disjoint())
def test_nervaluate_finds_no_more_right_types_than_we_do(gold, predicted):
    ours, theirs = marks("type", gold, predicted), nervaluate("type", gold, predicted)
    assert ours.correct >= theirs.correct
    assert ours.correct + ours.incorrect + ours.missed == len(gold)
    assert ours.correct + ours.incorrect + ours.spurious == len(predicted)


def test_nervaluate_gives_a_gold_entity_away_to_a_prediction_of_another_class():
    # gold      XXXX        predicted YY XX: the second answers the gold entity's class, but the first
    # comes first, and is given it.
    gold, predicted = [(0, 4, "X")], [(0, 2, "Y"), (2, 4, "X")]
    theirs = nervaluate("type", gold, predicted)
    assert (theirs.correct, theirs.incorrect, theirs.spurious) == (0, 1, 1)
    ours = marks("type", gold, predicted)
    assert (ours.correct, ours.incorrect, ours.spurious) == (1, 0, 1)


@settings(max_examples=100, deadline=None)
@given(disjoint(), disjoint())
def test_strict_has_conllevals_measures_in_every_class(gold, predicted):
    sides = with_common_labels(spans(gold), spans(predicted))
    counts = count_spans(*sides)
    found = by_class(marks_of("strict", *sides), *sides)
    assert list(found) == list(counts)
    for name, expected in counts.items():
        assert found[name].precision == expected.precision
        assert found[name].recall == expected.recall
        assert found[name].f1 == pytest.approx(expected.f1)


# By hand

GOLD = [(0, 2, "X"), (3, 5, "Y"), (6, 7, "X"), (8, 10, "Z")]
PREDICTED = [(0, 2, "X"), (3, 4, "Y"), (6, 7, "Y"), (11, 12, "Z")]
# (0,2)X right; (3,5)Y found as (3,4)Y: a boundary off; (6,7)X found as Y: the class; (8,10)Z missed;
# (11,12)Z spurious.


@pytest.mark.parametrize(
    ("mode", "counts", "right"),
    [
        ("conlleval", (1, 2, 0, 1, 1), 1.0),
        ("strict", (1, 2, 0, 1, 1), 1.0),
        ("exact-boundary", (2, 1, 0, 1, 1), 2.0),
        ("partial", (2, 0, 1, 1, 1), 2.5),
        ("type", (2, 1, 0, 1, 1), 2.0),
    ],
)
def test_the_modes_of_four_entities_worked_by_hand(mode, counts, right):
    found = marks(mode, GOLD, PREDICTED)
    assert (
        found.correct,
        found.incorrect,
        found.partial,
        found.missed,
        found.spurious,
    ) == counts
    assert overall(found) == Ratios(right / 4, right / 4, right / 4)


def test_by_class_recall_looks_at_the_gold_class_and_precision_at_the_predicted():
    sides = with_common_labels(spans(GOLD), spans(PREDICTED))
    found = by_class(marks_of("exact-boundary", *sides), *sides)
    # X: both gold have their bounds found; one prediction, right. Y: 0 of 1 gold; of 2 predictions one
    # has right bounds. Z: 0 of 1 and 0 of 1.
    assert found == {
        "X": Ratios(1.0, 1.0, 1.0),
        "Y": Ratios(0.5, 0.0, 0.0),
        "Z": Ratios(0.0, 0.0, 0.0),
    }


@pytest.mark.parametrize("mode", MODES)
def test_what_is_undefined_is_None_and_no_mean_counts_it_as_0(mode):
    assert overall(marks(mode, [], [])) == Ratios(None, None, None)
    assert overall(marks(mode, [(0, 1, "X")], [])) == Ratios(None, 0.0, 0.0)
    assert overall(marks(mode, [], [(0, 1, "X")])) == Ratios(0.0, None, 0.0)
    sides = with_common_labels(spans([(0, 1, "X"), (1, 2, "Y")]), spans([(0, 1, "X")]))
    classes = by_class(marks_of(mode, *sides), *sides)
    # Nothing was predicted as Y: its precision is undefined, and X's alone counts.
    assert macro(classes) == Ratios(1.0, 0.5, 0.5)
    assert macro({}) == Ratios(None, None, None)


def test_a_mode_as_JSON():
    sides = with_common_labels(spans(GOLD), spans(PREDICTED))
    found = mode_as_dict("partial", *sides)
    assert found["f1"] == 2.5 / 4
    assert found["support"] == 4
    assert found["counts"] == {
        "correct": 2,
        "incorrect": 0,
        "partial": 1,
        "missed": 1,
        "spurious": 1,
    }
    assert found["types"]["Y"] == {"precision": 0.75, "recall": 0.5, "f1": 0.6, "support": 1}
    # X 1, 1; Y ¾, ½; Z 0, 0
    assert found["macro"]["precision"] == pytest.approx(1.75 / 3)
    assert found["macro"]["recall"] == pytest.approx(0.5)


def test_ratios_by_hand():
    assert ratios(1.5, 4, 2) == Ratios(0.75, 0.375, 0.5)  # 3 / 6
