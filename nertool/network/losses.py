"""The loss J of a batch, averaged over its B examples, and ∂J/∂s: the same (p − y) / B for both outputs.

With weights (B,), each example's loss counts so many times, and so does its ∂J/∂s. Both losses are
written from s, never from p, so that nothing overflows and nothing needs clipping.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nertool.network.activations import Array, sigma


def logistic_loss(s: Array, y: Array, weights: Array | None = None) -> tuple[float, Array]:
    """Return J and ∂J/∂s for K one-vs-rest logistic outputs; s and y are (B, K), y of 0 and 1.

    J = mean over examples of Σ_k log(1 + e^s_k) − y_k s_k; with K = 1 it is MATHS.md's J.
    """
    return _mean(np.logaddexp(0.0, s) - y * s, sigma(s) - y, weights)


def softmax_loss(s: Array, y: Array, weights: Array | None = None) -> tuple[float, Array]:
    """Return J and ∂J/∂s for a softmax over K outputs; s and y are (B, K), y with a single 1 in each row.

    J = mean over examples of log Σ_k e^s_k − s_y.
    """
    shifted = s.T.copy()                       # (K, B): along K short rows each sum would be slow
    shifted -= shifted.max(axis=0)
    losses = -(y.T * shifted).sum(axis=0)      # (B,)
    p = np.exp(shifted, out=shifted)
    total = p.sum(axis=0)
    losses += np.log(total)
    p /= total
    return _mean(losses[:, None], p.T - y, weights)


def _mean(losses: Array, slopes: Array, weights: Array | None) -> tuple[float, Array]:
    """Return the mean over B examples of losses (B, ·), and of their slopes by s (B, K)."""
    if weights is not None:
        losses, slopes = losses * weights[:, None], slopes * weights[:, None]
    return float(losses.sum(dtype=np.float64)) / len(losses), slopes / len(losses)


LOSSES: dict[str, Callable[..., tuple[float, Array]]] = {
    "logistic": logistic_loss,
    "softmax": softmax_loss,
}
