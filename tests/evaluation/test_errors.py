"""Errors by kind, and which are the commonest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from nertool.corpus.columnar import Span
from nertool.evaluation.comparison import Comparison, compare_files
from nertool.evaluation.errors.kinds import (
    CORRECT,
    KINDS,
    NOTHING,
    by_kind,
    confusion_matrix,
    confusions,
    differences,
    findings_of,
    kind_of,
)
from nertool.evaluation.matching import with_common_labels
from nertool.evaluation.scores import Counts, Scores, count_spans
from tests.support.spans import corpus_of, disjoint, spans

X, Y = Span(0, 2, "X"), Span(0, 2, "Y")


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        (X, X, "correct"),
        (X, None, "missed"),
        (None, X, "spurious"),
        (X, Y, "wrong type"),
        (X, Span(1, 2, "X"), "wrong boundary"),
        (X, Span(1, 3, "Y"), "wrong type and boundary"),
    ],
)
def test_each_kind_of_error_has_its_name(gold, predicted, kind):
    assert kind_of(gold, predicted) == kind


def comparison() -> Comparison:
    gold = corpus_of(
        ["New/B-ORG York/I-ORG Times/I-ORG in/O Paris/B-LOC", "Paris/B-LOC ,/O Bob/B-PER"]
    )
    other = corpus_of(
        ["New/B-LOC York/I-LOC Times/O in/O Paris/B-PER", "Paris/B-PER ,/B-PER Bob/O"]
    )
    return compare_files(gold, other)


def test_errors_of_a_text_worked_by_hand():
    found = findings_of(comparison())
    assert [(f.kind, f.sentence, f.labels) for f in found] == [
        ("wrong type and boundary", 0, ("ORG", "LOC")),
        ("wrong type", 0, ("LOC", "PER")),
        ("wrong type", 1, ("LOC", "PER")),
        ("spurious", 1, (NOTHING, "PER")),
        ("missed", 1, ("PER", NOTHING)),
    ]
    assert by_kind(found) == {
        "missed": 1,
        "spurious": 1,
        "wrong type": 2,
        "wrong boundary": 0,
        "wrong type and boundary": 1,
    }
    assert confusions(found)[0] == ("LOC", "PER", "wrong type", 2)
    assert confusion_matrix(found, ["LOC", "ORG", "PER"]) == [
        [0, 0, 2, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 1],
        [0, 0, 1, 0],
    ]


def test_the_modes_differences_are_named_with_the_first_place():
    modes = {mode: (n, lines) for mode, n, lines in differences(comparison())}
    assert modes["exact-boundary"] == (
        2,
        ['"Paris" LOC → "Paris" PER (2 times, first at x:5)'],
    )
    assert modes["type"] == (0, [])
    assert modes["partial"][0] == 3
    assert modes["partial"][1][1] == '"New York Times" ORG → "New York" LOC (x:1)'


@settings(max_examples=100, deadline=None)
@given(disjoint(), disjoint())
def test_every_entity_is_in_just_one_finding_and_the_correct_ones_are_conllevals(gold, predicted):
    corpus = corpus_of(["a/O " * 11 + "a/O"])
    sides = with_common_labels(spans(gold), spans(predicted))
    counts = count_spans(*sides)
    found = findings_of(Comparison(corpus, *sides, Scores(counts, 12, 0, 1)))
    assert sorted(tuple(f.gold) for f in found if f.gold) == gold
    assert sorted(tuple(f.predicted) for f in found if f.predicted) == predicted
    correct = sum(f.kind == CORRECT for f in found)
    assert correct == sum(counts.values(), Counts()).correct
    assert correct + sum(by_kind(found).values()) == len(found)
    assert {f.kind for f in found} <= {CORRECT, *KINDS}
    labels = sides[0].label_names
    matrix = confusion_matrix(found, labels)
    assert [sum(row) for row in matrix[:-1]] == [sum(g[2] == n for g in gold) for n in labels]
