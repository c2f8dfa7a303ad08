"""From a word's softmax to the probability that predict shows."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.api.tagger import load
from nertool.explain.explanation import explain
from nertool.inputs.text import text_of
from nertool.model.load import load_model

WORDS = ["Charles", "Babbage", "left", "New", "York", "."]


@pytest.mark.parametrize("token", range(len(WORDS)))
def test_the_entity_s_probability_is_the_one_that_predict_shows(run_dir, token):
    found = explain(load_model(run_dir), text_of([WORDS], np.array([0, 1])), token).certainty
    entity = next((e for e in load(run_dir).tag(WORDS) if e.start <= token < e.end), None)
    if entity is None:
        assert (found.tag, found.entity, found.probability) == ("O", None, None)
    else:
        assert found.entity == (entity.start, entity.end, entity.label)
        assert found.probability == pytest.approx(entity.probability, abs=1e-9)
        assert found.text == entity.text
        # The whole entity with its ends is no likelier than one of its tags.
        assert found.probability <= found.sentence + 1e-9
    assert 0 < found.word <= 1
    assert 0 < found.sentence <= 1


def test_a_word_alone_is_its_own_sentence(run_dir):
    # One word under IOB2: I- is not allowed at a start, so the tag's share of what is allowed is larger.
    found = explain(load_model(run_dir), text_of([["London"]], np.array([0, 1])), 0).certainty
    assert found.sentence >= found.word
