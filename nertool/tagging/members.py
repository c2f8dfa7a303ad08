"""The scores of one network for the tokens of a text, from the rows of its words."""

from __future__ import annotations

import numpy as np

from nertool.corpus.columnar import Ids, Offsets
from nertool.kernels.tagging import window_sums
from nertool.model.model import Member, Model
from nertool.network.activations import ACTIVATIONS, Array
from nertool.tagging.forms import Forms
from nertool.tagging.side import SideSum, add_terms
from nertool.tagging.slices import Slices
from nertool.tagging.wordtables import Stretch, WordRows, WordTable

_BLOCK_BYTES = 1 << 18  # of z at a time: it and one gathered table stay in the processor's cache


class Network:
    """A member with the table of its words' rows."""

    def __init__(
        self,
        member: Member,
        model: Model,
        forms: Forms,
        encoder: int,
        by_context: bool,
        second: bool,
    ) -> None:
        """encoder, by_context: as in WordTable; second: whether it is given a first stage's scores."""
        self.encoder = encoder
        self.slices = Slices(member, model.config, len(model.tags), second)
        self.table = WordTable(self.slices, forms, encoder, by_context)
        self._UT = np.ascontiguousarray(self.slices.weights.U.T)  # (H, K)
        activation = ACTIVATIONS[model.config.network.activation]
        self._f, self._rectifier = activation.f, activation.rectifier

    def scores(
        self, tokens: int, stretches: list[Stretch], rows: WordRows, side_sum: SideSum
    ) -> Array:
        """Return s (N, T) of a text that was cut into stretches."""
        K = self._UT.shape[1]
        # A single output: O's score is 0, and e^s are the odds against it. A column lies in one
        # piece: what follows goes through the tags one by one, over all tokens.
        s = np.zeros((tokens, max(2, K)), dtype=self._UT.dtype, order="F")
        for stretch in stretches:
            made = stretch._replace(rows=rows.rows_in(self.table, stretch))
            self._add_up(made, side_sum, s[stretch.tokens, -K:])
        return s

    def _add_up(self, stretch: Stretch, side_sum: SideSum, s: Array) -> None:
        """For each token, add up its window's rows, and its side inputs' share; then f, then U."""
        T, (tokens, rows, contexts, centres, _) = self.table.T, stretch
        H, (_, C, _) = T.shape[-1], self.table.V.shape
        V = None if self.table.by_context else self.table.V
        size = max(1, _BLOCK_BYTES // (H * T.itemsize))
        buffers = np.empty((2, min(len(s), size), H), dtype=T.dtype)
        out = np.empty((buffers.shape[1], self._UT.shape[1]), dtype=T.dtype)
        terms = side_sum.of_stretch(tokens, buffers[1])
        gather = window_sums(
            *(buffers[0], T, V, rows, contexts, centres, C), self._rectifier, terms
        )
        starts = np.append(np.arange(0, len(s), size), len(s))
        bounds = side_sum.opinion_bounds(tokens.start + starts)
        for i, start in enumerate(starts[:-1].tolist()):
            own = centres[start : start + size]
            z, room = buffers[:, : len(own)]
            if gather:
                side_sum.multiply_opinions(bounds[i], bounds[i + 1], room)
                gather(start, len(own), bounds[i])
            else:
                z[:] = 0.0
                _add_windows(z, T, rows, own, C, room)
                if V is not None:
                    _add_windows(z, V, contexts, own, C, room)
                side_sum.multiply_opinions(bounds[i], bounds[i + 1], room)
                add_terms(terms, z, T, stretch, start, bounds[i])
            if not (gather and self._rectifier):
                self._f(z, out=z)
            s[start : start + size] = np.matmul(z, self._UT, out=out[: len(own)])


def _add_windows(z: Array, T: Array, rows: Ids, centres: Offsets, C: int, room: Array) -> None:
    """Add Σ_c T[rows[centres[i] + c − C/2], c] to z[i], (n, H); room (n, H)."""
    _, slices, H = T.shape
    for c in range(C):
        at = rows[centres + (c - C // 2)] * np.int64(slices) + c
        # mode="clip" spares take a copy: without it, `out` is buffered in case an index is bad.
        z += np.take(T.reshape(-1, H), at, axis=0, out=room, mode="clip")
