"""Word vectors from co-occurrence counts: positive pointwise mutual information (PPMI), reduced by SVD.

Bullinaria and Levy (2007), Levy and Goldberg (2014). The row of a word counts its neighbours; neighbours
before and after the word have separate columns. Each count becomes

    PPMI = max(0, log(P(word, neighbour) / (P(word) P(neighbour)^0.75)))

so that common neighbours have less weight. The vectors are U S^0.5 of the d largest singular values. On short
texts this takes a tenth of word2vec's time, and the vectors are as good or better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = (
    2000  # words, the most frequent ones, that have their own column; the others share one
)
_SMOOTHING = 0.75  # the exponent of a neighbour's probability (Levy, Goldberg and Dagan 2015)
_DENSE = 500  # words, or neighbours, up to which the dense matrix is decomposed
_BLOCK = 1 << 20  # tokens counted at a time

Read = Callable[[], Iterable[Sequence[str]]]


def count_vectors(
    read: Read, width: int, window: int, min_count: int
) -> tuple[list[str], NDArray[np.float32]]:
    """Return V words, the most frequent first, and their vectors (V, d).

    read: a function that returns the sentences as lists of words; it is called twice. window: the number of
    neighbours on either side; one at distance k counts 1/k. min_count: rarer words get no vector. The same
    text gives the same vectors.
    """
    counts = Counter(word for sentence in read() for word in sentence)
    words = [word for word, count in counts.most_common() if count >= min_count]
    if not words:
        return [], np.zeros((0, width), dtype=np.float32)
    return words, _reduced(_ppmi(_neighbours(read, words, window)), width)


def _neighbours(read: Read, words: Sequence[str], window: int) -> Any:
    """Count neighbours, and return a sparse matrix (V, 2 · window · columns)."""
    from scipy import sparse

    rows_of = {word: i for i, word in enumerate(words)}
    V, own = len(words), min(_NEIGHBOURS, len(words))
    columns = own + 2  # one more for all other words, and one for the end of a sentence
    total = sparse.csr_matrix((V, 2 * window * columns))
    for ids in _blocks(read, rows_of, window):
        # Words without their own column share one. −1 is a word without a vector, −2 the end of a sentence.
        column = np.where(ids == -2, own + 1, np.where((ids < 0) | (ids >= own), own, ids))
        for slot, shift in enumerate(k for k in range(-window, window + 1) if k):
            here = slice(max(0, -shift), len(ids) - max(0, shift))
            there = slice(max(0, shift), len(ids) - max(0, -shift))
            centre, beside = ids[here], column[there] + slot * columns
            met = centre >= 0
            values = np.full(int(met.sum()), 1 / abs(shift))
            total = total + sparse.csr_matrix((values, (centre[met], beside[met])), total.shape)
    return total


def _blocks(read: Read, rows_of: dict[str, int], window: int) -> Iterable[NDArray[np.int64]]:
    """Yield arrays of word numbers, with `window` times −2 before, between and after sentences."""
    ends = [-2] * window
    ids: list[int] = list(ends)
    for sentence in read():
        ids += [rows_of.get(word, -1) for word in sentence]
        ids += ends
        if len(ids) > _BLOCK:
            yield np.array(ids)
            ids = list(ends)
    yield np.array(ids)


def _ppmi(counts: Any) -> Any:
    """Convert counts of neighbours to positive pointwise mutual information."""
    from scipy import sparse

    rows = np.asarray(counts.sum(axis=1)).ravel()
    columns = np.asarray(counts.sum(axis=0)).ravel() ** _SMOOTHING
    columns /= columns.sum() or 1.0
    found = counts.tocoo()
    information = np.log(found.data / (rows[found.row] * columns[found.col]))
    kept = information > 0
    return sparse.csr_matrix(
        (information[kept], (found.row[kept], found.col[kept])), shape=counts.shape
    )


def _reduced(matrix: Any, width: int) -> NDArray[np.float32]:
    """Return U S^0.5 of the `width` largest singular values, (V, width); zeros if there are fewer."""
    V = matrix.shape[0]
    out = np.zeros((V, width), dtype=np.float32)
    rank = min(width, min(matrix.shape) - 1)
    if rank > 0 and matrix.nnz:
        U, S = _singular_vectors(matrix, rank)
        signs = np.sign(
            U[np.abs(U).argmax(axis=0), np.arange(rank)]
        )  # the SVD leaves the sign open
        out[:, :rank] = U * signs * np.sqrt(S)
    return out


def _singular_vectors(
    matrix: Any, rank: int, dense: int = _DENSE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the `rank` largest singular values in descending order, after their left vectors (V, rank).

    scipy.sparse.linalg.svds is not used because it restarts, for a matrix of low rank, from random numbers
    that can't be seeded. A small matrix is decomposed as a dense one. For a large matrix the eigenvectors of
    XᵀX are computed, as in svds.
    """
    if min(matrix.shape) <= dense:
        U, S, _ = np.linalg.svd(matrix.toarray(), full_matrices=False)
        return U[:, :rank], S[:rank]
    from inspect import signature

    from scipy.sparse.linalg import LinearOperator, eigsh

    wide = matrix.shape[0] < matrix.shape[1]
    X = matrix.T.tocsr() if wide else matrix
    n = X.shape[1]
    gram = LinearOperator((n, n), matvec=lambda x: X.T @ (X @ x), dtype=np.float64)
    seeded = {"rng": 0} if "rng" in signature(eigsh).parameters else {}  # scipy 1.17 and later
    _, right = eigsh(gram, k=rank, v0=np.ones(n), **seeded)
    right, _ = np.linalg.qr(right)
    U, S, Vh = np.linalg.svd(X @ right, full_matrices=False)
    return (right @ Vh.T if wide else U), S
