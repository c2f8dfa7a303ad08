"""Read models of fastText and floret (.bin), which have the same format, and floret's tables (.floret).

A model contains a magic number, the settings of its training, its words with their counts, and one matrix: a
row for each word, then a row for each bucket of parts of words. The matrix is read through a memory map, so
that a small machine can prune a file of 7 GB.

    magic, version, 12 settings as int32 (floret: 14), a double        the settings
    size, words, labels int32; tokens, pruned int64                    the dictionary's head
    word NUL, count int64, type int8                                   each entry
    quantised bool; rows, columns int64; float32 values                the matrix

A table of floret is a text. Its first line has the number of rows, the width, the lengths of the shortest and
of the longest part, the number of hashes, the seed, and the two signs around a word. Each further line has
the number of a row and its values.
"""

from __future__ import annotations

import mmap
import re
import struct
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from nertool.errors import VectorsError
from nertool.vectors.files.file import FLORET_HEAD
from nertool.vectors.subwords import FASTTEXT, FLORET, Parts, Subwords

MAGIC = b"\xba\x16\x4f\x2f"
_VERSION = 12
_AGAIN = "download or copy it again"
_MOST_WORDS = 1 << 26
_COUNTED = 200_000  # words, the most frequent ones, in which the use of parts is counted


class FastText(NamedTuple):
    """The content of a model or a table.

    words: V words, the most frequent first; none for a table. matrix (V, d) float32: their vectors, as
    fastText computes them. subwords: all rows of parts of words, or None. kind: a description of the file.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    subwords: Subwords | None
    kind: str


class _Head(NamedTuple):
    """The settings in a model's head. start: the byte at which the dictionary's entries start."""

    kind: int
    floret: bool
    width: int
    parts: Parts | None
    words: int
    labels: int
    pruned: int
    start: int


def is_floret_table(head: bytes) -> bool:
    """Tell whether the first bytes of a file are those of a floret table."""
    return re.match(FLORET_HEAD, head) is not None


def read_model(path: Path, limit: int | None = None) -> FastText:
    """Read the first `limit` words of a model (None: all), and all rows of parts of words.

    Errors: VectorsError for a file that is cut off, quantised, a classifier, or otherwise damaged.
    """
    with open(path, "rb") as stream:
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    head = _head(path, data)
    words, at = _words(path, data, head)
    if len(data) < at + 17:
        _refuse(path, "a file that ends before its vectors", _AGAIN)
    if data[at]:
        _refuse(path, "a quantised fastText model (.ftz)", "take the .bin or .vec file")
    rows, columns = struct.unpack_from("<qq", data, at + 1)
    buckets = head.parts.buckets if head.parts else 0
    size = 4 * rows * columns
    if columns != head.width or rows not in (head.words, head.words + buckets):
        _refuse(path, f"a matrix of {rows:,} × {columns:,} for {head.words:,} words", _AGAIN)
    if len(data) < at + 17 + size:
        _refuse(path, f"{len(data) - at - 17:,} bytes of vectors where {size:,} belong", _AGAIN)
    matrix = np.frombuffer(data, dtype="<f4", count=rows * columns, offset=at + 17)
    matrix = matrix.reshape(rows, columns)
    table = None
    if head.parts and rows > head.words:
        numbers = np.arange(buckets, dtype=np.int32)
        table = Subwords(matrix[head.words :], numbers, head.parts)
    first = words[:limit]
    vectors = _vectors_of(first, matrix, table, head)
    return FastText(first, vectors, table, "floret model" if head.floret else "fastText model")


def _head(path: Path, data: mmap.mmap) -> _Head:
    if len(data) < 100 or data[:4] != MAGIC:
        _refuse(path, "a file that is too short for a fastText model", _AGAIN)
    if struct.unpack_from("<i", data, 4)[0] != _VERSION:
        _refuse(path, "a fastText model of an old version", "take the .vec file")
    settings = struct.unpack_from("<12i", data, 8)
    width, model, buckets, least, most = (settings[i] for i in (0, 7, 8, 9, 10))
    for extra in (0, 2):  # floret has two more settings, before the last one
        start = 56 - 4 + 4 * extra + 12
        size, words, labels, _, pruned = struct.unpack_from("<iiiqq", data, start)
        if size == words + labels and 0 < words <= _MOST_WORDS and pruned >= -1:
            break
    else:
        _refuse(path, "a damaged fastText model", _AGAIN)
    mode, hashes = (settings[11], struct.unpack_from("<i", data, 56)[0]) if extra else (0, 1)
    try:
        parts = None
        if buckets > 0 and most > 0:
            floret = mode == 2
            kind, count = (FLORET, hashes) if floret else (FASTTEXT, 1)
            parts = Parts(kind, least, most, buckets, count, _FLORET_SEED if floret else 0)
    except ValueError as error:
        _refuse(path, f"a damaged fastText model ({error})", _AGAIN)
    if not 0 < width <= 65536:
        _refuse(path, f"a fastText model of width {width}", _AGAIN)
    return _Head(model, bool(extra), width, parts, words, labels, pruned, start + 28)


_FLORET_SEED = 2166136261  # floret's constant seed; its tables store it, its models don't
_SUPERVISED = 3


def _words(path: Path, data: mmap.mmap, head: _Head) -> tuple[list[str], int]:
    """Return the words, and the byte at which the matrix starts."""
    if head.kind == _SUPERVISED:
        _refuse(
            path,
            "a fastText classifier (supervised)",
            "take a model of word vectors (skipgram or cbow)",
        )
    words: list[str] = []
    at = head.start
    for _ in range(head.words + head.labels):
        end = data.find(b"\0", at, at + (1 << 16))
        if end < 0 or end + 10 > len(data):
            _refuse(path, f"a file that ends after {len(words):,} of {head.words:,} words", _AGAIN)
        words.append(data[at:end].decode("utf-8", "surrogateescape"))
        at = end + 10
    return words[: head.words], at + 8 * max(0, head.pruned)


def _vectors_of(
    words: list[str], matrix: NDArray[np.float32], table: Subwords | None, head: _Head
) -> NDArray[np.float32]:
    """Return the vectors of words, (n, d): the mean of a word's own row and the rows of its parts."""
    if table is None:
        return np.array(matrix[: len(words)], dtype=np.float32)
    if table.parts.kind == FLORET:  # the word is one of its parts
        return table.compose(words)[0]
    vectors = np.empty((len(words), head.width), dtype=np.float32)
    for i, numbers in enumerate(table.parts.numbers(words)):
        own = np.asarray(table.rows[numbers]).sum(axis=0, dtype=np.float32) + matrix[i]
        vectors[i] = own / np.float32(1 + len(numbers))
    return vectors


def most_used(table: Subwords, words: list[str], count: int) -> Subwords:
    """Return the `count` rows that words use most. words: the most frequent first.

    Each use counts 1 / rank of the word, which is about proportional to the word's frequency (Zipf 1935).
    """
    if count >= len(table.rows):
        return table
    use = np.zeros(table.parts.buckets)
    for start in range(0, min(len(words), _COUNTED), 10_000):
        block = words[start : start + 10_000]
        numbers = table.parts.numbers(block)
        weights = np.repeat(
            1 / np.arange(1 + start, 1 + start + len(block)), list(map(len, numbers))
        )
        use += np.bincount(np.concatenate(numbers), weights, minlength=len(use))
    order = np.argsort(-use[table.numbers], kind="stable")[:count]
    return Subwords(np.array(table.rows[order]), table.numbers[order], table.parts)


def read_table(path: Path) -> FastText:
    """Read a floret table. Errors: VectorsError with the faulty line."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        first = stream.readline().rstrip("\n").split(" ")
        rows, width, least, most, hashes, seed = map(int, first[:6])
        found = f"a floret table that promises {rows:,} rows of {width:,} values"
        if not rows or not width or 2 * rows * width > path.stat().st_size:
            raise VectorsError(
                f"{path}:1: found {found} in {path.stat().st_size:,} bytes; {_AGAIN}"
            )
        try:
            parts = Parts(FLORET, least, most, rows, hashes, seed, first[6], first[7])
        except ValueError as error:
            raise VectorsError(f"{path}:1: {error}, expected floret's settings; {_AGAIN}") from None
        matrix = np.empty((rows, width), dtype=np.float32)
        count = 0
        for line_number, line in enumerate(stream, 2):
            fields = line.split()
            if not fields:
                continue
            if count == rows:
                raise VectorsError(f"{path}:{line_number}: found more than {found}; {_AGAIN}")
            try:
                if int(fields[0]) != count or len(fields) != 1 + width:
                    raise ValueError
                matrix[count] = [float(field) for field in fields[1:]]
            except ValueError:
                raise VectorsError(
                    f'{path}:{line_number}: found "{line[:40].rstrip()}", expected the number {count} '
                    f"and {width} values; {_AGAIN}"
                ) from None
            count += 1
    if count < rows:
        raise VectorsError(f"{path}: found {count:,} rows, expected {rows:,} as promised; {_AGAIN}")
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        raise VectorsError(
            f"{path}:{int(finite.argmin()) + 2}: found NaN or infinity in {int((~finite).sum()):,} of the "
            f"rows of parts of words, expected finite values; {_AGAIN}"
        )
    table = Subwords(matrix, np.arange(rows, dtype=np.int32), parts)
    return FastText([], np.zeros((0, width), dtype=np.float32), table, "floret table")


def _refuse(path: Path, found: str, remedy: str) -> NoReturn:
    raise VectorsError(f"{path}: found {found}, expected a fastText model (.bin); {remedy}")
