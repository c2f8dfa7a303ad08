"""Read word vectors of any kind, also fastText and floret models, gensim's own format, and numpy arrays.

Files of word2vec and GloVe, and fastText's .vec files, are read by load.py, row by row. The other kinds are
read here as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.errors import VectorsError
from nertool.files.safe import need_regular
from nertool.vectors.files.fasttext import (
    MAGIC,
    FastText,
    is_floret_table,
    most_used,
    read_model,
    read_table,
)
from nertool.vectors.files.load import (
    UsableWords,
    WordVectors,
    load_vectors,
    not_finite,
    refuse_mostly_unusable,
)
from nertool.vectors.subwords import Subwords

_PICKLE = b"\x80"
_NUMPY = b"\x93NUMPY"


def load_any(
    path: Path,
    limit: int | None = None,
    trust: bool = False,
    words_path: Path | None = None,
    extra_words: Sequence[str] = (),
    subwords: int | None = None,
) -> WordVectors:
    """Read vectors of any kind that nertool supports, recognised by the file's content.

    limit: the number of words to read (None: all).
    trust: read gensim's own files. These are Python pickles, which can run code.
    words_path: the words of a numpy array, one per line.
    extra_words: further words that get a vector from their parts (fastText and floret).
    subwords: the number of rows of parts of words to keep, the most used ones, for unknown words in training
    and tagging. None: no rows, except that a floret table, which has no words, keeps all rows.
    Errors: VectorsError.
    """
    need_regular(path, VectorsError, "vectors are read more than once")
    head = _head(path)
    if head.startswith(MAGIC):
        return _fasttext(path, read_model(path, limit), extra_words, subwords)
    if is_floret_table(head):
        return _fasttext(path, read_table(path), extra_words, subwords)
    if head.startswith(_NUMPY):
        return _numpy(path, words_path, limit)
    if head[:1] == _PICKLE and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _gensim(path, limit, trust)
    if extra_words or subwords is not None:
        option = "--subwords-of" if extra_words else "--subwords"
        raise VectorsError(
            f"{path}: found vectors of whole words, expected a fastText model (.bin) or a floret table for "
            f"vectors convert {option}: they alone have vectors for parts of words"
        )
    return load_vectors(path, limit)


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(200)
    except OSError:
        return b""  # load_vectors raises the error


def _fasttext(
    path: Path, read: FastText, extra_words: Sequence[str], kept: int | None
) -> WordVectors:
    """Add vectors of further words, and keep the requested number of rows of parts of words."""
    words, matrix, table, kind = read
    notes = []
    known = set(words)
    new = [word for word in dict.fromkeys(extra_words) if word not in known]
    if new and table is None:
        raise VectorsError(
            f"{path}: found a model without parts of words (maxn 0), expected some for "
            "vectors convert --subwords-of"
        )
    if new and table is not None:
        vectors, composed = table.compose(new)
        words = words + [word for word, has in zip(new, composed.tolist(), strict=True) if has]
        matrix = np.concatenate([matrix, vectors[composed]])
        notes.append(f"{path}: {int(composed.sum()):,} words got a vector from their parts")
    subwords = None
    if kept is not None or not words:
        if table is None:
            raise VectorsError(
                f"{path}: found a model without parts of words (maxn 0), expected some for "
                "vectors convert --subwords"
            )
        if not read.words and kept is not None and kept < len(table.rows):
            raise VectorsError(
                f"{path}: found a floret table of {len(table.rows):,} rows and no words, of which none is "
                f"rarer than another; expected vectors convert --subwords {len(table.rows)} or more, or none"
            )
        subwords = table if kept is None else most_used(table, read.words, kept)
        notes.append(
            f"{path}: kept {len(subwords.rows):,} of {len(table.rows):,} rows of parts of words"
        )
    return _checked(path, words, matrix, kind, tuple(notes), subwords)


def _gensim(path: Path, limit: int | None, trust: bool) -> WordVectors:
    if not trust:
        raise VectorsError(
            f"{path}: found a Python pickle (gensim's own format), expected a file that can run no code; "
            "add --trust if you made it yourself, or export it with save_word2vec_format"
        )
    from gensim.models import KeyedVectors
    from gensim.utils import SaveLoad

    try:
        loaded = SaveLoad.load(str(path))
        vectors = getattr(loaded, "wv", loaded)
        if not isinstance(vectors, KeyedVectors):
            raise VectorsError(
                f"{path}: found gensim's {type(loaded).__name__}, expected word vectors"
            )
        words = [str(word) for word in vectors.index_to_key[:limit]]
        with np.errstate(over="ignore"):  # values too large for float32 are refused by _checked
            matrix = np.array(vectors.vectors[:limit], dtype=np.float32)
    except VectorsError:
        raise
    except Exception as error:
        raise VectorsError(
            f"{path}: gensim can't read it ({' '.join(str(error).split())[:120]}); are the files beside it "
            "(.npy) in the same folder?"
        ) from None
    return _checked(path, words, matrix, "gensim's own format", ())


def _numpy(path: Path, words_path: Path | None, limit: int | None) -> WordVectors:
    if words_path is None:
        raise VectorsError(
            f"{path}: found a numpy array, expected its words, too; add --words FILE, a word a line"
        )
    try:
        matrix = np.load(path, allow_pickle=False, mmap_mode="r")
        text = words_path.read_text(encoding="utf-8")
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise VectorsError(f"{path}: {' '.join(str(error).split())[:160]}") from None
    words = text.split("\n")
    if words and not words[-1]:
        words.pop()
    if matrix.ndim != 2 or len(words) != len(matrix):
        raise VectorsError(
            f"{path}: found an array {matrix.shape} and {len(words):,} words, expected a row for each word"
        )
    with np.errstate(over="ignore"):  # values too large for float32 are refused by _checked
        rows = np.array(matrix[:limit], dtype=np.float32)
    return _checked(path, [word.rstrip("\r") for word in words[:limit]], rows, "numpy array", ())


def _checked(
    path: Path,
    words: list[str],
    matrix: NDArray[np.float32],
    kind: str,
    notes: tuple[str, ...],
    subwords: Subwords | None = None,
) -> WordVectors:
    """Leave out and count duplicates and words that match no token; refuse NaN and infinity.

    In `words`, bytes that are not UTF-8 are lone surrogates (surrogateescape).
    """
    usable = UsableWords(path, "vector")
    raw = [_bytes_of(word) for word in words]
    keep = [i for i, word in enumerate(raw) if usable.takes(i + 1, word)]
    rows = np.ascontiguousarray(matrix[keep])
    faulty = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(faulty):
        first = keep[int(faulty[0])]
        raise not_finite(f"{path}: vector {first + 1}", raw[first], len(faulty))
    if not keep and subwords is None:
        raise VectorsError(f"{path}: found no usable word, expected word vectors")
    refuse_mostly_unusable(path, usable.unusable, len(keep), usable.notes())
    kept = [words[i] for i in keep]
    return WordVectors(kept, rows, kind, (*usable.notes(), *notes), subwords)


def _bytes_of(word: str) -> bytes:
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return word.encode("utf-8", "surrogatepass")
