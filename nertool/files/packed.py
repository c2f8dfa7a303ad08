"""Read and write compressed files as streams: gz, bz2, xz, and zst with the extra `zst`."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from nertool.errors import CorpusError
from nertool.files.limits import Limited, Limits, limits

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
_MAGIC = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\x00": ".xz", b"(\xb5/\xfd": ".zst"}


class _Unpacked:
    """A decompressing stream whose errors are CorpusErrors that name the file."""

    def __init__(self, stream: Any, source: str, kind: str) -> None:
        self._stream, self._source, self._kind = stream, source, kind

    def read(self, size: int = -1) -> bytes:
        try:
            return cast(bytes, self._stream.read(size))
        except (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError) as error:
            raise self._damaged(error) from None
        except (
            Exception
        ) as error:  # zstandard has its own error class; don't import the package only to name it
            if type(error).__module__.partition(".")[0] != "zstandard":
                raise
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> CorpusError:
        return CorpusError(
            f"{self._source}: found a {self._kind} file that is cut short or damaged "
            f"({' '.join(str(error).split())}), expected a whole one"
        )


class _Peeked:
    """A stream that can't seek, whose first bytes have been read and are returned again."""

    def __init__(self, head: bytes, stream: BinaryIO, source: str) -> None:
        self._head, self._stream, self._source = head, stream, source
        self.count = 0  # bytes returned so far

    def read(self, size: int = -1) -> bytes:
        head = self._head if size < 0 else self._head[:size]
        self._head = self._head[len(head) :]
        rest = b""
        if size < 0 or not head:
            rest = read_from(self._stream, size, self._source)
        self.count += len(head) + len(rest)
        return head + rest if head else rest

    # The standard library's decompressors call these.
    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


class _Zst:
    """A zst stream of any number of frames. The library's own reader accepts a truncated stream as whole."""

    def __init__(self, stream: BinaryIO, unpacker: Any) -> None:
        self._stream, self._unpacker = stream, unpacker
        self._frame = unpacker.decompressobj()
        self._packed = self._plain = b""
        self._begun = False

    def read(self, size: int = -1) -> bytes:
        out = bytearray(self._plain)
        while size < 0 or len(out) < size:
            self._packed = self._packed or self._stream.read(1 << 16)
            if not self._packed:
                if self._begun:
                    raise EOFError("the last frame has no end")
                break
            self._begun = True
            out += self._frame.decompress(self._packed)
            self._packed = b""
            if self._frame.eof:
                self._packed = self._frame.unused_data
                self._frame = self._unpacker.decompressobj()
                self._begun = False
        end = len(out) if size < 0 else size
        self._plain = bytes(out[end:])
        return bytes(out[:end])


def read_from(stream: BinaryIO, size: int, source: str) -> bytes:
    """Read from a file. Errors: CorpusError that names the file, if reading fails (OSError)."""
    try:
        return stream.read(size)
    except OSError as error:
        raise CorpusError(f"{source}: could not be read: {error.strerror or error}") from None


@contextmanager
def readable(stream: BinaryIO, source: str, most: Limits | None = None) -> Iterator[BinaryIO]:
    """Yield a stream to read from, decompressed if its first bytes are those of a compressed format.

    most: limits to use instead of limits(). Errors: CorpusError for a damaged file, LimitError for a line or
    an unpacked size beyond the limits.
    """
    most = most or limits()
    head = b""
    while len(head) < 6 and (piece := read_from(stream, 6 - len(head), source)):
        head += piece
    peeked = _Peeked(head, stream, source)
    kind = next((suffix for magic, suffix in _MAGIC.items() if head.startswith(magic)), None)
    if kind is None:
        yield cast(BinaryIO, Limited(cast(BinaryIO, peeked), source, most))
        return
    plain = _Unpacked(_opened(cast(BinaryIO, peeked), kind, "rb"), source, kind[1:])
    yield cast(BinaryIO, Limited(cast(BinaryIO, plain), source, most, lambda: peeked.count))


@contextmanager
def packing(stream: BinaryIO, path: Path | None) -> Iterator[BinaryIO]:
    """Yield a stream to write to, compressed if the path's file extension is in SUFFIXES."""
    suffix = path.suffix if path is not None else ""
    if suffix not in SUFFIXES:
        yield stream
        return
    with _opened(stream, suffix, "wb") as packed:
        yield packed


def _opened(stream: BinaryIO, suffix: str, mode: str) -> Any:
    if suffix == ".gz":
        import gzip

        return gzip.GzipFile(fileobj=stream, mode=mode, mtime=0, filename="")
    if suffix == ".bz2":
        import bz2

        return bz2.BZ2File(cast(Any, stream), cast(Any, mode))
    if suffix == ".xz":
        return lzma.LZMAFile(stream, mode)
    try:
        import zstandard
    except ImportError:
        raise CorpusError(
            "zst files need zstandard; install it with: pip install 'nertool[zst]'"
        ) from None
    if mode == "wb":
        return zstandard.ZstdCompressor(level=10).stream_writer(stream, closefd=False)
    return _Zst(stream, zstandard.ZstdDecompressor())
