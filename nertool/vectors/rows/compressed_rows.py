"""Compress rows of 32-bit floats to half the size (float16), or a quarter (int8 with a scale per row)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES = ("float16", "int8")
_LARGEST_INT8 = np.float32(127)
_LARGEST_SCALE = np.nextafter(np.finfo(np.float32).max / _LARGEST_INT8, np.float32(0))


def quantise(matrix: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantise a matrix (V, d) to int8 with a scale for each row (V,): the largest value becomes ±127.

    The error of a value is at most half a step, 1/254 of the largest absolute value in its row. A row whose
    scale would be below the smallest normal float becomes 0.
    """
    scale = (np.abs(matrix).max(axis=1, initial=0.0) / _LARGEST_INT8).astype(np.float32)
    scale = np.minimum(scale, _LARGEST_SCALE)  # 127 times it is finite
    scale[scale < np.finfo(np.float32).tiny] = 0
    divisor = np.where(scale > 0, scale, 1).astype(np.float32)
    steps = np.rint(matrix / divisor[:, None]) * (scale > 0)[:, None]
    return np.clip(steps, -127, 127).astype(np.int8), scale


@dataclass(frozen=True, eq=False)
class CompressedRows:
    """A compressed matrix (V, d): `rows[numbers]` returns rows as float32.

    values (V, d): float16 or int8. scale (V,): float32, only with int8; row i is values[i] × scale[i].
    Errors: ValueError for arrays of other dtypes or shapes.
    """

    values: NDArray[Any]
    scale: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Check that the arrays belong together."""
        if self.values.ndim != 2 or self.values.dtype not in (np.float16, np.int8):
            raise ValueError(f"found {self.values.dtype} {self.values.shape}, expected rows")
        if (self.values.dtype == np.int8) != (self.scale is not None):
            raise ValueError("expected a scale for each row of int8, and none for float16")
        if self.scale is not None and (
            self.scale.shape != self.values.shape[:1] or self.scale.dtype != np.float32
        ):
            raise ValueError(f"found scales {self.scale.shape}, expected one a row")

    @classmethod
    def of(cls, rows: NDArray[Any] | CompressedRows, dtype: str) -> CompressedRows:
        """Compress rows to a dtype of DTYPES. Compressed rows are returned unchanged, to lose no precision.

        Errors: ValueError for a value that is too large for float16.
        """
        if isinstance(rows, CompressedRows):
            return rows
        if dtype == "int8":
            return cls(*quantise(rows))
        with np.errstate(over="ignore"):  # values that are too large are refused below
            values = rows.astype(np.float16)
        if not np.isfinite(values).all():
            raise ValueError("found a value above 65504, which float16 can't hold; take int8")
        return cls(values)

    def __len__(self) -> int:
        """Return V."""
        return len(self.values)

    @property
    def shape(self) -> tuple[int, int]:
        """(V, d)."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def size(self) -> int:
        """The number of values."""
        return self.values.size

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """The dtype of the rows that are returned: float32."""
        return np.dtype(np.float32)

    def __getitem__(self, numbers: Any) -> NDArray[np.float32]:
        """Return one row (d,) or several rows (n, d) as float32."""
        rows = np.asarray(self.values[numbers], dtype=np.float32)
        if self.scale is not None:
            rows = rows * np.asarray(self.scale[numbers])[..., None]
        return np.asarray(rows)

    def select(self, numbers: NDArray[np.integer]) -> CompressedRows:
        """Return some of the rows, still compressed."""
        scale = None if self.scale is None else self.scale[numbers]
        return CompressedRows(self.values[numbers], scale)
