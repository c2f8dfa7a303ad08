"""Rows of 32-bit floats in half the room or a quarter of it: as float16, or as int8 with a scale a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES = ("float16", "int8")
_LARGEST_INT8 = np.float32(127)
_LARGEST_SCALE = np.nextafter(np.finfo(np.float32).max / _LARGEST_INT8, np.float32(0))


def quantise(matrix: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a matrix (V, d) as int8 with a scale for each row: the largest value becomes ±127.

    A value is then off by at most half a step, 1/254 of its row's largest value. A row whose scale would be
    below the smallest normal float becomes 0.
    """
    scale = (np.abs(matrix).max(axis=1, initial=0.0) / _LARGEST_INT8).astype(np.float32)
    scale = np.minimum(scale, _LARGEST_SCALE)  # 127 times it is finite
    scale[scale < np.finfo(np.float32).tiny] = 0
    divisor = np.where(scale > 0, scale, 1).astype(np.float32)
    steps = np.rint(matrix / divisor[:, None]) * (scale > 0)[:, None]
    return np.clip(steps, -127, 127).astype(np.int8), scale


@dataclass(frozen=True, eq=False)
class CompressedRows:
    """A matrix (V, d) that is read by rows, as float32: `rows[numbers]`.

    values (V, d): float16 or int8; scale (V,) float32 beside int8: a row is values[i] × scale[i]. Errors:
    ValueError for arrays of other kinds or shapes.
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
        """Compress rows; those that are compressed stay as they are, so that nothing is lost twice.

        Errors: ValueError for a value that is too large for float16.
        """
        if isinstance(rows, CompressedRows):
            return rows
        if dtype == "int8":
            return cls(*quantise(rows))
        with np.errstate(over="ignore"):  # what is too large is refused below
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
        """What the rows are read as: float32."""
        return np.dtype(np.float32)

    def __getitem__(self, numbers: Any) -> NDArray[np.float32]:
        """Return rows by their numbers, as float32: one (d,) or several (n, d)."""
        rows = np.asarray(self.values[numbers], dtype=np.float32)
        if self.scale is not None:
            rows = rows * np.asarray(self.scale[numbers])[..., None]
        return np.asarray(rows)

    def select(self, numbers: NDArray[np.integer]) -> CompressedRows:
        """Return some of the rows, compressed as they are."""
        scale = None if self.scale is None else self.scale[numbers]
        return CompressedRows(self.values[numbers], scale)
