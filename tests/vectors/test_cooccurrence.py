"""Vectors by counting neighbours: against counts and information worked out by hand."""

from __future__ import annotations

from itertools import pairwise
from math import log

import numpy as np
import pytest
from scipy import sparse

from nertool.vectors import cooccurrence
from nertool.vectors.cooccurrence import count_vectors

SENTENCES = [s.split() for s in ("a cat ran", "a dog ran", "the cat sat", "the dog sat", "a cat")]


def by_hand(sentences: list[list[str]], words: list[str]) -> np.ndarray:
    """Return PPMI (V, 2V + 2) of the words before and after; ends of sentences have the last column."""
    V = len(words)
    at = {word: i for i, word in enumerate(words)} | {"END": V}
    counts = np.zeros((V, 2, V + 1))
    for sentence in sentences:
        padded = ["END", *sentence, "END"]
        for i, (left, right) in enumerate(pairwise(padded)):
            if i < len(sentence):
                counts[at[right], 0, at[left]] += 1
            if i > 0:
                counts[at[left], 1, at[right]] += 1
    flat = counts.reshape(V, -1)
    share = flat.sum(axis=0) ** 0.75
    share /= share.sum()
    return np.array(
        [
            [
                max(0.0, log(n / row.sum() / s)) if n else 0.0
                for n, s in zip(row, share, strict=True)
            ]
            for row in flat
        ]
    )


def test_vectors_have_the_inner_products_that_the_counts_say():
    words, vectors = count_vectors(lambda: SENTENCES, width=5, window=1, min_count=1)
    assert words[:2] == ["a", "cat"]
    U, S, _ = np.linalg.svd(by_hand(SENTENCES, words), full_matrices=False)
    expected = (U * np.sqrt(S))[:, :5]
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-5)
    # The values of each direction are in descending order.
    assert (np.diff(np.linalg.norm(vectors, axis=0)) <= 1e-6).all()


def test_words_with_the_same_neighbours_have_the_same_vector():
    words, vectors = count_vectors(lambda: SENTENCES[:4], width=4, window=1, min_count=1)
    cat, dog, the = (vectors[words.index(word)] for word in ("cat", "dog", "the"))
    np.testing.assert_allclose(cat, dog, atol=1e-5)
    assert abs(cat - the).max() > 0.1


def test_blocks_of_sentences_count_as_one_text(monkeypatch):
    whole = count_vectors(lambda: SENTENCES, 3, 2, 1)
    monkeypatch.setattr(cooccurrence, "_BLOCK", 1)
    again = count_vectors(lambda: SENTENCES, 3, 2, 1)
    assert whole[0] == again[0]
    np.testing.assert_allclose(whole[1], again[1], atol=1e-6)


@pytest.mark.parametrize(
    ("sentences", "words"), [([], 0), ([["a"]], 1), ([["a", "b"]], 2), ([[], ["a"] * 9], 1)]
)
def test_tiny_texts_have_vectors_with_zeros(sentences, words):
    found, vectors = count_vectors(lambda: sentences, 5, 1, 1)
    assert len(found) == words
    assert vectors.shape == (words, 5)
    assert np.isfinite(vectors).all()


def test_rare_words_get_no_vector_but_count_as_neighbours():
    words, vectors = count_vectors(lambda: SENTENCES, 2, 1, 3)
    assert words == ["a", "cat"]
    assert np.abs(vectors).sum() > 0


@pytest.mark.parametrize("shape", [(30, 50), (50, 30)])
@pytest.mark.parametrize("rank", [30, 6])  # in the second one, eigsh has to start anew
def test_large_matrices_are_decomposed_as_small_ones_and_always_alike(shape, rank):
    rng = np.random.default_rng(3)
    matrix = sparse.csr_matrix(rng.random((shape[0], rank)) @ rng.random((rank, shape[1])))
    U, S = cooccurrence._singular_vectors(matrix, 6)
    found = [cooccurrence._singular_vectors(matrix, 6, dense=0) for _ in range(3)]
    np.testing.assert_allclose(found[0][1], S, rtol=1e-9)
    np.testing.assert_allclose(np.abs(found[0][0]), np.abs(U), atol=1e-7)
    assert len({own.tobytes() for own, _ in found}) == 1


def test_a_text_of_few_contexts_has_the_same_vectors_every_time():
    sentences = [f"w{i % 40} sits on the w{i % 7} .".split() for i in range(200)]
    made = {count_vectors(lambda: sentences, 30, 1, 1)[1].tobytes() for _ in range(3)}
    assert len(made) == 1
