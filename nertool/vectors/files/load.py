"""Load word vectors from a file: word2vec (binary, text) and GloVe text, each also gzipped.

file.py cuts the file into rows. gensim parses blocks of rows, each written as a small, correct word2vec file.
gensim does not read the whole file because it

- recognises gzip by the file's name only,
- copies a row's single value to the whole vector,
- leaves a `None` word and a row of zeros for each duplicate,
- accepts NaN,
- ignores data after the number of rows in the header,
- allocates any size that a header promises.

Row by row, these faults are found early, and errors name the position. Nothing is unpickled, so no file can
run code.
"""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.errors import VectorsError
from nertool.files.output import scratch_folder
from nertool.vectors.compact import is_compact, read_compact
from nertool.vectors.files.file import (
    EXPECTED,
    Layout,
    Row,
    is_number,
    open_vectors,
    recognise,
    shown,
    vector_rows,
)
from nertool.vectors.subwords import Subwords

BLOCK_BYTES = 1 << 22  # bytes that gensim parses at a time
DUPLICATE = "duplicates of earlier words"


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Distinct words with their vectors, in file order (usually the most frequent first).

    words: V words; none is empty or contains a line break or NUL. matrix: (V, d) float32, C-contiguous,
    finite. format: the file's format, such as "word2vec text, gzip". notes: lines to show to the user.
    subwords: the rows of parts of words, if the file has them.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    format: str
    notes: tuple[str, ...]
    subwords: Subwords | None = None


class Reading(NamedTuple):
    """Rows read from a file.

    words: V words. matrix (V, d): float32. rows_read: the number of rows read, including those not kept.
    format, notes: as in WordVectors. unusable: the number of words that can match no token.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    rows_read: int
    format: str
    notes: tuple[str, ...]
    unusable: int


# (number of a row, from 1; its word) → whether to keep the row.
Keep = Callable[[int, bytes], bool]


def load_vectors(path: Path, limit: int | None = None) -> WordVectors:
    """Read the first `limit` rows (at least 1; None: all) of a file. Its format is recognised by its content.

    A file made by `nertool vectors prune` or `convert` is read through a memory map, which takes
    milliseconds.

    Some words are left out, counted and noted: duplicates (the first stays), and words that can match no
    token or would break a vocabulary file. These are not UTF-8 (word2vec.c cuts long words within a
    character), empty or blank, or contain a line break or NUL. In binary files line breaks before a word
    belong to the format.

    A first line of two whole numbers is always a header. A text row of more than d + 1 fields has a word with
    spaces (glove.840B has ". . ."), unless a surplus field is empty or a number.

    Errors: VectorsError if the file can't be read, has another format, or is damaged: a wrong number of rows
    in the header, a row of another width, a value that is not a finite float32. Rows after the first `limit`
    are not checked.
    """
    if is_compact(path):
        compact = read_compact(path)
        kind = f"nertool's, {compact.matrix.dtype}"
        words = compact.words[:limit]
        return WordVectors(words, compact.rows(limit), kind, (), compact.subwords)
    reading = read_rows(path, limit)
    refuse_mostly_unusable(path, reading.unusable, len(reading.words), reading.notes)
    return WordVectors(reading.words, reading.matrix, reading.format, reading.notes)


def read_rows(path: Path, limit: int | None = None, keep: Keep | None = None) -> Reading:
    """Read the first `limit` rows (None: all) like load_vectors, but only those for which `keep` is true.

    Memory grows with the rows kept. Errors: VectorsError.
    """
    with _clear_errors(path), open_vectors(path) as (stream, gzipped):
        layout = recognise(path, stream, gzipped)
        rows = _Counted(vector_rows(stream, layout, limit), keep)
        usable = UsableWords(path, "vector" if layout.binary else "line")
        words: list[str] = []
        blocks: list[NDArray[np.float32]] = []
        faulty: list[Row] = []  # rows with NaN or infinity
        with scratch_folder() as scratch_dir, _quiet_gensim():
            for block in _blocks(rows, usable):
                block_words, values = _parse(block, layout, scratch_dir / "block")
                finite = np.isfinite(values).all(axis=1)
                faulty += [block[i] for i in np.flatnonzero(~finite).tolist()]
                words += block_words
                blocks.append(values)
    if faulty:
        number, word, _ = faulty[0]
        raise not_finite(layout.place(number), word, len(faulty))
    matrix = _joined(blocks, len(words), layout.dimension)
    return Reading(words, matrix, rows.count, layout.format, usable.notes(), usable.unusable)


class _Counted:
    """The rows of a file for which `keep` is true. count: the number of rows read, including the others."""

    def __init__(self, rows: Iterable[Row], keep: Keep | None) -> None:
        self._rows, self._keep = rows, keep
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            if self._keep is None or self._keep(self.count, row[1]):
                yield row


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Turn errors of the operating system and of gzip into a VectorsError."""
    try:
        yield
    except EOFError as error:
        found = "a gzip file that is cut off, expected its end; download or copy it again"
        raise VectorsError(f"{path}: found {found}") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        found = f"a damaged gzip file ({error}), expected a sound one; download or copy it again"
        raise VectorsError(f"{path}: found {found}") from error
    except OSError as error:
        found = f"{error.strerror or error}, {EXPECTED}"
        raise VectorsError(f"{path}: found {found}; correct that or name another file") from error


class UsableWords:
    """Decide which words of a file are usable, and count the others by reason."""

    def __init__(self, path: Path, unit: str) -> None:
        """Begin a file. unit: the noun before the number of a row in messages: "line" or "vector"."""
        self._path, self._unit = path, unit
        self._seen: set[bytes] = set()
        # reason → number of words, row and word of the first one
        self._dropped: dict[str, tuple[int, int, bytes]] = {}

    def takes(self, number: int, word: bytes) -> bool:
        """Tell whether a word is usable and new, and count it if not. number: of its row, from 1."""
        # Most words are ASCII letters and digits alone (isalnum), and need no further check.
        reason = DUPLICATE if word in self._seen else None if word.isalnum() else _fault(word)
        if reason is None:
            self._seen.add(word)
            return True
        count, first, sample = self._dropped.get(reason, (0, number, word))
        self._dropped[reason] = (count + 1, first, sample)
        return False

    @property
    def unusable(self) -> int:
        """The number of words that can match no token, not counting duplicates."""
        return sum(count for reason, (count, *_) in self._dropped.items() if reason != DUPLICATE)

    def notes(self) -> tuple[str, ...]:
        """Return a line for each reason, with the number of words left out, and the first of them."""
        return tuple(
            f"{self._path}: dropped {count:,} {reason}, first {shown(word)} ({self._unit} {number})"
            for reason, (count, number, word) in self._dropped.items()
        )


def refuse_mostly_unusable(path: Path, unusable: int, others: int, notes: Sequence[str]) -> None:
    """Refuse a file in which most words can match no token. Errors: VectorsError."""
    if unusable > others:
        raise VectorsError(
            f"{path}: found more unusable words than others ({notes[0].removeprefix(f'{path}: ')}), expected "
            "few; the file is damaged, not UTF-8, or its header has the wrong dimension"
        )


def not_finite(place: str, word: bytes, count: int) -> VectorsError:
    """Return the error for `count` vectors with NaN or infinity. word: the word of the first one."""
    more = f" and in {count - 1:,} more" if count > 1 else ""
    return VectorsError(
        f"{place}: found NaN or infinity in the vector of {shown(word)}{more}, expected finite float32 "
        "values; the file is damaged: download or copy it again"
    )


def _blocks(rows: Iterable[Row], usable: UsableWords) -> Iterator[list[Row]]:
    """Group the rows whose word is usable and new into blocks of about BLOCK_BYTES."""
    block: list[Row] = []
    size = 0
    for row in rows:
        number, word, values = row
        if not usable.takes(number, word):
            continue
        block.append(row)
        size += len(word) + len(values)
        if size >= BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _fault(word: bytes) -> str | None:
    """Return the reason why a word can match no token; None if it can."""
    if not word.strip(b" "):
        return "empty words"
    if b"\n" in word or b"\r" in word or b"\0" in word:
        return "words with a line break or NUL"
    try:
        word.decode()
    except UnicodeDecodeError:
        return "words that are not UTF-8"
    return None


def _parse(
    block: list[Row], layout: Layout, scratch_path: Path
) -> tuple[list[str], NDArray[np.float32]]:
    """Parse a block of n rows with distinct words by gensim; return the n words, and (n, d) float32.

    Errors: VectorsError for a value that is not a number.
    """
    from gensim.models import KeyedVectors  # takes 2 s, too long for --help

    class Reader(KeyedVectors):  # type: ignore[misc]  # gensim has no stubs
        def set_vecattr(self, key: str, attr: str, val: object) -> None:
            """Skip the artificial word counts, which take a third of gensim's time."""

    # gensim splits text at every space. NUL replaces spaces in words, since no usable word contains NUL.
    rows = (word.replace(b" ", b"\0") + b" " + values for _, word, values in block)
    header = b"%d %d\n" % (len(block), layout.dimension)
    scratch_path.write_bytes(header + (b"" if layout.binary else b"\n").join(rows))
    try:
        with np.errstate(over="ignore"):  # values too large for float32 are refused by the caller
            read = Reader.load_word2vec_format(str(scratch_path), binary=layout.binary)
    except ValueError:
        for number, _, values in block:
            for value in values.split(b" "):
                if not is_number(value):
                    raise VectorsError(
                        f"{layout.place(number)}: found {shown(value)}, expected a number; "
                        "correct the line, or download or copy the file again"
                    ) from None
        raise
    return [word.replace("\0", " ") for word in read.index_to_key], read.vectors


def _joined(blocks: list[NDArray[np.float32]], count: int, d: int) -> NDArray[np.float32]:
    """Join blocks into one (count, d) matrix. Each block is freed at once, to limit the peak memory."""
    matrix = np.empty((count, d), dtype=np.float32)
    while blocks:
        block = blocks.pop()
        matrix[count - len(block) : count] = block
        count -= len(block)
    return matrix


@contextmanager
def _quiet_gensim() -> Iterator[None]:
    """Silence gensim's log, independent of the caller's logging configuration."""
    logger = logging.getLogger("gensim")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
