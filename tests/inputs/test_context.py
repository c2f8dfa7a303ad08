"""What sentence and document show of a token: by hand, and against plain loops over the text."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.config.inputs import FeaturesConfig
from nertool.inputs import means
from nertool.inputs.context import CONTEXTS, document_context, sentence_context
from nertool.inputs.means import group_sums, others_mean, others_sum
from nertool.inputs.side import side_inputs
from nertool.inputs.text import Text, cut_documents, groups_of
from tests.support.helpers import document_text

# Two documents of three sentences and one; the second sentence is all in capitals, the last is
# written like a title (2 of its 3 words: 2 ≥ 0.6 · 3).
TEXT = document_text(
    ["Ada met Paris again yesterday .", "PARIS BEATS ROME", "The paris of Ada in ROME ."],
    ["Paris met Rome"],
)
TOKENS = [TEXT.words[i] for i in TEXT.word_ids]


def neighbour_means(text: Text, own: np.ndarray) -> np.ndarray:
    """Return them for every token: 0 where the word stands nowhere else."""
    table = np.zeros((len(text.words), own.shape[1]), dtype=own.dtype)
    table[text.word_ids] = own
    side = side_inputs(FeaturesConfig(neighbours=True), text, lambda ids: table[ids])
    assert side is not None
    return side[:]


def document_means(text: Text, own: np.ndarray) -> np.ndarray:
    """Return each token's document's."""
    return means.document_means(text, own)[text.documents]


def by_token(values: np.ndarray) -> list[tuple[str, int]]:
    return list(zip(TOKENS, values.tolist(), strict=True))


# By hand


def test_each_token_knows_its_sentence_and_document_and_whether_it_is_first():
    assert TEXT.sentences.tolist() == [0] * 6 + [1] * 3 + [2] * 7 + [3] * 3
    assert TEXT.documents.tolist() == [0] * 16 + [1] * 3
    assert [i for i, first in enumerate(TEXT.first) if first] == [0, 6, 9, 16]


def test_capitals_are_those_of_each_tokens_word():
    # 1 lower, 2 Initial, 3 ALL CAPITALS, 5 signs
    assert TEXT.caps.tolist() == [2, 1, 2, 1, 1, 5, 3, 3, 3, 2, 1, 1, 2, 1, 3, 5, 2, 1, 2]


def test_a_word_is_the_same_in_any_case_within_its_document_and_in_no_other():
    members, group, sizes = TEXT.groups
    groups = [members[group == number].tolist() for number in range(len(sizes))]
    # Ada, Ada; Paris, PARIS, paris; the full stops; ROME, ROME. Of the second document: none.
    assert sorted(groups) == [[0, 12], [2, 6, 10], [5, 15], [8, 14]]
    assert sizes.tolist() == [len(group) for group in groups]


def test_sentences_are_told_by_how_they_are_written():
    assert TEXT.kinds.tolist() == [0, 2, 0, 1]


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("SOCCER - JAPAN GET LUCKY WIN", 2),
        ("PARIS WINS THE CUP again", 2),  # 4 of 5 words: 4 ≥ 0.8 · 5
        ("PARIS WINS CUP again", 1),  # 3 of 4: 3 < 0.8 · 4, but 3 ≥ 0.6 · 4
        ("The Man Who came home", 1),  # 3 of 5: 3 ≥ 0.6 · 5
        ("The Man went home again", 0),  # 2 of 5
        ("Paris wins", 0),  # too short to be a title
        ("Paris Wins", 0),
        ("PARIS WINS", 2),
        ("I .", 2),  # a word and more than one token
        ("PARIS", 0),  # a token alone could be anything
        ("I McDonald A visited", 1),  # 3 of 4: single capitals and mixed ones count for a title
        ("10 - 3", 0),  # no word at all
        ("", 0),
    ],
)
def test_what_a_title_is_and_what_capitals_are(sentence, kind):
    assert document_text([sentence]).kinds.tolist() == [kind]


def test_sentence_context_by_hand():
    # 1 + 4 · kind + 2 (first of its sentence) + 1 (in the document's first sentence)
    assert by_token(sentence_context(TEXT)) == [
        ("Ada", 4), ("met", 2), ("Paris", 2), ("again", 2), ("yesterday", 2), (".", 2),
        ("PARIS", 11), ("BEATS", 9), ("ROME", 9),
        ("The", 3), ("paris", 1), ("of", 1), ("Ada", 1), ("in", 1), ("ROME", 1), (".", 1),
        ("Paris", 8), ("met", 6), ("Rome", 6),
    ]  # fmt: skip


def test_document_context_by_hand():
    # 1 + 1 (elsewhere in lower case) + 2 (elsewhere capitalised within an ordinary sentence)
    # + 4 (elsewhere in capitals in a sentence that is not).
    found = dict(zip(range(len(TOKENS)), document_context(TEXT).tolist(), strict=True))
    said = {
        0: 3,  # Ada: "of Ada" says capitalised
        2: 2,  # Paris: "paris" says lower case; "PARIS" stands among capitals and says nothing
        6: 4,  # PARIS: "Paris" and "paris" say both: 1 + 1 + 2
        8: 5,  # ROME: "in ROME" says capitals
        10: 3,  # paris: "Paris" says capitalised; its own lower case is no evidence
        # 12, Ada: the other begins its sentence, where every word is capitalised; so 1.
        # 14, ROME: the other stands among capitals; so 1. 16, Paris: the document has no other; so 1.
    }
    assert found == {i: said.get(i, 1) for i in range(len(TOKENS))}


def test_a_title_is_no_evidence_for_capitals_but_it_is_for_capitals_alone():
    text = document_text(["Meet Ada And NATO Now", "ada saw nato"])
    # ada: "Ada" stands in a title; nato: "NATO" in capitals in a sentence that is not all so.
    assert text.kinds.tolist() == [1, 0]
    assert document_context(text)[5:].tolist() == [1, 1, 5]


@pytest.mark.parametrize(
    "text",
    [document_text(), document_text([]), document_text([""]), document_text([], [""], [])],
    ids=range(4),
)
def test_a_text_without_a_token_has_numbers_for_none(text):
    assert [len(context.of(text)) for context in CONTEXTS.values()] == [0, 0]
    assert neighbour_means(text, np.ones((0, 3))).shape == (0, 6)
    assert document_means(text, np.ones((0, 3))).shape == (0, 3)
    assert [len(part) for part in text.groups] == [0, 0, 0]


def test_empty_sentences_and_documents_change_nothing_for_the_others():
    plain = document_text(["Ada met", "Rome"], ["rome fell"])
    gaps = document_text([], ["", "Ada met", "", "Rome"], [], ["", "rome fell", ""], [])
    for context in CONTEXTS.values():
        assert context.of(gaps).tolist() == context.of(plain).tolist()
    vectors = np.arange(10.0).reshape(5, 2)
    np.testing.assert_array_equal(
        neighbour_means(gaps, vectors[gaps.word_ids]),
        neighbour_means(plain, vectors[plain.word_ids]),
    )
    np.testing.assert_array_equal(
        document_means(gaps, vectors[gaps.word_ids]), document_means(plain, vectors[plain.word_ids])
    )


# Properties of any text

WORDS = st.sampled_from(["paris", "Paris", "PARIS", "Ada", "met", "I", "9", "a"])
SENTENCES = st.lists(WORDS, max_size=5).map(" ".join)
DOCUMENTS = st.lists(st.lists(SENTENCES, max_size=4), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(documents=DOCUMENTS)
def test_every_number_lies_above_the_paddings_and_below_the_size(documents):
    text = document_text(*documents)
    for name, (size, of) in CONTEXTS.items():
        numbers = of(text)
        assert ((numbers >= 1) & (numbers < size)).all(), name


@settings(max_examples=60, deadline=None)
@given(documents=DOCUMENTS)
def test_a_document_reads_as_if_there_were_no_other(documents):
    whole = document_text(*documents)
    vectors = np.random.default_rng(0).normal(size=(len(whole.words), 2))
    of_word = dict(zip(whole.words, vectors, strict=True))

    def everything(text: Text) -> np.ndarray:
        own = np.array([of_word[word] for word in text.words]).reshape(-1, 2)
        numbers = np.stack([context.of(text) for context in CONTEXTS.values()], axis=1)
        return np.concatenate(
            [
                numbers,
                neighbour_means(text, own[text.word_ids]),
                document_means(text, own[text.word_ids]),
            ],
            axis=1,
        )

    alone = [everything(document_text(document)) for document in documents]
    np.testing.assert_allclose(everything(whole), np.concatenate(alone), rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(others=st.lists(SENTENCES, max_size=4), word=st.sampled_from(["paris", "ada", "met"]))
def test_a_tokens_own_case_is_no_evidence_about_it(others, word):
    # In a sentence of its own, so that how it is written says nothing of other words either.
    numbers = {
        int(document_context(document_text([*others, written]))[-1])
        for written in (word, word.title(), word.upper())
    }
    assert len(numbers) == 1


KEYS = st.lists(st.one_of(st.integers(0, 5), st.sampled_from([2**40, 2**62])), max_size=14)


@settings(max_examples=100, deadline=None)
@given(keys=KEYS)
def test_groups_are_the_tokens_with_equal_keys(keys):
    members, group, sizes = groups_of(np.array(keys, dtype=np.int64))
    found = [members[group == number].tolist() for number in range(len(sizes))]
    expected = [[i for i, other in enumerate(keys) if other == key] for key in dict.fromkeys(keys)]
    assert found == [own for own in expected if len(own) > 1]
    assert sizes.tolist() == [len(own) for own in found]


@pytest.mark.parametrize("width", [3, 40], ids=["narrow", "wide"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=60, deadline=None)
@given(keys=KEYS, seed=st.integers(0, 99))
def test_sums_and_means_over_the_others_equal_a_loop(width, dtype, keys, seed):
    values = np.random.default_rng(seed).normal(size=(len(keys), width)).astype(dtype)
    groups = groups_of(np.array(keys, dtype=np.int64))
    sums, means = others_sum(values, groups), others_mean(values, groups)
    assert sums.dtype == means.dtype == dtype
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    for i, own_sum, own_mean in zip(groups.members, sums, means, strict=True):
        rest = [values[j] for j in range(len(keys)) if keys[j] == keys[i] and j != i]
        np.testing.assert_allclose(own_sum, np.sum(rest, axis=0), atol=tolerance)
        np.testing.assert_allclose(own_mean, np.mean(rest, axis=0), atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_of_many_rows_are_those_of_few_to_the_last_bit(dtype):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(50, 40)).astype(dtype)
    sizes = np.array([3, 0, 20, 1, 0, 2])
    rows = rng.integers(0, 50, sizes.sum())
    few = group_sums(values, rows, sizes)
    many = group_sums(values, rows, sizes, many=0)
    assert few.dtype == many.dtype == dtype
    np.testing.assert_array_equal(few, many)
    expected = [part.sum(axis=0) for part in np.split(values[rows], np.cumsum(sizes)[:-1])]
    np.testing.assert_allclose(few, expected, rtol=1e-5)


def test_what_is_passed_in_stays_as_it_is():
    values, groups = np.ones((3, 2)), groups_of(np.array([0, 0, 1]))
    others_mean(values, groups)
    np.testing.assert_array_equal(values, 1.0)
    vectors = np.ones((len(TEXT.words), 2))
    neighbour_means(TEXT, vectors[TEXT.word_ids])
    document_means(TEXT, vectors[TEXT.word_ids])
    np.testing.assert_array_equal(vectors, 1.0)


def test_neighbours_by_hand():
    # Vectors of width 1: a 1, b 2, c 4. "a b c" and "b a": b's other occurrence in the first
    # sentence begins the second: nothing before it, a after it; and the other way round.
    text = document_text(["a b c", "b a"])
    vectors = np.array([[1.0], [2.0], [4.0]])
    assert text.words == ["a", "b", "c"]
    assert neighbour_means(text, vectors[text.word_ids]).tolist() == [
        [2, 0],  # a: elsewhere after b, at the end
        [0, 1],  # b: elsewhere at the start, before a
        [0, 0],  # c: nowhere else
        [1, 4],  # b: elsewhere between a and c
        [0, 2],  # a: elsewhere at the start, before b
    ]


@settings(max_examples=60, deadline=None)
@given(documents=DOCUMENTS, seed=st.integers(0, 99))
def test_neighbour_means_equal_a_loop(documents, seed):
    text = document_text(*documents)
    vectors = np.random.default_rng(seed).normal(size=(len(text.words), 2))
    of_word = dict(zip(text.words, vectors, strict=True))
    expected = []
    for document in documents:
        places = []  # word, vector before, vector after
        for sentence in document:
            words = sentence.split()
            for i, word in enumerate(words):
                left = of_word[words[i - 1]] if i else np.zeros(2)
                right = of_word[words[i + 1]] if i + 1 < len(words) else np.zeros(2)
                places.append((word.lower(), np.concatenate([left, right])))
        for i, (word, _) in enumerate(places):
            rest = [v for j, (other, v) in enumerate(places) if other == word and j != i]
            expected.append(np.mean(rest, axis=0) if rest else np.zeros(4))
    found = neighbour_means(text, vectors[text.word_ids])
    np.testing.assert_allclose(found, np.reshape(expected, (-1, 4)), rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(documents=DOCUMENTS, seed=st.integers(0, 99))
def test_document_means_equal_a_loop(documents, seed):
    text = document_text(*documents)
    vectors = np.random.default_rng(seed).normal(size=(len(text.words), 2))
    of_word = dict(zip(text.words, vectors, strict=True))
    expected = []
    for document in documents:
        words = " ".join(document).split()
        mean = sum((of_word[word] for word in words), np.zeros(2)) / max(1, len(words))
        expected += [mean] * len(words)
    found = document_means(text, vectors[text.word_ids])
    np.testing.assert_allclose(found, np.reshape(expected, (-1, 2)), rtol=0, atol=1e-12)


# Very long documents


def test_a_part_ends_with_the_sentence_in_which_it_is_full():
    # Sentences of 3, 3, 4, 1 and 1 tokens: 3 + 3 ≥ 5; then 4 + 1 ≥ 5; then what is left.
    sentence_starts = np.array([0, 3, 6, 10, 11, 12])
    assert cut_documents(sentence_starts, np.array([0, 5]), 5).tolist() == [0, 2, 4, 5]
    # The same in two documents: a new one begins anew.
    assert cut_documents(sentence_starts, np.array([0, 1, 5]), 5).tolist() == [0, 1, 3, 5]


def test_a_sentence_longer_than_a_part_is_a_part():
    assert cut_documents(np.array([0, 9, 10, 20]), np.array([0, 3]), 2).tolist() == [0, 1, 3]


def test_a_part_begins_as_a_document_does():
    # Or else a text would be read otherwise where it is read a piece at a time.
    sentences = ["we met Ada .", "Ada left .", "", "we met Ada .", "she left"]
    numbers = sentence_context(document_text(sentences, at_most=4)).tolist()
    apart = document_text([sentences[0]], sentences[1:4], [sentences[4]])
    assert numbers == sentence_context(apart).tolist()
    assert [n for n in numbers if n in (2, 4)] == [4, 2, 2, 2, 4, 2, 2, 4, 2]


def test_what_another_part_says_does_not_count():
    sentences = ["we met Ada .", "Ada left ."]
    assert document_context(document_text(sentences))[4] == 3
    assert document_context(document_text(sentences, at_most=4))[4] == 1


LENGTHS = st.lists(st.lists(st.integers(0, 6), max_size=5), min_size=1, max_size=4)


@settings(max_examples=100, deadline=None)
@given(lengths=LENGTHS, limit=st.integers(1, 12))
def test_parts_are_no_shorter_than_they_must_be_and_no_short_document_is_cut(lengths, limit):
    sentence_starts = np.cumsum([0, *(n for document in lengths for n in document)])
    document_starts = np.cumsum([0, *map(len, lengths)])
    parts = cut_documents(sentence_starts, document_starts, limit).tolist()
    # Together they are the text, in order.
    assert (parts[0], parts[-1]) == (0, document_starts[-1])
    assert parts == sorted(parts)
    assert set(document_starts.tolist()) <= set(parts)
    for (first, end), document in zip(pairwise(document_starts.tolist()), lengths, strict=True):
        own = [part for part in parts if first < part < end]
        if sum(document) < limit:
            assert own == []
        for a, b in pairwise([first, *own]):
            # Full, and not yet full without its last sentence.
            assert sentence_starts[b] - sentence_starts[a] >= limit
            assert sentence_starts[b - 1] - sentence_starts[a] < limit


@settings(max_examples=100, deadline=None)
@given(lengths=LENGTHS, limit=st.integers(1, 12), data=st.data())
def test_where_a_part_ends_depends_on_what_comes_before_alone(lengths, limit, data):
    sentence_starts = np.cumsum([0, *(n for document in lengths for n in document)])
    document_starts = np.cumsum([0, *map(len, lengths)])
    k = data.draw(st.integers(0, len(sentence_starts) - 1))  # the text ends after k sentences
    whole = cut_documents(sentence_starts, document_starts, limit)
    begun = document_starts[document_starts < k]
    ends = np.append(begun, k) if k else np.array([0])
    cut = cut_documents(sentence_starts[: k + 1], ends, limit)
    assert cut[cut < k].tolist() == whole[whole < k].tolist()
