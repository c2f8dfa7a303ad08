"""The compiled kernels, where nertool was installed with them: each a function on numpy arrays.

They are there for speed alone. Each tells whether it has done its work; whoever calls it has numpy
code beside the call that does the same, and says what it is. That code runs where the library is
missing, for other types of numbers than float32, and with NERTOOL_KERNELS=off in the environment.

A library of another kernels.c than the one beside it counts as missing: after a change there,
install nertool again.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_Byte: Any = ctypes.c_char
_P, _I, _U, _D = ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint64, ctypes.c_double
# name → what it returns, and what it takes, as in kernels.c
_SIGNATURES: dict[str, tuple[Any, Sequence[Any]]] = {
    "window_sums": (None, [_P, _P, _P, _P, _P, _P, _I, _I, _I, _I, ctypes.c_int32]),
    "add_rows": (None, [_P, _P, _P, _I, _P, _I, _I]),
    "gather_rows": (ctypes.c_int32, [_P, _I, _P, _I, _I, _P, _P, _P, _P, _I]),
    "sum_by_row": (ctypes.c_int32, [_P] * 9 + [_I, _P, _I, _I, _P, _I]),
    "add_others": (None, [_P, _P, _P, _P, _P, _P, _P, _I, _I, _I]),
    "adagrad": (None, [_I, _P, _P, _P, _P, _P, _P, ctypes.c_float, ctypes.c_float]),
    "dropout_mask": (None, [_P, _I, _U, ctypes.c_int32, ctypes.c_float]),
    "blend_groups": (None, [_P, _I, _I, _P, _P, _I, _D]),
    "look_up_lines": (_I, [_P, _I, _P, _U, _I, _P, _P, _P, _P, _I, _P, _P]),
    "put_cells": (_I, [_P, _P, _I, _P, _P, _P]),
}
_POSITIONS = 64  # of a window, at most: kernels.c has room for so many


def _load() -> ctypes.CDLL | None:
    if os.environ.get("NERTOOL_KERNELS") == "off":
        return None
    source = Path(__file__).with_name("kernels.c")
    # The name that build.py gave to the library of this source.
    name = f"kernels-{sha256(source.read_bytes()).hexdigest()[:16]}.so"
    try:
        library = ctypes.CDLL(str(source.with_name(name)))
    except OSError:
        return None
    for function, (returned, taken) in _SIGNATURES.items():
        getattr(library, function).restype = returned
        getattr(library, function).argtypes = taken
    return library


_library = _load()


def compiled() -> bool:
    """Tell whether the kernels are there."""
    return _library is not None


def _at(array: Array, of: type[np.generic], columns: bool = False) -> int:
    """Return where an array begins, which must be of the type that the kernel reads, and in one piece,
    row by row, or else column by column."""
    flags = array.flags
    if array.dtype != of or not (flags.f_contiguous if columns else flags.c_contiguous):
        order = "column by column" if columns else "row by row"
        raise TypeError(f"found {array.dtype} in steps of {array.strides}, expected {of} {order}")
    return _beginning(array)


def _within(array: Array, of: type[np.generic]) -> tuple[int, int] | None:
    """Return where an array (n, d) begins, and how many entries from one row to the next, which may be
    more than d; None if it is of another type, or its rows are not in one piece."""
    apart, rest = divmod(array.strides[0], array.itemsize)
    if array.dtype != of or array.strides[1] != array.itemsize or apart < 0 or rest:
        return None
    return _beginning(array[0] if len(array) else array), apart


def _beginning(array: Array) -> int:
    try:
        # In a third of the time that array.ctypes takes.
        return ctypes.addressof(_Byte.from_buffer(array))
    except (TypeError, ValueError):  # read-only, or empty
        return array.ctypes.data


# Those of tagging's inner loop find their arrays once, and are called with a stretch of tokens: where
# an array begins takes numpy a microsecond to say.
Stretch = Callable[[int, int], None]


def window_sums(
    z: Array,
    T: Array,
    V: Array | None,
    rows: Int32s,
    contexts: Int32s,
    centres: Int64s,
    C: int,
    positive: bool = False,
) -> Stretch | None:
    """Return a function of (start, n) that writes z[i] = Σ_c T[rows[p], c] + V[contexts[p], c] for i < n,
    p = centres[start + i] + c − C/2, or 0 where that is negative if z is to be positive; z (n or more, H),
    T (rows, C or more, H), V (contexts, C, H) or None. None: there is no kernel for it."""
    _, slices, H = T.shape
    if _library is None or T.dtype != np.float32 or C > _POSITIONS:
        return None
    kernel, keep = _library.window_sums, (z, T, V, rows, contexts, centres)
    floats = [None if array is None else _at(array, np.float32) for array in (z, T, V)]
    in_text = [_at(array, np.int32) for array in (rows, contexts)]
    first = _at(centres, np.int64)

    def stretch(start: int, n: int, arrays: tuple[Array | None, ...] = keep) -> None:
        kernel(*floats, *in_text, first + 8 * start, n, C, slices, H, positive)

    return stretch


def add_picked(z: Array, values: Array, rows: Int32s) -> Stretch | None:
    """Return a function of (start, n) that adds values[rows[start + i]] to z[i] for i < n; z (n or more, H),
    values (…, H). None: there is no kernel for it."""
    if _library is None or z.dtype != np.float32:
        return None
    kernel, keep, H = _library.add_rows, (z, values, rows), z.shape[1]
    out, table, first = _at(z, np.float32), _at(values, np.float32), _at(rows, np.int32)

    def stretch(start: int, n: int, arrays: tuple[Array, ...] = keep) -> None:
        kernel(out, None, table, H, first + 4 * start, n, H)

    return stretch


def add_others(
    z: Array, T: Array, rows: Int32s, centres: Int64s, group: Int32s, sums: Array, share: Array
) -> Stretch | None:
    """Return a function of (start, n) that adds
    share[g] (sums[g] − T[rows[centres[t] − 1], −2] − T[rows[centres[t] + 1], −1]), t = start + i, to z[i]
    for each token of a group g = group[t], −1 for none; i < n; z (n or more, H), sums (G, H), share (G,).
    None: there is no kernel for it."""
    _, slices, H = T.shape
    if _library is None or T.dtype != np.float32:
        return None
    kernel, keep = _library.add_others, (z, T, rows, centres, group, sums, share)
    floats, in_text = [_at(array, np.float32) for array in keep[:2]], _at(rows, np.int32)
    first, groups = _at(centres, np.int64), _at(group, np.int32)
    of_groups = [_at(array, np.float32) for array in keep[5:]]

    def stretch(start: int, n: int, arrays: tuple[Array, ...] = keep) -> None:
        where = (in_text, first + 8 * start, groups + 4 * start)
        kernel(*floats, *where, *of_groups, n, slices, H)

    return stretch


def add_rows(out: Array, place: Int32s, values: Array, rows: Int32s | None = None) -> bool:
    """Add values[rows[i]], of (…, d), to out[place[i]], one i after the other: every repetition counts.
    Without rows, i stands in its stead. Values' rows may be part of longer ones."""
    found = _within(values, np.float32)
    if _library is None or found is None or out.dtype != np.float32:
        return False
    picked = None if rows is None else _at(rows, np.int32)
    where = _at(out, np.float32), _at(place, np.int32)
    _library.add_rows(*where, *found, picked, len(place), values.shape[1])
    return True


def gather_rows(out: Array, tables: Sequence[Array], ids: Int32s, columns: Sequence[int]) -> bool:
    """Write into each row of out the rows of tables that ids (n, F) names, side by side: columns[k] of
    its numbers are of table k, (V_k, d_k). The rows of out (n, Σ columns[k] d_k), and those of ids,
    may be part of longer ones. Errors: IndexError for a number that names no row."""
    of_out, of_ids = _within(out, np.float32), _within(ids, np.int32)
    if _library is None or of_out is None or of_ids is None:
        return False
    if any(table.dtype != np.float32 or not table.flags.c_contiguous for table in tables):
        return False
    widths = [table.shape[1] for table in tables]
    _must_fit(ids, out, widths, columns)
    at = (_P * len(tables))(*[_at(table, np.float32) for table in tables])
    sizes = map(_numbers, ([len(table) for table in tables], widths, columns))
    if not _library.gather_rows(*of_out, *of_ids, len(ids), at, *sizes, len(tables)):
        raise IndexError("a number names no row of its table")
    return True


def _must_fit(ids: Array, rows: Array, widths: Sequence[int], columns: Sequence[int]) -> None:
    width = sum(c * d for c, d in zip(columns, widths, strict=True))
    if ids.shape != (len(rows), sum(columns)) or rows.shape[1] != width:
        raise ValueError(
            f"found numbers {ids.shape} of rows {rows.shape}, expected {width} columns"
        )


def _numbers(several: Sequence[int]) -> ctypes.Array[Any]:
    return (_I * len(several))(*several)


def sum_by_row(
    ids: Int32s,
    values: Array,
    V: Sequence[int],
    frozen: Sequence[bool],
    widths: Sequence[int],
    columns: Sequence[int],
) -> list[tuple[Int64s, Array]] | None:
    """Return for each table k the distinct numbers in its columns of ids (n, F), all from 0 to V[k] − 1,
    ascending, and for each of them the sum, (·, widths[k]), of the stretches of values
    (n, Σ columns[k] widths[k]) that stand at its places, one after the other; nothing if it is frozen.
    The rows of both may be part of longer ones. None: there is no kernel for it. Errors: IndexError
    for a number that names no row."""
    of_ids, of_values = _within(ids, np.int32), _within(values, np.float32)
    if _library is None or of_ids is None or of_values is None:
        return None
    _must_fit(ids, values, widths, columns)
    most = [min(v, len(ids) * c) for v, c in zip(V, columns, strict=True)]
    rows = np.empty(sum(most), dtype=np.int64)
    sums = np.empty(sum(m * d for m, d in zip(most, widths, strict=True)), dtype=np.float32)
    met, place = np.zeros(max(V), dtype=np.uint8), np.empty(max(V), dtype=np.int32)
    counts = (_I * len(V))()
    made = _at(rows, np.int64), _at(sums, np.float32), counts
    scratch = _at(met, np.uint8), _at(place, np.int32)
    tables = map(_numbers, (V, frozen, widths, columns))
    if not _library.sum_by_row(*made, *scratch, *tables, len(V), *of_ids, len(ids), *of_values):
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
    if _library is None or any(step.theta.dtype != np.float32 for step in steps):
        return False
    for theta, G, g, rows in steps:
        m = len(theta) if rows is None else len(rows)
        if G.shape != theta.shape or g.shape != (m, *theta.shape[1:]):
            raise ValueError(f"found {theta.shape}, {G.shape} and {m} rows of {g.shape}")
        if rows is not None and m and not 0 <= rows[0] <= rows[-1] < len(theta):
            raise IndexError("a number names no row")
    several = _P * len(steps)
    _library.adagrad(
        len(steps),
        several(*[_at(step.theta, np.float32) for step in steps]),
        several(*[_at(step.G, np.float32) for step in steps]),
        several(*[_at(step.g, np.float32) for step in steps]),
        several(*[None if step.rows is None else _at(step.rows, np.int64) for step in steps]),
        _numbers([len(step.g) for step in steps]),
        _numbers([step.g.size // max(1, len(step.g)) for step in steps]),
        *(alpha, floor),
    )
    return True


def dropout_mask(seed: int, below: int, scale: float, out: Array) -> bool:
    """Write out (n,): 0 where the i-th of the sixteen bits that SplitMix64 draws from a seed are a number
    below a bar, and scale elsewhere."""
    if _library is None or out.dtype != np.float32:
        return False
    _library.dropout_mask(_at(out, np.float32), len(out), seed, below, scale)
    return True


def blend_groups(p: Array, members: Int64s, sizes: Int64s, a: float) -> bool:
    """Write p[t] ← (1 − a) p[t] + a (Σ p − p[t]) / (n − 1) for each member t of a group of n, Σ over
    its group. p (N, T) in Fortran's order; members (M,): group by group, sizes (G,) of each."""
    if _library is None or p.dtype != np.float32:
        return False
    groups = _at(members, np.int64), _at(sizes, np.int64), len(sizes)
    _library.blend_groups(_at(p, np.float32, columns=True), *p.shape, *groups, a)
    return True


def look_up_lines(
    raw: Bytes,
    hashing: tuple[NDArray[np.uint64], int, int],
    table: tuple[NDArray[np.uint64], Int32s, Int64s, Bytes, int],
    numbers: Int32s,
    unknown: Int64s,
) -> int | None:
    """Write the number of each line of a text that ends with LF, (n,), as a table has it; and for
    those that it lacks, whose number this returns, (line, start, end), (≤ n, 3).

    hashing: powers, factor and shift; table: its hashes, numbers, where each line's bytes stand, and
    the bytes, of which so many are used. All as in corpus/linetable.py.
    """
    if _library is None:
        return None
    powers, mix, shift = hashing
    hashes, known, at, held, used = table
    missing: int = _library.look_up_lines(
        *(_at(raw, np.uint8), len(raw)),
        *(_at(powers, np.uint64), mix, shift),
        *(_at(hashes, np.uint64), _at(known, np.int32), _at(at, np.int64)),
        *(_at(held, np.uint8), used),
        *(_at(numbers, np.int32), _at(unknown, np.int64)),
    )
    return missing


def put_cells(raw: Bytes, column: Int32s, cells: Bytes, starts: Int64s, out: Bytes) -> bool:
    """Write a text that ends with LF with a cell at the end of each line, before its CR LF or LF:
    cells[starts[k] : starts[k + 1]], k = column[i] for line i."""
    if _library is None:
        return False
    texts = _at(out, np.uint8), _at(raw, np.uint8), len(raw)
    _library.put_cells(*texts, _at(column, np.int32), _at(cells, np.uint8), _at(starts, np.int64))
    return True
