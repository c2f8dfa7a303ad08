"""The loss J of a batch, averaged over its B examples, and ∂J/∂s: the same (p − y) / B for both outputs.

Both are written from s, never from p, so that nothing overflows and nothing needs clipping.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nertool.network.activations import Array, sigma


def logistic_loss(s: Array, y: Array) -> tuple[float, Array]:
    """Return J and ∂J/∂s for K one-vs-rest logistic outputs; s and y are (B, K), y of 0 and 1.

    J = mean over examples of Σ_k log(1 + e^s_k) − y_k s_k; with K = 1 it is MATHS.md's J.
    """
    J = float((np.logaddexp(0.0, s) - y * s).sum(dtype=np.float64)) / len(s)
    return J, (sigma(s) - y) / len(s)


def softmax_loss(s: Array, y: Array) -> tuple[float, Array]:
    """Return J and ∂J/∂s for a softmax over K outputs; s and y are (B, K), y with a single 1 in each row.

    J = mean over examples of log Σ_k e^s_k − s_y.
    """
    shifted = s - s.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    total = exps.sum(axis=1, keepdims=True)
    J = float((np.log(total) - (y * shifted).sum(axis=1, keepdims=True)).sum(dtype=np.float64)) / len(s)
    return J, (exps / total - y) / len(s)


LOSSES: dict[str, Callable[[Array, Array], tuple[float, Array]]] = {
    "logistic": logistic_loss,
    "softmax": softmax_loss,
}
