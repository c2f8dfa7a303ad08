"""The compiled kernels, where nertool was installed with them: each a function on numpy arrays.

They are there for speed alone. Each tells whether it has done its work; whoever calls it has numpy
code beside the call that does the same, and says what it is. That code runs where the library is
missing, for other types of numbers than float32, and with NERTOOL_KERNELS=off in the environment.

A library of other C files than those beside it counts as missing: after a change there, install nertool
again.
"""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_Byte: Any = ctypes.c_char
POINTER, INT, _U, _D = ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint64, ctypes.c_double
_P, _I = POINTER, INT
# name → what it returns, and what it takes, as in the C files
_SIGNATURES: dict[str, tuple[Any, Sequence[Any]]] = {
    "window_sums": (
        None,
        [_P, _P, _P, _P, _I, _I, _I, _I, ctypes.c_int32, _P],
    ),
    "window_scores": (None, [_P, _P, _P, _P, _I, _I, _I, _I, _P]),
    "add_rows": (None, [_P, _P, _P, _I, _P, _I, _I]),
    "gather_rows": (
        ctypes.c_int32,
        [_P, _I, _P, _I, _I, _P, _P, _P, _P, _I],
    ),
    "sum_by_row": (ctypes.c_int32, [_P] * 9 + [_I, _P, _I, _I, _P, _I]),
    "adagrad": (
        None,
        [_I, _P, _P, _P, _P, _P, _P, ctypes.c_float, ctypes.c_float],
    ),
    "mix_parts": (
        None,
        [_P, _P, _I, _I, _I, _P, _P, _I, _I, _I, _P, _P, ctypes.c_int32, _I, _I],
    ),
    "tile_windows": (_I, [_P, _I, _I, ctypes.c_int32, _P, _P, _P]),
    "dropout_mask": (None, [_P, _I, _U, ctypes.c_int32, ctypes.c_float]),
    "softmax": (None, [_P, _P, _I, _I]),
    "agree": (None, [_P, _P, _I, _P, _I, _P, _P, _I, _D, _P]),
    "outside_by": (ctypes.c_int32, [_P, _I, _I, _P, _P]),
    "best_of_each": (_I, [_P, _P, _I, _P, _D, _P, _I, _P, _P, _P, _P]),
    "best_sequences": (None, [_P, _P, _I, _P, _I, _P, _P, _I, *[_P] * 4]),
    "group_words": (_I, [_P, _P, _I, *[_P] * 6]),
    "document_context": (None, [*[_P] * 5, _I, _P, _P, _P, _I]),
    "sentence_kinds": (None, [_P, _P, _P, _I, _P]),
    "lay_out_words": (ctypes.c_int32, [*[_P] * 4, _I, _P, _P, _P, _I, _I]),
    "tag_sums": (None, [_P, _P, _I, _I, _I, _P, _P, _P, _I, *[_P] * 8]),
    "read_lines": (_I, [_P, _I, _I, _P, _P, _P, _P, _P, _I, _P]),
    "remember_lines": (None, [_P, _I, _P, _I, _P, _P]),
    "put_cells": (_I, [_P, _P, _I, _P, _P, _P]),
    "index_words": (_I, [_P, _I, _I, _P, _P, _I]),
    "find_words": (None, [_P, _I, _P, _P, _I, _P, _P, _I]),
    "number_words": (None, [_P, _I, _P, _P]),
    "enter_keys": (None, [_P, _I, _I, _P, _I]),
    "find_keys": (None, [_P, _I, _P, _P, _I, _P]),
    "look_at_words": (None, [_P, _I, _I, _I, _P, _P, _P, _P]),
    "longest_phrases": (
        _I,
        [_P, _P, _I, _P, _I, _I, _P, _I, _P, _P, _P, _P, _P],
    ),
}
MOST_POSITIONS = 64  # of a window, at most: tagging.c has room for so many


def sources_sum(folder: Path) -> str:
    """Return the sum of a folder's C files, as build.py has it: it is part of the library's name."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".c", ".h"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _load() -> ctypes.CDLL | None:
    if os.environ.get("NERTOOL_KERNELS") == "off":
        return None
    folder = Path(__file__).parent
    try:
        library = ctypes.CDLL(str(folder / f"kernels-{sources_sum(folder)}.so"))
    except OSError:
        return None
    for function, (returned, taken) in _SIGNATURES.items():
        getattr(library, function).restype = returned
        getattr(library, function).argtypes = taken
    return library


loaded = _load()


def compiled() -> bool:
    """Tell whether the kernels are there."""
    return loaded is not None


def needed() -> ctypes.CDLL:
    """Return the library, for what there is no other code for. Errors: RuntimeError if it is not loaded."""
    if loaded is None:
        raise RuntimeError("found no compiled kernels")
    return loaded


def address_of(array: Array, of: type[np.generic], columns: bool = False) -> int:
    """Return where an array begins, which must be of the type that the kernel reads, and in one piece,
    row by row, or else column by column."""
    flags = array.flags
    if array.dtype != of or not (flags.f_contiguous if columns else flags.c_contiguous):
        order = "column by column" if columns else "row by row"
        raise TypeError(f"found {array.dtype} in steps of {array.strides}, expected {of} {order}")
    return beginning(array)


def rows_of(array: Array, of: type[np.generic]) -> tuple[int, int] | None:
    """Return where an array (n, d) begins, and how many entries from one row to the next, which may be
    more than d; None if it is of another type, or its rows are not in one piece."""
    apart, rest = divmod(array.strides[0], array.itemsize)
    if array.dtype != of or array.strides[1] != array.itemsize or apart < 0 or rest:
        return None
    return beginning(array[0] if len(array) else array), apart


CACHE_LINE = 64  # bytes


def empty_lines(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an array, as numpy.empty does, that begins where a line of the processor's cache does: a row
    that is as long as some lines is then read as so many, not as one more."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room: Bytes = np.empty(size + CACHE_LINE, dtype=np.uint8)
    first = -room.ctypes.data % CACHE_LINE
    lines: Array = room[first : first + size].view(dtype).reshape(shape)
    return lines


def beginning(array: Array) -> int:
    """Return where an array begins."""
    try:
        # In a third of the time that array.ctypes takes.
        return ctypes.addressof(_Byte.from_buffer(array))
    except (TypeError, ValueError):  # read-only, or empty
        return array.ctypes.data


def int64s(several: Sequence[int]) -> ctypes.Array[Any]:
    """Return numbers as a C array of 64-bit integers."""
    return (INT * len(several))(*several)
