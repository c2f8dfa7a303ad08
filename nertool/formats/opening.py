"""Open an input and detect its format from its first bytes, which a reader still gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from nertool.catalogue import AUTO, FORMATS, Format, Formats
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.files.encodings import HEAD_BYTES, Rewound, encoding_of, head_from, in_utf8
from nertool.files.safe import open_input
from nertool.formats.conll.find import find_columns
from nertool.formats.conll.parse import Columns
from nertool.formats.foreign import binary_data, foreign_file
from nertool.formats.head import Head, head_of
from nertool.formats.meant import meant
from nertool.formats.registry import module_of, read_format

Report = Callable[[str], None]
_USUAL = Reading()


@dataclass(frozen=True)
class Opened:
    """An open input whose format is known.

    source: the input's name in messages. format: the record of its format. why: the reason for the detected
    format, in words; None if the user named the format. head: the first bytes and lines. stream: all bytes.
    A folder has an empty head, no stream, but a path.
    """

    source: str
    format: Format
    why: str | None
    head: Head
    stream: BinaryIO | None
    path: Path | None = None

    @property
    def whole(self) -> BinaryIO:
        """The stream of an input that is not a folder."""
        assert self.stream is not None
        return self.stream

    def records(self, reading: Reading, ledger: Ledger) -> Iterator[Record]:
        """Yield the input's records. CoNLL columns have no records: see `columns`.

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
        """Whether the input is in CoNLL columns, which are read by lines and not as records."""
        return self.format.name == "conll"

    def columns(self, reading: Reading, report: Report) -> Columns:
        """Detect the columns of an input in CoNLL columns, and report what is unusual about them.

        Errors: CorpusError if the first line is too long to be a row of columns.
        """
        if not self.head.whole and b"\n" not in self.head.raw:
            raise CorpusError(
                f"{self.source}:1: found a line of more than {len(self.head.raw):,} bytes, expected a word "
                "and its tag; if this is running text, say so by the option that names the format "
                "(--from raw, or --format raw)"
            )
        columns, unusual = find_columns(self.head.lines, reading, self.source)
        if unusual:
            report(f"{self.source}: found {unusual}")
        columns = replace(columns, class_name=reading.class_name)
        return columns if reading.labelled else replace(columns, tag=None)


@contextmanager
def open_text(
    path: Path,
    format_name: str = AUTO,
    reading: Reading = _USUAL,
    formats: Formats = FORMATS,
) -> Iterator[Opened]:
    """Open a file or folder in the named format, or detect the format (auto). `-` is standard input.

    Errors: CorpusError for a path that can't be opened, and for a file that is not text.
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
        yield open_stream(stream, source, format_name, reading, formats)


def open_stream(
    stream: BinaryIO,
    source: str,
    format_name: str = AUTO,
    reading: Reading = _USUAL,
    formats: Formats = FORMATS,
) -> Opened:
    """Open a stream of bytes as open_text opens a file. The result's stream begins at the first byte."""
    raw = head_from(stream)
    rewound = Rewound(raw, stream)
    encoding = reading.encoding or encoding_of(raw)
    if encoding and not _in_bytes(raw, format_name, formats):
        recoded = in_utf8(cast(BinaryIO, rewound), encoding, source)
        raw = head_from(recoded)
        rewound = Rewound(raw, recoded)
    if what := foreign_file(raw):
        raise CorpusError(f"{source}: {what}")
    head = head_of(raw, len(raw) < HEAD_BYTES, reading, source)
    if format_name == AUTO:
        known, why = detect(head, formats)
        if known.container == "text" and (what := binary_data(raw)):
            raise CorpusError(f"{source}: {what}")
        if known.container == "text" and not known.module.startswith("json.") and _old_mac(raw):
            raise CorpusError(
                f"{source}: found lines that end with CR alone, as on old Macs, expected LF or CRLF; convert "
                "the file, for example with: tr '\\r' '\\n'"
            )
        if not known.labelled and formats is FORMATS:
            known, why = meant(known, why, head, source)
        return Opened(source, known, why, head, cast(BinaryIO, rewound))
    known = read_format(format_name, formats)
    if known.container == "folder":
        raise CorpusError(
            f"{source}: found one stream of bytes, expected {known.title}; name a path"
        )
    return Opened(source, known, None, head, cast(BinaryIO, rewound))


def _old_mac(raw: bytes) -> bool:
    """Tell whether a text has several lines that end with CR alone."""
    return b"\n" not in raw and raw.rstrip(b"\r").count(b"\r") > 1


def _in_bytes(raw: bytes, format_name: str, formats: Formats) -> bool:
    """Tell whether an input is in a binary format, so that it has no text encoding."""
    named = [f for f in formats if f.container == "binary" and f.reads]
    if format_name != AUTO:
        return any(format_name in (f.name, *f.other_names) for f in named)
    head = head_of(raw, len(raw) < HEAD_BYTES)
    return any(module_of(f).detect(head) is not None for f in named)


def detect(head: Head, formats: Formats = FORMATS) -> tuple[Format, str]:
    """Return the first format that recognises an input's first bytes, and the reason in words."""
    for known in formats:
        if known.reads and known.container != "folder":
            why: str | None = module_of(known).detect(head)
            if why is not None:
                return known, why
    raise AssertionError("running text takes every input")


def detect_path(path: Path, formats: Formats = FORMATS) -> tuple[Format | None, str | None]:
    """Return the first format of several files that recognises a path, and the reason in words.

    (None, None) if no such format does.
    """
    for known in formats:
        if known.reads and known.container == "folder":
            why: str | None = module_of(known).detect_path(path)
            if why is not None:
                return known, why
    return None, None
