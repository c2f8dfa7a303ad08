"""The memory: what is counted, what is left out, and that no token is shown its own label."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.inputs.memory import UNMET, remember
from tests.support.helpers import document_text

THIRD = 1 / 3


def test_shares_by_hand():
    # Paris is 1, 1 in the first document and 2 in the second; met and fell are 0 once each.
    text = document_text(["Paris met Paris"], ["Paris fell"])
    assert text.words == ["Paris", "met", "fell"]
    table, rows = remember(text, np.array([1, 0, 1, 2, 0]), 2)
    expected = [
        [0, 0, 0, 0],  # unmet
        # On the whole text: counts over 1 more than their sum, and 1 for "was met".
        [0, 2 / 4, 1 / 4, 1],  # Paris: 0, 2 and 1 times of the classes 0, 1, 2
        [1 / 2, 0, 0, 1],  # met
        [1 / 2, 0, 0, 1],  # fell
        # Without the token's own document:
        [0, 0, 1 / 2, 1],  # Paris in the first: once 2
        [0, 2 * THIRD, 0, 1],  # Paris in the second: twice 1
        [0, 0, 0, 0],  # met in the first: nowhere else
        [0, 0, 0, 0],  # fell in the second: nowhere else
    ]
    np.testing.assert_allclose(table, expected, rtol=1e-6)
    assert table.dtype == np.float32
    assert rows.tolist() == [4, 6, 4, 5, 7]
    assert rows.dtype == np.int32
    assert UNMET == 0


def test_word_types_that_look_the_same_are_counted_as_one():
    text = document_text(["Paris met Pa\u00adris"], ["\u200eParis fell"])
    plain = document_text(["Paris met Paris"], ["Paris fell"])
    classes = np.array([1, 0, 1, 2, 0])
    (table, rows), (wanted, wanted_rows) = (remember(t, classes, 2) for t in (text, plain))
    np.testing.assert_array_equal(table[rows], wanted[wanted_rows])
    for i, word in enumerate(text.words):
        like = {"met": 2, "fell": 3}.get(word, 1)
        np.testing.assert_array_equal(table[1 + i], wanted[like])


def test_of_one_document_a_sentence_is_left_out():
    # Paris: 1 in one sentence, 0 in the other.
    text = document_text(["Paris", "Paris Paris"])
    table, rows = remember(text, np.array([1, 0, 0]), 1)
    np.testing.assert_allclose(table[1], [2 / 4, 1 / 4, 1])
    np.testing.assert_allclose(table[rows[0]], [2 * THIRD, 0, 1], rtol=1e-6)
    np.testing.assert_allclose(table[rows[1]], [0, 1 / 2, 1])
    assert rows[1] == rows[2]


def test_a_form_is_remembered_as_it_is_written():
    # Not in other letters: PARIS tells nothing of Paris.
    text = document_text(["Paris"], ["PARIS"], ["paris"])
    table, rows = remember(text, np.array([1, 0, 0]), 1)
    np.testing.assert_array_equal(table[rows], 0.0)


def test_an_empty_text_remembers_nothing():
    table, rows = remember(document_text([]), np.array([], dtype=np.int64), 3)
    assert table.tolist() == [[0, 0, 0, 0, 0]]
    assert rows.shape == (0,)


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=5).map(" ".join)
DOCUMENTS = st.lists(st.lists(WORDS, max_size=3), min_size=1, max_size=4)
K = 2


@settings(max_examples=80, deadline=None)
@given(documents=DOCUMENTS, seed=st.integers(0, 999))
def test_each_row_equals_a_count_by_a_loop(documents, seed):
    text = document_text(*documents)
    N = len(text.word_ids)
    classes = np.random.default_rng(seed).integers(0, K + 1, size=N)
    table, rows = remember(text, classes, K)
    units = text.documents if len(documents) > 1 else text.sentences

    def share(tokens: list[int]) -> list[float]:
        counts = [sum(classes[i] == c for i in tokens) for c in range(K + 1)]
        return [*(count / (len(tokens) + 1) for count in counts), float(bool(tokens))]

    def like(word: int) -> list[int]:
        return [i for i in range(N) if text.word_ids[i] == word]

    for word in range(len(text.words)):
        np.testing.assert_allclose(table[1 + word], share(like(word)), rtol=1e-6)
    for i in range(N):
        others = [j for j in like(text.word_ids[i]) if units[j] != units[i]]
        np.testing.assert_allclose(table[rows[i]], share(others), rtol=1e-6)


@pytest.mark.parametrize("one", [False, True], ids=["documents", "sentences-of-one-document"])
@settings(max_examples=80, deadline=None)
@given(documents=DOCUMENTS, seed=st.integers(0, 999))
def test_a_documents_labels_are_never_shown_to_its_own_tokens(one, documents, seed):
    if one:
        documents = [[sentence for document in documents for sentence in document]]
    elif len(documents) == 1:
        documents = [*documents, ["a b"]]
    text = document_text(*documents)
    units = text.sentences if one else text.documents
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, K + 1, size=len(units))
    table, rows = remember(text, classes, K)
    for unit in set(units.tolist()):
        own = units == unit
        changed = np.where(own, rng.integers(0, K + 1, size=len(units)), classes)
        other_table, other_rows = remember(text, changed, K)
        np.testing.assert_array_equal(other_table[other_rows[own]], table[rows[own]])
