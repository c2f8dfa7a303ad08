"""What a word looks like: for each feature a number a word type, with a trained embedding of its own.

A feature maps a word type to 1 … size−1; 0 is kept for the padding beyond a sentence's ends.
To add one: write its function, name it in FEATURES, and give its key to the config's features
section. The network needs no change: a table more is looked up, and gets its gradient, like any other.
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
    """What of(word) gives: `columns` numbers in 1 … size−1, each a row of the feature's one table.

    pooled: a word has up to `columns` numbers, and 0 in the columns that are left; its rows are summed
    (network/lookup.py), and the table starts from zeros, so that numbers that training did not meet add
    nothing.
    """

    size: int
    columns: int
    of: Callable[[str], tuple[int, ...]]
    pooled: bool = False

    @property
    def row_columns(self) -> int:
        """The columns as network/lookup.py takes them: negative for a pooled table."""
        return -self.columns if self.pooled else self.columns


LOWER, INITIAL, CAPITALS, MIXED, SIGNS, SINGLE = range(1, 7)
CAPS = 7  # classes, the padding's included


_REMEMBERED = 1 << 16  # answers of each kind
_SHAPES, _AFFIXES = 2048, 32768  # well over what a corpus shows, so that few collide


@lru_cache(maxsize=_REMEMBERED)
def caps(word: str) -> int:
    """Tell lower, Initial, ALL CAPITALS, miXed, digits and signs, and a single Capital: 1 … 6."""
    if word.islower():
        return LOWER
    if word.isupper():
        return SINGLE if sum(character.isalpha() for character in word) == 1 else CAPITALS
    if word[:1].isupper() and word[1:].islower():
        return INITIAL
    return MIXED if any(character.isalpha() for character in word) else SIGNS


class _Signs(dict[int, str]):
    """What str.translate writes for each character: X, x, 0, or itself; found once for each."""

    def __missing__(self, code: int) -> str:
        c = chr(code)
        sign = "X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c
        self[code] = sign
        return sign


_SIGNS = _Signs()


def shape(word: str) -> str:
    """Write X for capitals, x for other letters, 0 for digits, runs collapsed: McDonald's-24 → XxXx'x-0."""
    return _collapsed(word.translate(_SIGNS))


def _collapsed(signs: str) -> str:
    return "".join([sign for sign, _ in groupby(signs)])


def hashed(text: str, size: int) -> int:
    """Return a number in 1 … size−1 that is the same for a text on every machine (CRC-32)."""
    return 1 + zlib.crc32(text.encode("utf-8", "surrogatepass")) % (size - 1)


class _Affixes(dict[str, int]):
    """The numbers of affixes of one length and side, by which they are marked; found once for each."""

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
    """Return the numbers of a word's prefixes of 1 to 3 letters and suffixes of 1 to 4, lower-cased."""
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
    """Return the numbers of a word, and of its runs of 3, 4 and 5 letters, lower-cased and with its ends
    marked; 0 in the columns that are left, and the first 40 of a long word."""
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
    """Return (n, Σ columns) int32: each word's numbers for each named feature, in order."""
    known = looks(words)
    parts = [_numbers_of(name, words, known) for name in names]
    return np.concatenate(parts, axis=1) if parts else np.empty((len(words), 0), dtype=np.int32)


def _crcs() -> NDArray[np.uint32]:
    """Return CRC-32 of each byte, (256,): one step of the polynomial for each bit."""
    crcs: NDArray[np.uint32] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crcs = (crcs >> np.uint32(1)) ^ (crcs & np.uint32(1)) * np.uint32(0xEDB88320)
    return crcs


_CRCS = _crcs()


def looks(words: Sequence[str]) -> Looks | None:
    """Return caps, shape and affixes of words by a kernel; caps is 0 where a word is not in ASCII.

    None: there is no kernel for it.
    """
    raw = bytes_of(words) if len(words) else None
    return None if raw is None else look_at_words(raw, len(words), _SHAPES, _AFFIXES, _CRCS)


def caps_of(words: Sequence[str]) -> NDArray[np.int8]:
    """Return each word's class of capitals, (n,): as `caps` of its normal form."""
    known = looks(words)
    if known is None:
        return np.array([caps(normal_form(word)) for word in words], dtype=np.int8)
    found = known.caps.astype(np.int8)
    for i in np.flatnonzero(found == 0).tolist():
        found[i] = caps(normal_form(words[i]))
    return found


def _numbers_of(name: str, words: Sequence[str], known: Looks | None) -> NDArray[np.int32]:
    """Return a feature's numbers, (n, columns); known: those that a kernel has found."""
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
    """Return how many row numbers a word has in each table: one in L, then the features'."""
    return (1, *(FEATURES[name].columns for name in names))
