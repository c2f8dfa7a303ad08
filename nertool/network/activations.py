"""The hidden layer's f, and f′ computed from h = f(z), which the forward pass has at hand.

f acts on each element, so its Jacobian is diag(f′(z)): n numbers, never a matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Activation(NamedTuple):
    """f(z), and f_prime_of_h(h) = f′(z) where h = f(z); piecewise: linear pieces, with kinks between."""

    f: Callable[[Array], Array]
    f_prime_of_h: Callable[[Array], Array]
    piecewise: bool = False


def sigma(z: Array) -> Array:
    """Return 1 / (1 + e^−z) without overflow: it is (1 + tanh(z/2)) / 2."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(np.tanh, lambda h: 1.0 - h * h),
    "logistic": Activation(sigma, lambda h: h * (1.0 - h)),
    # At a kink we take the derivative 0, as the field does.
    "relu": Activation(lambda z: np.maximum(z, 0.0), lambda h: (h > 0).astype(h.dtype), True),
    "hard_tanh": Activation(
        lambda z: np.clip(z, -1.0, 1.0),
        lambda h: (np.abs(h) < 1).astype(h.dtype),
        True,
    ),
}
