"""Open an input: find its format from its first bytes, and lose none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from nertool.catalogue import AUTO, FORMATS, Format, Formats
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.files.safe import open_input
from nertool.formats.conll.find import find_columns
from nertool.formats.conll.parse import Columns
from nertool.formats.foreign import binary_data, foreign_file, is_utf16, unread_document
from nertool.formats.head import HEAD_BYTES, Head, head_of
from nertool.formats.registry import module_of, read_format

Report = Callable[[str], None]


@dataclass(frozen=True)
class Opened:
    """An input whose format is known.

    source: its name in messages; format: its record; why: what showed the format, in words, None if
    it was named. head: its first bytes and lines; stream: all its bytes. A folder has neither, but
    its path.
    """

    source: str
    format: Format
    why: str | None
    head: Head
    stream: BinaryIO | None
    path: Path | None = None

    @property
    def whole(self) -> BinaryIO:
        """The stream of an input that is no folder."""
        assert self.stream is not None
        return self.stream

    def records(self, reading: Reading, ledger: Ledger) -> Iterator[Record]:
        """Yield the input's records. CoNLL columns have none: see `columns`.

        Errors: CorpusError with the record's place.
        """
        read = module_of(self.format).read
        records: Iterator[Record] = read(
            self.path if self.format.container == "folder" else self.stream,
            self.source,
            reading,
            ledger,
        )
        return records

    @property
    def in_columns(self) -> bool:
        """Whether the input is in CoNLL columns, which are read line by line and not as records."""
        return self.format.name == "conll"

    def columns(self, reading: Reading, report: Report) -> Columns:
        """Find the columns of an input in CoNLL columns; what is unusual about them is reported."""
        columns, unusual = find_columns(self.head.lines, reading, self.source)
        if unusual:
            report(f"{self.source}: found {unusual}")
        columns = replace(columns, class_name=reading.class_name)
        return columns if reading.labelled else replace(columns, tag=None)


@contextmanager
def open_text(
    path: Path, format_name: str = AUTO, comment: str = "", formats: Formats = FORMATS
) -> Iterator[Opened]:
    """Open a file or folder (`-`: standard input) as a format, or as the one that it shows (auto).

    comment: what begins a line of columns that is no data. Errors: CorpusError for a path that can't
    be opened.
    """
    known, why = (None, None)
    if format_name != AUTO:
        known = read_format(format_name, formats)
    elif str(path) != "-":
        known, why = detect_path(path, formats)
    if known is not None and known.container == "folder":
        yield Opened(str(path), known, why, head_of(b"", True), None, path)
        return
    with open_input(path) as (stream, source):
        yield open_stream(stream, source, format_name, comment, formats)


def open_stream(
    stream: BinaryIO,
    source: str,
    format_name: str = AUTO,
    comment: str = "",
    formats: Formats = FORMATS,
) -> Opened:
    """Open a stream of bytes as open_text opens a file; nothing is lost from it."""
    raw = b""
    while len(raw) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(raw))):
        raw += piece
    if is_utf16(raw):
        raw, stream = _from_utf16(raw + stream.read(), source)
    elif what := foreign_file(raw):
        raise CorpusError(f"{source}: {what}")
    rewound: BinaryIO = _Rewound(raw, stream)  # type: ignore[assignment]
    head = head_of(raw, len(raw) < HEAD_BYTES, comment)
    if format_name == AUTO:
        known, why = detect(head, formats)
        if known.container == "text" and (what := binary_data(raw)):
            raise CorpusError(f"{source}: {what}")
        if not known.labelled and (found := unread_document(head.text)):
            raise CorpusError(
                f"{source}: found {found.what}, expected text or labelled text; {found.remedy} (--from raw "
                "takes the marks as text)"
            )
        return Opened(source, known, why, head, rewound)
    known = read_format(format_name, formats)
    if known.container == "folder":
        raise CorpusError(
            f"{source}: found one stream of bytes, expected {known.title}; name a path"
        )
    return Opened(source, known, None, head, rewound)


def _from_utf16(raw: bytes, source: str) -> tuple[bytes, BinaryIO]:
    """Return a text in UTF-16, which its byte-order mark begins, in UTF-8: its head, and what follows."""
    try:
        text = raw.decode("utf-16").encode("utf-8")
    except UnicodeError as error:
        raise CorpusError(
            f"{source}: found a byte-order mark of UTF-16 before bytes that are none of it "
            f"({' '.join(str(error).split())}); convert the file to UTF-8"
        ) from None
    return text[:HEAD_BYTES], BytesIO(text[HEAD_BYTES:])


def detect(head: Head, formats: Formats = FORMATS) -> tuple[Format, str]:
    """Return the first format that recognises an input's first bytes, and what shows it."""
    for known in formats:
        if known.reads and known.container != "folder":
            why: str | None = module_of(known).detect(head)
            if why is not None:
                return known, why
    raise AssertionError("running text takes every input")


def detect_path(path: Path, formats: Formats = FORMATS) -> tuple[Format | None, str | None]:
    """Return the format that recognises a path, if one does that needs more than one file."""
    for known in formats:
        if known.reads and known.container == "folder":
            why: str | None = module_of(known).detect_path(path)
            if why is not None:
                return known, why
    return None, None


class _Rewound:
    """A stream that gives back first what was read from it already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = BytesIO(head), stream

    def read(self, size: int = -1) -> bytes:
        head = self._head.read(size)
        if size < 0:
            return head + self._stream.read()
        return head + self._stream.read(size - len(head)) if len(head) < size else head
