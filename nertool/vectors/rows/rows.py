"""Tables of rows as a model keeps them: plain arrays, or compressed in one way or another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.vectors.rows.coded_rows import CodedRows
from nertool.vectors.rows.compressed_rows import CompressedRows

COMPRESSED = (CompressedRows, CodedRows)
Rows = NDArray[Any] | CompressedRows | CodedRows


def expanded(rows: Rows) -> NDArray[Any]:
    """Return all rows as floats."""
    return rows[:] if isinstance(rows, COMPRESSED) else rows


def selected(
    rows: NDArray[Any] | CompressedRows, numbers: NDArray[np.integer]
) -> NDArray[Any] | CompressedRows:
    """Return some of the rows, kept as they are."""
    return rows.select(numbers) if isinstance(rows, CompressedRows) else rows[numbers]


# The names of the arrays that a table is stored as begin with the table's own.
_SCALE, _CODES, _CODEBOOK = ".scale", ".codes", ".codebook"
_PARTS = (_SCALE, _CODES, _CODEBOOK)


def arrays_of(name: str, rows: Rows) -> dict[str, NDArray[Any]]:
    """Return the arrays that a table is stored as, by name."""
    if isinstance(rows, CodedRows):
        own = arrays_of(name, rows.own)
        return {**own, name + _CODES: rows.codes, name + _CODEBOOK: rows.codebook}
    if isinstance(rows, CompressedRows):
        return {name: rows.values} | ({} if rows.scale is None else {name + _SCALE: rows.scale})
    return {name: rows}


def tables_in(arrays: dict[str, NDArray[Any]]) -> dict[str, Rows]:
    """Return the tables that arrays hold, by name: what arrays_of was given.

    Errors: ValueError and KeyError for arrays that do not belong together.
    """
    tables: dict[str, Rows] = {}
    for name, array in arrays.items():
        if name.endswith(_PARTS):
            continue
        if array.dtype not in (np.float16, np.int8):
            tables[name] = array
            continue
        rows = CompressedRows(array, arrays.get(name + _SCALE))
        tables[name] = rows
        if name + _CODES in arrays:
            tables[name] = CodedRows(rows, arrays[name + _CODES], arrays[name + _CODEBOOK])
    return tables
