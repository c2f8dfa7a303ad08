"""J for complex parameters, which the complex step needs.

∂J/∂θ_j = Im J(θ_j + iε) / ε + O(ε²). The formula has no difference of two nearly equal numbers. So ε may
be 1e−20, and the result is right to the last digits (Squire and Trapp 1998). It needs analytic functions:
no abs, no maximum, no comparison of complex numbers. Each function below chooses its piece by the real
part, and is analytic on that piece. So ReLU and hard tanh have a complex step, too: a step off the real
axis never crosses a kink.

Tests check that these functions equal those of network/ on real numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nertool.network.activations import Array
from nertool.network.lookup import embed
from nertool.network.objective import (
    NO_MASKS,
    Batch,
    Masks,
    Objective,
    Parameters,
    tables_of,
    weights_of,
)

F: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "logistic": lambda z: 0.5 * (1.0 + np.tanh(0.5 * z)),
    "relu": lambda z: np.where(z.real > 0, z, 0.0),
    "hard_tanh": lambda z: np.where(np.abs(z.real) < 1, z, np.sign(z.real)),
}

# For each f with kinks: a function from h = f(z) to the piece of f that each unit is on.
PIECE: dict[str, Callable[[Array], Array]] = {
    "relu": lambda h: h > 0,
    "hard_tanh": lambda h: np.where(np.abs(h) < 1, 0.0, h),
}


def _logistic(s: Array, y: Array) -> Array:
    # log(1 + e^s), by the formula that does not overflow on this side of 0. The real part decides the side,
    # because a step off the real axis is tiny.
    positive = s.real > 0
    small = np.log1p(np.exp(np.where(positive, -s, s)))
    losses: Array = (np.where(positive, s, 0.0) + small - y * s).sum(axis=1)
    return losses


def _softmax(s: Array, y: Array) -> Array:
    shifted = s - s.real.max(axis=1, keepdims=True)
    losses: Array = np.log(np.exp(shifted).sum(axis=1)) - (y * shifted).sum(axis=1)
    return losses


LOSS: dict[str, Callable[[Array, Array], Array]] = {"logistic": _logistic, "softmax": _softmax}


def reference_J(
    objective: Objective, parameters: Parameters, batch: Batch, masks: Masks = NO_MASKS
) -> complex:
    """Return the J of objective.forward_loss. Any of the parameters may be complex."""
    W, b, U = weights_of(parameters)
    R = embed(list(tables_of(parameters).values()), batch.ids, objective.columns)   # (n, d)
    if masks.input is not None:
        R = R * masks.input
    x = R[batch.windows].reshape(len(batch.windows), -1)                            # (B, C d)
    if batch.side is not None:
        x = np.concatenate([x, batch.side], axis=1)                                # (B, D)
    h = F[objective.activation](x @ W.T + b)                                        # (B, H)
    if masks.hidden is not None:
        h = h * masks.hidden
    losses = LOSS[objective.output](h @ U.T, batch.y)                               # (B,)
    if batch.weights is not None:
        losses = losses * batch.weights
    J = losses.sum() / len(batch.windows)
    if objective.l2:
        J = J + 0.5 * objective.l2 * ((W * W).sum() + (U * U).sum())
    return complex(J)
