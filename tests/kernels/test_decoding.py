"""The kernels from windows to tags, against the numpy code that they stand in for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.config.learning import DecodingConfig
from nertool.corpus.schemes import tag_names
from nertool.decoding import adjust, viterbi
from nertool.kernels import decoding, library, tagging
from tests.support.helpers import document_text

pytestmark = pytest.mark.skipif(
    not library.compiled(), reason="nertool was installed without its compiled kernels"
)

SEEDS = st.integers(0, 100_000)


def without_kernels(function, *given):
    with np.errstate(invalid="ignore"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "loaded", None)
        return function(*given)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(0, 40),
    H=st.integers(1, 70),
    K=st.sampled_from([1, 2, 3, 5, 9, 17, 31]),
    add=st.booleans(),
    sides=st.sets(st.sampled_from(["context", "group", "document", "opinion"])),
    seed=SEEDS,
)
def test_window_scores_are_the_outputs_of_what_is_positive_of_the_sums(n, H, K, add, sides, seed):
    rng = np.random.default_rng(seed)

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    C, e, first = 3, 4, 7
    T, UT, G = drawn(6, C + 2, H), drawn(H, K), drawn(e, H)
    rows, centres = rng.integers(0, 6, n + 2, dtype=np.int32), np.arange(n) + 1
    opined = rng.random(n) < 0.5
    values = drawn(int(opined.sum()), e)
    opinion = np.where(opined, first + np.cumsum(opined) - 1, -1).astype(np.int32)
    number = rng.integers(0, 2, (2, n), dtype=np.int32)
    terms = tagging.SideTerms()
    if "group" in sides:
        terms = terms._replace(group=number[0] - 1, sums=drawn(1, H), share=drawn(1))
    if "document" in sides:
        terms = terms._replace(document=number[1], documents=drawn(2, H))
    if "context" in sides:
        context = rng.integers(0, 2, n + 2, dtype=np.int32)
        terms = terms._replace(context=context, contexts=drawn(2, C, H))
    if "opinion" in sides:
        terms = terms._replace(opinion=opinion)
    z = np.zeros((n, H), dtype=np.float32)
    gather = tagging.window_sums(
        z, T, rows, centres, C, True, terms._replace(opinions=values @ G) if n else terms
    )
    assert gather
    gather(0, n, first)
    wider = drawn(n, K + 1)
    expected = z @ UT + (wider[:, 1:] if add else 0)
    s = wider[:, 1:]
    assert tagging.window_scores(
        *(s, T, rows, centres, C, tagging.Matrix(UT), terms),
        *((values, tagging.Matrix(G), first) if "opinion" in sides else (None, None, 0)),
        add,
    )
    np.testing.assert_allclose(s, expected, rtol=1e-4, atol=1e-4)


def test_scores_that_would_be_read_from_elsewhere_are_refused():
    T, rows, centres = np.zeros((2, 3, 4), np.float32), np.zeros(3, np.int32), np.array([1])
    s, outputs, opinions = np.zeros((1, 2), np.float32), np.zeros((4, 2)), np.zeros((5, 4))
    fixed = (T, rows, centres, 3, tagging.Matrix(outputs))
    assert tagging.window_scores(s, *fixed)
    assert not tagging.window_scores(s.astype(float), *fixed)
    assert not tagging.window_scores(s[:, :1], *fixed)
    side = tagging.SideTerms(opinion=np.array([0], np.int32))
    values, matrix = np.zeros((1, 5), np.float32), tagging.Matrix(opinions)
    assert tagging.window_scores(s, *fixed, side, values, matrix)
    for wrong in ((None, matrix, 0), (values[:, :4], matrix, 0), (values, matrix, 1)):
        with pytest.raises(IndexError):
            tagging.window_scores(s, *fixed, side, *wrong)


@settings(max_examples=60, deadline=None)
@given(
    N=st.sampled_from([0, 1, 5, 500]),
    T=st.integers(2, 9),
    odd=st.sampled_from([None, np.nan, np.inf, -np.inf]),
    seed=SEEDS,
)
def test_how_far_a_token_is_from_any_entity_is_what_numpy_computes(N, T, odd, seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(-0.5, 1.0, size=(N, T)).astype(np.float32)
    assert decoding.outside_by(scores.astype(np.float64)) is None
    if odd is not None and N:
        scores[rng.integers(N), rng.integers(T)] = odd
        assert decoding.outside_by(scores) is None
        return
    np.testing.assert_array_equal(
        decoding.outside_by(scores), without_kernels(viterbi.outside_by, scores)
    )


@settings(max_examples=80, deadline=None)
@given(
    scheme=st.sampled_from(["io", "iob1", "iob2", "bioes"]),
    lengths=st.lists(st.integers(0, 12), max_size=6),
    coarse=st.booleans(),
    seed=SEEDS,
)
def test_tags_are_those_that_numpy_finds(scheme, lengths, coarse, seed):
    rng = np.random.default_rng(seed)
    tags = tag_names(["LOC", "PER"], scheme)
    scores = rng.normal(size=(sum(lengths), len(tags))).astype(np.float32)
    if coarse:  # many scores are equal
        scores = np.round(scores)
    starts, lattice = np.cumsum([0, *lengths]), viterbi.lattice(tags, scheme)
    found = decoding.decode(
        scores, starts, viterbi.ROUNDING, lattice.start, lattice.end, lattice.step
    )
    expected = without_kernels(viterbi.decode, scores, starts, "viterbi", lattice)
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=60, deadline=None)
@given(
    T=st.integers(2, 40),
    sentences=st.lists(st.text("abc ", min_size=1, max_size=30), min_size=1, max_size=8),
    spread=st.sampled_from([1.0, 30.0, 1000.0]),
    odd=st.booleans(),
    seed=SEEDS,
)
def test_probabilities_and_agreement_are_what_numpy_computes(T, sentences, spread, odd, seed):
    rng = np.random.default_rng(seed)
    half = len(sentences) // 2
    text = document_text(sentences[:half], sentences[half:])
    N = len(text.word_ids)
    scores = (spread * rng.normal(size=(N, T))).astype(np.float32)
    if odd and N:
        scores[rng.integers(N), rng.integers(T)] = np.nan
    before = scores.copy()
    config = DecodingConfig(consistency=0.3)
    p, expected_p = adjust.softmax(scores), without_kernels(adjust.softmax, scores)
    found = adjust.adjust(scores, text, config)
    np.testing.assert_array_equal(scores, before)
    expected = without_kernels(adjust.adjust, scores, text, config)
    np.testing.assert_allclose(p, expected_p, rtol=3e-6, atol=1e-30)
    # Below e^-80 what is added so that no probability is 0 counts more than the probability.
    np.testing.assert_allclose(
        np.maximum(found, -80), np.maximum(expected, -80), rtol=3e-6, atol=1e-6
    )
    assert adjust.adjust(scores, text, config, spent=True) is scores
    np.testing.assert_array_equal(scores, found)


def test_agreement_of_groups_that_are_none_is_refused():
    s, bounds = np.zeros((3, 2), np.float32), np.array([0, 3])
    assert decoding.agree(s, bounds, np.array([0, 2]), np.array([2]), 0.5, s)
    for members, sizes in (([0, 3], [2]), ([0, 1], [1]), ([0, 1], [1, 1])):
        with pytest.raises(IndexError):
            decoding.agree(s, bounds, np.array(members), np.array(sizes), 0.5, s)
    with pytest.raises(IndexError):
        decoding.agree(s, bounds[:1], np.array([0, 2]), np.array([2]), 0.5, s)
