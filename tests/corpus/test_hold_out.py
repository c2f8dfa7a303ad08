"""Holding a share of a text out as dev, and putting texts together."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.corpus.columnar import Corpus
from nertool.corpus.parts.hold_out import has_documents, hold_out, join, take_sentences
from nertool.corpus.schemes import spans_of


def corpus_of(sentences: list[str], documents: list[int] | None = None) -> Corpus:
    """Make a corpus of "word/TAG word/TAG" sentences; documents: sentences in each."""
    pairs = [[item.rsplit("/", 1) for item in sentence.split()] for sentence in sentences]
    flat = [pair for sentence in pairs for pair in sentence]
    words = sorted({word for word, _ in flat})
    tags = sorted({tag for _, tag in flat})
    return Corpus(
        source="made",
        words=words,
        word_ids=np.array([words.index(word) for word, _ in flat], dtype=np.int32),
        tags=tags,
        tag_ids=np.array([tags.index(tag) for _, tag in flat], dtype=np.int32),
        sentence_starts=np.cumsum([0, *map(len, pairs)]),
        document_starts=np.cumsum([0, *(documents or [len(sentences)])]),
        line_numbers=np.arange(1, len(flat) + 1, dtype=np.int32),
    )


def text_of(corpus: Corpus) -> list[list[str]]:
    return list(corpus.sentence_words())


def entities_of(corpus: Corpus) -> list[tuple[str, ...]]:
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    words = [corpus.words[i] for i in corpus.word_ids]
    return [(label, *words[start:end]) for start, end, label in spans.as_list()]


NUMBERED = [f"Ada{i}/B-PER met/O w{i}/O" for i in range(200)]


def test_blocks_of_a_text_without_marks_are_held_out_and_nothing_is_lost():
    corpus = corpus_of(NUMBERED)
    train, dev = hold_out(corpus, 0.1, seed=1)
    assert sorted(text_of(train) + text_of(dev)) == sorted(text_of(corpus))
    assert 0.08 <= dev.tokens / corpus.tokens <= 0.12
    # Whole blocks of neighbours: most sentences of dev stand beside another one of dev.
    numbers = sorted(int(words[0][3:]) for words in text_of(dev))
    assert np.mean(np.diff(numbers) == 1) > 0.5
    assert set(train.words) == {word for words in text_of(train) for word in words}
    again = hold_out(corpus, 0.1, seed=1)
    assert [text_of(part) for part in again] == [text_of(train), text_of(dev)]
    assert text_of(hold_out(corpus, 0.1, seed=2)[1]) != text_of(dev)


def test_documents_that_are_marked_are_held_out_whole():
    corpus = corpus_of(NUMBERED, [4] * 50)
    assert has_documents(corpus)
    train, dev = hold_out(corpus, 0.1, seed=3)
    assert (train.documents, dev.documents) == (45, 5)
    assert np.all(np.diff(dev.document_starts) == 4)
    first = [int(words[0][3:]) for words in text_of(dev)]
    assert all(number // 4 == first[i // 4 * 4] // 4 for i, number in enumerate(first))


@pytest.mark.parametrize(("documents", "marked"), [([200], False), ([1] * 200, False)])
def test_one_document_and_one_a_sentence_are_no_marks(documents, marked):
    assert has_documents(corpus_of(NUMBERED, documents)) is marked


@pytest.mark.parametrize("seed", range(5))
def test_no_class_is_in_dev_alone(seed):
    rare = ["Rex/B-DOG barked/O"]
    train, _ = hold_out(corpus_of([*NUMBERED[:30], *rare, *NUMBERED[30:60]]), 0.3, seed)
    assert ("DOG", "Rex") in entities_of(train)


def test_sentences_that_are_taken_keep_their_words_tags_and_lines():
    corpus = corpus_of(["a/O Ada/B-PER", "b/O", "Rex/B-DOG c/O"], [1, 2])
    taken = take_sentences(corpus, np.array([True, False, True]))
    assert text_of(taken) == [["a", "Ada"], ["Rex", "c"]]
    assert entities_of(taken) == [("PER", "Ada"), ("DOG", "Rex")]
    assert taken.line_numbers.tolist() == [1, 2, 4, 5]
    assert taken.document_starts.tolist() == [0, 1, 2]


def test_texts_in_different_schemes_are_joined_with_all_their_entities():
    first = corpus_of(["Ada/B-PER Lovelace/I-PER met/O", "x/O"], [1, 1])
    second = corpus_of(["Rex/S-DOG met/O Ada/B-PER K/E-PER Bo/S-PER"])
    both = join([first, second])
    assert text_of(both) == text_of(first) + text_of(second)
    assert entities_of(both) == entities_of(first) + entities_of(second)
    assert both.document_starts.tolist() == [0, 1, 2, 3]
