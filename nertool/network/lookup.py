"""The lookup of word rows in tables, and its backpropagation.

A table is (V_k, d_k): the word vectors L, or the embeddings of a feature. A word has c_k row numbers in
table k: usually one, or several (its prefixes and suffixes of all lengths share one table). So n words are
an array ids (n, F) of row numbers, F = Σ c_k, and their rows R are (n, d), d = Σ c_k d_k. A window x is the
rows of its C words, one after another.

kernels/rows.py has faster ones, which do the same; tests hold both equal.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.network.activations import Array

Rows = NDArray[np.int32]
Columns = Sequence[int]  # c_k of each table; empty: one each


class RowGradient(NamedTuple):
    """The gradient of a table: zero in all rows but these.

    rows (r,): distinct and ascending; values (r, d_k).
    """

    rows: NDArray[np.int64]
    values: Array


def embed(tables: Sequence[Array], ids: Rows, columns: Columns = ()) -> Array:
    """Return R (n, d): for each of n words, its rows of all tables, one after another; ids (n, F)."""
    parts = [
        table[ids[:, cut]].reshape(len(ids), -1)
        for table, cut in zip(tables, column_slices(tables, columns), strict=True)
    ]
    return np.concatenate(parts, axis=1)                        # (n, d)


def embed_backward(
    tables: Sequence[Array],
    ids: Rows,
    dR: Array,
    columns: Columns = (),
    frozen: Container[int] = (),
    add: Callable[[Array, Array, int], Array] | None = None,
) -> list[RowGradient | None]:
    """Return each table's gradient from dR (n, d) = ∂J/∂R: a row that several words have gets the sum.

    frozen: the numbers of the tables that are not trained; None stands in their place. add: scatter_add, or
    another function in its place.
    """
    gradients: list[RowGradient | None] = []
    end = 0
    slices = column_slices(tables, columns)
    for k, (table, cut) in enumerate(zip(tables, slices, strict=True)):
        start, end = end, end + (cut.stop - cut.start) * table.shape[1]
        if k in frozen:
            gradients.append(None)
            continue
        rows, slot = np.unique(ids[:, cut], return_inverse=True)
        values = dR[:, start:end].reshape(-1, table.shape[1])   # (n c_k, d_k)
        summed = (add or scatter_add)(slot.ravel(), values, len(rows))   # (r, d_k)
        gradients.append(RowGradient(rows.astype(np.int64), summed))
    return gradients


def assemble_windows(
    R: Array, windows: NDArray[np.integer], side: Array | None = None
) -> Array:
    """Return x (B, D): for each window (B, C) the rows of its words in R (n, d), then side (B, e)."""
    x = R[windows].reshape(len(windows), -1)                    # (B, C d)
    return x if side is None else np.concatenate([x, side], axis=1)


def windows_backward(
    windows: NDArray[np.integer], dx: Array, n: int, mask: Array | None = None
) -> Array:
    """Return ∂J/∂R (n, d) from dx (B, C d) = ∂J/∂x: a word that stands in several windows gets the sum.

    mask (n, d): the dropout mask that R was multiplied by.
    """
    B, C = windows.shape
    dR = scatter_add(windows.ravel(), dx.reshape(B * C, -1), n)
    return dR if mask is None else dR * mask


def scatter_add(slot: NDArray[np.integer], values: Array, n: int) -> Array:
    """Return (n, d) with values[i] (of (m, d)) added into row slot[i], one i after another.

    `out[slot] += values` would be wrong: of values with the same slot it keeps only one.
    """
    out = np.zeros((n, values.shape[1]), dtype=values.dtype)
    np.add.at(out, slot, values)
    return out


def row_width(tables: Sequence[Array], columns: Columns = ()) -> int:
    """Return d, the width of a word's row."""
    return sum(c * t.shape[1] for t, c in zip(tables, columns_of(tables, columns), strict=True))


def met_rows(
    ids: Rows, k: int, tables: Sequence[Array], columns: Columns = ()
) -> NDArray[np.integer]:
    """Return the rows of table k that the words have, distinct and ascending."""
    return np.unique(ids[:, column_slices(tables, columns)[k]])


def columns_of(tables: Sequence[Array], columns: Columns) -> Columns:
    """Return c_k of each table: columns, or 1 for each where that is empty."""
    return columns or (1,) * len(tables)


def column_slices(tables: Sequence[Array], columns: Columns) -> list[slice]:
    """Return which columns of ids belong to each table."""
    ends = np.cumsum(columns_of(tables, columns)).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
