"""What is shown at the end of a training."""

from __future__ import annotations

from nertool.evaluation.comparison import compare_files
from nertool.training.summary import Example, common_errors, compare_on_dev, example_of
from tests.support.spans import corpus_of


def test_the_commonest_errors_come_with_their_first_case():
    gold = corpus_of(["Ada/B-PER Rome/B-LOC Bob/B-PER Bob/B-PER New/B-LOC York/I-LOC"])
    found = corpus_of(["Ada/B-LOC Rome/B-LOC Bob/B-LOC Bob/B-LOC New/B-LOC York/O"])
    assert common_errors(compare_files(gold, found)) == [
        '3 × PER → LOC (wrong type), such as "Ada" PER → "Ada" LOC',
        '1 × LOC → LOC (wrong boundary), such as "New York" LOC → "New" LOC',
    ]


def test_the_example_has_the_most_classes_among_plain_sentences_of_readable_length():
    sentences = [
        "Ada/B-PER in/O Rome/B-LOC",  # too short
        "(/O Ada/B-PER )/O in/O Rome/B-LOC",  # not plain
        "Ada/B-PER Lovelace/I-PER ran/O away/O ./O",
        "then/O Ada/B-PER left/O Rome/B-LOC ./O",
        "x/O " * 25 + "Ada/B-PER Rome/B-LOC IBM/B-ORG",  # too long
    ]
    corpus = corpus_of(sentences)
    example = example_of(compare_files(corpus, corpus))
    assert example == Example(["then", "Ada", "left", "Rome", "."], [(1, 2, "PER"), (3, 4, "LOC")])
    short = corpus_of(sentences[:1])
    assert example_of(compare_files(short, short)) is None


def test_the_comparison_on_dev_is_that_of_the_run_s_best_model(run_dir, prepared):
    found = compare_on_dev(run_dir, prepared)
    assert (found.scores.tokens, found.scores.sentences, len(found.gold)) == (30, 4, 10)
