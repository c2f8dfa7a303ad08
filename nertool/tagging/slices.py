"""The slices W_c, V_c and G of a network's W (see compiled.py), and the rows that they multiply."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nertool.config.records import Config
from nertool.corpus.columnar import Ids
from nertool.inputs.context import CONTEXTS
from nertool.inputs.layout import (
    CLUSTERS,
    LEFT,
    RIGHT,
    STARTING,
    VECTORS,
    contexts_of,
    keeps_starting,
    layout_of,
    table_columns,
)
from nertool.kernels.rows import embed
from nertool.model.model import Member, starting_vectors, word_vectors
from nertool.network.activations import Array
from nertool.vectors.clusters import COLUMNS


def combinations_of(contexts: Sequence[str]) -> list[int]:
    """Return the number of values of each context feature. Their product is the number of combinations."""
    return [CONTEXTS[name].size for name in contexts]


class Slices:
    """A member with the slices of its W: W (C, H, d_1), V (C, H, d_2), G (H, e); see compiled.py."""

    def __init__(self, member: Member, config: Config, tags: int, first_stage: bool) -> None:
        """Cut W. tags: the number of tags; first_stage: whether the first stage's scores are inputs."""
        self._member = member
        # The vectors stay compressed or on disk: the row of a word is read when the word first occurs.
        self.parameters = member.expanded(but=VECTORS)
        self.weights = member.weights
        self.contexts = contexts_of(config)
        columns = table_columns(config)
        self._keeps_starting = keeps_starting(config)
        widths = {name: member.parameters[name].shape[1] for name in columns if name != STARTING}
        widths[STARTING] = member.L.shape[1]
        self.layout = layout = layout_of(config, widths, member.L.shape[1], tags, first_stage)
        contexts = {f"E.{name}" for name in self.contexts}
        others = {VECTORS, STARTING, *contexts}
        self._features = {name: c for name, c in columns.items() if name not in others}
        # The columns of the clusters in a form's row numbers, of which the first is that of the vector.
        names = list(self._features)
        before = names[: names.index(CLUSTERS)] if CLUSTERS in names else names
        first = 1 + sum(abs(self._features[name]) for name in before)
        self._clusters = slice(first, first + COLUMNS)
        C, d, d_1 = layout.window, layout.d, layout.d_1
        H, W = len(self.weights.b), self.weights.W
        in_window = W[:, : C * d].reshape(H, C, d).transpose(1, 0, 2)
        self.W = np.ascontiguousarray(in_window[:, :, :d_1])
        self.V, self.G = in_window[:, :, d_1:], W[:, C * d :]
        # (2, H, v): the columns of G for the left and for the right neighbours' means.
        sides = [self.G[:, layout.side[name]] for name in (LEFT, RIGHT) if name in layout.side]
        self.sides = np.stack(sides) if sides else None

    @property
    def row_shape(self) -> tuple[int, int]:
        """The shape of a word's row of T, (slices, H): C slices, or C + 2 with the input `neighbours`."""
        C, H, _ = self.W.shape
        return C + (0 if self.sides is None else 2), H

    def form_rows(self, ids: Ids, vector_rows: Ids, composed: Array) -> Array:
        """Return the part r of the rows of forms, (n, d_1), which does not depend on the context.

        ids (n, F): the row numbers, of which the first column is not used; vector_rows (n,): the rows in L,
        or beyond it those in `composed`.
        """
        vectors = word_vectors(self._member, vector_rows, composed)
        if self._keeps_starting:
            starting = self.starting_vectors(vector_rows, composed)
            vectors = np.concatenate([vectors, starting], axis=1)
        if not self._features:
            return vectors
        tables = [self.parameters[name] for name in self._features]
        if CLUSTERS in self._features:  # the clusters depend on this network's vectors
            ids = ids.copy()
            ids[:, self._clusters] = self._member.encoder.clusters_of(vector_rows)
        looks = embed(tables, ids[:, 1:], list(self._features.values()))
        return np.concatenate([vectors, looks], axis=1)

    def starting_vectors(self, vector_rows: Ids, composed: Array) -> Array:
        """Return the vectors before training (n, v) of rows (n,) of L. composed: those of rows beyond L."""
        return starting_vectors(self._member, vector_rows, composed)

    def context_table(self) -> Array:
        """Return the table (combinations, C, H) of V_c k for each combination of contexts.

        b is added at the window's centre.
        """
        sizes = combinations_of(self.contexts)
        C, H, _ = self.W.shape
        V = np.zeros((math.prod(sizes), C, H), dtype=self.W.dtype)
        V[:, C // 2] = self.weights.b
        if self.contexts:
            numbers = np.indices(sizes, np.int32).reshape(len(sizes), -1).T
            k = embed([self.parameters[f"E.{name}"] for name in self.contexts], numbers)
            V += np.stack([k @ V_c.T for V_c in self.V], axis=1)
        return V
