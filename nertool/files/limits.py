"""Limits on the memory that one input can use: length of a line, unpacked size of a file, number of classes.

A compressed file of two megabytes can contain one line of two gigabytes. All limits can be raised by
environment variables: NERTOOL_MAX_LINE (bytes of a line), NERTOOL_MAX_UNPACKED (bytes of one unpacked file)
and NERTOOL_MAX_CLASSES.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from nertool.errors import LimitError, NertoolError

MAX_LINE, MAX_UNPACKED = "NERTOOL_MAX_LINE", "NERTOOL_MAX_UNPACKED"
MAX_CLASSES = "NERTOOL_MAX_CLASSES"
_MOST_CLASSES = 1000
MAX_WORKERS, MAX_N_BEST = 256, 1000  # for the command line and the Python API
_CHUNK = 1 << 20


class Limits(NamedTuple):
    """Limits on the size of input files.

    line: the most bytes of a line. unpacked: the most bytes that a compressed file may unpack to.
    ratio: the highest ratio of unpacked to compressed size, checked beyond `free` unpacked bytes. Text has a
    ratio of 10 to 20; a file made to exhaust memory has about 1000.
    """

    line: int = 128 << 20
    unpacked: int = 64 << 30
    ratio: int = 200
    free: int = 1 << 30


def limits() -> Limits:
    """Return the current limits.

    Errors: NertoolError for an environment variable that is not a positive whole number.
    """
    line, unpacked = _number(MAX_LINE), _number(MAX_UNPACKED)
    found = Limits()
    if line:
        found = found._replace(line=line)
    if unpacked:  # a limit that the user sets holds for any ratio
        found = found._replace(unpacked=unpacked, free=unpacked)
    return found


def check_classes(number: int, source: str) -> None:
    """Refuse to learn very many classes. Errors: LimitError.

    The time for each token, and the memory of the Viterbi search, grow with the square of their number.
    """
    most = _number(MAX_CLASSES, "1000") or _MOST_CLASSES
    if number > most:
        raise LimitError(
            f"{source}: found {number:,} classes of entities, expected at most {most:,}: time and memory "
            "grow with the square of their number; choose some (corpus.labels), merge them, or allow it "
            f"with {MAX_CLASSES}={number}"
        )


def _number(name: str, example: str = "1000000000") -> int | None:
    text = os.environ.get(name)
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise NertoolError(f"{name}: found {text}, expected a whole number, such as {example}")
    return number


class Limited:
    """A stream that raises LimitError for a line, or a file, that is longer than the limits allow.

    packed: returns the number of bytes read so far from the compressed file. None: not compressed.
    """

    def __init__(
        self,
        stream: BinaryIO,
        source: str,
        most: Limits,
        packed: Callable[[], int] | None = None,
    ) -> None:
        self._stream, self._source, self._most, self._packed = stream, source, most, packed
        self._line = self._total = 0

    def read(self, size: int = -1) -> bytes:
        """Read like a file's `read`. Errors: LimitError."""
        if size >= 0:
            return self._checked(self._stream.read(size))
        pieces = []
        while piece := self._checked(self._stream.read(_CHUNK)):
            pieces.append(piece)
        return b"".join(pieces)

    def _checked(self, piece: bytes) -> bytes:
        self._total += len(piece)
        end = piece.rfind(b"\n")
        if end < 0:
            longest = self._line = self._line + len(piece)
        else:
            first = self._line + piece.find(b"\n")
            self._line = len(piece) - end - 1
            longest = max(first, self._line)
            # Lines that begin and end within one piece are shorter than the piece.
            if len(piece) > self._most.line:
                longest = max(longest, *map(len, piece[:end].split(b"\n")))
        if longest > self._most.line:
            raise LimitError(
                f"{self._source}: found a line of more than {self._most.line:,} bytes, which would take "
                f"several times as much memory; break it into lines, or allow it with {MAX_LINE}=BYTES"
            )
        if self._packed is not None:
            self._check_unpacked(self._packed())
        return piece

    def _check_unpacked(self, packed: int) -> None:
        most = self._most
        beyond_ratio = self._total > most.free and self._total > most.ratio * packed
        if self._total > most.unpacked or beyond_ratio:
            what = f"{most.ratio} times its size" if beyond_ratio else f"{most.unpacked:,} bytes"
            raise LimitError(
                f"{self._source}: found a packed file that holds more than {what}, which looks made to fill "
                f"memory; unpack it first, or allow it with {MAX_UNPACKED}=BYTES"
            )
