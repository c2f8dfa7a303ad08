"""Words' rows: r(w) = [its vector; its features' embeddings], looked up in tables, and the way back.

A table is (V_k, d_k): the word vectors L, or a feature's embedding. A word has c_k row numbers in
it: one, or several (its affixes of all lengths share a table). So n words are an (n, F) array of row
numbers, F = Σ c_k, and their rows R are (n, d), d = Σ c_k d_k.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import network as kernels
from nertool.network.activations import Array

Rows = NDArray[np.int32]
Columns = Sequence[int]  # c_k of each table; empty: one of each

Item = TypeVar("Item")
Result = TypeVar("Result")


class Each(Protocol):
    """A way to call a function on each of some items, which don't depend on each other: one after
    another, as `map` does, or side by side. The results come in the items' order either way."""

    def __call__(
        self, work: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Iterator[Result]: ...


class RowGradient(NamedTuple):
    """The gradient of a table in the rows that were met; it is zero in all others.

    rows (r,) distinct and ascending; values (r, d_k).
    """

    rows: NDArray[np.int64]
    values: Array


def embed(tables: Sequence[Array], ids: Rows, columns: Columns = ()) -> Array:
    """Return R (n, d): for each of n words, its rows of all tables side by side; ids (n, F)."""
    n, columns = len(ids), _columns(tables, columns)
    R = np.empty((n, row_width(tables, columns)), dtype=np.result_type(*tables))
    if kernels.gather_rows(R, tables, ids, columns):
        return R
    # take: what table[rows] does, in a third of the time where rows are short.
    parts = [
        table.take(ids[:, cut], axis=0).reshape(n, -1)
        for table, cut in zip(tables, _cuts(tables, columns), strict=True)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1, out=R)


def assemble_windows(R: Array, windows: NDArray[np.integer], side: Array | None = None) -> Array:
    """Return x (B, D): for each window (B, C) its words' rows of R (n, d), and the side inputs
    them (B, e); D = C d + e."""
    (B, C), d = windows.shape, R.shape[1]
    e, dtypes = (0, [R]) if side is None else (side.shape[1], [R, side])
    x = np.empty((B, C * d + e), dtype=np.result_type(*dtypes))
    words = x[:, : C * d]
    if not kernels.gather_rows(words, [R], windows.astype(np.int32, copy=False), [C]):
        words[:] = R.take(windows, axis=0).reshape(B, -1)
    if side is not None:
        x[:, C * d :] = side
    return x


def embed_backward(
    tables: Sequence[Array],
    ids: Rows,
    dR: Array,
    columns: Columns = (),
    frozen: Container[int] = (),
    each: Each = map,
) -> list[RowGradient | None]:
    """Return each table's gradient from dR (n, d) = ∂J/∂R: a row met several times gets the sum.

    frozen: the numbers of the tables that need none; None stands in their place. each: how to go
    through the tables.
    """
    columns = _columns(tables, columns)
    V, widths = [len(table) for table in tables], [table.shape[1] for table in tables]
    passed = [k in frozen for k in range(len(tables))]
    summed = kernels.sum_by_row(ids, dR, V, passed, widths, columns)
    if summed:
        gradients = (RowGradient(*of_table) for of_table in summed)
        return [None if out else own for own, out in zip(gradients, passed, strict=True)]
    ends = np.cumsum(np.multiply(columns, widths)).tolist()
    cuts = _cuts(tables, columns)

    def gradient(k: int) -> RowGradient | None:
        if passed[k]:
            return None
        rows, place = distinct(ids[:, cuts[k]].ravel(), V[k])
        values = dR[:, ends[k] - columns[k] * widths[k] : ends[k]].reshape(len(place), -1)
        return RowGradient(rows, scatter_add(place, values, len(rows)))

    return list(each(gradient, range(len(tables))))


def distinct(ids: NDArray[np.integer], V: int) -> tuple[NDArray[np.int64], NDArray[np.integer]]:
    """Return the distinct ids, ascending, and the place of each id (m,) among them; ids in 0 … V−1.

    As np.unique does, but a table that is not much longer than ids is marked instead of ids sorted.
    """
    if 64 * len(ids) < V:
        rows, place = np.unique(ids, return_inverse=True)
        return rows.astype(np.int64), place
    met = np.zeros(V, dtype=bool)
    met[ids] = True
    rows = np.flatnonzero(met)
    place = np.empty(V, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    return rows, place[ids]


def row_width(tables: Sequence[Array], columns: Columns = ()) -> int:
    """Return d, the width of a word's row."""
    return sum(c * t.shape[1] for t, c in zip(tables, _columns(tables, columns), strict=True))


def met_rows(ids: Rows, k: int, tables: Sequence[Array], columns: Columns = ()) -> NDArray[np.integer]:
    """Return the rows of table k that the words meet, distinct and ascending."""
    return np.unique(ids[:, _cuts(tables, columns)[k]])


def _columns(tables: Sequence[Array], columns: Columns) -> Columns:
    return columns or (1,) * len(tables)


def _cuts(tables: Sequence[Array], columns: Columns) -> list[slice]:
    """Return which columns of ids belong to each table."""
    ends = np.cumsum(_columns(tables, columns)).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


_FEW = 48  # rows: a full matrix S is multiplied sooner than a sparse one is made


def scatter_add(place: NDArray[np.integer], values: Array, n: int) -> Array:
    """Return (n, d) with values[i] (of (m, d)) added into row place[i]: every repetition counts.

    As a product with the (n, m) matrix S that has a 1 at (place[i], i); `out[place] += values` would
    keep only one of the values that share a row.
    """
    to: NDArray[np.int32] = place.astype(np.int32, copy=False)
    out = np.zeros((n, values.shape[1]), dtype=values.dtype)
    if kernels.add_rows(out, to, values):
        return out
    if n <= _FEW:
        S = (np.arange(n)[:, None] == place).astype(values.dtype)
        return np.asarray(S @ values)
    from scipy import sparse  # here, as it takes longer to import than all else that tagging needs

    m = len(place)
    ones = np.ones(m, dtype=values.dtype)
    ends = np.arange(m + 1, dtype=np.int32)
    # Column i of S holds a single 1, in row place[i]: that is compressed sparse column form as it stands.
    return np.asarray(sparse.csc_array((ones, to, ends), shape=(n, m)) @ values)
