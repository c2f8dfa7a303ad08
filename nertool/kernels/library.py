"""The library of compiled kernels, if nertool was installed with it.

Kernels are only for speed. A function that calls a kernel returns whether it did the work. Its caller has
numpy code that gives the same result. The numpy code runs if the library is missing, for other dtypes than
float32, and with NERTOOL_KERNELS=off in the environment.

A library that was compiled from other C files than the present ones counts as missing. After a change of a
C file, install nertool again.
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
# name → types of the result and of the arguments, as in the C files
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
MOST_POSITIONS = 64  # the greatest number of words in a window: the size of the arrays in tagging.c


def sources_sum(folder: Path) -> str:
    """Return the hash of a folder's C files that is part of the library's name, as in build.py."""
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
    """Return whether the kernels are loaded."""
    return loaded is not None


def needed() -> ctypes.CDLL:
    """Return the library, for functions without numpy code. Errors: RuntimeError if it is not loaded."""
    if loaded is None:
        raise RuntimeError("found no compiled kernels")
    return loaded


def address_of(array: Array, of: type[np.generic], columns: bool = False) -> int:
    """Return the address of an array that a kernel reads.

    It must have the dtype `of` and be C-contiguous, or with `columns` F-contiguous. Errors: TypeError.
    """
    flags = array.flags
    if array.dtype != of or not (flags.f_contiguous if columns else flags.c_contiguous):
        order = "column by column" if columns else "row by row"
        raise TypeError(f"found {array.dtype} in steps of {array.strides}, expected {of} {order}")
    return beginning(array)


def rows_of(array: Array, of: type[np.generic]) -> tuple[int, int] | None:
    """Return the address of an array (n, d) and the number of entries from one row to the next.

    The number may be more than d. Return None if the array has another dtype than `of`, or if its rows are
    not contiguous.
    """
    apart, rest = divmod(array.strides[0], array.itemsize)
    if array.dtype != of or array.strides[1] != array.itemsize or apart < 0 or rest:
        return None
    return beginning(array[0] if len(array) else array), apart


CACHE_LINE = 64  # bytes


def empty_lines(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an uninitialised array, like numpy.empty, that is aligned to a cache line of the processor.

    A row of as many bytes as k cache lines is then in k lines, not in k + 1.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room: Bytes = np.empty(size + CACHE_LINE, dtype=np.uint8)
    first = -room.ctypes.data % CACHE_LINE
    lines: Array = room[first : first + size].view(dtype).reshape(shape)
    return lines


def beginning(array: Array) -> int:
    """Return the address of an array's first byte."""
    try:
        # This takes a third of the time of array.ctypes.
        return ctypes.addressof(_Byte.from_buffer(array))
    except (TypeError, ValueError):  # read-only, or empty
        return array.ctypes.data


def int64s(several: Sequence[int]) -> ctypes.Array[Any]:
    """Return numbers as a C array of 64-bit integers."""
    return (INT * len(several))(*several)
