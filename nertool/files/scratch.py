"""Rows of numbers that are set aside in a temporary file while they are not needed: for texts so long that
memory would not hold them.

The file lies in the system's folder for temporary files (TMPDIR, where it is set). It has no name there, so
that it is gone as soon as the process ends, however that ends.
"""

from __future__ import annotations

import ctypes
import mmap
import tempfile
from functools import cache
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from nertool.errors import OutputError

Array = NDArray[Any]

LARGEST = 1 << 27  # bytes that stay in memory
OF_TOKENS = 1 << 25  # the same, for one of the several arrays with a number for each token
_HELD = 1 << 25  # bytes of the file that may be in memory at a time
_FAULT = 1 << 16  # bytes that the system brings in for one that is read


class Stored:
    """An array (n, …) in a temporary file: `stored[rows]` reads some rows. array: all of it, read-only;
    `release` after use."""

    def __init__(self, file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.array: Array = np.frombuffer(self._map, dtype).reshape(shape)
        self._touched = 0
        self.shape, self.dtype = shape, dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[np.integer[Any]]) -> Array:
        """Return a copy of some rows; what was read is given back to the system from time to time."""
        found = np.array(self.array[rows])
        self._touched += len(found) * _FAULT
        if self._touched > _HELD:
            self.release()
        return found

    def release(self) -> None:
        """Give back to the system the memory of what was read."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
        self._touched = 0


class Spill:
    """An array that is put together from pieces (·, …), in memory up to `largest` bytes, then in a file."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._pieces: list[Array] = []
        self._file: BinaryIO | None = None
        self._rows = self._bytes = 0

    def add(self, piece: Array) -> None:
        """Add a piece: all have the same dtype, and the same shape but for their length. Errors:
        OutputError where the file can't be written."""
        self._rows += len(piece)
        self._bytes += piece.nbytes
        self._pieces.append(piece)
        if self._bytes <= self._largest:
            return
        try:
            if self._file is None:
                # Open for as long as the array is there.
                self._file = cast(BinaryIO, tempfile.TemporaryFile(buffering=0))  # noqa: SIM115
            for own in self._pieces:
                _write(self._file, own)
        except OSError as error:
            raise OutputError(
                f"{tempfile.gettempdir()}: {error.strerror} (after {self._bytes / 1e9:.1f} GB of temporary "
                "data of a long text); make room there, or set TMPDIR to a folder with more"
            ) from None
        self._pieces = [piece[:0]]

    def whole(self) -> Array | Stored:
        """Return the array, once all pieces are there."""
        if self._file is None:
            return np.concatenate(self._pieces)
        like = self._pieces[0]
        return Stored(self._file, (self._rows, *like.shape[1:]), like.dtype)


def _write(file: BinaryIO, array: Array) -> None:
    rest: memoryview = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    while len(rest):
        rest = rest[file.write(rest) :]


def set_aside(array: Array, largest: int = LARGEST) -> Array | Stored:
    """Return a copy of an array: in memory, or in a file if it has more bytes than `largest`. Errors:
    OutputError."""
    spill = Spill(largest)
    spill.add(array)
    return spill.whole()


def trim_memory() -> None:
    """Give back to the system what was freed: the C library keeps it, which after reading a long text is more
    than all that is in use. Nothing happens where it has no such function."""
    trim = _trimmer()
    if trim is not None:
        trim(0)


@cache
def _trimmer() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # not the GNU library
        return None
