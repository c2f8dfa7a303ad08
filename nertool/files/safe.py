"""Open the input files that a user names, or standard input."""

from __future__ import annotations

import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from nertool.errors import CorpusError, NertoolError, did_you_mean
from nertool.files.packed import readable

_PERIOD = 0.5  # seconds after which a wait for input lets Python handle signals
_MOST_SELECTED = 1024  # select refuses file descriptors from this number on
_CHUNK = 1 << 16


class _Waiting:
    """A pipe, a terminal or a device to read from, whose reading a signal can interrupt.

    A plain read would not be interrupted by a signal that arrives just before it; here it takes effect after
    at most _PERIOD seconds. After the end of the data, `read` always returns b"", unlike that of a terminal.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, or all up to the end if size is negative."""
        pieces: list[bytes] = []
        count = 0
        while not self._ended and (size < 0 or count < size):
            if self._descriptor < _MOST_SELECTED:
                while not select.select([self._descriptor], [], [], _PERIOD)[0]:
                    pass
            piece = os.read(self._descriptor, _CHUNK if size < 0 else min(size - count, _CHUNK))
            self._ended = not piece
            pieces.append(piece)
            count += len(piece)
        return b"".join(pieces)


def _interruptible(file: BinaryIO) -> BinaryIO:
    """Return a regular file unchanged, and anything else as _Waiting. Nothing may have been read from it."""
    try:
        descriptor = file.fileno()
        if sys.platform == "win32" or stat.S_ISREG(os.fstat(descriptor).st_mode):
            return file
    except (OSError, io.UnsupportedOperation):  # closed, or in memory
        return file
    return cast(BinaryIO, _Waiting(descriptor))


@contextmanager
def open_input(path: Path) -> Iterator[tuple[BinaryIO, str]]:
    """Open a file, or standard input for `-`, and decompress it if it is compressed.

    Yields the stream and its name for messages. Errors: CorpusError for a missing file, or a damaged
    compressed file.
    """
    if str(path) == "-":
        with readable(_interruptible(sys.stdin.buffer), "<stdin>") as stream:
            yield stream, "<stdin>"
        return
    try:
        file = open(path, "rb")  # noqa: SIM115  # closed below
    except FileNotFoundError:
        near = did_you_mean(path.name, [sibling.name for sibling in path.parent.glob("*")])
        raise CorpusError(f"{path}: no such file, expected a text to read{near}") from None
    except IsADirectoryError:
        raise CorpusError(f"{path}: found a folder, expected a file") from None
    with file, readable(_interruptible(file), str(path)) as stream:
        yield stream, str(path)


def need_regular(
    path: Path, kind: type[NertoolError] = CorpusError, why: str = "it is read more than once"
) -> None:
    """Refuse a named pipe, a device or standard input where a regular file is needed. Errors: `kind`.

    A missing file is accepted: opening it gives a better message.
    """
    name = str(path)
    if name == "-" or (os.path.exists(path) and not path.is_file() and not path.is_dir()):
        what = "standard input" if name == "-" else "a pipe or a device"
        raise kind(
            f"{path}: found {what}, expected a regular file, since {why}; write it to a file first"
        )
