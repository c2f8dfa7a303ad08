"""The hidden layer's f, and f′ computed from h = f(z), which the forward pass has at hand.

f acts on each element, so its Jacobian is diag(f′(z)): n numbers, never a matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Elementwise(Protocol):
    """f(z), or f(z, out=z) in place."""

    def __call__(self, z: Array, /, out: Array | None = None) -> Array: ...


class Activation(NamedTuple):
    """f(z), and f_prime_of_h(h) = f′(z) where h = f(z); piecewise: linear pieces, with kinks between."""

    f: Elementwise
    f_prime_of_h: Callable[[Array], Array]
    piecewise: bool = False


def sigma(z: Array, /, out: Array | None = None) -> Array:
    """Return 1 / (1 + e^−z) without overflow: it is (1 + tanh(z/2)) / 2."""
    out = np.multiply(z, 0.5, out=out)
    np.tanh(out, out=out)
    out += 1.0
    out *= 0.5
    return out


def relu(z: Array, /, out: Array | None = None) -> Array:
    """Return max(z, 0)."""
    # A row of zeros, not the one number: numpy has a faster loop for it.
    return np.maximum(z, np.zeros(z.shape[-1:], dtype=z.dtype), out=out)


def hard_tanh(z: Array, /, out: Array | None = None) -> Array:
    """Return z, but −1 below −1 and 1 above 1."""
    return np.clip(z, -1.0, 1.0, out=out)


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(np.tanh, lambda h: 1.0 - h * h),
    "logistic": Activation(sigma, lambda h: h * (1.0 - h)),
    # At a kink we take the derivative 0, as the field does.
    "relu": Activation(relu, lambda h: (h > 0).astype(h.dtype), True),
    "hard_tanh": Activation(hard_tanh, lambda h: (np.abs(h) < 1).astype(h.dtype), True),
}
