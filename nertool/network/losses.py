"""Loss functions: J of a batch, averaged over its B examples, and ∂J/∂s.

For both outputs ∂J/∂s = (p − y) / B. With weights (B,), each example's loss and its row of ∂J/∂s are
multiplied by its weight. J is computed from s, not from p, so that nothing overflows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nertool.network.activations import Array, sigma


def logistic_loss(s: Array, y: Array, weights: Array | None = None) -> tuple[float, Array]:
    """Return J and ∂J/∂s (B, K) for K independent logistic outputs.

    s and y are (B, K); y lies between 0 and 1. J is the mean over examples of Σ_k log(1 + e^s_k) − y_k s_k.
    """
    return _mean(np.logaddexp(0.0, s) - y * s, sigma(s) - y, weights)


def softmax_loss(s: Array, y: Array, weights: Array | None = None) -> tuple[float, Array]:
    """Return J and ∂J/∂s (B, K) for a softmax over K outputs.

    s and y are (B, K); each row of y adds up to 1. J is the mean over examples of
    log Σ_k e^s_k − Σ_k y_k s_k. If y has a single 1, this is log Σ_k e^s_k − s_y.
    """
    shifted = s.T.copy()                       # (K, B): sums along long rows are faster
    shifted -= shifted.max(axis=0)
    losses = -(y.T * shifted).sum(axis=0)      # (B,)
    p = np.exp(shifted, out=shifted)
    total = p.sum(axis=0)
    losses += np.log(total)
    p /= total
    return _mean(losses[:, None], p.T - y, weights)


def _mean(losses: Array, slopes: Array, weights: Array | None) -> tuple[float, Array]:
    """Return the mean of losses (B, ·) over the B examples, and its derivative (B, K).

    slopes (B, K): the derivative of each example's loss in s.
    """
    if weights is not None:
        losses, slopes = losses * weights[:, None], slopes * weights[:, None]
    return float(losses.sum(dtype=np.float64)) / len(losses), slopes / len(losses)


LOSSES: dict[str, Callable[..., tuple[float, Array]]] = {
    "logistic": logistic_loss,
    "softmax": softmax_loss,
}
