"""Compress rows to a few bytes each by product quantisation (Jégou, Douze and Schmid 2011).

A row is cut into m parts. Each part is replaced by the number of the nearest of 256 centroids, so that a row
takes m bytes. k-means finds the centroids among the parts of all rows. The rows of frequent words stay int8,
since their precision matters more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.vectors.rows.compressed_rows import CompressedRows

CENTROIDS = 256  # the number of values of a byte
_VALUES_A_BYTE = 16  # about the width of a part
_LEAST_PARTS = 2
_SAMPLE, _PASSES = 40_000, 8  # the number of rows and of iterations of k-means
_BLOCK = 8192  # rows compared with all centroids at a time


@dataclass(frozen=True, eq=False)
class CodedRows:
    """A product-quantised matrix (V, d): `rows[numbers]` returns rows as float32.

    own (k, d): the first k rows, as int8. codes (V − k, m) uint8: for each further row, the centroid of each
    of its m parts. codebook (256, d) float32: the centroids of all parts, side by side. Errors: ValueError
    for arrays that do not belong together.
    """

    own: CompressedRows
    codes: NDArray[np.uint8]
    codebook: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check that the arrays belong together."""
        if self.codes.ndim != 2 or self.codes.dtype != np.uint8:
            raise ValueError(f"found codes {self.codes.dtype} {self.codes.shape}, expected bytes")
        if self.codebook.shape != (CENTROIDS, self.own.shape[1]):
            raise ValueError(f"found a codebook {self.codebook.shape}, expected one for the rows")
        if self.codebook.dtype != np.float32 or not 1 <= self.codes.shape[1] <= self.own.shape[1]:
            raise ValueError("found a codebook or codes of another kind")

    def __len__(self) -> int:
        """Return V."""
        return len(self.own) + len(self.codes)

    @property
    def shape(self) -> tuple[int, int]:
        """(V, d)."""
        return len(self), self.own.shape[1]

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self) * self.own.shape[1]

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """The dtype of the rows that are returned: float32."""
        return np.dtype(np.float32)

    def __getitem__(self, numbers: Any) -> NDArray[np.float32]:
        """Return one row (d,) or several rows (n, d) as float32."""
        wanted = np.arange(len(self))[numbers]
        flat = np.atleast_1d(wanted)
        k, d = self.own.shape
        rows = np.empty((len(flat), d), dtype=np.float32)
        coded = flat >= k
        rows[~coded] = self.own[flat[~coded]]
        codes = self.codes[flat[coded] - k]
        # Value i of a row is value i of the codebook's row for the part that contains i.
        part = np.repeat(np.arange(codes.shape[1]), _widths(d, codes.shape[1]))
        rows[coded] = self.codebook[codes[:, part], np.arange(d)]
        return rows if wanted.ndim else rows[0]


def code_rows(own: CompressedRows, rest: NDArray[np.float32], seed: int = 0) -> CodedRows:
    """Code the rows `rest` (n, d), which follow the rows `own`. The same rows and seed give the same codes.

    Errors: ValueError if n is smaller than CENTROIDS.
    """
    n, d = rest.shape
    if n < CENTROIDS:
        raise ValueError(f"found {n} rows, expected at least {CENTROIDS} to code")
    m = min(d, max(_LEAST_PARTS, round(d / _VALUES_A_BYTE)))
    rng = np.random.default_rng(seed)
    sample = rest[np.sort(rng.permutation(n)[:_SAMPLE])]
    codes = np.empty((n, m), dtype=np.uint8)
    codebook = np.empty((CENTROIDS, d), dtype=np.float32)
    ends = np.cumsum(_widths(d, m))
    for i, (start, end) in enumerate(zip(ends - _widths(d, m), ends, strict=True)):
        part = np.ascontiguousarray(sample[:, start:end])
        codebook[:, start:end] = centroids = _k_means(part, rng)
        codes[:, i] = _nearest(np.ascontiguousarray(rest[:, start:end]), centroids)
    return CodedRows(own, codes, codebook)


def _widths(d: int, m: int) -> NDArray[np.int64]:
    """Return the widths of m parts of d values (m,). They differ by at most one; wider parts come first."""
    widths = np.full(m, d // m)
    widths[: d % m] += 1
    return widths


def _k_means(rows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return CENTROIDS centroids of rows (n, w) by k-means, from a random start."""
    centroids = rows[rng.permutation(len(rows))[:CENTROIDS]].copy()
    for _ in range(_PASSES):
        nearest = _nearest(rows, centroids)
        counts = np.bincount(nearest, minlength=CENTROIDS)
        sums = np.stack(
            [np.bincount(nearest, weights=values, minlength=CENTROIDS) for values in rows.T], axis=1
        )
        met = counts > 0
        centroids[met] = sums[met] / counts[met, None]
    return centroids


def _nearest(rows: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the number of the centroid nearest to each row (n, w): (n,).

    ‖r − c‖² is smallest where r·c − ‖c‖²/2 is largest.
    """
    half = (centroids * centroids).sum(axis=1) / 2
    found = np.empty(len(rows), dtype=np.int64)
    for i in range(0, len(rows), _BLOCK):
        found[i : i + _BLOCK] = (rows[i : i + _BLOCK] @ centroids.T - half).argmax(axis=1)
    return found
