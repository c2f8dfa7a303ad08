"""Sums, means and maxima over the occurrences of the same word in a document."""

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
    """Return the sum of values (n, e) in each of G groups, (G, e).

    rows: row numbers of values, group by group; sizes (G,): the number of rows in each group. many: with
    more rows than this, scipy is imported if the kernel is missing. The result is the same.
    """
    sums = np.zeros((len(sizes), values.shape[1]), dtype=values.dtype)
    group = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    if add_rows(sums, group, values, rows.astype(np.int32)):
        return sums
    if len(rows) > many:
        from scipy import sparse  # many times as fast, with the same rounding

        indptr = np.concatenate([[0], np.cumsum(sizes)])
        ones = np.ones(len(rows), dtype=values.dtype)
        picked = sparse.csr_array((ones, rows, indptr), shape=(len(sizes), len(values)))
        return np.asarray(picked @ values)
    np.add.at(sums, group, values[rows])
    return sums


def others_sum(values: Values, groups: Groups) -> Values:
    """Return for each of M members the sum of values (N, e) over the other members of its group, (M, e)."""
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
    """Return for each of M members the mean of values (N, e) over the other members of its group, (M, e)."""
    means = others_sum(values, groups)
    means /= (groups.sizes - 1)[groups.group, None].astype(values.dtype)
    return means


def group_totals(values: Values, groups: Groups) -> Values:
    """Return the sum of values (N, e) over the members of each group, (G, e).

    The precision is that of others_sum: a few columns are added up in 64 bits.
    """
    members, group, sizes = groups
    if values.shape[1] >= _NARROW:
        return group_sums(values, members, sizes)
    G = len(sizes)
    columns = [np.bincount(group, column[members], minlength=G) for column in values.T]
    return np.stack(columns, axis=1)


def without_own(totals: Values, own: Values, sizes: NDArray[np.int64]) -> Values:
    """Return for each member the mean over the other members of its group, (n, e).

    totals (n, e): the sum of each member's group; own (n, e): each member's value; sizes (n,): the size of
    its group.
    """
    means = (totals - own).astype(own.dtype, copy=False)
    means /= (sizes - 1)[:, None].astype(own.dtype)
    return means


def group_maxima(values: Values, groups: Groups) -> Values:
    """Return for each group the greatest of values (N, e), then the second greatest, (G, 2e).

    The dtype is that of values. If several members have the greatest value, it is also the second greatest.
    """
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
    """Return for each member the greatest value over the other members of its group, (n, e).

    maxima (n, 2e): the result of group_maxima for each member's group; own (n, e): each member's value.
    """
    e = own.shape[1]
    greatest, second = maxima[:, :e], maxima[:, e:]
    return np.where(own == greatest, second, greatest)


def neighbour_sums(text: Text, own: Values, place: NDArray[np.int64]) -> Values:
    """Return for each group of text.groups the sums of its members' left and right neighbours, (G, 2v).

    own (n, v): the values to sum; place (N,): each token's row of own.
    """
    members, _, sizes = text.groups
    values = np.concatenate([own, np.zeros((1, own.shape[1]), dtype=own.dtype)])
    rows = np.append(place, len(own))  # the row of zeros, for tokens that lack a neighbour
    sums = [group_sums(values, rows[side[members]], sizes) for side in text.neighbours]
    return np.concatenate(sums, axis=1)


def document_means(text: Text, own: Values, place: NDArray[np.int64] | None = None) -> Values:
    """Return the mean vector of each document, (D, v), in the order of text.documents.

    own (n, v): vectors; place (N,): each token's row of own, by default the token's index.
    """
    lengths = np.bincount(text.documents)
    rows = np.arange(len(own)) if place is None else place
    sums = group_sums(own, rows, lengths)
    return np.asarray(sums / np.maximum(lengths, 1)[:, None].astype(own.dtype))
