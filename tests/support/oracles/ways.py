"""Lists of all tag sequences that a scheme allows, to check decoding and its sums."""

from __future__ import annotations

import re
from functools import cache
from itertools import product

import numpy as np

from nertool.corpus.schemes import tag_names
from nertool.decoding.viterbi import Lattice, lattice

SCHEMES = ["io", "iob2", "bioes"]
# Patterns of valid sentences: the tags one after another, each followed by a blank.
VALID = {
    "io": re.compile(r"(?:\S+ )*"),
    "iob2": re.compile(r"(?:O |B-(\w+) (?:I-\1 )*)*"),
    "bioes": re.compile(r"(?:O |S-\w+ |B-(\w+) (?:I-\1 )*E-\1 )*"),
}
LABELS = ["LOC", "PER"]


def setting(scheme: str) -> tuple[list[str], Lattice]:
    tags = tag_names(LABELS, scheme)
    return tags, lattice(tags, scheme)


def is_valid(tags: list[str], scheme: str) -> bool:
    return VALID[scheme].fullmatch("".join(f"{tag} " for tag in tags)) is not None


@cache
def all_ways(scheme: str, n: int) -> np.ndarray:
    """Return all valid sequences of n tags: (ways, n)."""
    tags = tag_names(LABELS, scheme)
    ways = [
        way
        for way in product(range(len(tags)), repeat=n)
        if is_valid([tags[i] for i in way], scheme)
    ]
    return np.array(ways, dtype=np.int32).reshape(len(ways), n)


def totals(scores: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Return the score of each sequence: the sum of its tags' scores."""
    return scores.astype(np.float64)[np.arange(len(scores)), ways].sum(axis=1)


def starts_of(lengths: list[int]) -> np.ndarray:
    return np.cumsum([0, *lengths]).astype(np.int64)


def pieces(scores: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    return np.split(scores, starts_of(lengths)[1:-1])


LENGTHS = [
    [1],
    [4],
    [2, 4, 1, 3],
    [3, 3, 3],
    [0, 2, 0, 0, 3, 0],
    [1, 0],
    [1, 2, 3, 4],
]
