"""Fast versions of the functions of network/lookup.py: by kernels if possible, else by numpy.

They have the names of the functions in network/lookup.py, and the same results to the bit, since sums are
added up in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import network as kernels
from nertool.kernels.library import Array

Rows = NDArray[np.int32]
Columns = Sequence[int]  # c_k of each table, as in network/lookup.py
# The built-in map, or a function like it that uses several threads. Results are in the order of the items.
ParallelMap = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

_FEW = 512  # with fewer values, numpy takes less time than the import of scipy


def embed(tables: Sequence[Array], ids: Rows, columns: Columns = ()) -> Array:
    """Return R (n, d), the same as lookup.embed."""
    n, columns = len(ids), columns or (1,) * len(tables)
    R = np.empty(
        (n, sum(max(c, 1) * t.shape[1] for c, t in zip(columns, tables, strict=True))),
        dtype=np.result_type(*tables),
    )
    if kernels.gather_rows(R, tables, ids, columns):
        return R
    # take gives the same as table[rows], in a third of the time if rows are short.
    parts = [
        _pooled(table, ids[:, cut]) if c < 0 else table.take(ids[:, cut], axis=0).reshape(n, -1)
        for table, cut, c in zip(tables, _slices(columns), columns, strict=True)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1, out=R)


def assemble_windows(R: Array, windows: NDArray[np.integer], side: Array | None = None) -> Array:
    """Return x (B, D), the same as lookup.assemble_windows."""
    (B, C), d = windows.shape, R.shape[1]
    e, dtypes = (0, [R]) if side is None else (side.shape[1], [R, side])
    x = np.empty((B, C * d + e), dtype=np.result_type(*dtypes))
    words = x[:, : C * d]
    if not kernels.gather_rows(words, [R], windows.astype(np.int32, copy=False), [C]):
        words[:] = R.take(windows, axis=0).reshape(B, -1)
    if side is not None:
        x[:, C * d :] = side
    return x


def windows_backward(
    windows: NDArray[np.integer], dx: Array, n: int, mask: Array | None = None
) -> Array:
    """Return ∂J/∂R (n, d), the same as lookup.windows_backward."""
    B, C = windows.shape
    dR = scatter_add(windows.ravel(), dx.reshape(B * C, -1), n)
    if mask is not None:
        dR *= mask
    return dR


def embed_backward(
    tables: Sequence[Array],
    ids: Rows,
    dR: Array,
    columns: Columns = (),
    frozen: Container[int] = (),
    parallel_map: ParallelMap = map,
) -> list[tuple[NDArray[np.int64], Array] | None]:
    """Return each table's rows and values, the same as lookup.embed_backward.

    parallel_map computes several tables at a time if the kernel is missing.
    """
    columns = columns or (1,) * len(tables)
    V, widths = [len(table) for table in tables], [table.shape[1] for table in tables]
    skipped = [k in frozen for k in range(len(tables))]
    summed = kernels.sum_by_row(ids, dR, V, skipped, widths, columns)
    if summed:
        return [None if skip else of for of, skip in zip(summed, skipped, strict=True)]
    spans = [max(c, 1) * width for c, width in zip(columns, widths, strict=True)]
    ends = np.cumsum(spans).tolist()
    slices = _slices(columns)

    def gradient(k: int) -> tuple[NDArray[np.int64], Array] | None:
        if skipped[k]:
            return None
        numbers, values = ids[:, slices[k]], dR[:, ends[k] - spans[k] : ends[k]]
        if columns[k] < 0:
            words, numbers, shares = _members(numbers, dR.dtype)
            values = (values * shares).take(words, axis=0)
        rows, slot = distinct(numbers.ravel(), V[k])
        return rows, scatter_add(slot, values.reshape(len(slot), -1), len(rows))

    return list(parallel_map(gradient, range(len(tables))))


def _pooled(table: Array, ids: Rows) -> Array:
    """Return the same as lookup.pooled."""
    words, numbers, shares = _members(ids, table.dtype)
    return scatter_add(words, table.take(numbers, axis=0), len(ids)) * shares


def _members(ids: Rows, dtype: Any) -> tuple[NDArray[np.int64], Rows, Array]:
    """Return for all row numbers that are not 0 their words (m,) and the numbers (m,).

    The third result is each word's 1 / √(its number of rows), (n, 1).
    """
    words, places = np.nonzero(ids)
    counts = np.maximum(np.bincount(words, minlength=len(ids)), 1)
    return words, ids[words, places], np.asarray(1.0 / np.sqrt(counts[:, None])).astype(dtype)


def _slices(columns: Columns) -> list[slice]:
    ends = np.cumsum(np.abs(columns)).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def distinct(ids: NDArray[np.integer], V: int) -> tuple[NDArray[np.int64], NDArray[np.integer]]:
    """Return the distinct ids, ascending, and the index of each id among them (m,). ids are in 0 … V−1.

    np.unique sorts. If a table is not much longer than ids, marking its rows is faster.
    """
    if 64 * len(ids) < V:
        rows, slot = np.unique(ids, return_inverse=True)
        return rows.astype(np.int64), slot
    met = np.zeros(V, dtype=bool)
    met[ids] = True
    rows = np.flatnonzero(met)
    slot = np.empty(V, dtype=np.int32)
    slot[rows] = np.arange(len(rows), dtype=np.int32)
    return rows, slot[ids]


def scatter_add(slot: NDArray[np.integer], values: Array, n: int) -> Array:
    """Return the same as lookup.scatter_add: (n, d) with values[i] (of (m, d)) added to row slot[i]."""
    to: NDArray[np.int32] = slot.astype(np.int32, copy=False)
    out = np.zeros((n, values.shape[1]), dtype=values.dtype)
    if kernels.add_rows(out, to, values):
        return out
    if values.size <= _FEW:
        np.add.at(out, to, values)
        return out
    from scipy import sparse  # imported here: it takes longer than all other imports of tagging

    # A product with the (n, m) matrix that has a 1 at (slot[i], i), stored by columns.
    m = len(slot)
    ones = np.ones(m, dtype=values.dtype)
    ends = np.arange(m + 1, dtype=np.int32)
    return np.asarray(sparse.csc_array((ones, to, ends), shape=(n, m)) @ values)
