"""Words' rows: r(w) = [its vector; its features' embeddings], looked up in tables, and the way back.

A table is (V_k, d_k): the word vectors L, or a feature's embedding. A word has c_k row numbers in
it: one, or several (its affixes of all lengths share a table). So n words are an (n, F) array of row
numbers, F = Σ c_k, and their rows R are (n, d), d = Σ c_k d_k.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.network.activations import Array

Rows = NDArray[np.int32]
Columns = Sequence[int]  # c_k of each table; empty: one of each


class RowGradient(NamedTuple):
    """The gradient of a table in the rows that were met; it is zero in all others.

    rows (r,) distinct and ascending; values (r, d_k).
    """

    rows: NDArray[np.integer]
    values: Array


def embed(tables: Sequence[Array], ids: Rows, columns: Columns = ()) -> Array:
    """Return R (n, d): for each of n words, its rows of all tables side by side; ids (n, F)."""
    n = len(ids)
    cuts = _cuts(tables, columns)
    parts = [table[ids[:, cut]].reshape(n, -1) for table, cut in zip(tables, cuts, strict=True)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def embed_backward(
    tables: Sequence[Array],
    ids: Rows,
    dR: Array,
    columns: Columns = (),
    frozen: Container[int] = (),
) -> list[RowGradient | None]:
    """Return each table's gradient from dR (n, d) = ∂J/∂R: a row met several times gets the sum.

    frozen: the numbers of the tables that need none; None stands in their place.
    """
    gradients: list[RowGradient | None] = []
    end = 0
    for k, (table, cut) in enumerate(zip(tables, _cuts(tables, columns), strict=True)):
        start, end = end, end + (cut.stop - cut.start) * table.shape[1]
        if k in frozen:
            gradients.append(None)
            continue
        rows, place = distinct(ids[:, cut].ravel(), len(table))
        values = dR[:, start:end].reshape(len(place), -1)
        gradients.append(RowGradient(rows, scatter_add(place, values, len(rows))))
    return gradients


def distinct(ids: NDArray[np.integer], V: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Return the distinct ids, ascending, and the place of each id (m,) among them; ids in 0 … V−1.

    As np.unique does, but a table that is not much longer than ids is marked instead of ids sorted.
    """
    if 64 * len(ids) < V:
        return np.unique(ids, return_inverse=True)
    met = np.zeros(V, dtype=bool)
    met[ids] = True
    rows = np.flatnonzero(met)
    place = np.empty(V, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    return rows, place[ids]


def row_width(tables: Sequence[Array], columns: Columns = ()) -> int:
    """Return d, the width of a word's row."""
    cuts = _cuts(tables, columns)
    return sum((cut.stop - cut.start) * t.shape[1] for t, cut in zip(tables, cuts, strict=True))


def met_rows(ids: Rows, k: int, tables: Sequence[Array], columns: Columns = ()) -> NDArray[np.integer]:
    """Return the rows of table k that the words meet, distinct and ascending."""
    return np.unique(ids[:, _cuts(tables, columns)[k]])


def _cuts(tables: Sequence[Array], columns: Columns) -> list[slice]:
    """Return which columns of ids belong to each table."""
    ends = np.cumsum(columns or (1,) * len(tables)).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def scatter_add(place: NDArray[np.integer], values: Array, n: int) -> Array:
    """Return (n, d) with values[i] (of (m, d)) added into row place[i]: every repetition counts.

    As a product with the sparse (n, m) matrix that has a 1 at (place[i], i); `out[place] += values`
    would keep only one of the values that share a row.
    """
    from scipy import sparse  # here, as it takes longer to import than all else that tagging needs

    m = len(place)
    ones = np.ones(m, dtype=values.dtype)
    # Column i of S holds a single 1, in row place[i]: that is compressed sparse column form as it stands.
    S = sparse.csc_array((ones, place, np.arange(m + 1)), shape=(n, m))
    return np.asarray(S @ values)
