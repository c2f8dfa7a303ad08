"""Clusters of word vectors: words with similar vectors have the same cluster number.

A network that reads cluster numbers learns from all words of a cluster. So it knows something about a word
that is not in the training text, for example that it is a surname. Clusters have been used beside vectors in
named-entity recognition since Miller et al. (2004); Turian et al. (2010) and Guo et al. (2014) compare both.

Clusters are found by spherical k-means (Dhillon and Modha 2001), which compares directions. There are 128,
512 and 2,048 clusters, each from two random starts, since the result of k-means depends on its start.
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
SIZE = 2 + _STARTS * sum(_COUNTS)  # the number of different numbers

_SAMPLE = 25_000  # words, the most frequent ones, that the centroids are computed from
_LISTED = 500_000  # words, the most frequent ones, that get clusters; more would take minutes
_ITERATIONS = 6
# Rows compared with the centroids at a time, so that their cosines stay in the CPU's cache.
_BLOCK = 1 << 10

Floats = NDArray[np.float32]


def cluster_numbers(matrix: Floats, listed: int = _LISTED) -> NDArray[np.uint16]:
    """Return the cluster numbers (V, COLUMNS) of words from their vectors (V, d), frequent words first.

    Each column has its own range of numbers within 2 … SIZE−1. The number is NONE for words after the first
    `listed`, and for vectors of zeros, which have no direction. The result does not depend on the number of
    threads.
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

    # BLAS uses one thread for each product, so that no sum depends on the number of threads.
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(_STARTS) as threads:
        list(threads.map(number, range(_STARTS)))
    return numbers


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, _BLOCK):
        yield slice(start, min(start + _BLOCK, count))


def _directions(vectors: NDArray[np.floating]) -> Floats:
    """Scale vectors (n, d) to length 1. A vector whose length is 0 in its dtype becomes zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = vectors / np.where(lengths > 0, lengths, np.inf)
    return np.asarray(scaled, dtype=np.float32)


def _nearest(own: Floats, C: Floats) -> NDArray[np.int64]:
    """Return the centroid of C (clusters, d) with the largest cosine, for each row of own (n, d): (n,)."""
    return np.asarray((own @ C.T).argmax(axis=1))


def _centroids(sample: Floats, rng: np.random.Generator) -> list[Floats]:
    """Return the centroids (clusters, d) for each number of clusters, by spherical k-means.

    sample (n, d): directions. The initial centroids are rows drawn from it at random.
    """
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
    """Return the arrays in which cluster numbers are stored, by name."""
    return {} if numbers is None else {_NAME: numbers}


def clusters_in(arrays: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.uint16] | None:
    """Return the cluster numbers (rows, COLUMNS) stored in arrays; None if there are none.

    Errors: ValueError for an array of another shape, dtype or range.
    """
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
