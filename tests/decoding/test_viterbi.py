"""Decoding, against a list of all tag sequences that a scheme allows, each one scored."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.corpus.schemes import spans_of, tag_names
from nertool.decoding.viterbi import argmax, decode, lattice, open_parts, outside_by, viterbi
from tests.support.oracles.slow_sums import forward_backward
from tests.support.oracles.ways import (
    LENGTHS,
    SCHEMES,
    all_ways,
    is_valid,
    pieces,
    setting,
    starts_of,
    totals,
)


@pytest.mark.parametrize(
    ("scheme", "n", "count"),
    [
        # IO: 3 tags anywhere: 3, 9, 27.
        ("io", 1, 3),
        ("io", 2, 9),
        ("io", 3, 27),
        # IOB2: B and O anywhere, I only after its class: 3; 3·3 + 2 = 11; 3·11 + (BI, II)·2 = 41.
        ("iob2", 1, 3),
        ("iob2", 2, 11),
        ("iob2", 3, 41),
        # BIOES: cut into O (1), S (2) and entities of k ≥ 2 words (2): 3; 3·3 + 2; 3·11 + 2·3 + 2.
        ("bioes", 1, 3),
        ("bioes", 2, 11),
        ("bioes", 3, 41),
    ],
)
def test_the_list_of_all_ways_has_the_length_worked_by_hand(scheme, n, count):
    assert len(all_ways(scheme, n)) == count


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_lattice_allows_just_the_valid_sequences(scheme, n):
    tags, allowed = setting(scheme)
    passed = [
        way
        for way in product(range(len(tags)), repeat=n)
        if allowed.start[way[0]]
        and all(allowed.step[a, b] for a, b in pairwise(way))
        and allowed.end[way[-1]]
    ]
    assert passed == [tuple(way) for way in all_ways(scheme, n).tolist()]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_step_goes_on_just_where_two_tokens_are_read_as_one_entity(scheme):
    tags, allowed = setting(scheme)
    for way in all_ways(scheme, 3).tolist():
        entities = spans_of(np.array(way), tags, np.array([0, 3])).as_list()
        for i in (1, 2):
            inside = any(span.start < i < span.end for span in entities)
            assert allowed.goes_on[way[i - 1], way[i]] == inside, [tags[j] for j in way]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_viterbi_finds_the_best_of_all_ways_in_every_sentence(scheme, lengths, dtype):
    tags, allowed = setting(scheme)
    rng = np.random.default_rng(sum(lengths))
    for _ in range(10):
        scores = rng.normal(size=(sum(lengths), len(tags))).astype(dtype)
        best = viterbi(scores, starts_of(lengths), allowed)
        assert best.dtype == np.int32
        for part, way in zip(pieces(scores, lengths), pieces(best, lengths), strict=True):
            if len(part):
                ways = all_ways(scheme, len(part))
                assert way.tolist() == ways[totals(part, ways).argmax()].tolist()


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_viterbi_finds_a_valid_way_of_the_best_value_where_ways_tie(scheme, data):
    tags, allowed = setting(scheme)
    lengths = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
    # Few whole numbers: sums are exact and ties are common.
    row = st.lists(st.integers(-1, 1), min_size=len(tags), max_size=len(tags))
    rows = data.draw(st.lists(row, min_size=sum(lengths), max_size=sum(lengths)))
    scores = np.array(rows, dtype=np.float64).reshape(sum(lengths), len(tags))
    best = viterbi(scores, starts_of(lengths), allowed)
    for part, way in zip(pieces(scores, lengths), pieces(best, lengths), strict=True):
        if len(part):
            assert is_valid([tags[i] for i in way], scheme)
            assert totals(part, way[None])[0] == totals(part, all_ways(scheme, len(part))).max()


def test_viterbi_gives_up_the_best_tag_where_it_is_forbidden_worked_by_hand():
    tags, allowed = setting("iob2")
    assert tags == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    # Best by token: B-LOC (2), I-PER (3), but I-PER may only follow PER. The ways worth having:
    # B-LOC B-PER 2 + 0 = 2, B-LOC I-LOC 2 + 0.5 = 2.5, B-PER I-PER 0 + 3 = 3.
    scores = np.array([[0, 2, 9, 0, 9], [0, 0, 0.5, 0, 3]])
    assert viterbi(scores, np.array([0, 2]), allowed).tolist() == [3, 4]
    # As two sentences nothing may go on: B-LOC; then one of the tags worth 0, the first.
    assert viterbi(scores, np.array([0, 1, 2]), allowed).tolist() == [1, 0]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_viterbi_of_long_random_texts_is_always_valid_and_argmax_seldom(scheme):
    tags, allowed = setting(scheme)
    rng = np.random.default_rng(3)
    lengths = rng.integers(0, 30, size=40).tolist()
    scores = rng.normal(size=(sum(lengths), len(tags)))
    best, loose = viterbi(scores, starts_of(lengths), allowed), argmax(scores)
    valid = [is_valid([tags[i] for i in way], scheme) for way in pieces(best, lengths)]
    assert all(valid)
    loosely = [is_valid([tags[i] for i in way], scheme) for way in pieces(loose, lengths)]
    assert all(loosely) == (scheme == "io")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_argmax_equals_viterbi_where_it_is_already_valid(scheme):
    tags, allowed = setting(scheme)
    rng = np.random.default_rng(4)
    for way in all_ways(scheme, 4)[::5]:
        scores = rng.normal(size=(4, len(tags)))
        scores[np.arange(4), way] += 10.0
        assert argmax(scores).tolist() == way.tolist()
        assert viterbi(scores, np.array([0, 4]), allowed).tolist() == way.tolist()


def test_argmax_is_each_tokens_best_tag_and_the_first_of_equals():
    scores = np.array([[0.0, 2.0, 1.0], [3.0, 3.0, 1.0]], dtype=np.float32)
    assert argmax(scores).tolist() == [1, 0]
    assert argmax(scores).dtype == np.int32


def test_viterbi_keeps_apart_more_tags_than_a_byte_can_number():
    labels = [f"L{i:03}" for i in range(150)]
    tags = tag_names(labels, "iob2")
    way = [tags.index(tag) for tag in ("B-L149", "I-L149", "I-L149", "B-L100", "O")]
    scores = np.random.default_rng(12).normal(size=(5, len(tags)))
    scores[np.arange(5), way] += 20.0
    assert viterbi(scores, np.array([0, 5]), lattice(tags, "iob2")).tolist() == way


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]], ids=str)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_text_without_tokens_has_no_tags(scheme, lengths):
    tags, allowed = setting(scheme)
    scores = np.empty((0, len(tags)), dtype=np.float32)
    assert viterbi(scores, starts_of(lengths), allowed).shape == (0,)
    assert argmax(scores).shape == (0,)
    assert forward_backward(scores, starts_of(lengths), allowed).log_Z.shape == (0,)


def test_decoding_leaves_the_scores_as_they_were():
    tags, allowed = setting("bioes")
    scores = np.random.default_rng(5).normal(size=(6, len(tags)))
    before = scores.copy()
    viterbi(scores, np.array([0, 2, 6]), allowed)
    marginals = forward_backward(scores, np.array([0, 2, 6]), allowed)
    assert not np.shares_memory(marginals.into, scores)
    np.testing.assert_array_equal(scores, before)


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=150, deadline=None)
@given(lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4), seed=st.integers(0, 10_000))
def test_what_is_outside_for_certain_is_so_in_every_best_way(scheme, lengths, seed):
    rng = np.random.default_rng(seed)
    tags, _ = setting(scheme)
    scores = rng.normal(size=(sum(lengths), len(tags)))
    scores[:, 0] += rng.uniform(0, 4)
    outside = outside_by(scores)
    for own, lost in zip(pieces(scores, lengths), pieces(outside, lengths), strict=True):
        ways = all_ways(scheme, len(own))
        values = totals(own, ways)
        for i in range(len(own)):
            inside = values[ways[:, i] != 0].max(initial=-np.inf)
            # No way with the token inside an entity comes nearer to the best than is said.
            assert values.max() - inside >= min(lost[i], np.inf) - 1e-9 or lost[i] <= 0


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=100, deadline=None)
@given(lengths=st.lists(st.integers(0, 30), min_size=1, max_size=4), seed=st.integers(0, 10_000))
def test_decoding_by_parts_finds_what_the_search_of_all_finds(scheme, lengths, seed):
    rng = np.random.default_rng(seed)
    tags, allowed = setting(scheme)
    scores = rng.normal(size=(sum(lengths), len(tags))) * 2
    scores[:, 0] += rng.uniform(0, 6)
    starts = starts_of(lengths)
    tokens, parts = open_parts(scores, starts)
    sentence = np.searchsorted(starts, tokens, side="right")
    for first, end in pairwise(parts.tolist()):  # side by side, and in one sentence
        assert np.diff(tokens[first:end]).tolist() == [1] * (end - first - 1)
        assert len(set(sentence[first:end].tolist())) == 1
    found = decode(scores, starts, "viterbi", allowed)
    np.testing.assert_array_equal(found, viterbi(scores, starts, allowed))


def test_a_sentence_with_what_is_outside_for_certain_is_cut_there():
    # O, LOC; h = −1, 2, −4, 1: the third is lost by 4 − 2 = 2 at least: −4 + 2 + 1 < 0 with both sides.
    scores = np.array([[1.0, 0.0], [0.0, 2.0], [4.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(outside_by(scores), [-1.0, -2.0, 1.0, -1.0])
    tokens, parts = open_parts(scores, np.array([0, 4]))
    assert tokens.tolist() == [0, 1, 3]
    assert parts.tolist() == [0, 2, 3]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_outside_tag_parts_what_stands_beside_it_as_a_sentence_s_ends_do(scheme):
    # What cutting at such a tag relies on.
    _, allowed = setting(scheme)
    np.testing.assert_array_equal(allowed.step[0], allowed.start)
    np.testing.assert_array_equal(allowed.step[:, 0], allowed.end)
    assert allowed.start[0]
    assert allowed.end[0]
    assert allowed.step[0, 0]
