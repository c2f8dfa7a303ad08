"""Words' rows: r(w) = [its vector; its features' embeddings], looked up in tables, and the way back.

A table is (V_k, d_k): the word vectors L, or a feature's embedding. Each word has one row number
in each table, so n words are an (n, F) array of row numbers, and their rows R are (n, d), d = Σ d_k.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nertool.network.activations import Array

Rows = NDArray[np.int32]


class RowGradient(NamedTuple):
    """The gradient of a table in the rows that were met; it is zero in all others.

    rows (r,) distinct and ascending; values (r, d_k).
    """

    rows: NDArray[np.integer]
    values: Array


def embed(tables: Sequence[Array], ids: Rows) -> Array:
    """Return R (n, d): for each of n words, its rows of all tables side by side; ids (n, F)."""
    if len(tables) == 1:
        return tables[0][ids[:, 0]]
    return np.concatenate([table[ids[:, k]] for k, table in enumerate(tables)], axis=1)


def embed_backward(tables: Sequence[Array], ids: Rows, dR: Array) -> list[RowGradient]:
    """Return each table's gradient from dR (n, d) = ∂J/∂R: a row met several times gets the sum."""
    gradients = []
    end = 0
    for k, table in enumerate(tables):
        start, end = end, end + table.shape[1]
        rows, place = np.unique(ids[:, k], return_inverse=True)
        gradients.append(RowGradient(rows, scatter_add(place, dR[:, start:end], len(rows))))
    return gradients


def scatter_add(place: NDArray[np.integer], values: Array, n: int) -> Array:
    """Return (n, d) with values[i] (of (m, d)) added into row place[i]: every repetition counts.

    As a product with the sparse (n, m) matrix that has a 1 at (place[i], i); `out[place] += values`
    would keep only one of the values that share a row.
    """
    m = len(place)
    ones = np.ones(m, dtype=values.dtype)
    # Column i of S holds a single 1, in row place[i]: that is compressed sparse column form as it stands.
    S = sparse.csc_array((ones, place, np.arange(m + 1)), shape=(n, m))
    return np.asarray(S @ values)
