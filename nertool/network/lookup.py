"""The lookup of word rows in tables, and its backpropagation.

A table is (V_k, d_k): the word vectors L, or the embeddings of a feature. A word has c_k row numbers in
table k. c_k is usually 1. It is larger for a feature such as affixes, whose prefixes and suffixes of all
lengths share one table. So n words are an array ids (n, F) of row numbers, F = Σ c_k. Their rows R are
(n, d), d = Σ c_k d_k. A window x has the rows of its C words side by side.

A table may be pooled. A word then has up to c_k rows in it, such as those of its n-grams; unused columns of
ids are 0. The word gets the sum of these rows divided by the square root of their number, of width d_k:
r_k(w) = Σ_{g ∈ G(w)} E_k[g] / √|G(w)|, and so ∂J/∂E_k[g] = Σ_{w: g ∈ G(w)} ∂J/∂r_k(w) / √|G(w)|. In
`columns`, a pooled table has the entry −c_k.

kernels/rows.py has faster versions of these functions. Tests check that both give the same results.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.network.activations import Array

Rows = NDArray[np.int32]
Columns = Sequence[int]  # c_k of each table, −c_k if it is pooled; empty: 1 for every table


class RowGradient(NamedTuple):
    """The gradient of a table, which is zero in all other rows.

    rows (r,): distinct and ascending; values (r, d_k).
    """

    rows: NDArray[np.int64]
    values: Array


def embed(tables: Sequence[Array], ids: Rows, columns: Columns = ()) -> Array:
    """Return R (n, d): for each of n words, its rows of all tables side by side.

    ids (n, F): the row numbers of the words.
    """
    parts = [
        pooled(table, ids[:, cut]) if c < 0 else table[ids[:, cut]].reshape(len(ids), -1)
        for table, cut, c in _each_table(tables, columns)
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
    """Return each table's gradient from dR (n, d) = ∂J/∂R.

    A row that several words share gets the sum of their gradients. frozen: the indices of the tables that
    are not trained; their result is None. add: a function to use instead of scatter_add.
    """
    gradients: list[RowGradient | None] = []
    end = 0
    for k, (table, cut, c) in enumerate(_each_table(tables, columns)):
        start, end = end, end + max(c, 1) * table.shape[1]
        if k in frozen:
            gradients.append(None)
            continue
        numbers, values = ids[:, cut], dR[:, start:end]
        if c < 0:
            numbers, values = pooled_backward(numbers, values)
        rows, slot = np.unique(numbers, return_inverse=True)
        values = values.reshape(-1, table.shape[1])             # (n c_k, d_k)
        summed = (add or scatter_add)(slot.ravel(), values, len(rows))   # (r, d_k)
        gradients.append(RowGradient(rows.astype(np.int64), summed))
    return gradients


def pooled(table: Array, ids: Rows) -> Array:
    """Return r_k (n, d_k): the sum of each word's rows divided by the square root of their number.

    ids (n, c): row numbers, 0 in unused columns.
    """
    words, _ = np.nonzero(ids)
    return scatter_add(words, table[ids[ids > 0]], len(ids)) * root_shares(ids, table)


def pooled_backward(ids: Rows, dR: Array) -> tuple[Rows, Array]:
    """Return the row numbers (m,) of words in a pooled table, and the gradient of each (m, d_k).

    ids (n, c): row numbers, 0 in unused columns; dR (n, d_k): the gradient of each word's r_k.
    """
    words, _ = np.nonzero(ids)
    return ids[ids > 0], (dR * root_shares(ids, dR))[words]


def root_shares(ids: Rows, like: Array) -> Array:
    """Return 1 / √|G(w)| for each word (n, 1), in the real dtype of `like`; 1 for a word without rows."""
    counts = np.maximum(np.count_nonzero(ids, axis=1), 1)
    return np.asarray(1.0 / np.sqrt(counts[:, None])).astype(like.real.dtype)


def _each_table(
    tables: Sequence[Array], columns: Columns
) -> Iterator[tuple[Array, slice, int]]:
    """Yield each table, the slice of its columns in ids, and its entry in `columns`."""
    slices = column_slices(tables, columns)
    yield from zip(tables, slices, columns_of(tables, columns), strict=True)


def assemble_windows(
    R: Array, windows: NDArray[np.integer], side: Array | None = None
) -> Array:
    """Return x (B, D): for each window, the rows of its words side by side, then its side inputs.

    R (n, d): the words' rows; windows (B, C): indices into R; side (B, e): the side inputs, if any.
    """
    x = R[windows].reshape(len(windows), -1)                    # (B, C d)
    return x if side is None else np.concatenate([x, side], axis=1)


def windows_backward(
    windows: NDArray[np.integer], dx: Array, n: int, mask: Array | None = None
) -> Array:
    """Return ∂J/∂R (n, d) from dx (B, C d) = ∂J/∂x.

    A word that is in several windows gets the sum. mask (n, d): the dropout mask of R, if any.
    """
    B, C = windows.shape
    dR = scatter_add(windows.ravel(), dx.reshape(B * C, -1), n)
    return dR if mask is None else dR * mask


def scatter_add(slot: NDArray[np.integer], values: Array, n: int) -> Array:
    """Return an array (n, d) whose row k is the sum of all values[i] with slot[i] = k, added in order of i.

    slot (m,), values (m, d). `out[slot] += values` would be wrong: it keeps only the last of the values that
    have the same slot.
    """
    out = np.zeros((n, values.shape[1]), dtype=values.dtype)
    np.add.at(out, slot, values)
    return out


def row_width(tables: Sequence[Array], columns: Columns = ()) -> int:
    """Return d, the width of a word's row in R."""
    return sum(
        max(c, 1) * t.shape[1] for t, c in zip(tables, columns_of(tables, columns), strict=True)
    )


def met_rows(
    ids: Rows, k: int, tables: Sequence[Array], columns: Columns = ()
) -> NDArray[np.integer]:
    """Return the distinct rows of table k that the words of ids (n, F) use, in ascending order."""
    return np.unique(ids[:, column_slices(tables, columns)[k]])


def columns_of(tables: Sequence[Array], columns: Columns) -> Columns:
    """Return c_k of each table: `columns`, or 1 for every table if `columns` is empty."""
    return columns or (1,) * len(tables)


def column_slices(tables: Sequence[Array], columns: Columns) -> list[slice]:
    """Return for each table the slice of its columns in ids."""
    ends = np.cumsum(np.abs(columns_of(tables, columns))).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
