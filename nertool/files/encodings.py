"""Convert text in other encodings to UTF-8, before anything else reads it."""

from __future__ import annotations

import codecs
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from nertool.errors import CorpusError
from nertool.files.safe import open_input

HEAD_BYTES = 1 << 16
_CHUNK = 1 << 18
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def not_utf8(place: str, error: UnicodeDecodeError) -> CorpusError:
    """Return the CorpusError for bytes that are not UTF-8. place: file:line."""
    return CorpusError(
        f"{place}: found the byte 0x{error.object[error.start]:02x}, expected UTF-8 text; name the file's "
        "encoding, such as --encoding latin-1 (corpus.encoding), or convert it with iconv"
    )


def head_from(stream: BinaryIO) -> bytes:
    """Read the first HEAD_BYTES bytes of a stream, or fewer at its end."""
    raw = b""
    while len(raw) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(raw))):
        raw += piece
    return raw


def encoding_of(head: bytes) -> str | None:
    """Return utf-16 or utf-32 if the bytes begin with its byte-order mark, else None."""
    if head[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "utf-32"
    return "utf-16" if head.startswith(_UTF16) else None


def in_utf8(stream: BinaryIO, encoding: str, source: str) -> BinaryIO:
    """Return a stream that converts text from an encoding to UTF-8.

    Errors: CorpusError, at once for an unknown encoding, and while reading for bytes that are invalid in it.
    """
    try:
        known = codecs.lookup(encoding)
        if not known._is_text_encoding:
            raise LookupError
    except (LookupError, ValueError):  # a name with a zero byte
        raise CorpusError(
            f"{source}: found the encoding {encoding} (--encoding, corpus.encoding), expected a name that "
            "Python knows, such as latin-1, cp1252 or utf-8"
        ) from None
    return cast(BinaryIO, _Recoded(stream, known.name, source))


def is_utf8(path: Path) -> bool:
    """Tell whether a whole file is valid UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_input(path) as (stream, _):
        try:
            while piece := stream.read(_CHUNK):
                decoder.decode(piece)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return False
    return True


def as_utf8(raw: bytes, encoding: str | None, source: str) -> bytes:
    """Return a whole text in UTF-8. encoding: as in Reading. Errors: as in in_utf8."""
    encoding = encoding or encoding_of(raw)
    return in_utf8(BytesIO(raw), encoding, source).read() if encoding else raw


def read_text(stream: BinaryIO, encoding: str | None, source: str) -> str:
    """Read a whole text as a string, with line ends and byte-order mark unchanged. Errors: as in in_utf8."""
    raw = as_utf8(stream.read(), encoding, source)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise not_utf8(f"{source}:{line}", error) from None


class _Recoded:
    """A stream that decodes the bytes of another stream, and returns them in UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str, source: str) -> None:
        self._stream, self._encoding, self._source = stream, encoding, source
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._line = 1
        self._rest = b""
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes of UTF-8, or all up to the end if size is negative."""
        pieces = [self._rest]
        length = len(self._rest)
        while not self._ended and (size < 0 or length < size):
            pieces.append(self._next())
            length += len(pieces[-1])
        text = b"".join(pieces)
        self._rest = text[size:] if size >= 0 else b""
        return text[:size] if size >= 0 else text

    def _next(self) -> bytes:
        raw = self._stream.read(_CHUNK)
        self._ended = not raw
        try:
            text = self._decoder.decode(raw, final=not raw)
        except UnicodeError as error:
            at = getattr(error, "start", 0)
            found = getattr(error, "object", b"")
            line = self._line + bytes(found[:at]).count(b"\n")
            byte = f"the byte 0x{found[at]:02x}" if at < len(found) else "bytes"
            raise CorpusError(
                f"{self._source}:{line}: found {byte}, expected text in {self._encoding} "
                f"({getattr(error, 'reason', error)}); name its encoding by --encoding (corpus.encoding)"
            ) from None
        self._line += text.count("\n")
        return text.encode("utf-8", "surrogatepass")


class Rewound:
    """A stream that returns the bytes already read from it once more, then the rest."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = BytesIO(head), stream

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, or all up to the end if size is negative."""
        head = self._head.read(size)
        if size < 0:
            return head + self._stream.read()
        return head + self._stream.read(size - len(head)) if len(head) < size else head
