"""What a word looks like, as one small number a word form: each feature has an embedding of its own.

A feature maps a word form to 1 … size−1; 0 is kept for the padding beyond a sentence's ends.
To add one: write its function, and name it in FEATURES and in the config's features section.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PADDING = 0


class Feature(NamedTuple):
    """A number for each word form: of(word) in 1 … size−1."""

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


FEATURES: dict[str, Feature] = {"caps": Feature(7, caps)}


def feature_ids(names: Sequence[str], words: Sequence[str]) -> NDArray[np.int32]:
    """Return (n, len(names)) int32: each word's number for each named feature."""
    ids = np.empty((len(words), len(names)), dtype=np.int32)
    for column, name in enumerate(names):
        of = FEATURES[name].of
        ids[:, column] = [of(word) for word in words]
    return ids
