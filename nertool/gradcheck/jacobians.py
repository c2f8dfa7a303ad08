"""The Jacobians of docs/mathematics.md, by hand and numerically, on a network small enough to print.

The network is cut from a real one: the first numbers of each word's row in one window, and a few hidden
units. The Jacobians by hand come from the f′ and the backward pass that training uses. Numerically, column
j of a Jacobian is the change of the function when its j-th input changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nertool.gradcheck.check import FAIL
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import embed
from nertool.network.losses import LOSSES
from nertool.network.objective import Batch, Objective, Parameters, tables_of, weights_of
from nertool.network.scorer import Weights, backward, forward

_EPS = 1e-6


class Jacobian(NamedTuple):
    """A Jacobian or a gradient, computed in two ways.

    name: its name in the letters of docs/mathematics.md; by_hand, numeric (m, n); note: a remark on its
    shape.
    """

    name: str
    by_hand: Array
    numeric: Array
    note: str = ""

    @property
    def difference(self) -> float:
        """The largest difference of two entries, divided by the largest entry by hand (at least 1)."""
        scale = max(1.0, float(np.abs(self.by_hand).max(initial=0.0)))
        return float(np.abs(self.by_hand - self.numeric).max(initial=0.0)) / scale

    @property
    def passed(self) -> bool:
        """Whether the difference is below FAIL."""
        return self.difference < FAIL

    def as_dict(self) -> dict[str, Any]:
        """Return the Jacobian as values that JSON can hold."""
        return {
            "name": self.name,
            "note": self.note,
            "difference": self.difference,
            "passed": self.passed,
            "by_hand": self.by_hand.tolist(),
            "numeric": self.numeric.tolist(),
        }


class Small(NamedTuple):
    """A small network and one example: weights, x (D,), y (K,)."""

    weights: Weights
    x: Array
    y: Array


def cut_network(
    objective: Objective, parameters: Parameters, batch: Batch, numbers: int = 2, units: int = 3
) -> Small:
    """Cut a small network out of a real one, in float64.

    It keeps the first `numbers` entries of each word's row in the batch's first window, and `units` hidden
    units, whose z are evenly spread by rank from the least to the greatest.
    """
    W, b, U = (np.asarray(array, dtype=np.float64) for array in weights_of(parameters))
    tables = [np.asarray(table, dtype=np.float64) for table in tables_of(parameters).values()]
    R = embed(tables, batch.ids[batch.windows[0]], objective.columns)       # (C, d)
    C, d = R.shape
    columns = (np.arange(C)[:, None] * d + np.arange(min(numbers, d))).ravel()
    x = R.reshape(-1)[columns]
    order = np.argsort(W[:, columns] @ x + b)
    kept = order[np.linspace(0, len(order) - 1, min(units, len(order))).round().astype(int)]
    weights = Weights(W[kept][:, columns], b[kept], U[:, kept])
    return Small(weights, x, np.asarray(batch.y[0], dtype=np.float64))


def jacobians(objective: Objective, small: Small, k: int = 0) -> list[Jacobian]:
    """Return the Jacobians of the single steps, and their products by the chain rule, for the k-th output."""
    (W, b, U), x, y = small
    activation = ACTIVATIONS[objective.activation]
    f, f_prime_of_h = activation.f, activation.f_prime_of_h
    loss = LOSSES[objective.output]
    z = W @ x + b
    h = f(z)
    u = U[k]
    K, (H, D) = len(U), W.shape

    def score(weights: Weights, x: Array) -> Array:
        return forward(weights, activation, x[None])[0][0, k : k + 1]

    def J(s: Array) -> Array:
        return np.array([loss(s[None], y[None])[0]])

    s, cache = forward(small.weights, activation, x[None])
    of_s = backward(small.weights, activation, np.eye(K)[k : k + 1], cache)   # ds = 1: of the score
    ds_dz = of_s.weights.b
    ds = loss(s, y[None])[1]
    of_J = backward(small.weights, activation, ds, cache)
    found = [
        ("∂h/∂z = diag f′(z)", np.diag(f_prime_of_h(h)), lambda v: f(v), z),
        ("∂z/∂x = W", W, lambda v: W @ v + b, x),
        ("∂z/∂b = I", np.eye(H), lambda v: W @ x + v, b),
        ("∂s/∂u = hᵀ", h[None], lambda v: (v @ h)[None], u),
        ("∂s/∂h = uᵀ", u[None], lambda v: (u @ v)[None], h),
        ("∂s/∂b = ∂s/∂z I = uᵀ diag f′(z)", ds_dz[None],
         lambda v: score(Weights(W, v, U), x), b),
        ("∂s/∂x = ∂s/∂z W = uᵀ diag f′(z) W", of_s.x, lambda v: score(small.weights, v), x),
        ("∂J/∂s = p − y", ds, J, s[0]),
        ("∂J/∂z = (p − y)ᵀ U diag f′(z) = δᵀ", of_J.weights.b[None],
         lambda v: J(U @ f(v)), z),
    ]
    table = [Jacobian(name, a, numeric_jacobian(of, at)) for name, a, of, at in found]
    # z_i = Σ_j W_ij x_j + b_i, so ∂z_i/∂W_ij = x_j: each of W's HD numbers changes one z_i only.
    of_W = numeric_jacobian(lambda v: score(Weights(v.reshape(H, D), b, U), x), W.reshape(-1))
    true = f"it cannot be subtracted from W, which is {H} × {D}"
    table.insert(6, Jacobian("∂s/∂W = ∂s/∂z ∂z/∂W", of_s.weights.W.reshape(1, -1), of_W, true))
    shaped = "by the shape convention: the same numbers, in W's shape"
    by_hand, numeric = of_s.weights.W, of_W.reshape(H, D)
    table.insert(7, Jacobian("(∂s/∂z)ᵀ xᵀ, the gradient of s in W", by_hand, numeric, shaped))
    return table


def numeric_jacobian(function: Callable[[Array], Array], at: Array) -> Array:
    """Return the Jacobian (∂f/∂x)_ij = ∂f_i/∂x_j (m, n) at a point (n,), by central differences."""
    columns = []
    for j in range(len(at)):
        step = np.zeros(len(at))
        step[j] = _EPS
        columns.append((function(at + step) - function(at - step)) / (2.0 * _EPS))
    return np.stack(columns, axis=1)
