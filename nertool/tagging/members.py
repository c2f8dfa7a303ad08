"""The scores of one network for the tokens of a text, from its table of words."""

from __future__ import annotations

from typing import Any

import numpy as np

from nertool.corpus.columnar import Ids, Offsets
from nertool.kernels.library import empty_lines
from nertool.kernels.tagging import Matrix, SideTerms, window_scores, window_sums
from nertool.model.model import Member, Model
from nertool.network.activations import ACTIVATIONS, Array
from nertool.tagging.chunks import Chunk, distinct_windows
from nertool.tagging.forms import Forms
from nertool.tagging.side import SideSum, add_terms
from nertool.tagging.slices import Slices
from nertool.tagging.wordtables import Stretch, WordRows, WordTable

_BLOCK_BYTES = 1 << 18  # bytes of z in a block, so that z and one gathered table stay in the cache


class Network:
    """A member of the model with its table of words."""

    def __init__(
        self,
        member: Member,
        model: Model,
        forms: Forms,
        encoder: int,
        second: bool,
    ) -> None:
        """Prepare a network. encoder: as in WordTable; second: whether a first stage's scores are inputs."""
        self.encoder = encoder
        self.slices = Slices(member, model.config, len(model.tags), second)
        self.table = WordTable(self.slices, forms, encoder)
        self._UT = np.ascontiguousarray(self.slices.weights.U.T)  # (H, K)
        activation = ACTIVATIONS[model.config.network.activation]
        self._f, self._rectifier = activation.f, activation.rectifier
        self._outputs = Matrix(self._UT)

    @property
    def outputs(self) -> int:
        """The number of scores for each token."""
        return int(self._UT.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the scores."""
        return self._UT.dtype

    def add_scores(
        self,
        s: Array,
        stretches: list[Stretch],
        chunks: list[Chunk],
        rows: WordRows,
        side_sum: SideSum,
        first: bool,
    ) -> None:
        """Add the scores of a text to s (N, T), or with `first` write them to s.

        stretches, chunks: the text, cut in two ways.
        """
        at = 0
        for stretch in stretches:
            made = stretch._replace(rows=rows.rows_in(self.table, stretch))
            while at < len(chunks) and chunks[at].tokens.start < stretch.tokens.stop:
                self._add_up(made, chunks[at].within(stretch.tokens), side_sum, s, first)
                if chunks[at].tokens.stop > stretch.tokens.stop:
                    break
                at += 1

    def _add_up(
        self,
        stretch: Stretch,
        chunk: Chunk,
        side_sum: SideSum,
        s: Array,
        first: bool,
    ) -> None:
        """Compute z, then f, then the scores of a chunk's tokens, which are in the stretch.

        z is the sum of the rows of a token's window and of the part of its side inputs.
        """
        T, C, K = self.table.T, self.table.V.shape[1], self._UT.shape[1]
        of_chunk = slice(
            *(t - stretch.tokens.start for t in (chunk.tokens.start, chunk.tokens.stop))
        )
        centres, around = stretch.centres[of_chunk], max(1, C // 2)
        begin, end = int(centres[0]) - around, int(centres[-1]) + around + 1
        rows, context = stretch.rows[begin:end], stretch.contexts[begin:end]
        centres = centres - begin
        terms = side_sum.of_chunk(chunk)
        terms = terms._replace(context=context, contexts=self.table.V)
        # With a single output, O's score is 0, and e^s are the odds of the other tag against O.
        s = s[chunk.tokens, -K:]
        if self._rectifier:
            a, b = side_sum.opinion_bounds([chunk.tokens.start, chunk.tokens.stop])
            values, opinions = side_sum.opinions(a, b)
            if window_scores(
                s, T, rows, centres, C, self._outputs, terms, values, opinions, a, not first
            ):
                return
        self._add_blocks(s, rows, context, centres, terms, side_sum, chunk.tokens.start, first)

    def _add_blocks(
        self,
        s: Array,
        rows: Ids,
        context: Ids,
        centres: Offsets,
        terms: SideTerms,
        side_sum: SideSum,
        first_token: int,
        first: bool,
    ) -> None:
        """Do the same with numpy, in blocks of tokens whose z stay in the processor's cache."""
        T, C, K = self.table.T, self.table.V.shape[1], self._UT.shape[1]
        size = max(1, _BLOCK_BYTES // self._UT[:, 0].nbytes)
        buffers = empty_lines((2, min(len(s), size), len(self._UT)), self._UT.dtype)
        if terms.opinion is not None:
            terms = terms._replace(opinions=buffers[1])
        gather = window_sums(buffers[0], T, rows, centres, C, self._rectifier, terms)
        if not gather:
            window, windows = distinct_windows(context, centres, C // 2, len(self.table.V))
            of_windows = self._contexts(windows)
        starts = np.append(np.arange(0, len(centres), size), len(centres))
        bounds = side_sum.opinion_bounds(first_token + starts)
        out = np.empty((size, K), dtype=T.dtype)
        for i, start in enumerate(starts[:-1].tolist()):
            own = centres[start : start + size]
            z, room = buffers[:, : len(own)]
            side_sum.multiply_opinions(bounds[i], bounds[i + 1], room)
            if gather:
                gather(start, len(own), bounds[i])
            else:
                np.take(of_windows, window[start : start + size], axis=0, out=z)
                _add_windows(z, T, rows, own, C)
                add_terms(terms, z, T, rows, centres, start, bounds[i])
            if not (gather and self._rectifier):
                self._f(z, out=z)
            block = np.matmul(z, self._UT, out=out[: len(own)])
            if first:
                s[start : start + size] = block
            else:
                s[start : start + size] += block

    def _contexts(self, windows: Ids) -> Array:
        """Return the part of z that comes from the contexts of windows: Σ_c V[windows[i, c], c], (w, H)."""
        V, (w, C) = self.table.V, windows.shape
        sums = np.zeros((w, V.shape[2]), dtype=V.dtype)
        _add_windows(sums, V, windows.ravel(), np.arange(w) * C + C // 2, C)
        return sums


def _add_windows(z: Array, T: Array, rows: Ids, centres: Offsets, C: int) -> None:
    """Add Σ_c T[rows[centres[i] + c − C/2], c] to z[i], (n, H)."""
    _, slices, H = T.shape
    for c in range(C):
        at = rows[centres + (c - C // 2)] * np.int64(slices) + c
        z += np.take(T.reshape(-1, H), at, axis=0)
