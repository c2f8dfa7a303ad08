"""Word vectors from a file: word2vec (binary, text) and GloVe text, each also gzipped.

gensim parses, but only what we hand it: vectorfile.py cuts the file into whole rows, which are
passed on in blocks, each a small, correct word2vec file. For gensim alone tells gzip by the file's name,
spreads a row of one value over the whole vector, leaves a `None` word and a row of zeros for each
duplicate, lets NaN pass, ignores what follows the promised rows, and allocates whatever a header
asks for. Row by row all of that is seen before it does harm, and has a place that can be named.

Nothing is unpickled, so no file can run code.
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

BLOCK_BYTES = 1 << 22  # what gensim is given at a time
DUPLICATE = "duplicates of earlier words"


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Distinct words with their vectors, in file order (usually the most frequent first).

    words: V of them; none is empty or holds a line break or NUL. matrix: (V, d) float32,
    C-contiguous, finite. format: what the file is, such as "word2vec text, gzip". notes: what
    the user should see, a line each. subwords: the rows of parts of words, where the file has them.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    format: str
    notes: tuple[str, ...]
    subwords: Subwords | None = None


class Reading(NamedTuple):
    """Rows read from a file. words: V of them; matrix (V, d) float32; rows_read: how many rows were
    looked at; format and notes: as in WordVectors; unusable: how many words could match no token."""

    words: list[str]
    matrix: NDArray[np.float32]
    rows_read: int
    format: str
    notes: tuple[str, ...]
    unusable: int


# Asked of each row's number, from 1, and its word: is the row to be kept?
Keep = Callable[[int, bytes], bool]


def load_vectors(path: Path, limit: int | None = None) -> WordVectors:
    """Read the first `limit` (at least 1; default: all) rows of a file, whatever its name.

    A file made by `nertool vectors prune` or `convert` is mapped into memory, which takes milliseconds.

    Left out, counted and noted: duplicates (the first stays), and words that can match no token
    or would spoil a vocabulary file: not UTF-8 (word2vec.c cuts long words mid-character), empty
    or blank, holding a line break or NUL. In binary files line breaks before a word belong to the format.

    A first line of two whole numbers is always a header. A text row of more than d + 1 fields is
    a word with spaces (glove.840B has ". . ."), unless a surplus field is empty or a number.

    Errors: VectorsError if the file can't be read, is of no such kind, or is damaged: the header
    promises more or less than there is, a row has another width, a value is not a finite float32.
    Beyond `limit` rows nothing is checked.
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
    """Read those of the first `limit` rows that are to be kept (default: all), as load_vectors does.

    Memory grows with the rows that are kept. Errors: VectorsError.
    """
    with _clear_errors(path), open_vectors(path) as (stream, gzipped):
        layout = recognise(path, stream, gzipped)
        rows = _Counted(vector_rows(stream, layout, limit), keep)
        usable = UsableWords(path, "vector" if layout.binary else "line")
        words: list[str] = []
        blocks: list[NDArray[np.float32]] = []
        faulty: list[Row] = []  # those with NaN or infinity
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
    """The rows of a file that are to be kept; count: how many were looked at."""

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
    """Turn what the system and gzip say into a VectorsError."""
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
    """Tells which words of a file are usable, and counts the others by reason."""

    def __init__(self, path: Path, unit: str) -> None:
        """unit: what the numbers of words count, such as "line"."""
        self._path, self._unit = path, unit
        self._seen: set[bytes] = set()
        self._dropped: dict[str, tuple[int, int, bytes]] = {}  # how many, and the first one

    def takes(self, number: int, word: bytes) -> bool:
        """Tell whether a word is usable and new; number: of its row, from 1."""
        # isalnum (ASCII letters and digits, at least one) spares most words the closer look.
        reason = DUPLICATE if word in self._seen else None if word.isalnum() else _fault(word)
        if reason is None:
            self._seen.add(word)
            return True
        count, first, sample = self._dropped.get(reason, (0, number, word))
        self._dropped[reason] = (count + 1, first, sample)
        return False

    @property
    def unusable(self) -> int:
        """How many words could match no token, duplicates left aside."""
        return sum(count for reason, (count, *_) in self._dropped.items() if reason != DUPLICATE)

    def notes(self) -> tuple[str, ...]:
        """Return a line for each reason: how many words were left out, and the first of them."""
        return tuple(
            f"{self._path}: dropped {count:,} {reason}, first {shown(word)} ({self._unit} {number})"
            for reason, (count, number, word) in self._dropped.items()
        )


def refuse_mostly_unusable(path: Path, unusable: int, others: int, notes: Sequence[str]) -> None:
    """Refuse a file most of whose words could match no token. Errors: VectorsError."""
    if unusable > others:
        raise VectorsError(
            f"{path}: found more unusable words than others ({notes[0].removeprefix(f'{path}: ')}), expected "
            "few; the file is damaged, not UTF-8, or its header has the wrong dimension"
        )


def not_finite(place: str, word: bytes, count: int) -> VectorsError:
    """Return the error for `count` vectors with NaN or infinity, of which the first is a word's."""
    more = f" and in {count - 1:,} more" if count > 1 else ""
    return VectorsError(
        f"{place}: found NaN or infinity in the vector of {shown(word)}{more}, expected finite float32 "
        "values; the file is damaged: download or copy it again"
    )


def _blocks(rows: Iterable[Row], usable: UsableWords) -> Iterator[list[Row]]:
    """Group the rows with a new, usable word."""
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
    """Say why no token can be this word, or None."""
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
    """Let gensim read a block of n rows with distinct words: n words, (n, d) float32.

    Errors: VectorsError for a value that is not a number.
    """
    from gensim.models import KeyedVectors  # takes 2 s, which --help must not

    class Reader(KeyedVectors):  # type: ignore[misc]  # gensim has no stubs
        def set_vecattr(self, key: str, attr: str, val: object) -> None:
            """Do without the made-up word counts, which take gensim a third of its time."""

    # gensim splits text at every space; NUL stands in, as no usable word has one.
    rows = (word.replace(b" ", b"\0") + b" " + values for _, word, values in block)
    header = b"%d %d\n" % (len(block), layout.dimension)
    scratch_path.write_bytes(header + (b"" if layout.binary else b"\n").join(rows))
    try:
        with np.errstate(over="ignore"):  # what is too great for float32 is refused below
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
    """Join blocks into one (count, d) matrix; each is freed at once, so that they never add up."""
    matrix = np.empty((count, d), dtype=np.float32)
    while blocks:
        block = blocks.pop()
        matrix[count - len(block) : count] = block
        count -= len(block)
    return matrix


@contextmanager
def _quiet_gensim() -> Iterator[None]:
    """Keep gensim's log to itself, whatever the caller's logging is set to."""
    logger = logging.getLogger("gensim")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
