"""Precision, recall, F1 and accuracy, against seqeval and against conlleval's rules by hand."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import accuracy_score
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

from nertool.corpus.columnar import Ids, Interner
from nertool.evaluation.scores import Counts, Scores, score_tags
from nertool.evaluation.tables import as_dict, as_table

Sentences = list[list[str]]


def score(gold: Sentences, predicted: Sentences) -> Scores:
    """Score tags given as words; each side numbers its tags in an order of its own."""
    starts = np.cumsum([0, *map(len, gold)]).astype(np.int64)

    def numbered(sentences: Sentences) -> tuple[Ids, list[str]]:
        number = Interner()
        ids = np.array([number[tag] for tags in sentences for tag in tags], dtype=np.int32)
        return ids, list(number)

    return score_tags(*numbered(gold), *numbered(predicted), starts)


def words(*sentences: str) -> Sentences:
    return [sentence.split() for sentence in sentences]


# seqeval, in its default mode, follows conlleval.


def tag_pairs(prefixes: str) -> st.SearchStrategy[tuple[Sentences, Sentences]]:
    """Draw gold and predicted tags, half of the latter right, of any prefixes in any order."""
    tag = st.sampled_from(
        ["O", "O", *(f"{prefix}-{label}" for prefix in prefixes for label in ("LOC", "PER", "A-B"))]
    )
    token = st.tuples(tag, tag, st.booleans()).map(lambda t: (t[0], t[0] if t[2] else t[1]))
    text = st.lists(st.lists(token, max_size=7), min_size=1, max_size=4)
    return text.filter(any).map(
        lambda sentences: (
            [[gold for gold, _ in sentence] for sentence in sentences],
            [[predicted for _, predicted in sentence] for sentence in sentences],
        )
    )


@pytest.mark.parametrize("prefixes", ["BI", "BIES"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_measure_equals_seqevals_on_any_tags_valid_or_not(prefixes, data):
    gold, predicted = data.draw(tag_pairs(prefixes))
    scores = score(gold, predicted)
    labels = sorted(scores.types)
    by_type = [
        [getattr(scores.types[label], name) for label in labels]
        for name in ("precision", "recall", "f1", "gold")
    ]
    overall = scores.overall
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a measure is undefined
        expected = precision_recall_fscore_support(gold, predicted, average=None, zero_division=0)
        micro = precision_recall_fscore_support(gold, predicted, average="micro", zero_division=0)
    for ours, theirs in zip(by_type, expected, strict=True):
        np.testing.assert_allclose([x or 0 for x in ours], theirs, rtol=0, atol=1e-12)
    ours = [overall.precision or 0, overall.recall or 0, overall.f1 or 0, overall.gold]
    np.testing.assert_allclose(ours, micro, rtol=0, atol=1e-12)
    assert scores.f1 == pytest.approx(micro[2], abs=1e-12)
    assert scores.accuracy == pytest.approx(accuracy_score(gold, predicted), abs=1e-12)
    assert scores.tokens == sum(map(len, gold))
    assert scores.sentences == len(gold)


# conlleval, by hand. Entities are written (first, last token) class.


@pytest.mark.parametrize(
    ("gold", "predicted", "counts", "right"),
    [
        # I- after O begins an entity: gold (0,1)PER, predicted (0,1)PER; 2 of 3 tags the same.
        ("B-PER I-PER O", "I-PER I-PER O", {"PER": (1, 1, 1)}, 2),
        # A class that changes inside: gold (0,2)PER; predicted (0,0)PER (1,1)LOC (2,2)PER; tags 2.
        ("B-PER I-PER I-PER", "B-PER I-LOC I-PER", {"LOC": (0, 0, 1), "PER": (0, 1, 2)}, 2),
        # One boundary off is wrong twice: gold (0,1)LOC; predicted (0,2)LOC.
        ("B-LOC I-LOC O", "B-LOC I-LOC I-LOC", {"LOC": (0, 1, 1)}, 2),
        # The right words in the wrong class: gold (0,1)LOC; predicted (0,1)ORG.
        ("B-LOC I-LOC", "B-ORG I-ORG", {"LOC": (0, 1, 0), "ORG": (0, 0, 1)}, 0),
        # Two gold neighbours run together: gold (0,0)PER (1,1)PER; predicted (0,1)PER.
        ("B-PER B-PER", "B-PER I-PER", {"PER": (0, 2, 1)}, 1),
        # One gold entity torn in two: gold (0,1)PER; predicted (0,0)PER (1,1)PER.
        ("B-PER I-PER", "B-PER B-PER", {"PER": (0, 1, 2)}, 1),
        # B-B and I-I differ in tags only: gold (0,0)PER (1,2)LOC; predicted the same.
        ("B-PER B-LOC I-LOC", "I-PER I-LOC I-LOC", {"LOC": (1, 1, 1), "PER": (1, 1, 1)}, 1),
        # BIOES against IOB2 in one text: (0,2)PER and (3,3)PER in both, 2 of 4 tags the same.
        ("B-PER I-PER E-PER S-PER", "B-PER I-PER I-PER B-PER", {"PER": (2, 2, 2)}, 2),
        # Nothing predicted, nothing there to find, nothing at all.
        ("B-PER O", "O O", {"PER": (0, 1, 0)}, 1),
        ("O O", "O S-PER", {"PER": (0, 0, 1)}, 1),
        ("O O", "O O", {}, 2),
    ],
)
def test_odd_cases_count_as_conlleval_counts_them(gold, predicted, counts, right):
    scores = score(words(gold), words(predicted))
    assert {
        label: (found.correct, found.gold, found.predicted) for label, found in scores.types.items()
    } == counts
    assert scores.correct_tokens == right
    assert scores.tokens == len(gold.split())


def test_an_entity_never_reaches_over_a_sentences_end():
    # One sentence: gold (0,1)PER, predicted (0,1)PER. Two: gold (0,0)PER (1,1)PER, and so predicted.
    joined = score(words("B-PER I-PER"), words("I-PER I-PER")).overall
    parted = score(words("B-PER", "I-PER"), words("I-PER", "I-PER")).overall
    assert joined == Counts(1, 1, 1)
    assert parted == Counts(2, 2, 2)


def test_measures_of_a_text_worked_by_hand():
    gold = words("B-PER I-PER O B-LOC O", "B-LOC O O B-ORG I-ORG", "O O")
    predicted = words("B-PER I-PER O B-PER O", "B-LOC O B-LOC B-ORG O", "O O")
    # gold:      (0,1)PER (3,3)LOC (5,5)LOC (8,9)ORG
    # predicted: (0,1)PER (3,3)PER (5,5)LOC (7,7)LOC (8,8)ORG
    # correct:   (0,1)PER          (5,5)LOC
    # tags: 12, of which wrong 3, 7 and 9
    scores = score(gold, predicted)
    assert scores.types == {"LOC": Counts(1, 2, 2), "ORG": Counts(0, 1, 1), "PER": Counts(1, 1, 2)}
    assert scores.overall == Counts(correct=2, gold=4, predicted=5)
    assert scores.overall.precision == 2 / 5
    assert scores.overall.recall == 2 / 4
    # 2 · 0.4 · 0.5 / 0.9 = 4 / 9
    assert scores.overall.f1 == pytest.approx(4 / 9, abs=1e-15)
    assert scores.accuracy == 9 / 12
    assert as_dict(scores) == {
        "precision": 0.4,
        "recall": 0.5,
        "f1": pytest.approx(4 / 9, abs=1e-15),
        "support": 4,
        # (½ + 0 + ½) / 3, (½ + 0 + 1) / 3, (½ + 0 + 2/3) / 3
        "macro": {
            "precision": pytest.approx(1 / 3),
            "recall": pytest.approx(1 / 2),
            "f1": pytest.approx(7 / 18),
        },
        "accuracy": 0.75,
        "tokens": 12,
        "sentences": 3,
        "types": {
            "LOC": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2},
            "ORG": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1},
            # 2 · ½ · 1 / (½ + 1) = 2/3
            "PER": {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1},
        },
    }


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ("I-PER B-LOC L-LOC U-ORG B-X M-X E-X O", "PER B-LOC E-LOC S-ORG B-X I-X E-X O"),
        ("PER PER O", "I-PER I-PER O"),
    ],
)
def test_letters_of_one_meaning_are_one_tag(gold, predicted):
    scores = score(words(gold), words(predicted))
    assert scores.accuracy == 1.0
    assert scores.f1 == 1.0


def test_a_class_that_no_token_bears_has_no_row():
    # A model knows classes that a text may lack.
    known = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    ids = np.array([1, 2, 0], dtype=np.int32)
    assert score_tags(ids, known, ids, known, np.array([0, 3])).types == {"PER": Counts(1, 1, 1)}


@settings(max_examples=60, deadline=None)
@given(tag_pairs("BI"))
def test_gold_against_itself_is_perfect_and_sides_swapped_swap_precision_and_recall(pair):
    gold, predicted = pair
    itself = score(gold, gold)
    assert itself.accuracy == 1.0
    assert itself.overall.f1 == (1.0 if itself.overall.gold else None)
    one, other = score(gold, predicted), score(predicted, gold)
    assert one.accuracy == other.accuracy
    assert (one.overall.precision, one.overall.recall) == (
        other.overall.recall,
        other.overall.precision,
    )


# Undefined measures


@pytest.mark.parametrize(
    ("counts", "precision", "recall", "f1"),
    [
        (Counts(0, 0, 0), None, None, None),
        (Counts(0, 3, 0), None, 0.0, 0.0),
        (Counts(0, 0, 2), 0.0, None, 0.0),
        (Counts(0, 3, 2), 0.0, 0.0, 0.0),
        (Counts(1, 4, 2), 0.5, 0.25, 1 / 3),  # 2 · 1 / (4 + 2)
    ],
)
def test_a_ratio_over_nothing_is_undefined_not_0(counts, precision, recall, f1):
    assert (counts.precision, counts.recall, counts.f1) == (precision, recall, f1)


def test_a_text_without_tokens_has_no_measures():
    scores = score([[]], [[]])
    assert (scores.tokens, scores.sentences, scores.types) == (0, 1, {})
    assert scores.accuracy is None
    assert scores.overall.f1 is None
    assert scores.f1 == 0.0  # a number to compare by


def test_undefined_measures_are_null_in_JSON():
    given_back = json.loads(json.dumps(as_dict(score(words("O"), words("S-PER")))))
    assert given_back == {
        "precision": 0.0,
        "recall": None,
        "f1": 0.0,
        "support": 0,
        "macro": {"precision": 0.0, "recall": None, "f1": 0.0},
        "accuracy": 0.0,
        "tokens": 1,
        "sentences": 1,
        "types": {"PER": {"precision": 0.0, "recall": None, "f1": 0.0, "support": 0}},
    }


# Counts add


def test_counts_add_field_by_field():
    assert Counts(1, 10, 100) + Counts(2, 20, 200) == Counts(3, 30, 300)


@settings(max_examples=60, deadline=None)
@given(tag_pairs("BIES"), st.integers(1, 3))
def test_the_counts_of_a_text_are_the_sums_of_its_parts(pair, cut):
    gold, predicted = pair
    whole = score(gold, predicted)
    parts = [score(gold[:cut], predicted[:cut]), score(gold[cut:], predicted[cut:])]
    for label, counts in whole.types.items():
        assert sum((part.types.get(label, Counts()) for part in parts), Counts()) == counts
    assert parts[0].overall + parts[1].overall == whole.overall
    for name in ("tokens", "correct_tokens", "sentences"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)


# Tables


def test_the_keys_stand_in_a_fixed_order():
    report = as_dict(score(words("B-PER B-LOC"), words("B-PER B-ORG")))
    assert list(report) == [
        "precision",
        "recall",
        "f1",
        "support",
        "macro",
        "accuracy",
        "tokens",
        "sentences",
        "types",
    ]
    assert list(report["types"]) == ["LOC", "ORG", "PER"]
    assert list(report["types"]["LOC"]) == ["precision", "recall", "f1", "support"]


def test_the_table_shows_percent_with_a_dash_for_what_is_undefined():
    # LOC: nothing predicted; ORG: nothing to find; PER: 2 of 3 found, 2 of 2 right, F1 4/5.
    # All: 2 of 3 right, 2 of 1238 found, F1 4/1241 = 0.32 %.
    scores = Scores(
        types={"LOC": Counts(0, 1235, 0), "ORG": Counts(0, 0, 1), "PER": Counts(2, 3, 2)},
        tokens=12345,
        correct_tokens=11111,
        sentences=1000,
    )
    assert as_table(as_dict(scores)).split("\n") == [
        "        precision    recall        F1  entities",
        "LOC             –      0.00      0.00     1,235",
        "ORG          0.00         –      0.00         0",
        "PER        100.00     66.67     80.00         3",
        "overall     66.67      0.16      0.32     1,238",
        # Over the classes that have each: (0 + 100) / 2, (0 + 66.67) / 2, (0 + 0 + 80) / 3.
        "macro       50.00     33.33     26.67",
        # 11111 / 12345 = 0.900040…
        "12,345 tokens in 1,000 sentences, token accuracy 90.00 %",
    ]


def test_a_long_class_name_keeps_the_table_s_columns_in_line():
    table = as_table(as_dict(score(words("B-geopolitical-entity"), words("O")))).split("\n")
    assert len({len(line) for line in table[:-1]}) == 1
    assert table[1].startswith("geopolitical-entity ")


def test_the_table_of_nothing_leaves_accuracy_out():
    assert as_table(as_dict(score([[]], [[]]))).split("\n") == [
        "        precision    recall        F1  entities",
        "overall         –         –         –         0",
        "0 tokens in 1 sentence",
    ]
