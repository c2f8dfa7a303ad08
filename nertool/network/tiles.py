"""Consecutive windows, four at a time: the same products with fewer multiplications.

For consecutive windows of a text, W x is a correlation along the text. Let W_c (H, d) be the block of W
that is multiplied by the c-th word of a window, and r_i the row of word i:

    z_i = Σ_c W_c r_{i+c},  c = 0 … C − 1

A *tile* is four consecutive windows, which have C + 3 words together. Computed directly, their z take 4 C
products of a block and a row. Minimal filtering (Winograd 1980; Lavin and Gray 2016 for neural networks)
needs only C + 3 products, each of a sum of blocks and a sum of rows:

    v_k = Σ_j Q[k, j] r_{i+j}    G_k = Σ_c P[k, c] W_c    m_k = G_k v_k    z_{i+j} = Σ_k A[k, j] m_k

The factors P (K, C), Q (K, C + 3) and A (K, 4) are those of Toom and Cook (`scheme_of`). Sums cost little
compared with products, and G_k is computed once for a whole batch. The chain rule gives the backward pass;
δ is ∂J/∂z, as everywhere:

    ∂J/∂m_k = Σ_j A[k, j] δ_{i+j}     ∂J/∂G_k = ∂J/∂m_k v_kᵀ     ∂J/∂v_k = G_kᵀ ∂J/∂m_k
    ∂J/∂W_c = Σ_k P[k, c] ∂J/∂G_k     ∂J/∂r_{i+j} = Σ_k Q[k, j] ∂J/∂v_k, summed over the tiles

The results equal those of scorer.py and lookup.py up to rounding. The error of z in float32 is about three
times that of the plain product, in the sixth or seventh digit.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.kernels.tiles import MOST_PARTS, Places, mix, scratch, tile
from nertool.network.activations import Array

TILE = 4  # windows
_PIECE = 5  # the greatest number of words of a window in one piece of a scheme
# A tile multiplies two polynomials, which are evaluated at these points. Small points keep errors in float32
# small.
_POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
_WORTH = 0.9  # tiles are used if they need at most this share of the multiplications


class Scheme(NamedTuple):
    """The factors of a tile of windows of C words: P (K, C), Q (K, C + TILE − 1), A (K, TILE)."""

    P: Array
    Q: Array
    A: Array


class Tiles(NamedTuple):
    """Windows cut into tiles: the places of each tile's windows, and of its words.

    The last tile of a sentence may have fewer windows, and so fewer words.
    """

    windows: Places
    words: Places


@cache
def scheme_of(C: int) -> Scheme:
    """Return the factors (float64) for windows of C words.

    A window of more than five words is cut into pieces, each with its own factors.
    """
    pieces = -(-C // _PIECE)
    sizes = [C // pieces + (i < C % pieces) for i in range(pieces)]
    more = TILE - 1
    K = C + more * pieces
    P, Q, A = np.zeros((K, C)), np.zeros((K, C + more)), np.zeros((K, TILE))
    k = c = 0
    for size in sizes:
        own = slice(k, k + size + more)
        P[own, c : c + size], Q[own, c : c + size + more], A[own] = _toom_cook(size)
        k, c = k + size + more, c + size
    return Scheme(P, Q, A)


def _toom_cook(size: int) -> tuple[Array, Array, Array]:
    """Return P, Q and A for a piece of `size` words.

    The product of Σ_c w_c t^c and Σ_j y_j t^j has size + TILE − 1 coefficients. They are determined by the
    product's values at size + TILE − 2 points and by its leading coefficient. A tile computes the transpose
    of this product: P and A evaluate the two factors, and Q interpolates.
    """
    points = np.array(_POINTS[: size + TILE - 2])
    P, A = _values(points, size), _values(points, TILE)
    Q = np.zeros((len(P), len(P)))
    for k, a in enumerate(points):
        others = points[points != a]
        P[k] /= np.prod(a - others)
        Q[k, :-1] = _polynomial(others)
    Q[-1] = _polynomial(points)
    return P, Q, A


def _values(points: Array, n: int) -> Array:
    """Return the matrix (len(points) + 1, n) from a polynomial's n coefficients to its values at the points.

    The last row gives the leading coefficient.
    """
    return np.concatenate([points[:, None] ** np.arange(n), np.eye(n)[-1:]])


def _polynomial(roots: Array) -> Array:
    """Return the coefficients of Π (t − root), beginning with the constant."""
    of = np.ones(1)
    for root in roots:
        of = np.append(0.0, of) - root * np.append(of, 0.0)
    return of


def tiles_of(windows: NDArray[np.integer]) -> Tiles | None:
    """Cut consecutive windows (B, C) into tiles; return None if tiles would save little or nothing."""
    B, C = windows.shape
    K = C + (TILE - 1) * -(-C // _PIECE)
    if not B or max(K, C + TILE) > MOST_PARTS:
        return None
    found = tile(windows, TILE)
    if found is None or len(found[0].at) * K > _WORTH * B * C:
        return None
    return Tiles(*found)


def mixed_weights(W: Array, C: int, d: int) -> Array:
    """Return the blocks G (K, H, d) of W (H, D)."""
    P = _factors(C, W).P
    G = scratch("G", (len(P), len(W), d), W.dtype)
    mix(G, _blocks(W, C, d), P)
    return G


def mixed_weights_backward(dG: Array, W: Array, C: int) -> None:
    """Write ∂J/∂W into the columns of W (H, D) that belong to words, from dG (K, H, d) = ∂J/∂G."""
    mix(_blocks(W, C, dG.shape[2]), dG, _transposed(C, W).P)


def mixed_rows(tiles: Tiles, R: Array, C: int) -> Array:
    """Return v (K, T, d) for T tiles, from the words' rows R (n, d)."""
    Q = _factors(C, R).Q
    v = scratch("v", (len(Q), len(tiles.words.at), R.shape[1]), R.dtype)
    mix(v, R, Q, tiles.words)
    return v


def mixed_rows_backward(tiles: Tiles, dv: Array, n: int, C: int) -> Array:
    """Return ∂J/∂R (n, d) from dv (K, T, d) = ∂J/∂v."""
    dR = np.zeros((n, dv.shape[2]), dtype=dv.dtype)
    mix(dR, dv, _transposed(C, dv).Q, tiles.words, add=True)
    return dR


def tile_scores(tiles: Tiles, v: Array, G: Array, B: int, C: int) -> Array:
    """Return z (B, H) without b and side inputs: the products m_k = G_k v_k, then each window's sum of m."""
    A = _factors(C, v).A
    m = scratch("m", (len(A), len(tiles.words.at), G.shape[1]), v.dtype)
    np.matmul(v, G.transpose(0, 2, 1), out=m)
    z = scratch("z", (B, G.shape[1]), v.dtype)
    mix(z, m, _transposed(C, v).A, tiles.windows)
    return z


def tile_scores_backward(
    tiles: Tiles, v: Array, G: Array, delta: Array, C: int
) -> tuple[Array, Array]:
    """Return ∂J/∂G (K, H, d) and ∂J/∂v (K, T, d) from delta (B, H) = ∂J/∂z. ∂J/∂v overwrites v."""
    A = _factors(C, v).A
    dm = scratch("m", (len(A), len(tiles.words.at), delta.shape[1]), v.dtype)
    mix(dm, delta, A, tiles.windows)            # (K, T, H)
    dG = np.matmul(dm.transpose(0, 2, 1), v)
    return dG, np.matmul(dm, G, out=v)


def _blocks(W: Array, C: int, d: int) -> Array:
    """Return the blocks W_c of W (H, D) as a view (C, H, d)."""
    return W[:, : C * d].reshape(len(W), C, d).transpose(1, 0, 2)


@cache
def _in_dtype(C: int, dtype: np.dtype[Any], transposed: bool) -> Scheme:
    turned = [M.T if transposed else M for M in scheme_of(C)]
    return Scheme(*(np.ascontiguousarray(M, dtype=dtype) for M in turned))


def _factors(C: int, like: Array) -> Scheme:
    """Return the factors P, Q and A in the dtype of `like`."""
    return _in_dtype(C, like.dtype, transposed=False)


def _transposed(C: int, like: Array) -> Scheme:
    """Return the transposed factors Pᵀ, Qᵀ and Aᵀ in the dtype of `like`."""
    return _in_dtype(C, like.dtype, transposed=True)
