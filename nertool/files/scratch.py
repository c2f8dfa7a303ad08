"""Store large arrays in temporary files, for texts too long for memory.

The file is in the system's temporary folder (TMPDIR if that is set). It has no name, so that it disappears
with the process, even if that is killed.
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

LARGEST = 1 << 27  # bytes of an array that stays in memory
OF_TOKENS = 1 << 25  # the same for arrays with a number for each token, of which there are several
_HELD = 1 << 25  # bytes of the file that may be in memory at a time
_FAULT = 1 << 16  # bytes that the system reads at a page fault


class Stored:
    """An array (n, …) in a temporary file: `stored[rows]` reads some rows.

    array: the whole array as a read-only memory map. Call `release` after using it.
    """

    def __init__(self, file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.array: Array = np.frombuffer(self._map, dtype).reshape(shape)
        self._touched = 0
        self.shape, self.dtype = shape, dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[np.integer[Any]]) -> Array:
        """Return a copy of some rows. Memory of rows read before is released from time to time."""
        found = np.array(self.array[rows])
        self._touched += len(found) * _FAULT
        if self._touched > _HELD:
            self.release()
        return found

    def release(self) -> None:
        """Release the memory of the rows read so far."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
        self._touched = 0


class Spill:
    """An array built from pieces (·, …): in memory up to `largest` bytes, beyond that in a temporary file."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._pieces: list[Array] = []
        self._file: BinaryIO | None = None
        self._rows = self._bytes = 0

    def add(self, piece: Array) -> None:
        """Append a piece. All pieces have the same dtype, and the same shape except for the first axis.

        Errors: OutputError if the file can't be written.
        """
        self._rows += len(piece)
        self._bytes += piece.nbytes
        self._pieces.append(piece)
        if self._bytes <= self._largest:
            return
        try:
            if self._file is None:
                # It stays open as long as the array exists.
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
        """Return the array of all pieces."""
        if self._file is None:
            return np.concatenate(self._pieces)
        like = self._pieces[0]
        return Stored(self._file, (self._rows, *like.shape[1:]), like.dtype)


def _write(file: BinaryIO, array: Array) -> None:
    rest: memoryview = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    while len(rest):
        rest = rest[file.write(rest) :]


def set_aside(array: Array, largest: int = LARGEST) -> Array | Stored:
    """Copy an array: in memory, or into a temporary file if it has more than `largest` bytes.

    Errors: OutputError.
    """
    spill = Spill(largest)
    spill.add(array)
    return spill.whole()


def trim_memory() -> None:
    """Return freed memory to the system, if the C library can do that (malloc_trim).

    The C library keeps freed memory. After a long text was read, this is more than all memory in use.
    """
    trim = _trimmer()
    if trim is not None:
        trim(0)


@cache
def _trimmer() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # not the GNU library
        return None
