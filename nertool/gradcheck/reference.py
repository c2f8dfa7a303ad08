"""J once more, in forms that hold for complex numbers: what the complex step needs.

∂J/∂θ_j = Im J(θ_j + iε) / ε + O(ε²), with no difference of two nearly equal numbers in it: ε may be
1e−20, and the answer is right to the last digits (Squire and Trapp 1998). But it needs forms that
are analytic: no abs, no maximum, no comparison of complex numbers. Each form below says by the real
part which piece it is on, and is then analytic; so ReLU and hard tanh have a complex step, too,
that of the piece they are on: a step off the real axis crosses no kink.

Tests hold these forms equal to the shipped ones on real numbers.
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

# Which piece of f each unit is on, from h = f(z); an f that is not here has no kinks.
PIECE: dict[str, Callable[[Array], Array]] = {
    "relu": lambda h: h > 0,
    "hard_tanh": lambda h: np.where(np.abs(h) < 1, 0.0, h),
}


def _logistic(s: Array, y: Array) -> Array:
    # log(1 + e^s), by the form that does not overflow on this side of 0. A step off the real axis
    # is so small that the side is the real part's.
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
    """Return J as objective.forward_loss does, for parameters of which some or all may be complex."""
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
