"""What is done to scores before tags are chosen, with the arithmetic beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.config.learning import DecodingConfig
from nertool.decoding.adjust import adjust, softmax
from tests.support.helpers import document_text

pytestmark = pytest.mark.usefixtures("either_way")

DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])


def shares(scores: np.ndarray) -> np.ndarray:
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


@DTYPES
def test_probabilities_are_e_to_the_score_over_their_sum(dtype, tolerance):
    # e^0 : e^(ln 3) = 1 : 3; a shift of all scores of a token, however far, changes nothing.
    scores = np.log([[1.0, 3.0], [1.0, 1.0], [9.0, 1.0]]).astype(dtype)
    p = softmax(scores)
    assert p.dtype == dtype
    np.testing.assert_allclose(p, [[0.25, 0.75], [0.5, 0.5], [0.9, 0.1]], rtol=tolerance)
    np.testing.assert_allclose(softmax(scores + dtype(1000)), p, rtol=1e-4)
    assert softmax(scores[:0]).shape == (0, 2)


def test_a_bias_is_taken_off_the_score_of_O_alone():
    scores = np.array([[2.0, 1.0, 0.0], [0.0, 5.0, 1.0]])
    text = document_text(["a b"])
    found = adjust(scores, text, DecodingConfig(outside_bias=1.5))
    assert found.tolist() == [[0.5, 1.0, 0.0], [-1.5, 5.0, 1.0]]
    assert adjust(scores, text, DecodingConfig(outside_bias=-1.0))[0, 0] == 3.0
    assert scores[0, 0] == 2.0  # not in place


@DTYPES
def test_agreement_mixes_in_the_mean_of_the_words_other_occurrences(dtype, tolerance):
    # Paris, Rome, PARIS | paris in one document, Paris in another; a = ¼.
    text = document_text(["Paris Rome PARIS", "paris"], ["Paris"])
    p = np.array([[0.8, 0.2], [0.5, 0.5], [0.4, 0.6], [0.2, 0.8], [0.9, 0.1]])
    found = adjust(np.log(p).astype(dtype), text, DecodingConfig(consistency=0.25))
    assert found.dtype == dtype
    expected = [
        # ¾ · 0.8 + ¼ · (0.4 + 0.2)/2 = 0.6 + 0.075
        [0.675, 0.325],
        [0.5, 0.5],  # no other Rome
        # ¾ · 0.4 + ¼ · (0.8 + 0.2)/2 = 0.3 + 0.125
        [0.425, 0.575],
        # ¾ · 0.2 + ¼ · (0.8 + 0.4)/2 = 0.15 + 0.15
        [0.3, 0.7],
        [0.9, 0.1],  # another document's Paris does not count
    ]
    np.testing.assert_allclose(shares(found), expected, rtol=tolerance)


def test_the_bias_comes_before_the_agreement():
    # Odds of O 3 : 1 and 1 : 3; a bias of ln 3 makes them 1 : 1 and 1 : 9; a = ½ mixes
    # ½ and 1/10 to (½ + 1/10)/2 = 0.3 for both.
    scores = np.log([[3.0, 1.0], [1.0, 3.0]])
    decoding = DecodingConfig(outside_bias=float(np.log(3.0)), consistency=0.5)
    found = adjust(scores, document_text(["a a"]), decoding)
    np.testing.assert_allclose(shares(found), [[0.3, 0.7], [0.3, 0.7]])


def test_a_probability_of_0_has_a_finite_score():
    found = adjust(
        np.array([[0.0, -2000.0], [0.0, -2000.0]]),
        document_text(["a a"]),
        DecodingConfig(consistency=0.5),
    )
    assert np.isfinite(found).all()
    assert (found[:, 0] > found[:, 1]).all()


def test_nothing_asked_nothing_changed():
    scores = np.array([[2.0, 1.0], [0.0, 5.0]])
    assert adjust(scores, document_text(["a a"]), DecodingConfig()) is scores


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.sampled_from("abcdef"), max_size=8),
    a=st.floats(0.01, 0.99),
    seed=st.integers(0, 99),
)
def test_agreement_keeps_single_occurrences_and_each_words_total(words, a, seed):
    text = document_text([" ".join(words)])
    scores = np.random.default_rng(seed).normal(size=(len(words), 3))
    before, after = shares(scores), shares(adjust(scores, text, DecodingConfig(consistency=a)))
    for word in set(words):
        own = [i for i, other in enumerate(words) if other == word]
        # What one occurrence gains another gives: over n occurrences the sum is as before.
        np.testing.assert_allclose(after[own].sum(axis=0), before[own].sum(axis=0), rtol=1e-9)
        if len(own) == 1:
            np.testing.assert_allclose(after[own], before[own], rtol=1e-12)
