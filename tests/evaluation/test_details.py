"""The measures on parts of a text, and errors as rows."""

from __future__ import annotations

import json

import pytest

from nertool.evaluation.comparison import compare_files
from nertool.evaluation.errors.details import details_of
from nertool.evaluation.errors.seen import seen_in
from nertool.evaluation.errors.slices import Slice, unknown_tokens
from nertool.evaluation.errors.table import COLUMNS, as_jsonl, as_tsv
from tests.support.models import make_simple
from tests.support.spans import corpus_of

TRAIN = corpus_of(["Paris/B-LOC Paris/B-LOC Paris/B-PER Bob/B-PER"])
GOLD = corpus_of(
    ["Paris/B-LOC met/O Ada/B-PER Bob/I-PER"], ["Bob/B-LOC left/O", "the/O Rome/B-LOC"]
)
FOUND = corpus_of(
    ["Paris/B-LOC met/O Ada/B-PER Bob/O"], ["Bob/B-PER left/O", "the/B-LOC Rome/I-LOC"]
)


@pytest.fixture
def details():
    # make_simple's vectors know "the" and few other words.
    return details_of(compare_files(GOLD, FOUND), seen_in(TRAIN), make_simple())


def test_each_entity_counts_in_the_part_its_own_words_put_it_in(details):
    slices = details.slices
    # gold: Paris LOC, Ada Bob PER, Bob LOC, Rome LOC; found: Paris LOC, Ada PER, Bob PER, the Rome LOC
    assert slices["entity's length"] == {
        "1 token": Slice(1, 3, 3),
        "2 tokens": Slice(0, 1, 1),
    }
    assert slices["in the training text"] == {
        "seen": Slice(1, 1, 2),
        "seen in another class": Slice(0, 1, 0),
        "never seen": Slice(0, 2, 2),
    }
    assert slices["its words an entity of the training text"] == {
        "0 times": Slice(0, 2, 2),
        "once": Slice(0, 1, 1),
        "2 to 5 times": Slice(1, 1, 1),
    }
    assert slices["words without a vector"] == {"an unknown word": Slice(1, 4, 4)}
    assert [(place, s) for place, s in details.documents] == [
        ("x:6", Slice(0, 2, 2)),
        ("x:1", Slice(1, 2, 2)),
    ]


def test_words_are_the_same_in_every_spelling_of_their_characters():
    composed, apart = "Zürich", "Zu\u0308rich"
    compared = compare_files(corpus_of([f"{apart}/B-LOC"]), corpus_of([f"{apart}/B-LOC"]))
    slices = details_of(compared, seen_in(corpus_of([f"{composed}/B-LOC"])), None).slices
    assert slices["in the training text"] == {"seen": Slice(1, 1, 1)}
    assert slices["its words an entity of the training text"] == {"once": Slice(1, 1, 1)}


def test_every_division_counts_every_entity_once(details):
    for parts in details.slices.values():
        totals = [
            sum(getattr(p, n) for p in parts.values()) for n in ("correct", "gold", "predicted")
        ]
        assert totals == [1, 4, 4]


def test_a_part_s_measures_are_undefined_where_it_is_empty():
    assert Slice(0, 0, 2).as_dict() == {
        "precision": 0.0,
        "recall": None,
        "f1": 0.0,
        "support": 0,
        "predicted": 2,
    }


def test_words_are_unknown_where_no_vector_stands_for_any_of_their_forms(details):
    assert unknown_tokens(details.comparison, make_simple()) == [True] * 6 + [False, True]


def test_errors_as_rows_have_place_kind_and_context(details):
    rows = list(details.error_rows())
    assert [tuple(row) for row in rows] == [COLUMNS] * 3
    assert rows[0] == {
        "place": "x:3",
        "kind": "wrong boundary",
        "gold_label": "PER",
        "gold": "Ada Bob",
        "predicted_label": "PER",
        "predicted": "Ada",
        "probability": None,
        "gold_probability": None,
        "in_training": "never seen",
        "unknown_words": 2,
        "context": "Paris met [{Ada} Bob]",
    }
    assert rows[2]["context"] == "{the [Rome]}"
    assert [json.loads(line) for line in as_jsonl(iter(rows))] == rows
    header, *lines = as_tsv(iter(rows))
    assert header == "\t".join(COLUMNS) + "\n"
    assert (
        lines[1]
        == "x:6\twrong type\tLOC\tBob\tPER\tBob\t\t\tseen in another class\t1\t[{Bob}] left\n"
    )


def test_the_terminal_s_text_names_the_commonest_confusions(details):
    text = details.as_text()
    assert "1 × LOC → PER (wrong type)" in text
    assert "errors: 0 missed, 0 spurious, 1 wrong type, 2 wrong boundary, 0 wrong type" in text
