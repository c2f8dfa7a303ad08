"""Kernels of training: gather and add rows, sum gradients by row, AdaGrad's step, dropout masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nertool.kernels import library
from nertool.kernels.library import INT, POINTER, Array, Int32s, Int64s, address_of, int64s, rows_of


def add_rows(out: Array, place: Int32s, values: Array, rows: Int32s | None = None) -> bool:
    """Add values[rows[i]] to out[place[i]] for each i in order, so that repeated places add up.

    out, values (…, d) float32. Without `rows`, values[i] is added. The rows of values may be parts of longer
    rows. Return False if nothing was done: without the kernel, or for other dtypes.
    """
    found = rows_of(values, np.float32)
    if library.loaded is None or found is None or out.dtype != np.float32:
        return False
    picked = None if rows is None else address_of(rows, np.int32)
    where = address_of(out, np.float32), address_of(place, np.int32)
    library.loaded.add_rows(*where, *found, picked, len(place), values.shape[1])
    return True


def gather_rows(out: Array, tables: Sequence[Array], ids: Int32s, columns: Sequence[int]) -> bool:
    """Write the rows of tables that ids (n, F) names, side by side, into each row of out.

    columns[k] of a row's numbers are for table k (V_k, d_k). For a pooled table, columns[k] is negative:
    −columns[k] numbers give one row, the sum of their rows divided by the square root of their number. The
    rows of out and ids may be parts of longer rows. Return False if nothing was done: without the kernel, or
    for other dtypes. Errors: IndexError for a number that is not a row.
    """
    of_out, of_ids = rows_of(out, np.float32), rows_of(ids, np.int32)
    if library.loaded is None or of_out is None or of_ids is None:
        return False
    if any(table.dtype != np.float32 or not table.flags.c_contiguous for table in tables):
        return False
    widths = [table.shape[1] for table in tables]
    _must_fit(ids, out, widths, columns)
    at = (POINTER * len(tables))(*[address_of(table, np.float32) for table in tables])
    sizes = map(int64s, ([len(table) for table in tables], widths, columns))
    if not library.loaded.gather_rows(*of_out, *of_ids, len(ids), at, *sizes, len(tables)):
        raise IndexError("a number names no row of its table")
    return True


def _must_fit(ids: Array, rows: Array, widths: Sequence[int], columns: Sequence[int]) -> None:
    width = sum(max(c, 1) * d for c, d in zip(columns, widths, strict=True))
    if ids.shape != (len(rows), sum(map(abs, columns))) or rows.shape[1] != width:
        raise ValueError(
            f"found numbers {ids.shape} of rows {rows.shape}, expected {width} columns"
        )


def sum_by_row(
    ids: Int32s,
    values: Array,
    V: Sequence[int],
    frozen: Sequence[bool],
    widths: Sequence[int],
    columns: Sequence[int],
) -> list[tuple[Int64s, Array]] | None:
    """Return for each table k its distinct row numbers in ids, ascending, and the sum of values for each.

    ids (n, F): row numbers, from 0 to V[k] − 1 in the columns of table k; values (n, d): a gradient for each
    row number, side by side; the sums are (·, widths[k]), added up in order. A frozen table gets no rows.
    columns: as in gather_rows. In a pooled table, the number 0 means no row, and the other rows get the
    word's gradient divided by the square root of their number. The rows of ids and values may be parts of
    longer rows. Return None without the kernel, or for other dtypes. Errors: IndexError for a number that is
    not a row.
    """
    of_ids, of_values = rows_of(ids, np.int32), rows_of(values, np.float32)
    if library.loaded is None or of_ids is None or of_values is None:
        return None
    _must_fit(ids, values, widths, columns)
    most = [min(v, len(ids) * abs(c)) for v, c in zip(V, columns, strict=True)]
    rows = np.empty(sum(most), dtype=np.int64)
    sums = np.empty(sum(m * d for m, d in zip(most, widths, strict=True)), dtype=np.float32)
    met, place = np.zeros(max(V), dtype=np.uint8), np.empty(max(V), dtype=np.int32)
    counts = (INT * len(V))()
    made = address_of(rows, np.int64), address_of(sums, np.float32), counts
    scratch = address_of(met, np.uint8), address_of(place, np.int32)
    tables = map(int64s, (V, frozen, widths, columns))
    if not library.loaded.sum_by_row(
        *made, *scratch, *tables, len(V), *of_ids, len(ids), *of_values
    ):
        raise IndexError("a number names no row of its table")
    found = []
    for count, d in zip(counts, widths, strict=True):
        found.append((rows[:count], sums[: count * d].reshape(count, d)))
        rows, sums = rows[count:], sums[count * d :]
    return found


class Step(NamedTuple):
    """A step of AdaGrad for one parameter.

    theta (n, ·), its memory G (n, ·), and the gradient g (m, ·) of rows (m,), which are ascending; rows is
    None if g is the gradient of all rows.
    """

    theta: Array
    G: Array
    g: Array
    rows: Int64s | None


def adagrad(steps: Sequence[Step], alpha: float, floor: float) -> bool:
    """Take steps of AdaGrad: G += g², then theta −= alpha g / (√G + floor).

    Return False if nothing was done: without the kernel, or for a parameter that is not float32. Errors:
    ValueError, IndexError for arrays that don't fit together.
    """
    if library.loaded is None or any(step.theta.dtype != np.float32 for step in steps):
        return False
    for theta, G, g, rows in steps:
        m = len(theta) if rows is None else len(rows)
        if G.shape != theta.shape or g.shape != (m, *theta.shape[1:]):
            raise ValueError(f"found {theta.shape}, {G.shape} and {m} rows of {g.shape}")
        if rows is not None and m and not 0 <= rows[0] <= rows[-1] < len(theta):
            raise IndexError("a number names no row")
    several = POINTER * len(steps)
    library.loaded.adagrad(
        len(steps),
        several(*[address_of(step.theta, np.float32) for step in steps]),
        several(*[address_of(step.G, np.float32) for step in steps]),
        several(*[address_of(step.g, np.float32) for step in steps]),
        several(
            *[None if step.rows is None else address_of(step.rows, np.int64) for step in steps]
        ),
        int64s([len(step.g) for step in steps]),
        int64s([step.g.size // max(1, len(step.g)) for step in steps]),
        *(alpha, floor),
    )
    return True


def dropout_mask(seed: int, below: int, scale: float, out: Array) -> bool:
    """Fill out (n,) with 0 and `scale`.

    SplitMix64 draws 16 bits from the seed for each entry. The entry is 0 if they are a number less than
    `below`. Return False if nothing was done: without the kernel, or for another dtype than float32.
    """
    if library.loaded is None or out.dtype != np.float32:
        return False
    library.loaded.dropout_mask(address_of(out, np.float32), len(out), seed, below, scale)
    return True
