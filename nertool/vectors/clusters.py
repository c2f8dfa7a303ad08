"""Clusters of word vectors: numbers that words with similar vectors share, coarse and fine ones.

A network that reads a word's cluster learns from every word of it, and knows something of a word that the
training text lacks: that it is one of the surnames, say. Clusters stand beside vectors in named-entity
recognition since Miller et al. (2004); Turian et al. (2010) and Guo et al. (2014) compare both.

The clusters are those of spherical k-means (Dhillon and Modha 2001), which compares directions: 128, 512 and
2,048 of them, from one random start and from another, since where k-means ends depends on its start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

_COUNTS = (128, 512, 2048)  # clusters
_STARTS = 2  # random starts
COLUMNS = len(_COUNTS) * _STARTS
PADDING, NONE = 0, 1  # the numbers of the padding, and of a word without clusters
SIZE = 2 + _STARTS * sum(_COUNTS)  # of all numbers

_SAMPLE = 25_000  # the centroids are those of so many of the first words, the most frequent ones
_LISTED = 500_000  # words that have clusters: more would take minutes, and most of them are rare
_ITERATIONS = 6
# Rows that are compared with the centroids at a time: their cosines stay in the cache.
_BLOCK = 1 << 10

Floats = NDArray[np.float32]


def cluster_numbers(matrix: Floats, listed: int = _LISTED) -> NDArray[np.uint16]:
    """Return the numbers (V, COLUMNS) of each word's clusters, from the words' vectors (V, d), the most
    frequent word first.

    Each column has numbers of its own in 2 … SIZE−1; words after the first `listed` have none, NONE, and
    neither have vectors of zeros, which have no direction. The same vectors have the same numbers, with any
    number of threads.
    """
    numbers = np.full((len(matrix), COLUMNS), NONE, dtype=np.uint16)
    first_words = matrix[:listed]
    sample = _directions(first_words[:_SAMPLE])
    sample = sample[sample.any(axis=1)]
    if not len(sample):
        return numbers

    def number(start: int) -> None:
        centroids = _centroids(sample, np.random.default_rng(start))
        for rows in _blocks(len(first_words)):
            own, first = _directions(first_words[rows]), 2 + start * sum(_COUNTS)
            for i, (C, count) in enumerate(zip(centroids, _COUNTS, strict=True)):
                nearest = np.where(own.any(axis=1), first + _nearest(own, C), NONE)
                numbers[rows, start * len(_COUNTS) + i] = nearest
                first += count

    # Products are each of one thread, so that no sum depends on how many there are.
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(_STARTS) as threads:
        list(threads.map(number, range(_STARTS)))
    return numbers


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, _BLOCK):
        yield slice(start, min(start + _BLOCK, count))


def _directions(vectors: NDArray[np.floating]) -> Floats:
    """Return vectors (n, d) of length 1; zeros for a vector whose length is 0 in its dtype."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = vectors / np.where(lengths > 0, lengths, np.inf)
    return np.asarray(scaled, dtype=np.float32)


def _nearest(own: Floats, C: Floats) -> NDArray[np.int64]:
    """Return which centroid of C (clusters, d) each row of own (n, d) is nearest to, by the cosine: (n,)."""
    return np.asarray((own @ C.T).argmax(axis=1))


def _centroids(sample: Floats, rng: np.random.Generator) -> list[Floats]:
    """Return the centroids (clusters, d) of each count of clusters, by k-means from rows drawn at random of
    the directions (n, d)."""
    found = []
    for count in _COUNTS:
        C = sample[rng.permutation(len(sample))[:count]]
        for _ in range(_ITERATIONS):
            nearest = np.concatenate([_nearest(sample[rows], C) for rows in _blocks(len(sample))])
            order = np.argsort(nearest, kind="stable")
            met, firsts = np.unique(nearest[order], return_index=True)
            C[met] = _directions(np.add.reduceat(sample[order], firsts))
        found.append(C)
    return found


_NAME = "clusters"


def cluster_arrays(numbers: NDArray[np.uint16] | None) -> dict[str, NDArray[np.uint16]]:
    """Return the arrays that clusters are stored as, by name."""
    return {} if numbers is None else {_NAME: numbers}


def clusters_in(arrays: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.uint16] | None:
    """Return the clusters (rows, COLUMNS) that arrays hold, None where they hold none. Errors: ValueError for
    what does not fit."""
    numbers = arrays.get(_NAME)
    if numbers is None:
        return None
    if numbers.shape != (rows, COLUMNS) or numbers.dtype != np.uint16:
        raise ValueError(
            f"found clusters {numbers.shape} {numbers.dtype}, expected {(rows, COLUMNS)} uint16"
        )
    if (highest := numbers.max(initial=0)) >= SIZE:
        raise ValueError(f"found clusters up to {highest}, expected at most {SIZE - 1}")
    return numbers
