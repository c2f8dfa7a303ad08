"""Do rare words recur nearby? A number by hand, and what running text and single sentences have."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest

from nertool.corpus.columnar import Corpus
from nertool.corpus.recurrence import recurrence


def corpus_of(sentences: list[str], documents: list[int] | None = None) -> Corpus:
    """Make a corpus of sentences; documents: sentences in each."""
    split = [sentence.split() for sentence in sentences]
    words = sorted(set(chain(*split)))
    return Corpus(
        source="made",
        words=words,
        word_ids=np.array([words.index(word) for word in chain(*split)], dtype=np.int32),
        tags=[],
        tag_ids=np.empty(0, dtype=np.int32),
        sentence_starts=np.cumsum([0, *map(len, split)]),
        document_starts=np.cumsum([0, *(documents or [len(sentences)])]),
        line_numbers=np.arange(1, len(list(chain(*split))) + 1, dtype=np.int32),
    )


def forty_one(**places: list[int]) -> list[str]:
    """41 sentences of a common word, and others at their places."""
    return [" ".join(["the", *(w for w in places if i in places[w])]) for i in range(41)]


def test_it_is_the_share_that_recurs_corrected_for_chance():
    # Half of the 40 other sentences are nearby, so that by chance 1/2 of the words of two sentences recur;
    # here 4 of 6 do: (2/3 − 1/2) / (1 − 1/2) = 1/3.
    text = corpus_of(forty_one(near=[0, 10], close=[20, 21], far=[5, 16]))
    assert recurrence(text) == pytest.approx(1 / 3)


def test_all_rare_words_of_a_text_can_recur_and_frequent_ones_do_not_count():
    topics = [f"a{i // 2} b{i // 4} the" for i in range(100)]
    assert recurrence(corpus_of(topics)) == pytest.approx(1.0)


def test_it_is_about_0_in_random_order():
    rng = np.random.default_rng(0)
    topics = [f"a{i // 4} the" for i in range(1200)]
    shuffled = [topics[i] for i in rng.permutation(len(topics))]
    assert abs(recurrence(corpus_of(shuffled))) < 0.02
    assert recurrence(corpus_of(topics)) == pytest.approx(1.0)


def test_a_word_does_not_recur_in_another_document():
    topics = [f"a{i // 2} the" for i in range(100)]
    assert recurrence(corpus_of(topics, [2] * 50)) == pytest.approx(1.0)
    assert recurrence(corpus_of(topics, [1] * 100)) <= 0


@pytest.mark.parametrize(
    "sentences", [["a b", "a b"], ["a"] * 21, ["the"] * 50, [f"w{i}" for i in range(50)], []]
)
def test_it_is_0_where_there_is_nothing_to_tell_by(sentences):
    assert recurrence(corpus_of(sentences)) == 0.0
