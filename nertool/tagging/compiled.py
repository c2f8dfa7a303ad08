"""The tagger's fast path: the hidden layer multiplied once per word form, not once per token.

A word's row r(w) depends on the word alone, and z is linear in the window's rows:

    z = W x + b = b + Σ_c W_c r(w_c)          W_c (H, d): the slice of W for window position c

So with T_c = r W_cᵀ made once for each distinct word form, a token costs C row additions, one f
and the K × H product. Tables grow with the words met, up to a limit of memory; then they start anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nertool.corpus.columnar import Ids, Offsets
from nertool.corpus.schemes import TagSpans, spans_of
from nertool.embeddings.features import feature_columns
from nertool.embeddings.windows import FIRST_TYPE, PaddedText, pad
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import embed
from nertool.network.objective import tables_of, weights_of
from nertool.network.scorer import Weights
from nertool.tagging.model import Model, decode

_BLOCK = 1024  # tokens at a time: z and one gathered table stay in the processor's cache
_START = 4096  # word forms that the tables have room for at first
TABLE_BYTES = 256 << 20


class CompiledTagger:
    """A model with its pre-multiplied tables. Not for several threads at once: the tables grow."""

    def __init__(self, model: Model, table_bytes: int = TABLE_BYTES) -> None:
        self.model = model
        self.lattice = model.lattice()
        self._weights = weights_of(model.parameters)
        self._tables = list(tables_of(model.parameters).values())
        self._columns = feature_columns(model.encoder.features)
        H = len(self._weights.b)
        self._C = model.config.windows.size
        self._limit = max(_START, table_bytes // (self._C * H * self._weights.W.itemsize))
        self._slots: dict[str, int] = {}
        self._T = np.empty((self._C, _START, H), dtype=self._weights.W.dtype)
        self._fill(0, self._rows(np.asarray(model.encoder.padding)))

    def scores(self, words: Sequence[str], word_ids: Ids, sentence_starts: Offsets) -> Array:
        """Score every token of a text for every tag: (N, T). words: its distinct word forms."""
        slots = self._slots_of(words)
        padded = pad(slots[word_ids] - FIRST_TYPE, sentence_starts, self.model.m)
        s = score_premultiplied(
            self._T, self._weights, self.model.config.network.activation, padded
        )
        if s.shape[1] == 1:  # a single output: O's score is 0, and e^s are the odds against it
            s = np.concatenate([np.zeros_like(s), s], axis=1)
        return s

    def decode(self, scores: Array, sentence_starts: Offsets) -> Ids:
        """Choose each sentence's tags, as the config says: (N,) int32 into the model's tags."""
        return decode(scores, sentence_starts, self.model.config, self.lattice)

    def spans(self, words: Sequence[str], word_ids: Ids, sentence_starts: Offsets) -> TagSpans:
        """Find the entities of a text."""
        tag_ids = self.decode(self.scores(words, word_ids, sentence_starts), sentence_starts)
        return spans_of(tag_ids, self.model.tags, sentence_starts)

    def _slots_of(self, words: Sequence[str]) -> Ids:
        """Return each word form's place in the tables, (n,) int32, adding those not met before."""
        known = self._slots
        new = [word for word in words if word not in known]
        if new:
            if FIRST_TYPE + len(known) + len(new) > self._limit:
                known.clear()
                new = list(words)
            first = FIRST_TYPE + len(known)
            self._fill(first, self._rows(self.model.encoder.encode(new)))
            known.update(zip(new, range(first, first + len(new)), strict=True))
        return np.array([known[word] for word in words], dtype=np.int32)

    def _rows(self, ids: Ids) -> Array:
        return embed(self._tables, ids, self._columns)

    def _fill(self, first: int, R: Array) -> None:
        """Write T_c = R W_cᵀ for rows R (n, d) from place `first` on, making room if there is none."""
        C, room, H = self._T.shape
        if first + len(R) > room:
            grown = np.empty((C, max(2 * room, first + len(R)), H), dtype=self._T.dtype)
            grown[:, :first] = self._T[:, :first]
            self._T = grown
        premultiply(self._weights, R, out=self._T[:, first : first + len(R)])


def premultiply(weights: Weights, R: Array, out: Array) -> None:
    """Write T_c = R W_cᵀ into out (C, n, H), for rows R (n, d); the centre's T_m takes b, too."""
    C, d = len(out), R.shape[1]
    for c in range(C):
        np.matmul(R, weights.W[:, c * d : (c + 1) * d].T, out=out[c])
    out[C // 2] += weights.b


def score_premultiplied(T: Array, weights: Weights, activation: str, text: PaddedText) -> Array:
    """Return s (N, K) for every token of a text, from the tables T (C, types, H) of its types."""
    C, _, H = T.shape
    N = len(text.centres)
    f = ACTIVATIONS[activation].f
    s = np.empty((N, len(weights.U)), dtype=T.dtype)
    z, share = np.empty((2, min(N, _BLOCK), H), dtype=T.dtype)
    for start in range(0, N, _BLOCK):
        centres = text.centres[start : start + _BLOCK]
        n = len(centres)
        for c in range(C):
            types = text.types[centres + (c - text.m)]
            # mode="clip" spares take a copy: without it, `out` is buffered in case an index is bad.
            np.take(T[c], types, axis=0, out=share[:n] if c else z[:n], mode="clip")
            if c:
                z[:n] += share[:n]
        f(z[:n], out=z[:n])
        np.matmul(z[:n], weights.U.T, out=s[start : start + n])
    return s
