"""Recognise a file of word vectors by its content, and cut it into rows of a word and its values.

The formats are word2vec binary and text, and GloVe text (without a header), each also gzipped. Faults are
found row by row, so that errors name the line or the vector.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from nertool.errors import VectorsError, did_you_mean

# The number of the line (text) or vector (binary), from 1; the word; its values as bytes of the file.
Row = tuple[int, bytes, bytes]

EXPECTED = "expected word vectors (word2vec binary or text, or GloVe text, each also gzipped)"
HEAD_BYTES = (
    1 << 20
)  # bytes from which the format is recognised; enough for a first line of 40,000 values
LONGEST_WORD = 1 << 16
DEFLATE_RATIO = 1032  # the highest compression ratio of gzip (zlib's technical notes)
HEADER = re.compile(rb"([+-]?\d{1,100})[ \t]+([+-]?\d{1,100})\s*")
FLORET_HEAD = rb"(?:\d{1,10} ){6}[^\s\d.+-]+ [^\s\d.+-]+\n"
STRANGERS = (  # beginnings of other kinds of files, which no GloVe file has
    (
        rb"\x80[\x02-\x05]",
        "a Python pickle (gensim's own?); if it is yours, convert it first: nertool vectors convert --trust",
    ),
    (rb"PK\x03\x04|7z\xbc\xaf|.{257}ustar(\0|  \0)", "an archive; unpack it"),
    (rb"\x1f\x8b", "a gzip file inside a gzip file; unpack it once"),
    (rb"BZh\d1AY|\xfd7zXZ|\x28\xb5\x2f\xfd", "a compressed file that is not gzip; unpack it"),
    (
        rb"\x93NUMPY",
        "a numpy array (.npy); convert it first: nertool vectors convert --words WORDS",
    ),
    (rb".{5}\0\0\0\{", "a safetensors file; export it with its words"),
    (
        rb"\xba\x16\x4f\x2f",
        "a fastText model (.bin); convert it first (unpacked): nertool vectors convert, or use its .vec file",
    ),
    (FLORET_HEAD, "a floret table; convert it first: nertool vectors convert"),
    (rb"\x7fELF|MZ.\0", "a program; name another file"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8\da|%PDF-\d", "an image or a PDF; name another file"),
    (rb"\xff\xfe|\xfe\xff", "UTF-16 text; save it as UTF-8"),
    (rb"version https://git-lfs", "a Git LFS pointer; fetch the file with git lfs pull"),
    (rb"(?i)\s*<(!doctype|html|\?xml)", "a web page; download the file itself"),
)


@dataclass(frozen=True)
class Layout:
    """The format of a file.

    promised: the number of rows in the header, None without a header. dimension: d. start: the byte at which
    the rows start.
    """

    path: Path
    gzipped: bool
    binary: bool
    promised: int | None
    dimension: int
    start: int

    @property
    def format(self) -> str:
        """The name of the format, such as "word2vec text, gzip"."""
        text = "GloVe text (no header)" if self.promised is None else "word2vec text"
        return ("word2vec binary" if self.binary else text) + (", gzip" if self.gzipped else "")

    def place(self, number: int) -> str:
        """Return the position of a vector for messages: its number in a binary file, its line in a text."""
        return f"{self.path}: vector {number}" if self.binary else f"{self.path}:{number}"


def vector_rows(stream: BinaryIO, layout: Layout, limit: int | None) -> Iterator[Row]:
    """Yield the first `limit` rows (None: all), in file order. Errors: VectorsError with the position."""
    stream.seek(layout.start)
    return (_binary_rows if layout.binary else _text_rows)(stream, layout, limit)


@contextmanager
def open_vectors(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """Open a file for reading, decompressed if its content is gzip; yield (stream, whether it is gzip).

    Errors: VectorsError for a missing file, a folder or a device.
    """
    if not path.exists():
        here = path.parent.is_dir()
        siblings = [each.name for each in path.parent.iterdir()] if here else []
        found = "no such file" if here else f"no folder {path.parent}"
        hint = did_you_mean(path.name, siblings) or "; name a file that exists"
        raise VectorsError(f"{path}: found {found}, {EXPECTED}{hint}")
    if not path.is_file():
        found = "a folder" if path.is_dir() else "something that is not a regular file"
        raise VectorsError(f"{path}: found {found}, {EXPECTED}; name a file")
    with path.open("rb") as plain:
        gzipped = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        # GzipFile closes nothing that it did not open itself.
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if gzipped else plain
        yield stream, gzipped


def recognise(path: Path, stream: BinaryIO, gzipped: bool) -> Layout:
    """Recognise the format of a file from its beginning.

    Errors: VectorsError if it has none of the formats, or a header that can't be true.
    """
    head = stream.read(HEAD_BYTES)
    start = 3 if head.startswith(b"\xef\xbb\xbf") else 0  # a UTF-8 byte order mark
    if not head[start:].strip():
        raise VectorsError(f"{path}: found an empty file, {EXPECTED}; download or copy it again")
    first_line, _, rest = head[start:].partition(b"\n")
    header = HEADER.fullmatch(first_line)
    if header is None:
        seems = [name for pattern, name in STRANGERS if re.match(pattern, head, re.DOTALL)]
        odd = _divided_otherwise(first_line)
        if not seems and not odd and _looks_like_row(first_line):
            return Layout(path, gzipped, False, None, first_line.rstrip().count(b" "), start)
        seems += odd
        seems.append(f"a file that starts with {shown(first_line)}; name another file")
        found, _, remedy = seems[0].rpartition("; ")
        raise VectorsError(f"{path}: found {found}, {EXPECTED}; {remedy}")

    promised, dimension = int(header[1]), int(header[2])
    found = f"found a header that promises {promised:,} vectors of {dimension:,} values"
    if promised < 1 or dimension < 1:
        raise VectorsError(f"{path}:1: {found}, expected at least 1 of each; correct the header")
    if not rest.strip():
        raise VectorsError(f"{path}:1: {found}, expected them to follow; download or copy it again")
    binary = not _looks_like_text(rest, dimension)
    # The least a row can take: a space and 4-byte values, or a space and a digit for each value.
    least = promised * (1 + 4 * dimension if binary else 2 * dimension)
    size = path.stat().st_size
    if least > size * (DEFLATE_RATIO if gzipped else 1):
        raise VectorsError(
            f"{path}:1: {found}, expected a file of at least {least:,} bytes, but it has {size:,}; "
            "it is cut off or not word vectors: download or copy it again"
        )
    return Layout(path, gzipped, binary, promised, dimension, start + len(first_line) + 1)


def _divided_otherwise(line: bytes) -> list[str]:
    """Return what separates the values of a line, and how to correct it; [] for single blanks."""
    line = line.rstrip()
    for found, remedy, sign, blank in (
        ("values separated by tabs", "tr '\\t' ' '", b"\t", b" "),
        ("values separated by several spaces", "tr -s ' '", b"  ", b" "),
        ("numbers with a decimal comma", "tr , .", b",", b"."),
        ("values separated by commas", "tr , ' '", b",", b" "),
        ("values separated by semicolons", "tr ';' ' '", b";", b" "),
    ):
        mended = re.sub(re.escape(sign) + b"+", blank, line)
        word, *values = mended.split(b" ")
        divides = mended != line and word and values and sign in line[len(word) :]
        if divides and all(map(is_number, values)):
            return [f"{found}; correct it: {remedy} < FILE > NEW"]
    return []


def _looks_like_row(line: bytes) -> bool:
    """Tell whether at least half of the fields after the word are numbers.

    Not all, since one faulty value must not hide the format.
    """
    numbers = [is_number(field) for field in line.rstrip().split(b" ")[1:]]
    return bool(numbers) and 2 * sum(numbers) >= len(numbers)


def _looks_like_text(rows: bytes, dimension: int) -> bool:
    """Tell whether the data after the header are text, not binary.

    They are if the first line looks like a row. This line may be faulty, or it may be too short, since a
    binary value can contain the byte of a line end. Therefore the data also count as text if the bytes where
    a binary file has its first vector are digits, signs and spaces alone, or if the first 64 to 256 bytes are
    printable ASCII.
    """
    first_row = rows.lstrip(b"\r\n").partition(b"\n")[0]
    whole = first_row.rstrip().count(b" ") >= dimension
    values = rows.lstrip(b"\r\n").partition(b" ")[2][: 4 * dimension]
    return (
        (whole and _looks_like_row(first_row))
        or bool(re.fullmatch(rb"[-+.0-9e ]+", values))
        or bool(re.fullmatch(rb"[\t\r\n -~]{64,}", rows[:256]))
    )


def is_number(field: bytes) -> bool:
    """Tell whether `float` accepts a field."""
    try:
        float(field)
    except ValueError:
        return False
    return True


def shown(word: bytes) -> str:
    """Quote the first 40 characters of a word for a message, with unprintable characters escaped."""
    start = word[:160].decode(errors="backslashreplace")[:40]
    return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in start) + '"'


def _text_rows(stream: BinaryIO, layout: Layout, limit: int | None) -> Iterator[Row]:
    """Cut text into rows, without blank lines.

    Errors: VectorsError for a row of the wrong width, and for a wrong number of rows in the header.
    """
    promised, dimension = layout.promised, layout.dimension
    wanted = min(limit or sys.maxsize, promised or sys.maxsize)
    found = 0
    for number, line in enumerate(stream, 1 if promised is None else 2):
        row = line.rstrip()
        if not row:
            continue
        if found == wanted:
            if wanted == promised:
                raise VectorsError(
                    f"{layout.place(number)}: found a line after the {promised:,} vectors that the "
                    "header promises, expected the end of the file; correct the header's first number"
                )
            return
        word, values = _split(row, dimension, layout.place(number))
        yield number, word, values
        found += 1
    if promised is not None and found < wanted:
        raise _too_few(layout, found)


def _split(row: bytes, dimension: int, place: str) -> tuple[bytes, bytes]:
    """Split a row into (word, values); a word may contain spaces. Errors: VectorsError for a wrong width."""
    if row.count(b" ") == dimension:
        word, _, values = row.partition(b" ")
        return word, values
    fields = row.split(b" ")
    width = len(fields) - 1
    surplus = fields[1:-dimension]
    blank = not row[: width - dimension + 1].strip(b" ")  # the word consists of blanks alone
    if width < dimension or (not blank and any(not f or is_number(f) for f in surplus)):
        odd = _divided_otherwise(row)
        found = odd[0].partition("; ")[0] if odd else f"{width} values"
        remedy = odd[0].partition("; ")[2] if odd else "correct the line"
        raise VectorsError(
            f"{place}: found {found}, expected {dimension} values with single blanks between; "
            f"{remedy}, or download or copy the file again"
        )
    return b" ".join(fields[:-dimension]), b" ".join(fields[-dimension:])


def _binary_rows(stream: BinaryIO, layout: Layout, limit: int | None) -> Iterator[Row]:
    """Cut binary content into rows of a word, a space and d little-endian float32.

    Errors: VectorsError for a word without end, and for a wrong number of vectors in the header.
    """
    promised, value_bytes = cast(int, layout.promised), 4 * layout.dimension
    wanted = min(limit or promised, promised)
    buffer, at = b"", 0
    for number in range(1, wanted + 1):
        while (space := buffer.find(b" ", at)) < 0 or len(buffer) <= space + value_bytes + 1:
            more = stream.read(HEAD_BYTES)
            if space < 0 and len(buffer) - at > LONGEST_WORD:
                raise VectorsError(
                    f"{layout.place(number)}: found no space in {LONGEST_WORD:,} bytes, expected a "
                    "word and a space; the file is damaged, or its header has the wrong dimension"
                )
            if not more and (space < 0 or len(buffer) <= space + value_bytes):
                raise _too_few(layout, number - 1)
            if not more:
                break
            buffer, at = buffer[at:] + more, 0
        # word2vec.c ends each vector with a line break, gensim does not.
        word = buffer[at:space].lstrip(b"\n")
        if not word and _is_blank_word(buffer[space + 1 : space + 2 + value_bytes]):
            word, space = b" ", space + 1
            if len(buffer) <= space + value_bytes:
                raise _too_few(layout, number - 1)
        yield number, word, buffer[space + 1 : space + 1 + value_bytes]
        at = space + 1 + value_bytes
    if wanted == promised and (buffer[at:] + stream.read(HEAD_BYTES)).strip(b"\n"):
        raise VectorsError(
            f"{layout.path}: found more after the {promised:,} vectors of {layout.dimension:,} "
            "values that the header promises, expected the end of the file; the header is wrong or "
            "the file damaged: download or copy it again"
        )


def _is_blank_word(rest: bytes) -> bool:
    """Tell whether a word without letters is a blank, not empty, from the bytes after its first space.

    rest: the bytes of the values and one more. The values of an empty word, too, can begin with the byte of a
    blank (1 of 256 do). Then a line end after them shows where they end.
    """
    return rest[:1] == b" " and rest[-1:] != b"\n"


def _too_few(layout: Layout, found: int) -> VectorsError:
    return VectorsError(
        f"{layout.path}: found {found:,} whole vectors of {layout.dimension:,} values, expected "
        f"{layout.promised:,} as the header promises; the file is cut off or its header wrong: "
        "download or copy it again"
    )
