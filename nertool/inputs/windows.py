"""Windows of sentences: each word with its m neighbours on either side, padded at the sentence's ends.

A text becomes one flat array of types in which every sentence has m paddings before and after it. The
window of the word at position p is then the slice from p − m to p + m. It can't reach into another
sentence, and no word is stored twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets, ranges
from nertool.files.scratch import Stored

TYPE_PAD_LEFT, TYPE_PAD_RIGHT, FIRST_TYPE = 0, 1, 2


@dataclass(frozen=True)
class PaddedText:
    """A text of N tokens in S sentences, with paddings.

    types (N + 2mS,) int32: 0 is the padding before a sentence, 1 the padding after it, w + 2 the word id w.
    The types of a long text may be in a temporary file. sentence_starts (S+1,): as in Corpus; m: the number
    of words on either side of a window's centre.
    """

    types: Ids | Stored
    sentence_starts: Offsets
    m: int

    @cached_property
    def centres(self) -> Offsets:
        """The index of each token in types, (N,) int64."""
        lengths = np.diff(self.sentence_starts)
        sentence = np.repeat(np.arange(len(lengths)), lengths)         # (N,) each token's sentence
        return np.asarray(np.arange(len(sentence)) + self.m + 2 * self.m * sentence)

    def centres_of(self, tokens: NDArray[np.int64]) -> Offsets:
        """Return the indices of tokens (n,) in types.

        The result is centres[tokens]. But `centres` needs 8 bytes for each token of the whole text.
        """
        sentence = np.searchsorted(self.sentence_starts, tokens, side="right") - 1
        return np.asarray(tokens + self.m + 2 * self.m * sentence)


class WindowBatch(NamedTuple):
    """B windows over n words.

    positions (n,): the words' indices in the padded text; windows (B, C) int32: indices into positions;
    tokens (B,): the indices of the centres in the text.
    """

    positions: NDArray[np.int64]
    windows: Ids
    tokens: NDArray[np.int64]


def pad(word_ids: Ids, sentence_starts: Offsets, m: int) -> PaddedText:
    """Return a text with m paddings before and after each sentence."""
    lengths = np.diff(sentence_starts)
    types = np.empty(len(word_ids) + 2 * m * len(lengths), dtype=np.int32)
    is_word = np.ones(len(types), dtype=bool)
    before = sentence_starts[:-1] + 2 * m * np.arange(len(lengths))     # (S,) first padding of each
    after = before + m + lengths
    for starts, padding in ((before, TYPE_PAD_LEFT), (after, TYPE_PAD_RIGHT)):
        for i in range(m):
            types[starts + i] = padding
            is_word[starts + i] = False
    types[is_word] = word_ids + FIRST_TYPE
    return PaddedText(types, sentence_starts, m)


def sentence_windows(text: PaddedText, sentences: NDArray[np.int64]) -> WindowBatch:
    """Return the windows of whole sentences, in the given order. Windows of a sentence share its words."""
    m = text.m
    starts, ends = text.sentence_starts[sentences], text.sentence_starts[sentences + 1]
    lengths = ends - starts
    tokens = ranges(starts, lengths)                                   # (B,)
    positions = ranges(starts + 2 * m * sentences, lengths + 2 * m)    # (n,) = B + 2m each
    # As in the padded text, token i of the batch, in its k-th sentence, has the index i + m + 2mk.
    centres = np.arange(len(tokens)) + m + 2 * m * np.repeat(np.arange(len(sentences)), lengths)
    windows = np.add(centres[:, None], np.arange(-m, m + 1), dtype=np.int32, casting="unsafe")
    return WindowBatch(positions, windows, tokens)


def single_windows(text: PaddedText, tokens: NDArray[np.int64]) -> WindowBatch:
    """Return the windows of any tokens of the text. Each window has its own C words."""
    C = 2 * text.m + 1
    positions = text.centres_of(tokens)[:, None] + np.arange(-text.m, text.m + 1)   # (B, C)
    windows = np.arange(len(tokens) * C, dtype=np.int32).reshape(len(tokens), C)
    return WindowBatch(positions.ravel(), windows, tokens)


