"""Gold and predicted editions of one text, put side by side."""

from __future__ import annotations

import pytest

from nertool.corpus.columnar import Corpus
from nertool.errors import CorpusError
from nertool.evaluation.comparison import Comparison, compare_files, compare_tags, merged, units_of
from nertool.evaluation.scores import Counts
from tests.support.spans import corpus_of


def entities(comparison: Comparison, side: str) -> list[tuple[str, str]]:
    return [
        (comparison.text(start, end), label)
        for start, end, label in getattr(comparison, side).as_list()
    ]


def test_a_model_s_tags_may_be_in_another_scheme_than_the_gold():
    gold = corpus_of(["Ada/I-PER Lovelace/I-PER met/O Bob/I-PER"])
    other = corpus_of(["Ada/B-PER Lovelace/E-PER met/O Bob/S-LOC"])
    found = compare_tags(gold, other.tag_ids, other.tags)
    assert found.gold.label_names == found.predicted.label_names == ["LOC", "PER"]
    assert found.scores.overall == Counts(1, 2, 2)
    assert entities(found, "predicted") == [("Ada Lovelace", "PER"), ("Bob", "LOC")]


def test_files_cut_into_other_tokens_are_compared_at_the_boundaries_of_both() -> None:
    gold = corpus_of(["Ada/B-PER 's/O U.S./B-LOC friends/O"])
    other = corpus_of(["Ada's/B-PER U/B-LOC ./I-LOC S./I-LOC fri/O ends/O"], source="y")
    notes: list[str] = []
    found = compare_files(gold, other, notes.append)
    # Ada|'s|U|.|S.|fri|ends: both agree on U.S.; Ada's is another entity than Ada.
    assert entities(found, "gold") == [("Ada", "PER"), ("U . S.", "LOC")]
    assert entities(found, "predicted") == [("Ada 's", "PER"), ("U . S.", "LOC")]
    assert found.scores.overall == Counts(1, 2, 2)
    assert found.scores.tokens == 7
    # Tags: Ada B B, 's O B, U B B, . B I, S. B I, fri O O, ends O O
    assert found.scores.correct_tokens == 4
    assert notes == ["x and y are cut into 4 and 6 tokens; compared at all 7 boundaries of both"]
    assert found.place(6) == "x:4"


def test_an_entity_over_the_gold_s_sentence_end_is_one_entity_and_wrong():
    gold = corpus_of(["New/B-LOC", "York/B-LOC"])
    other = corpus_of(["New/B-LOC York/I-LOC"], source="y")
    found = compare_files(gold, other)
    assert found.scores.overall == Counts(0, 2, 1)


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        (
            ["Ada/O met/O Bob/O"],
            ["Ada/O met/O Rob/O"],
            'y:3: found "Rob", expected "Bob" as in x:3; the gold and the predicted file must hold '
            "the same text",
        ),
        (["Ada/O met/O"], ["Ada/O"], 'y:1: found the end of the text, expected "met" as in x:2; '),
        (["Ada/O"], ["Ada/O", "met/O"], 'y:3: found "met", expected the end of the text as in x:1'),
    ],
)
def test_files_of_different_text_are_refused_with_both_places(gold, predicted, message):
    with pytest.raises(CorpusError) as error:
        compare_files(corpus_of(gold), corpus_of(predicted, source="y"))
    assert str(error.value).startswith(message)


def compared(gold: Corpus, predicted: Corpus) -> Comparison:
    return compare_files(gold, predicted)


def test_several_texts_as_one_keep_their_places_and_add_their_counts():
    parts = [
        compared(
            corpus_of(["Ada/B-PER ran/O"], ["Bob/B-PER"], source="a"),
            corpus_of(["Ada/B-PER ran/O"], ["Bob/O"]),
        ),
        compared(
            corpus_of(["in/O Rome/B-LOC", "Ada/O"], source="b"),
            corpus_of(["in/O Rome/B-LOC", "Ada/B-PER"]),
        ),
    ]
    whole = merged(parts)
    assert whole.scores.types == {"LOC": Counts(1, 1, 1), "PER": Counts(1, 2, 2)}
    assert whole.scores.tokens == 6
    assert entities(whole, "gold") == [("Ada", "PER"), ("Bob", "PER"), ("Rome", "LOC")]
    assert entities(whole, "predicted") == [("Ada", "PER"), ("Rome", "LOC"), ("Ada", "PER")]
    assert [whole.place(i) for i in range(6)] == ["a:1", "a:2", "a:4", "b:1", "b:2", "b:4"]
    assert units_of(whole.corpus, "sentence")[0].tolist() == [0, 0, 1, 2, 2, 3]
    assert units_of(whole.corpus, "document")[0].tolist() == [0, 0, 1, 2, 2, 2]
    assert units_of(whole.corpus, "document")[1] == 3
    assert merged(parts[:1]) is parts[0]
