"""Prune a file of word vectors: keep the words of a corpus, and the most frequent words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.invisible import normal_form
from nertool.errors import VectorsError
from nertool.files.safe import need_regular
from nertool.vectors.compact import is_compact, read_compact
from nertool.vectors.files.load import read_rows
from nertool.vectors.lookup import hyphen_parts, spellings
from nertool.vectors.subwords import Subwords


@dataclass(frozen=True)
class Pruned:
    """The vectors kept from a file.

    words: V words. matrix (V, d): float32. rows_read: the number of rows in the file. sha256: the
    file's hash. notes: lines to show to the user. subwords: the rows of parts of words, if the file has them.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    rows_read: int
    sha256: str
    notes: tuple[str, ...] = ()
    subwords: Subwords | None = None


def wanted_spellings(words: Iterable[str]) -> set[str]:
    """Return all spellings under which these words, and their parts between hyphens, are looked up."""
    looked_up = (part for word in words for part in (word, *hyphen_parts(word)))
    return {spelling for part in looked_up for _, spelling in spellings(part)}


def prune(path: Path, words: Iterable[str], top: int | None) -> Pruned:
    """Keep the first `top` rows of a file of vectors (None: all), and the rows of the given words.

    The file is read row by row, so memory grows with the rows kept, not with the file. Errors: VectorsError.
    """
    need_regular(path, VectorsError, "vectors are read more than once")
    wanted = wanted_spellings(words)
    digest = _sha256(path)
    if is_compact(path):
        source = read_compact(path)
        picked = [
            i
            for i, word in enumerate(source.words)
            if top is None or i < top or _is_wanted(word, wanted)
        ]
        kept = [source.words[i] for i in picked]
        rows = source._replace(
            matrix=source.matrix[picked],
            scale=None if source.scale is None else source.scale[picked],
        ).rows()
        return Pruned(kept, rows, len(source.words), digest, subwords=source.subwords)
    names = {word.encode("utf-8", "surrogatepass") for word in wanted}

    def keep(number: int, word: bytes) -> bool:
        if top is None or number <= top or word in names:
            return True
        return not word.isascii() and normal_form(word.decode(errors="replace")) in wanted

    reading = read_rows(path, None, keep)
    if not reading.words:
        raise VectorsError(f"{path}: found none of the words that were asked for, expected some")
    return Pruned(reading.words, reading.matrix, reading.rows_read, digest, reading.notes)


def _is_wanted(word: str, wanted: set[str]) -> bool:
    """Tell whether a word of the file, or its normal form, is one of the wanted spellings."""
    return word in wanted or (not word.isascii() and normal_form(word) in wanted)


def _sha256(path: Path) -> str:
    digest = sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
