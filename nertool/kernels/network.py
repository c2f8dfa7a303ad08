"""Kernels of training: gather and add rows, sum gradients by row, AdaGrad's step, dropout masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nertool.kernels import library
from nertool.kernels.library import INT, POINTER, Array, Int32s, Int64s, address_of, int64s, rows_of


def add_rows(out: Array, place: Int32s, values: Array, rows: Int32s | None = None) -> bool:
    """Add values[rows[i]], of (…, d), to out[place[i]], one i after the other: every repetition counts.
    Without rows, i stands in its stead. Values' rows may be part of longer ones."""
    found = rows_of(values, np.float32)
    if library.loaded is None or found is None or out.dtype != np.float32:
        return False
    picked = None if rows is None else address_of(rows, np.int32)
    where = address_of(out, np.float32), address_of(place, np.int32)
    library.loaded.add_rows(*where, *found, picked, len(place), values.shape[1])
    return True


def gather_rows(out: Array, tables: Sequence[Array], ids: Int32s, columns: Sequence[int]) -> bool:
    """Write into each row of out the rows of tables that ids (n, F) names, side by side: columns[k] of
    its numbers are of table k, (V_k, d_k); of a pooled table −columns[k], whose rows' sum over the root of
    their number is one row. The rows of out, and those of ids, may be part of longer ones. Errors: IndexError
    for a number that names no row."""
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
    """Return for each table k the distinct numbers in its columns of ids (n, F), all from 0 to V[k] − 1,
    ascending, and for each of them the sum, (·, widths[k]), of the stretches of values that stand at its
    places, one after the other; nothing if it is frozen. columns as in gather_rows; a pooled table's number 0
    is none, and its other rows get the word's one stretch over the root of their number.
    The rows of both may be part of longer ones. None: there is no kernel for it. Errors: IndexError
    for a number that names no row."""
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
    """theta and its memory G, (n, ·) each, and the gradient g (m, ·) in some rows (m,), ascending; or
    None: in all."""

    theta: Array
    G: Array
    g: Array
    rows: Int64s | None


def adagrad(steps: Sequence[Step], alpha: float, floor: float) -> bool:
    """Take steps of AdaGrad: G += g², then theta −= alpha g / (√G + floor)."""
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
    """Write out (n,): 0 where the i-th of the sixteen bits that SplitMix64 draws from a seed are a number
    below a bar, and scale elsewhere."""
    if library.loaded is None or out.dtype != np.float32:
        return False
    library.loaded.dropout_mask(address_of(out, np.float32), len(out), seed, below, scale)
    return True
