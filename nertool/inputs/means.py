"""Sums, means and maxima over the tokens that have the same word in a document."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.inputs.text import Groups, Text
from nertool.kernels.network import add_rows

Values = NDArray[np.floating[Any]]


_NARROW = 32  # columns


def group_sums(
    values: Values, rows: NDArray[np.int64], sizes: NDArray[np.int64], many: int = 4096
) -> NDArray[np.floating[Any]]:
    """Return (G, e): for each g the sum of the next sizes[g] of rows, which are row numbers of values (n, e).

    many: more rows than this are worth importing scipy for; the result is the same.
    """
    sums = np.zeros((len(sizes), values.shape[1]), dtype=values.dtype)
    group = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    if add_rows(sums, group, values, rows.astype(np.int32)):
        return sums
    if len(rows) > many:
        from scipy import sparse  # worth its loading: many times as fast, with the same roundings

        indptr = np.concatenate([[0], np.cumsum(sizes)])
        ones = np.ones(len(rows), dtype=values.dtype)
        picked = sparse.csr_array((ones, rows, indptr), shape=(len(sizes), len(values)))
        return np.asarray(picked @ values)
    np.add.at(sums, group, values[rows])
    return sums


def others_sum(values: Values, groups: Groups) -> Values:
    """Return for each member of a group the sum of values (N, e) over the others, (M, e)."""
    members, group, sizes = groups
    if values.shape[1] < _NARROW:
        # Column by column: numpy adds up long columns faster than short rows.
        out = np.empty((len(members), values.shape[1]), dtype=values.dtype, order="F")
        for column, own in zip(values.T, out.T, strict=True):
            np.take(column, members, out=own)
            own[:] = np.bincount(group, own)[group] - own
        return out
    out = group_sums(values, members, sizes)[group]
    out -= values[members]
    return out


def others_mean(values: Values, groups: Groups) -> Values:
    """Return for each member of a group the mean of values (N, e) over the others, (M, e)."""
    means = others_sum(values, groups)
    means /= (groups.sizes - 1)[groups.group, None].astype(values.dtype)
    return means


def group_totals(values: Values, groups: Groups) -> Values:
    """Return the sum of values (N, e) over the members of each group, (G, e): as others_sum adds them up,
    few columns in 64 bits."""
    members, group, sizes = groups
    if values.shape[1] >= _NARROW:
        return group_sums(values, members, sizes)
    G = len(sizes)
    columns = [np.bincount(group, column[members], minlength=G) for column in values.T]
    return np.stack(columns, axis=1)


def without_own(totals: Values, own: Values, sizes: NDArray[np.int64]) -> Values:
    """Return the mean over the others of a group, (n, e).

    totals (n, e): the group's; own (n, e): the member's own value; sizes (n,): of the groups.
    """
    means = (totals - own).astype(own.dtype, copy=False)
    means /= (sizes - 1)[:, None].astype(own.dtype)
    return means


def group_maxima(values: Values, groups: Groups) -> Values:
    """Return for each group the greatest of values (N, e) over its members, and behind it the second
    greatest, (G, 2e), in values' dtype. A greatest value that several members have is the second greatest,
    too."""
    members, group, sizes = groups
    own = values[members]
    if not len(own):  # reduceat takes no empty array
        return np.empty((0, 2 * values.shape[1]), dtype=values.dtype)
    starts = np.cumsum(sizes) - sizes
    greatest = np.maximum.reduceat(own, starts, axis=0)
    is_greatest = own == greatest[group]
    several = np.add.reduceat(is_greatest, starts, axis=0, dtype=np.int64) > 1
    own[is_greatest] = -np.inf
    second = np.maximum.reduceat(own, starts, axis=0)
    return np.concatenate([greatest, np.where(several, greatest, second)], axis=1)


def maxima_without_own(maxima: Values, own: Values) -> Values:
    """Return the greatest value over the others of a group, (n, e).

    maxima (n, 2e): the group's, as group_maxima has them; own (n, e): the member's own value.
    """
    e = own.shape[1]
    greatest, second = maxima[:, :e], maxima[:, e:]
    return np.where(own == greatest, second, greatest)


def neighbour_sums(text: Text, own: Values, place: NDArray[np.int64]) -> Values:
    """Return the sum of what stands before and after the members of each group of text.groups, (G, 2v):
    of rows of own (n, v); place (N,): each token's row."""
    members, _, sizes = text.groups
    values = np.concatenate([own, np.zeros((1, own.shape[1]), dtype=own.dtype)])
    rows = np.append(place, len(own))  # the last for beyond a sentence's ends
    sums = [group_sums(values, rows[side[members]], sizes) for side in text.neighbours]
    return np.concatenate(sums, axis=1)


def document_means(text: Text, own: Values, place: NDArray[np.int64] | None = None) -> Values:
    """Return the mean vector of each document, as text.documents numbers them, (D, v).

    own (n, v): vectors; place (N,): each token's row of them, by default its own number.
    """
    lengths = np.bincount(text.documents)
    rows = np.arange(len(own)) if place is None else place
    sums = group_sums(own, rows, lengths)
    return np.asarray(sums / np.maximum(lengths, 1)[:, None].astype(own.dtype))
