"""Word features: properties of a word type's spelling, each with a trained table of embeddings.

A feature maps a word type to numbers in 1 … size−1. 0 is reserved for the padding before and after a
sentence. To add a feature, write its function, add it to FEATURES, and add its key to the config's section
`features`. The network needs no change: the new table is looked up and trained like the others.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.invisible import normal_form
from nertool.files.wordlist import bytes_of
from nertool.kernels.words import Looks, look_at_words

PADDING = 0


class Feature(NamedTuple):
    """A word feature.

    of(word) returns `columns` numbers in 1 … size−1. Each is a row number of the feature's one table.
    pooled: a word has up to `columns` numbers, and 0 in unused columns. Its rows are summed
    (network/lookup.py). The table starts from zeros, so rows that training never used contribute nothing.
    """

    size: int
    columns: int
    of: Callable[[str], tuple[int, ...]]
    pooled: bool = False

    @property
    def row_columns(self) -> int:
        """The number of columns in the form of network/lookup.py: negative for a pooled table."""
        return -self.columns if self.pooled else self.columns


LOWER, INITIAL, CAPITALS, MIXED, SIGNS, SINGLE = range(1, 7)
CAPS = 7  # the number of classes, including that of the padding


_REMEMBERED = 1 << 16  # the size of each cache
_SHAPES, _AFFIXES = 2048, 32768  # many more than a corpus has, so that few collide


@lru_cache(maxsize=_REMEMBERED)
def caps(word: str) -> int:
    """Return a word's class of capitals, 1 … 6.

    The classes are: lower, Initial, CAPITALS, miXed, no letters (digits and signs), one single capital.
    """
    if word.islower():
        return LOWER
    if word.isupper():
        return SINGLE if sum(character.isalpha() for character in word) == 1 else CAPITALS
    if word[:1].isupper() and word[1:].islower():
        return INITIAL
    return MIXED if any(character.isalpha() for character in word) else SIGNS


class _Signs(dict[int, str]):
    """A table for str.translate: X, x, 0, or the character itself. Each entry is computed once."""

    def __missing__(self, code: int) -> str:
        c = chr(code)
        sign = "X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c
        self[code] = sign
        return sign


_SIGNS = _Signs()


def shape(word: str) -> str:
    """Return a word's shape: X for a capital, x for another letter, 0 for a digit.

    A run of the same sign is shortened to one. Example: McDonald's-24 → XxXx'x-0.
    """
    return _collapsed(word.translate(_SIGNS))


def _collapsed(signs: str) -> str:
    return "".join([sign for sign, _ in groupby(signs)])


def hashed(text: str, size: int) -> int:
    """Return a hash of a text in 1 … size−1 (by CRC-32), which is the same on every machine."""
    return 1 + zlib.crc32(text.encode("utf-8", "surrogatepass")) % (size - 1)


class _Affixes(dict[str, int]):
    """A cache of the numbers of all prefixes, or suffixes, of one length.

    before, after: marks that are added to an affix before hashing, so that kinds of affixes differ.
    """

    def __init__(self, before: str, after: str) -> None:
        super().__init__()
        self._marks = before, after

    def __missing__(self, letters: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        before, after = self._marks
        self[letters] = number = hashed(before + letters + after, _AFFIXES)
        return number


def affixes(word: str) -> tuple[int, ...]:
    """Return the numbers of a word's prefixes of 1 to 3 letters and suffixes of 1 to 4, in lower case."""
    w = word.lower()
    return (
        _P1[w[:1]], _P2[w[:2]], _P3[w[:3]], _S1[w[-1:]], _S2[w[-2:]], _S3[w[-3:]], _S4[w[-4:]],
    )  # fmt: skip


@lru_cache(maxsize=_REMEMBERED)
def _shape_number(signs: str) -> int:
    return hashed(_collapsed(signs), _SHAPES)


_P1, _P2, _P3 = (_Affixes(f"{n}<", "") for n in (1, 2, 3))
_S1, _S2, _S3, _S4 = (_Affixes(str(n), ">") for n in (1, 2, 3, 4))

_NGRAMS, _MOST_NGRAMS = 1 << 16, 40
_NGRAM_LENGTHS = (3, 4, 5)


def ngrams(word: str) -> tuple[int, ...]:
    """Return the numbers of a word and of its character n-grams of length 3, 4 and 5.

    The word is in lower case, with marks at its ends: `<word>`. Only the first 40 are used. Unused columns
    are 0.
    """
    w = f"<{word.lower()}>"
    runs = [w[i : i + n] for n in _NGRAM_LENGTHS for i in range(len(w) - n + 1)]
    numbers = [hashed(run, _NGRAMS) for run in list(dict.fromkeys([w, *runs]))[:_MOST_NGRAMS]]
    return (*numbers, *(0,) * (_MOST_NGRAMS - len(numbers)))


FEATURES: dict[str, Feature] = {
    "caps": Feature(CAPS, 1, lambda word: (caps(word),)),
    "shape": Feature(_SHAPES, 1, lambda word: (_shape_number(word.translate(_SIGNS)),)),
    "affixes": Feature(_AFFIXES, 7, affixes),
    "ngrams": Feature(_NGRAMS, _MOST_NGRAMS, ngrams, pooled=True),
}


def feature_ids(names: Sequence[str], words: Sequence[str]) -> NDArray[np.int32]:
    """Return each word's numbers for the named features, in order, (n, Σ columns) int32."""
    known = looks(words)
    parts = [_numbers_of(name, words, known) for name in names]
    return np.concatenate(parts, axis=1) if parts else np.empty((len(words), 0), dtype=np.int32)


def _crcs() -> NDArray[np.uint32]:
    """Return the table (256,) of CRC-32 for each byte."""
    crcs: NDArray[np.uint32] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crcs = (crcs >> np.uint32(1)) ^ (crcs & np.uint32(1)) * np.uint32(0xEDB88320)
    return crcs


_CRCS = _crcs()


def looks(words: Sequence[str]) -> Looks | None:
    """Return the features caps, shape and affixes of words, computed by a kernel.

    caps is 0 for words that are not in ASCII: the kernel does not compute their features. Return None
    without the kernel, without words, or if a word contains a line break.
    """
    raw = bytes_of(words) if len(words) else None
    return None if raw is None else look_at_words(raw, len(words), _SHAPES, _AFFIXES, _CRCS)


def caps_of(words: Sequence[str]) -> NDArray[np.int8]:
    """Return each word's class of capitals (n,) int8: `caps` of its normal form."""
    known = looks(words)
    if known is None:
        return np.array([caps(normal_form(word)) for word in words], dtype=np.int8)
    found = known.caps.astype(np.int8)
    for i in np.flatnonzero(found == 0).tolist():
        found[i] = caps(normal_form(words[i]))
    return found


def _numbers_of(name: str, words: Sequence[str], known: Looks | None) -> NDArray[np.int32]:
    """Return a feature's numbers (n, columns). known: the result of `looks`."""
    feature = FEATURES[name]
    if known is not None and name in Looks._fields:
        numbers = np.array(getattr(known, name)).reshape(len(words), feature.columns)
        for i in np.flatnonzero(known.caps == 0).tolist():
            numbers[i] = feature.of(words[i])
        return numbers
    size = len(words) * feature.columns
    flat = np.fromiter(chain.from_iterable(map(feature.of, words)), dtype=np.int32, count=size)
    return flat.reshape(len(words), feature.columns)


def feature_columns(names: Sequence[str]) -> tuple[int, ...]:
    """Return the number of row numbers of a word in each table: 1 for L, then those of the features."""
    return (1, *(FEATURES[name].columns for name in names))
