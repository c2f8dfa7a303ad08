"""Windows of words, against a reference that looks at one sentence at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.inputs.windows import (
    FIRST_TYPE,
    TYPE_PAD_LEFT,
    TYPE_PAD_RIGHT,
    PaddedText,
    pad,
    sentence_windows,
    single_windows,
)

SENTENCES = st.lists(st.lists(st.integers(0, 9), max_size=5), min_size=1, max_size=5)
RADII = st.sampled_from([0, 1, 2, 3])


def padded(sentences: list[list[int]], m: int) -> PaddedText:
    word_ids = np.array([word for words in sentences for word in words], dtype=np.int32)
    starts = np.cumsum([0, *map(len, sentences)]).astype(np.int64)
    return pad(word_ids, starts, m)


def reference(sentences: list[list[int]], m: int) -> list[list[int]]:
    """List every token's window of types, built from its own sentence and nothing else."""
    windows = []
    for words in sentences:
        for i in range(len(words)):
            window = []
            for j in range(i - m, i + m + 1):
                if j < 0:
                    window.append(TYPE_PAD_LEFT)
                elif j >= len(words):
                    window.append(TYPE_PAD_RIGHT)
                else:
                    window.append(words[j] + FIRST_TYPE)
            windows.append(window)
    return windows


def test_padding_and_windows_of_two_sentences_worked_by_hand():
    # "7 8 9" and "4" with one padding on either side (0 before, 1 after); word w stands as w + 2:
    #   0 [9 10 11] 1   0 [6] 1
    text = padded([[7, 8, 9], [4]], 1)
    assert text.types.tolist() == [0, 9, 10, 11, 1, 0, 6, 1]
    assert text.types.dtype == np.int32
    assert text.centres.tolist() == [1, 2, 3, 6]
    batch = sentence_windows(text, np.array([1, 0]))
    assert batch.tokens.tolist() == [3, 0, 1, 2]
    assert text.types[batch.positions][batch.windows].tolist() == [
        [0, 6, 1],
        [0, 9, 10],
        [9, 10, 11],
        [10, 11, 1],
    ]


def test_the_museums_in_Paris_stand_around_their_centre():
    # The example of docs/mathematics.md, m = 2: the, museums, in, Paris, are, amazing, to, see → 2 … 9.
    text = padded([[0, 1, 2, 3, 4, 5, 6, 7]], 2)
    batch = single_windows(text, np.array([3]))
    # museums in Paris are amazing
    assert text.types[batch.positions][batch.windows].tolist() == [[3, 4, 5, 6, 7]]


@settings(max_examples=150, deadline=None)
@given(SENTENCES, RADII, st.data())
def test_windows_of_sentences_in_any_order_hold_their_own_sentence_alone(sentences, m, data):
    text = padded(sentences, m)
    # Any order, some left out, some twice.
    order = data.draw(st.lists(st.integers(0, len(sentences) - 1), max_size=7))
    batch = sentence_windows(text, np.array(order, dtype=np.int64))
    expected_tokens = [
        token
        for k in order
        for token in range(text.sentence_starts[k], text.sentence_starts[k + 1])
    ]
    assert batch.tokens.tolist() == expected_tokens
    windows = reference(sentences, m)
    assert text.types[batch.positions][batch.windows].tolist() == [
        windows[token] for token in expected_tokens
    ]
    assert batch.windows.shape == (len(expected_tokens), 2 * m + 1)
    # Neighbours share their words: a sentence costs its words and its paddings, no more.
    assert len(batch.positions) == len(expected_tokens) + 2 * m * len(order)


@settings(max_examples=150, deadline=None)
@given(SENTENCES, RADII, st.data())
def test_windows_of_single_tokens_hold_their_own_sentence_alone(sentences, m, data):
    text = padded(sentences, m)
    N = sum(map(len, sentences))
    tokens = data.draw(st.lists(st.integers(0, N - 1), max_size=8) if N else st.just([]))
    batch = single_windows(text, np.array(tokens, dtype=np.int64))
    windows = reference(sentences, m)
    assert batch.tokens.tolist() == tokens
    assert text.types[batch.positions][batch.windows].tolist() == [
        windows[token] for token in tokens
    ]
    # Each window has its own words, so that a gradient's row belongs to one window.
    assert sorted(batch.windows.ravel().tolist()) == list(range(len(tokens) * (2 * m + 1)))


@settings(max_examples=80, deadline=None)
@given(SENTENCES, RADII, st.randoms(use_true_random=False))
def test_both_ways_show_a_token_the_same_types(sentences, m, random):
    text = padded(sentences, m)
    order = list(range(len(sentences)))
    random.shuffle(order)
    whole = sentence_windows(text, np.array(order, dtype=np.int64))
    single = single_windows(text, whole.tokens)
    assert sorted(whole.tokens.tolist()) == list(range(len(text.centres)))
    np.testing.assert_array_equal(
        text.types[whole.positions][whole.windows], text.types[single.positions][single.windows]
    )


@settings(max_examples=60, deadline=None)
@given(SENTENCES, RADII)
def test_the_layout_holds_each_word_once_and_2m_paddings_a_sentence(sentences, m):
    text = padded(sentences, m)
    expected = [
        row
        for words in sentences
        for row in (
            *[TYPE_PAD_LEFT] * m,
            *(word + FIRST_TYPE for word in words),
            *[TYPE_PAD_RIGHT] * m,
        )
    ]
    assert text.types.tolist() == expected
    assert text.m == m


@pytest.mark.parametrize("m", [0, 1, 2, 3])
def test_changing_one_sentence_changes_no_window_of_another(m):
    before = padded([[1, 2], [3, 4, 5], [6]], m)
    after = padded([[1, 2], [9, 9, 9], [6]], m)
    for token, same in zip(range(6), [True, True, False, False, False, True], strict=True):
        a, b = (
            text.types[single_windows(text, np.array([token])).positions]
            for text in (before, after)
        )
        assert np.array_equal(a, b) == same
