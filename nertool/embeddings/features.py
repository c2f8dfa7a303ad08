"""What a word looks like: for each feature a number a word form, with a trained embedding of its own.

A feature maps a word form to 1 … size−1; 0 is kept for the padding beyond a sentence's ends.
To add one: write its function, name it in FEATURES, and give its key to the config's features
section. The network needs no change: a table more is looked up, and gets its gradient, like any other.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config import FeaturesConfig

PADDING = 0


class Feature(NamedTuple):
    """A number for each word form: of(word) in 1 … size−1. key: the config's name for its width."""

    key: str
    size: int
    of: Callable[[str], int]


def caps(word: str) -> int:
    """Tell lower (1), Initial (2), ALL CAPITALS (3), miXed (4), digits and signs (5), one Capital (6)."""
    if word.islower():
        return 1
    if word.isupper():
        return 6 if sum(character.isalpha() for character in word) == 1 else 3
    if word[:1].isupper() and word[1:].islower():
        return 2
    return 4 if any(character.isalpha() for character in word) else 5


_RUNS = re.compile(r"(.)\1+")


def shape(word: str) -> str:
    """Write X for capitals, x for other letters, 0 for digits, runs collapsed: McDonald's-24 → XxXx'x-0."""
    signs = (
        "X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word
    )
    return _RUNS.sub(r"\1", "".join(signs))


def hashed(text: str, size: int) -> int:
    """Return a number in 1 … size−1 that is the same for a text on every machine (CRC-32)."""
    return 1 + zlib.crc32(text.encode("utf-8", "surrogatepass")) % (size - 1)


def _hashed_shape(word: str, size: int) -> int:
    return hashed(shape(word), size)


def _hashed_prefix(word: str, n: int, size: int) -> int:
    return hashed(word[:n].lower(), size)


def _hashed_suffix(word: str, n: int, size: int) -> int:
    return hashed(word[-n:].lower(), size)


_AFFIX_SIZES = {
    1: 512,
    2: 2048,
    3: 8192,
    4: 16384,
}  # about as many as a corpus shows, so that few collide

FEATURES: dict[str, Feature] = {
    "caps": Feature("caps", 7, caps),
    "shape": Feature("shape", 2048, partial(_hashed_shape, size=2048)),
    **{
        f"{kind}{n}": Feature("affixes", _AFFIX_SIZES[n], partial(of, n=n, size=_AFFIX_SIZES[n]))
        for kind, of, lengths in (
            ("prefix", _hashed_prefix, (1, 2, 3)),
            ("suffix", _hashed_suffix, (1, 2, 3, 4)),
        )
        for n in lengths
    },
}


def feature_width(name: str, widths: FeaturesConfig) -> int:
    """Return the width that the config gives a feature's embedding; 0 for none."""
    return int(getattr(widths, FEATURES[name].key))


def feature_ids(names: Sequence[str], words: Sequence[str]) -> NDArray[np.int32]:
    """Return (n, len(names)) int32: each word's number for each named feature."""
    ids = np.empty((len(words), len(names)), dtype=np.int32)
    for column, name in enumerate(names):
        of = FEATURES[name].of
        ids[:, column] = [of(word) for word in words]
    return ids
