"""The gazetteers of a saved model: all phrases in one file, one on each line, list after list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nertool.files.sealed import SealedFolder, write_words
from nertool.inputs.gazetteers import Gazetteers

PHRASES = "gazetteers.txt"


def write_gazetteers(path: Path, gazetteers: Gazetteers) -> str:
    """Write all phrases of all lists, one on each line, and return the file's SHA-256."""
    return write_words(path, (phrase for own in gazetteers.phrases.values() for phrase in own))


def sizes_of(gazetteers: Gazetteers) -> list[list[Any]]:
    """Return the name and the number of phrases of each list, in the form that read_gazetteers needs."""
    return [[name, len(own)] for name, own in gazetteers.phrases.items()]


def read_gazetteers(
    folder: SealedFolder, name: str, sizes: Sequence[Sequence[Any]] | None
) -> Gazetteers | None:
    """Read the lists that write_gazetteers wrote. Return None if `sizes` is None. Errors: ModelError."""
    if sizes is None:
        return None
    lines = folder.words(name, sum(count for _, count in sizes))
    ends = np.cumsum([count for _, count in sizes]).tolist()
    return Gazetteers(
        {own: lines[end - count : end] for (own, count), end in zip(sizes, ends, strict=True)}
    )
