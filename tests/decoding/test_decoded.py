"""A decoded text's probabilities, found from the sentences with entities alone, against sums over all."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nertool.corpus.schemes import spans_of, tag_names
from nertool.decoding import decoded as decoded_module
from nertool.decoding.decoded import Decoded
from nertool.decoding.probabilities import span_probabilities, sums
from nertool.decoding.viterbi import decode, lattice


def random_text(rng: np.random.Generator, scheme: str, sentences: int) -> Decoded:
    tags = tag_names(["LOC", "PER"], scheme)
    allowed = lattice(tags, scheme)
    starts = np.concatenate([[0], np.cumsum(rng.integers(0, 9, size=sentences))])
    scores = rng.normal(size=(starts[-1], len(tags)))
    scores[:, 0] += 1.5
    tag_ids = decode(scores, starts, "viterbi", allowed)
    return Decoded(scores, tag_ids, starts, spans_of(tag_ids, tags, starts), allowed)


@pytest.mark.parametrize("scheme", ["io", "iob2", "bioes"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_probabilities_from_the_sentences_with_entities_are_those_from_all(scheme, temperature):
    text = random_text(np.random.default_rng(0), scheme, 300)
    text = dataclasses.replace(text, temperature=temperature)
    whole = sums(text.scores / temperature, text.sentence_starts, text.lattice)
    expected = span_probabilities(
        text.spans, text.tag_ids, whole, text.sentence_starts, text.lattice
    )
    assert len(expected) > 50
    np.testing.assert_allclose(text.probabilities(), expected, rtol=1e-9)


def test_a_text_of_several_groups_of_sentences_has_a_probability_for_each_entity():
    # So many tokens that they are summed in several groups, whose sentences end where the groups do not.
    text = random_text(np.random.default_rng(1), "bioes", 20_000)
    assert len(text.scores) > 2 * decoded_module.GROUP_TOKENS
    probabilities = text.probabilities()
    assert len(probabilities) == len(text.spans)
    last = text.sentence_starts[-50]
    tail = text.spans.starts >= last
    own = dataclasses.replace(
        text,
        scores=text.scores[last:],
        tag_ids=text.tag_ids[last:],
        sentence_starts=text.sentence_starts[-50:] - last,
        spans=type(text.spans)(
            text.spans.starts[tail] - last,
            text.spans.ends[tail] - last,
            text.spans.labels[tail],
            text.spans.label_names,
        ),
    )
    assert len(own.spans) > 5
    np.testing.assert_allclose(probabilities[tail], own.probabilities(), rtol=1e-9)


def test_a_text_without_tokens_or_without_entities_has_no_probability():
    empty = random_text(np.random.default_rng(2), "iob2", 0)
    assert empty.probabilities().shape == (0,)
    text = random_text(np.random.default_rng(2), "iob2", 5)
    text.scores[:, 0] = 50.0
    tag_ids = np.zeros_like(text.tag_ids)
    spans = spans_of(tag_ids, ["O"], text.sentence_starts)
    assert dataclasses.replace(text, tag_ids=tag_ids, spans=spans).probabilities().shape == (0,)
