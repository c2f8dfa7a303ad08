"""The sums that others are compared with, against a list of all tag sequences, each one scored."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nertool.corpus.columnar import Span
from nertool.corpus.schemes import tag_names
from nertool.decoding.viterbi import Lattice, viterbi
from tests.support.oracles.slow_sums import forward_backward, span_log_probability
from tests.support.oracles.ways import (
    LABELS,
    LENGTHS,
    SCHEMES,
    all_ways,
    setting,
    starts_of,
    totals,
)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_log_Z_and_token_marginals_equal_the_sums_over_all_ways(scheme, lengths):
    tags, allowed = setting(scheme)
    scores = np.random.default_rng(6).normal(size=(sum(lengths), len(tags)))
    marginals = forward_backward(scores, starts_of(lengths), allowed)
    probabilities = np.exp(marginals.into + marginals.out - marginals.log_Z[:, None])
    for start, n in zip(starts_of(lengths), lengths, strict=False):
        if not n:
            continue
        ways = all_ways(scheme, n)
        weights = np.exp(totals(scores[start : start + n], ways))
        np.testing.assert_allclose(marginals.log_Z[start : start + n], np.log(weights.sum()))
        for i in range(n):
            summed = np.bincount(ways[:, i], weights, minlength=len(tags)) / weights.sum()
            np.testing.assert_allclose(probabilities[start + i], summed, atol=1e-14)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_into_and_out_are_the_sums_of_the_ways_to_and_from_a_tag(scheme):
    tags, allowed = setting(scheme)
    scores = np.random.default_rng(7).normal(size=(3, len(tags)))
    marginals = forward_backward(scores, np.array([0, 3]), allowed)
    # At the ends each is a single way: the tag's own score, and nothing.
    np.testing.assert_array_equal(marginals.into[0], np.where(allowed.start, scores[0], -np.inf))
    np.testing.assert_array_equal(marginals.out[2], np.where(allowed.end, 0.0, -np.inf))
    # O in the middle (no scheme forbids O beside O): the ways on either side of it are free.
    before = np.exp(scores[0][allowed.start & allowed.step[:, 0]]).sum()
    after = np.exp(scores[2][allowed.end & allowed.step[0]]).sum()
    assert marginals.into[1, 0] == pytest.approx(np.log(before) + scores[1, 0], abs=1e-12)
    assert marginals.out[1, 0] == pytest.approx(np.log(after), abs=1e-12)


def entities_of(way: list[int], scheme: str) -> list[Span]:
    """Read a valid sentence's entities, independently of spans_of."""
    tags = [tag_names(LABELS, scheme)[i] for i in way]
    if scheme == "io":
        runs = re.finditer(r"([LP])\1*", "".join(tag[0] for tag in tags))
        return [Span(run.start(), run.end(), {"L": "LOC", "P": "PER"}[run[1]]) for run in runs]
    runs = re.finditer("[BS][IE]*", "".join(tag[0] for tag in tags))
    return [Span(run.start(), run.end(), tags[run.start()][2:]) for run in runs]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lengths", [[1], [4], [2, 3], [0, 3, 1]], ids=str)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_entitys_probability_is_the_share_of_the_ways_that_hold_it(
    scheme, lengths, dtype
) -> None:
    tags, allowed = setting(scheme)
    starts = starts_of(lengths)
    scores = np.random.default_rng(8).normal(size=(sum(lengths), len(tags))).astype(dtype)
    marginals = forward_backward(scores, starts, allowed)
    for first, n in zip(starts.tolist(), lengths, strict=False):
        ways = all_ways(scheme, n)
        weights = np.exp(totals(scores[first : first + n], ways))
        shares: dict[Span, float] = {}
        bearer: dict[Span, list[int]] = {}
        for way, weight in zip(ways.tolist(), weights / weights.sum(), strict=True):
            for span in entities_of(way, scheme):
                shares[span] = shares.get(span, 0.0) + weight
                bearer[span] = way
        # Every stretch of the sentence and each class is an entity in some way.
        assert len(shares) == 2 * n * (n + 1) // 2
        for span, share in shares.items():
            tag_ids = np.zeros(sum(lengths), dtype=np.int32)
            tag_ids[first : first + n] = bearer[span]
            log_p = span_log_probability(
                first + span.start,
                first + span.end,
                tag_ids,
                scores,
                (first, first + n),
                marginals,
                allowed,
            )
            assert np.exp(log_p) == pytest.approx(share, abs=1e-12), span


def equal_scores(scheme: str, n: int) -> tuple[np.ndarray, list[str], Lattice]:
    tags, allowed = setting(scheme)
    return np.zeros((n, len(tags))), tags, allowed


@pytest.mark.parametrize(
    ("scheme", "way", "share"),
    [
        # Three words, all ways alike; the entity is the middle word alone, a PER.
        # IO: neither neighbour may be PER: 2 · 2 of 27 ways.
        ("io", "O PER O", 4 / 27),
        # IOB2: B-PER in the middle; 3 tags may start the sentence; I-PER may not follow, O and the
        # Bs may: 3 · 3 of 41 ways.
        ("iob2", "O B-PER O", 9 / 41),
        # BIOES: S-PER; O, S-LOC, S-PER on either side: 3 · 3 of 41 ways.
        ("bioes", "O S-PER O", 9 / 41),
    ],
)
def test_an_entity_ends_where_nothing_goes_on_worked_by_hand(scheme, way, share):
    scores, tags, allowed = equal_scores(scheme, 3)
    tag_ids = np.array([tags.index(tag) for tag in way.split()], dtype=np.int32)
    marginals = forward_backward(scores, np.array([0, 3]), allowed)
    log_p = span_log_probability(1, 2, tag_ids, scores, (0, 3), marginals, allowed)
    assert np.exp(log_p) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("token", [0, 3, 5])
def test_being_outside_and_being_in_each_entity_sum_to_1_for_every_token(scheme, token):
    # Seven words in a text of 3 + 7 + 2: too many ways to list, but a token is in one entity or none.
    tags, allowed = setting(scheme)
    starts = np.array([0, 3, 10, 12])
    scores = np.random.default_rng(9).normal(size=(12, len(tags)), scale=2.0)
    marginals = forward_backward(scores, starts, allowed)
    i = 3 + token
    total = np.exp(marginals.into[i, 0] + marginals.out[i, 0] - marginals.log_Z[i])
    for start in range(3, i + 1):
        for end in range(i + 1, 11):
            for label in LABELS:
                tag_ids = np.zeros(12, dtype=np.int32)
                tag_ids[start:end] = entity_tags(end - start, label, tags, scheme)
                total += np.exp(
                    span_log_probability(start, end, tag_ids, scores, (3, 10), marginals, allowed)
                )
    assert total == pytest.approx(1.0, abs=1e-12)


def entity_tags(n: int, label: str, tags: list[str], scheme: str) -> list[int]:
    inside = max(0, n - 2)
    names = {
        "io": [label] * n,
        "iob2": [f"B-{label}", *[f"I-{label}"] * (n - 1)],
        "bioes": [f"S-{label}"]
        if n == 1
        else [f"B-{label}", *[f"I-{label}"] * inside, f"E-{label}"],
    }[scheme]
    return [tags.index(name) for name in names]


@pytest.mark.parametrize(
    ("scheme", "way", "entity"),
    [
        (
            "iob2",
            "O I-PER O",
            (1, 2),
        ),  # I-PER after what isn't PER, or inside an entity begun before
        ("bioes", "O B-PER O", (1, 2)),  # B-PER without its end
        ("bioes", "O O B-PER", (2, 3)),
        ("iob2", "I-PER O O", (0, 1)),
    ],
)
def test_what_the_scheme_does_not_call_a_whole_entity_is_impossible(scheme, way, entity):
    scores, tags, allowed = equal_scores(scheme, 3)
    tag_ids = np.array([tags.index(tag) for tag in way.split()], dtype=np.int32)
    marginals = forward_backward(scores, np.array([0, 3]), allowed)
    log_p = span_log_probability(*entity, tag_ids, scores, (0, 3), marginals, allowed)
    assert log_p == -np.inf


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_batch_of_sentences_equals_one_at_a_time(scheme):
    tags, allowed = setting(scheme)
    lengths = [3, 0, 9, 1, 9, 0, 5, 2]
    scores = np.random.default_rng(10).normal(size=(sum(lengths), len(tags)))
    best = viterbi(scores, starts_of(lengths), allowed)
    batch = forward_backward(scores, starts_of(lengths), allowed)
    position = 0
    for n in lengths:
        own = slice(position, position + n)
        whole = np.array([0, n])
        assert viterbi(scores[own], whole, allowed).tolist() == best[own].tolist()
        alone = forward_backward(scores[own], whole, allowed)
        for one, together in zip(alone, batch, strict=True):
            np.testing.assert_allclose(one, together[own], rtol=1e-13, atol=1e-13)
        position += n


@pytest.mark.parametrize("scale", [1e4, -1e4])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_huge_scores_neither_overflow_nor_vanish(scheme, scale):
    tags, allowed = setting(scheme)
    scores = np.random.default_rng(11).normal(size=(4, len(tags)))
    small = forward_backward(scores, np.array([0, 4]), allowed)
    # A constant added to every score of a sentence of 4 adds 4 constants to log Z, and no more.
    with np.errstate(over="raise", invalid="raise"):
        large = forward_backward(scores + scale, np.array([0, 4]), allowed)
    np.testing.assert_allclose(large.log_Z, small.log_Z + 4 * scale, rtol=1e-14)
    marginal = large.into + large.out - large.log_Z[:, None]
    np.testing.assert_allclose(
        np.exp(marginal), np.exp(small.into + small.out - small.log_Z[:, None]), atol=1e-10
    )
    assert (
        viterbi(scores + scale, np.array([0, 4]), allowed).tolist()
        == viterbi(scores, np.array([0, 4]), allowed).tolist()
    )
