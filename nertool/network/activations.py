"""Activation functions f of the hidden layer, h = f(z), with their derivatives.

f acts on each element separately. Its Jacobian is therefore diag(f′(z)), which is kept as n numbers.
The derivative is computed from h, which the forward pass keeps. Example: tanh′(z) = 1 − h².
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Elementwise(Protocol):
    """A function that acts on each element. f(z) returns a new array; f(z, out=z) works in place."""

    def __call__(self, z: Array, /, out: Array | None = None) -> Array: ...


class Activation(NamedTuple):
    """An activation function.

    f: z → h. f_prime_of_h: h → f′(z), where h = f(z). piecewise: whether f is piecewise linear; f′ then
    jumps where two pieces meet. rectifier: whether f(z) = max(z, 0).
    """

    f: Elementwise
    f_prime_of_h: Callable[[Array], Array]
    piecewise: bool = False
    rectifier: bool = False


def sigma(z: Array, /, out: Array | None = None) -> Array:
    """Return the logistic function 1 / (1 + e^−z), computed as (1 + tanh(z/2)) / 2 to avoid overflow."""
    out = np.multiply(z, 0.5, out=out)
    np.tanh(out, out=out)
    out += 1.0
    out *= 0.5
    return out


def relu(z: Array, /, out: Array | None = None) -> Array:
    """Return max(z, 0)."""
    # numpy's loop for two arrays is faster than its loop for an array and a number.
    return np.maximum(z, np.zeros(z.shape[-1:], dtype=z.dtype), out=out)


def hard_tanh(z: Array, /, out: Array | None = None) -> Array:
    """Return z clipped to the interval from −1 to 1."""
    return np.clip(z, -1.0, 1.0, out=out)


# To add an activation function, add an entry here, and its complex form to gradcheck/reference.py.
ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(np.tanh, lambda h: 1.0 - h * h),
    "logistic": Activation(sigma, lambda h: h * (1.0 - h)),
    # Where two pieces meet, the derivative is defined as 0, the usual convention.
    "relu": Activation(relu, lambda h: (h > 0).astype(h.dtype), piecewise=True, rectifier=True),
    "hard_tanh": Activation(hard_tanh, lambda h: (np.abs(h) < 1).astype(h.dtype), piecewise=True),
}
