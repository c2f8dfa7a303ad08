"""Decoding, against a list of all tag sequences that a scheme allows, each one scored."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.corpus.columnar import Span
from nertool.corpus.schemes import spans_of, tag_names
from nertool.tagging.decode import (
    Lattice,
    argmax,
    decode,
    forward_backward,
    lattice,
    outside_by,
    separate,
    span_log_probability,
    viterbi,
)

SCHEMES = ["io", "iob2", "bioes"]
# What a sentence may look like, its tags one after another, each followed by a blank.
VALID = {
    "io": re.compile(r"(?:\S+ )*"),
    "iob2": re.compile(r"(?:O |B-(\w+) (?:I-\1 )*)*"),
    "bioes": re.compile(r"(?:O |S-\w+ |B-(\w+) (?:I-\1 )*E-\1 )*"),
}
LABELS = ["LOC", "PER"]


def setting(scheme: str) -> tuple[list[str], Lattice]:
    tags = tag_names(LABELS, scheme)
    return tags, lattice(tags, scheme)


def is_valid(tags: list[str], scheme: str) -> bool:
    return VALID[scheme].fullmatch("".join(f"{tag} " for tag in tags)) is not None


@cache
def all_ways(scheme: str, n: int) -> np.ndarray:
    """List all valid sequences of n tags: (ways, n)."""
    tags = tag_names(LABELS, scheme)
    ways = [
        way
        for way in product(range(len(tags)), repeat=n)
        if is_valid([tags[i] for i in way], scheme)
    ]
    return np.array(ways, dtype=np.int32).reshape(len(ways), n)


def totals(scores: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Return the score of each way: the sum of its tags' scores."""
    return scores.astype(np.float64)[np.arange(len(scores)), ways].sum(axis=1)


def starts_of(lengths: list[int]) -> np.ndarray:
    return np.cumsum([0, *lengths]).astype(np.int64)


def pieces(scores: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    return np.split(scores, starts_of(lengths)[1:-1])


LENGTHS = [
    [1],
    [4],
    [2, 4, 1, 3],
    [3, 3, 3],
    [0, 2, 0, 0, 3, 0],
    [1, 0],
    [1, 2, 3, 4],
]


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


# Sums over all ways


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
def test_an_entitys_probability_is_the_share_of_the_ways_that_hold_it(scheme, lengths, dtype):
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
    assert len(separate(scores, starts)) >= len(np.unique(starts))
    found = decode(scores, starts, "viterbi", allowed)
    np.testing.assert_array_equal(found, viterbi(scores, starts, allowed))


def test_a_sentence_with_what_is_outside_for_certain_is_cut_there():
    # O, LOC; h = −1, 2, −4, 1: the third is lost by 4 − 2 = 2 at least: −4 + 2 + 1 < 0 with both sides.
    scores = np.array([[1.0, 0.0], [0.0, 2.0], [4.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(outside_by(scores), [-1.0, -2.0, 1.0, -1.0])
    assert separate(scores, np.array([0, 4])).tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_outside_tag_parts_what_stands_beside_it_as_a_sentence_s_ends_do(scheme):
    # What cutting at such a tag relies on.
    _, allowed = setting(scheme)
    np.testing.assert_array_equal(allowed.step[0], allowed.start)
    np.testing.assert_array_equal(allowed.step[:, 0], allowed.end)
    assert allowed.start[0]
    assert allowed.end[0]
    assert allowed.step[0, 0]
