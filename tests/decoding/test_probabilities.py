"""How sure the model is: probabilities against all sequences counted one by one, and their calibration."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nertool
from nertool.corpus.schemes import TagSpans, spans_of, tag_names
from nertool.decoding.decoded import Decoded
from nertool.decoding.nbest import n_best
from nertool.decoding.probabilities import shorter, span_probabilities, sums, tag_probabilities
from nertool.decoding.viterbi import decode, lattice, viterbi
from nertool.kernels import library
from nertool.model.calibrate import calibration_error, fit_temperature, temperature_of
from tests.support.oracles.slow_sums import forward_backward, span_log_probability

TAGS = {
    "io": ["O", "A", "B"],
    "iob2": ["O", "B-A", "I-A", "B-B", "I-B"],
    "bioes": ["O", "B-A", "I-A", "E-A", "S-A"],
}


@st.composite
def scored(draw: st.DrawFn, longest: int = 4):
    """Draw a scheme, sentences' lengths, and scores."""
    scheme = draw(st.sampled_from(list(TAGS)))
    lengths = draw(st.lists(st.integers(0, longest), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    scores = draw(st.sampled_from([1.0, 5.0])) * rng.normal(size=(sum(lengths), len(TAGS[scheme])))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return scheme, scores, starts


def sequences(scores, allowed):
    """List every allowed tag sequence of a sentence with its score, best first."""
    n, T = scores.shape
    out = []
    for tags in itertools.product(range(T), repeat=n):
        if not allowed.start[tags[0]] or not allowed.end[tags[-1]]:
            continue
        if any(not allowed.step[a, b] for a, b in itertools.pairwise(tags)):
            continue
        out.append((sum(scores[i, tag] for i, tag in enumerate(tags)), tags))
    return sorted(out, key=lambda pair: -pair[0])


@settings(max_examples=40, deadline=None)
@given(scored())
def test_sums_are_those_over_all_sequences_counted_one_by_one(drawn):
    scheme, scores, starts = drawn
    allowed = lattice(TAGS[scheme], scheme)
    parts = sums(scores, starts, allowed)
    p = tag_probabilities(parts)
    for i, (a, b) in enumerate(itertools.pairwise(starts)):
        if a == b:
            continue
        every = sequences(scores[a:b], allowed)
        weights = np.exp([score for score, _ in every])
        assert parts.log_Z[i] == pytest.approx(np.log(weights.sum()))
        for t in range(b - a):
            for tag in range(scores.shape[1]):
                share = sum(
                    w for w, (_, tags) in zip(weights, every, strict=True) if tags[t] == tag
                )
                assert p[a + t, tag] == pytest.approx(share / weights.sum(), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(scored())
def test_entities_have_the_probabilities_that_the_slow_sums_give_them(drawn):
    scheme, scores, starts = drawn
    allowed = lattice(TAGS[scheme], scheme)
    tag_ids = viterbi(scores, starts, allowed)
    spans = spans_of(tag_ids, TAGS[scheme], starts)
    found = span_probabilities(spans, tag_ids, sums(scores, starts, allowed), starts, allowed)
    marginals = forward_backward(scores, starts, allowed)
    for (start, end, _), p in zip(spans.as_list(), found, strict=True):
        i = int(np.searchsorted(starts, start, side="right")) - 1
        sentence = (int(starts[i]), int(starts[i + 1]))
        log_p = span_log_probability(start, end, tag_ids, scores, sentence, marginals, allowed)
        assert p == pytest.approx(np.exp(log_p), rel=1e-9)


@pytest.mark.parametrize("scheme", TAGS)
def test_the_kernels_sums_are_those_of_numpy(scheme, monkeypatch):
    if not library.compiled():
        pytest.skip("nertool was installed without its compiled kernels")
    starts = np.array([0, 0, 1, 3, 3, 40, 41, 41])
    scores = 9 * np.random.default_rng(3).normal(size=(41, len(TAGS[scheme]))).astype(np.float32)
    found = sums(np.asfortranarray(scores), starts, lattice(TAGS[scheme], scheme))
    monkeypatch.setattr(library, "loaded", None)
    for ours, numpys in zip(
        found, sums(scores, starts, lattice(TAGS[scheme], scheme)), strict=True
    ):
        np.testing.assert_allclose(ours, numpys, rtol=1e-12)


def test_scores_far_apart_leave_numbers_that_are_finite():
    allowed = lattice(TAGS["bioes"], "bioes")
    scores = np.full((4, 5), -2000.0)
    scores[:, 1] = 2000.0  # B-A four times, which no sequence allows
    starts = np.array([0, 4])
    parts = sums(scores, starts, allowed)
    assert np.isfinite(tag_probabilities(parts)).all()
    assert np.isfinite(parts.log_Z).all()


def test_a_long_sentence_does_not_underflow():
    allowed = lattice(TAGS["iob2"], "iob2")
    scores = np.random.default_rng(0).normal(size=(4_000, 5)).astype(np.float32)
    parts = sums(scores, np.array([0, 4_000]), allowed)
    assert tag_probabilities(parts).sum(axis=1) == pytest.approx(np.ones(4_000))


@settings(max_examples=30, deadline=None)
@given(scored(), st.integers(1, 6))
def test_the_k_best_sequences_are_the_first_of_all(drawn, k):
    scheme, scores, starts = drawn
    allowed = lattice(TAGS[scheme], scheme)
    a, b = int(starts[0]), int(starts[1])
    found = n_best(scores[a:b], allowed, k)
    if a == b:
        assert found == []
        return
    every = sequences(scores[a:b], allowed)[:k]
    assert [score for score, _ in found] == pytest.approx([score for score, _ in every])
    assert len({tuple(tags.tolist()) for _, tags in found}) == len(found) == len(every)
    for score, tags in found:
        assert sum(scores[a + i, tag] for i, tag in enumerate(tags)) == pytest.approx(score)


# Calibration


def test_the_calibration_error_by_hand():
    # Two bins: 0.9 with 1 of 2 right (off by 0.4), 0.1 with 0 of 2 right (off by 0.1): mean 0.25.
    p = np.array([0.9, 0.9, 0.1, 0.1])
    right = np.array([True, False, False, False])
    assert calibration_error(p, right) == pytest.approx(0.25)
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0.0
    assert calibration_error(np.zeros(0), np.zeros(0, dtype=bool)) is None


def test_scores_that_were_made_three_times_too_large_get_a_temperature_of_three():
    # Single words; the entity's true log odds against O are drawn, and whether it is one by them.
    rng = np.random.default_rng(1)
    allowed = lattice(["O", "A"], "io")
    odds = np.abs(rng.normal(1.5, 1.0, size=4000))
    right = rng.random(4000) < 1 / (1 + np.exp(-odds))
    scores = np.stack([np.zeros(4000), 3 * odds], axis=1)
    starts = np.arange(4001)
    ones = np.ones(4000, dtype=np.int32)
    spans = TagSpans(starts[:-1], starts[1:], np.zeros(4000, dtype=np.int32), ["A"])
    text = Decoded(scores, ones, starts, spans, allowed)
    found = fit_temperature(text, right)
    assert found == pytest.approx(3.0, rel=0.1)
    before = calibration_error(text.probabilities(), right)
    after = calibration_error(dataclasses.replace(text, temperature=found).probabilities(), right)
    assert after < 0.02 < 0.05 < before


def test_few_entities_or_none_that_are_wrong_give_no_temperature():
    allowed = lattice(["O", "A"], "io")
    for n, right in ((10, False), (100, True)):
        spans = TagSpans(np.arange(n), np.arange(1, n + 1), np.zeros(n, dtype=np.int32), ["A"])
        scores = np.stack([np.zeros(n), np.ones(n)], axis=1)
        text = Decoded(scores, np.ones(n, np.int32), np.arange(n + 1), spans, allowed)
        assert fit_temperature(text, np.full(n, right)) == 1.0


def test_a_trained_model_keeps_its_calibration_and_tags_by_it(run_dir, tiny, main):
    header = json.loads((run_dir / "best" / "model.json").read_text())
    found = header["provenance"]["calibration"]
    assert set(found) == {"temperature", "entities", "ece_before", "ece_after"}
    tagger = nertool.load(run_dir)
    assert temperature_of(tagger.model) == found["temperature"]
    result = json.loads(main("evaluate", run_dir, tiny / "dev.conll", "--json").stdout)
    assert result["calibration"] == found
    assert not list((run_dir / "best").glob(".*"))
    # A temperature changes how sure the entities are, and not which they are.
    words = ["Ada", "left", "London", "."]
    cool = tagger.tag(words)
    provenance = {**header["provenance"], "calibration": {**found, "temperature": 3.0}}
    warm = nertool.Tagger(dataclasses.replace(tagger.model, provenance=provenance)).tag(words)
    assert [(e.start, e.end, e.label) for e in warm] == [(e.start, e.end, e.label) for e in cool]
    assert all(w.probability < c.probability for w, c in zip(warm, cool, strict=True))


def test_a_list_of_thousands_of_tokens_is_cut_where_it_is_surely_outside():
    rng = np.random.default_rng(0)
    tags = tag_names(["LOC", "PER"], "bioes")
    allowed = lattice(tags, "bioes")
    scores = rng.normal(size=(500, len(tags))) * 2
    scores[rng.random(500) < 0.7, 0] += 16  # most words are surely outside
    starts = np.array([0, 30, 470, 500])  # the second sentence alone is long
    parts = shorter(scores, starts, longest=40)
    assert set(starts) <= set(parts)
    assert 15 < len(parts) < 30
    assert np.diff(parts).max() <= 40
    tag_ids = decode(scores, starts, "viterbi", allowed)
    spans = spans_of(tag_ids, tags, starts)
    whole = span_probabilities(spans, tag_ids, sums(scores, starts, allowed), starts, allowed)
    cut = span_probabilities(spans, tag_ids, sums(scores, parts, allowed), parts, allowed)
    np.testing.assert_allclose(cut, whole, atol=1e-4)
    assert len(whole) > 50


def test_a_sentence_is_not_cut_within_an_entity_however_long():
    tags, allowed = TAGS["iob2"], lattice(TAGS["iob2"], "iob2")
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(6_000, len(tags)))
    scores[1_200:4_800, 2] += 9  # nothing there is outside: all of it is one entity
    tag_ids = np.zeros(len(scores), dtype=np.int32)
    tag_ids[1_200:4_800], tag_ids[1_200] = 2, 1
    tag_ids[[500, 5_100]] = 3  # entities of a single token before and after it
    starts = np.array([0, len(scores)])
    spans = spans_of(tag_ids, tags, starts)
    found = Decoded(scores, tag_ids, starts, spans, allowed).probabilities()
    whole = span_probabilities(spans, tag_ids, sums(scores, starts, allowed), starts, allowed)
    np.testing.assert_allclose(found, whole, rtol=1e-6)
    assert len(found) == 3
