"""Tables of rows as a model stores them: plain arrays, compressed rows or coded rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.vectors.rows.coded_rows import CodedRows
from nertool.vectors.rows.compressed_rows import CompressedRows

COMPRESSED = (CompressedRows, CodedRows)
Rows = NDArray[Any] | CompressedRows | CodedRows


def expanded(rows: Rows) -> NDArray[Any]:
    """Return all rows as an array of floats (V, d)."""
    return rows[:] if isinstance(rows, COMPRESSED) else rows


def selected(
    rows: NDArray[Any] | CompressedRows, numbers: NDArray[np.integer]
) -> NDArray[Any] | CompressedRows:
    """Return some of the rows; compressed rows stay compressed."""
    return rows.select(numbers) if isinstance(rows, CompressedRows) else rows[numbers]


# Suffixes of array names: the array NAME.scale belongs to the table NAME.
_SCALE, _CODES, _CODEBOOK = ".scale", ".codes", ".codebook"
_PARTS = (_SCALE, _CODES, _CODEBOOK)


def arrays_of(name: str, rows: Rows) -> dict[str, NDArray[Any]]:
    """Return the arrays in which a table is stored, by name."""
    if isinstance(rows, CodedRows):
        own = arrays_of(name, rows.own)
        return {**own, name + _CODES: rows.codes, name + _CODEBOOK: rows.codebook}
    if isinstance(rows, CompressedRows):
        return {name: rows.values} | ({} if rows.scale is None else {name + _SCALE: rows.scale})
    return {name: rows}


def tables_in(arrays: dict[str, NDArray[Any]]) -> dict[str, Rows]:
    """Return the tables stored in arrays, by name: the inverse of arrays_of.

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
