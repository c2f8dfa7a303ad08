"""Maxima over a word's other occurrences, against loops over the tokens."""

import numpy as np
import pytest

from nertool.config.inputs import FeaturesConfig
from nertool.config.learning import FirstStageConfig
from nertool.inputs.means import group_maxima, maxima_without_own
from nertool.inputs.side import first_stage_elsewhere, side_inputs
from nertool.inputs.text import Text, groups_of
from tests.support.helpers import document_text


def elsewhere(values: np.ndarray, text: Text) -> np.ndarray:
    """Return the greatest values over the word's other occurrences in the document, one by one; else 0."""
    words = [text.words[i].lower() for i in text.word_ids]
    out = np.zeros_like(values)
    for t, word in enumerate(words):
        others = [
            values[u]
            for u in range(len(words))
            if u != t and words[u] == word and text.documents[u] == text.documents[t]
        ]
        if others:
            out[t] = np.max(others, axis=0)
    return out


def test_the_greatest_and_the_second_greatest_of_each_group_by_hand():
    groups = groups_of(np.array([0, 1, 0, 2, 1, 0]))  # tokens 0 2 5, and 1 4; 3 is alone
    values = np.array([[3, 1], [5, 2], [3, 7], [9, 9], [4, 8], [2, 6]], dtype=np.float32)
    maxima = group_maxima(values, groups)
    assert maxima.dtype == np.float32
    # Of column 0 of the first group 3, 3 and 2: the greatest stands there twice.
    assert maxima.tolist() == [[3, 7, 3, 6], [5, 8, 4, 2]]
    others = maxima_without_own(maxima[groups.group], values[groups.members])
    # tokens               0       2       5       1       4
    assert others.tolist() == [[3, 7], [3, 6], [3, 7], [4, 8], [5, 2]]


def test_a_text_without_a_repeated_word_has_no_maxima():
    assert group_maxima(np.ones((3, 2)), groups_of(np.arange(3))).shape == (0, 4)


@pytest.mark.parametrize("window", [0, 3])
@pytest.mark.parametrize("block_tokens", [1 << 18, 7])
def test_max_pooling_is_a_loop_over_the_words_other_occurrences(window, block_tokens):
    rng = np.random.default_rng(window)
    settings = FirstStageConfig(window=window, max_pooling=True)
    for documents in range(1, 12):
        sizes = rng.integers(1, 9, documents)
        sentences = [[" ".join(rng.choice(["a", "A", "b", "c", "d"], n))] for n in sizes]
        laid = document_text(*sentences)
        text = Text(
            laid.words,
            laid.word_ids,
            laid.sentence_starts,
            laid.document_starts,
            block_tokens=block_tokens,
        )
        p = rng.integers(1, 4, (len(text.word_ids), 3)).astype(np.float32) / 4  # with many ties
        side = side_inputs(FeaturesConfig(), text, lambda ids: ids, p, settings)
        assert side is not None
        expected = elsewhere(p, text)
        assert side.shape == (len(p), 4 + 3 + 3 * window)  # means and a mark, maxima, a window
        np.testing.assert_array_equal(side[:][:, 4:7], expected)
        some = rng.integers(0, len(p), 5)
        np.testing.assert_array_equal(side[some][:, 4:7], expected[some])
        found = first_stage_elsewhere(p, text, True)
        np.testing.assert_array_equal(found[:, 4:], expected[text.groups.members])
