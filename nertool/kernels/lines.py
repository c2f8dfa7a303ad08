"""Kernels on lines of text: look lines up in a table, find the words in them, put a cell at each end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Bytes, Int32s, Int64s, address_of


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
    if library.loaded is None:
        return None
    powers, mix, shift = hashing
    hashes, known, at, held, used = table
    missing: int = library.loaded.look_up_lines(
        *(address_of(raw, np.uint8), len(raw)),
        *(address_of(powers, np.uint64), mix, shift),
        *(address_of(hashes, np.uint64), address_of(known, np.int32), address_of(at, np.int64)),
        *(address_of(held, np.uint8), used),
        *(address_of(numbers, np.int32), address_of(unknown, np.int64)),
    )
    return missing


def put_cells(raw: Bytes, column: Int32s, cells: Bytes, starts: Int64s, out: Bytes) -> bool:
    """Write a text that ends with LF with a cell at the end of each line, before its CR LF or LF:
    cells[starts[k] : starts[k + 1]], k = column[i] for line i."""
    if library.loaded is None:
        return False
    texts = address_of(out, np.uint8), address_of(raw, np.uint8), len(raw)
    library.loaded.put_cells(
        *texts,
        address_of(column, np.int32),
        address_of(cells, np.uint8),
        address_of(starts, np.int64),
    )
    return True


def cut_rows(raw: Bytes, lines: Int64s, column: int, width: int, delimiter: str) -> Int64s | None:
    """Return where the words of lines (n, 3), as look_up_lines writes them, begin and end in the text,
    (n, 2); −1 for lines that need a closer look. column: the words', from 0, of `width` columns."""
    if library.loaded is None:
        return None
    words = np.empty((len(lines), 2), dtype=np.int64)
    library.loaded.cut_rows(
        *(address_of(raw, np.uint8), address_of(lines, np.int64), len(lines)),
        *(column, width, ord(delimiter), address_of(words, np.int64)),
    )
    return words
