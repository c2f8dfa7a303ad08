"""The loss of a batch and all gradients: the whole chain, from row numbers to J and back.

    row numbers → R (n, d)  → x (B, D)  → s (B, K)  → J             lookup, scorer, losses
    tables      ← ∂J/∂R     ← ∂J/∂x     ← ∂J/∂s                     the same files, in reverse

Read `loss_and_gradients` beside docs/mathematics.md. Training uses shards.py, which computes the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import (
    RowGradient,
    Rows,
    assemble_windows,
    embed,
    embed_backward,
    windows_backward,
)
from nertool.network.losses import LOSSES
from nertool.network.scorer import Cache, Gradients, Weights, backward, forward

WEIGHTS = ("W", "b", "U")

# All parameters by name: first the tables, "L" before the others, in the column order of R; then W, b, U.
Parameters = dict[str, Array]
ParameterGradients = dict[str, Array | RowGradient]


class Objective(NamedTuple):
    """The loss that is minimised.

    activation, output: names in ACTIVATIONS and LOSSES; l2: the factor of the L2 penalty; frozen: the names
    of tables that are not trained; columns: c_k of each table (see lookup.py), empty for 1 in every table.
    """

    activation: str
    output: str
    l2: float = 0.0
    frozen: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()


class Batch(NamedTuple):
    """B windows over n words.

    ids (n, F): the words' row numbers in the tables; windows (B, C): for each window, the indices of its
    words among the n; y (B, K): the targets; side (B, e): the side inputs, which get no gradient;
    weights (B,): the weight of each window in J, None for weights of 1.
    """

    ids: Rows
    windows: NDArray[np.integer]
    y: Array
    side: Array | None = None
    weights: Array | None = None


class Masks(NamedTuple):
    """Dropout masks of 0 and 1/(1 − rate): input (n, d) for R, hidden (B, H) for h; None for no dropout."""

    input: Array | None = None
    hidden: Array | None = None


NO_MASKS = Masks()


class Pass(NamedTuple):
    """The result of a forward pass: J, ds = ∂J/∂s (B, K), and the scorer's cache."""

    J: float
    ds: Array
    cache: Cache


def l2_gradient(l2: float, theta: Array) -> Array:
    """Return the gradient of the penalty l2/2 ‖θ‖²: l2 θ."""
    return l2 * theta


def l2_penalty(l2: float, W: Array, U: Array) -> float:
    """Return the penalty l2/2 (‖W‖² + ‖U‖²)."""
    return 0.5 * l2 * float((W * W).sum() + (U * U).sum())


class Chain(NamedTuple):
    """The functions of the chain: those of the forward pass, then those of the backward pass.

    shards.py replaces some by faster ones. gradcheck/mistakes.py replaces one by a function with a known
    mistake, which the gradient check must find.
    """

    embed: Callable[..., Array] = embed
    assemble_windows: Callable[..., Array] = assemble_windows
    backward: Callable[..., Gradients] = backward
    windows_backward: Callable[..., Array] = windows_backward
    embed_backward: Callable[..., list[RowGradient | None]] = embed_backward
    l2_gradient: Callable[[float, Array], Array] = l2_gradient


PLAIN = Chain()


def forward_loss(
    objective: Objective, parameters: Parameters, batch: Batch, masks: Masks = NO_MASKS,
    chain: Chain = PLAIN,
) -> Pass:
    """Compute the forward pass: J = mean loss of the B windows + l2/2 (‖W‖² + ‖U‖²)."""
    weights, tables = weights_of(parameters), list(tables_of(parameters).values())
    R = chain.embed(tables, batch.ids, objective.columns)               # (n, d)
    if masks.input is not None:
        R *= masks.input
    x = chain.assemble_windows(R, batch.windows, batch.side)            # (B, D)  D = C d + e
    e = 0 if batch.side is None else batch.side.shape[1]
    s, cache = forward(weights, ACTIVATIONS[objective.activation], x, masks.hidden, e)   # (B, K)
    J, ds = LOSSES[objective.output](s, batch.y, batch.weights)
    if objective.l2:
        J += l2_penalty(objective.l2, weights.W, weights.U)
    return Pass(J, ds, cache)


def loss_and_gradients(
    objective: Objective, parameters: Parameters, batch: Batch, masks: Masks = NO_MASKS,
    chain: Chain = PLAIN,
) -> tuple[float, ParameterGradients]:
    """Return J and ∂J/∂θ for every parameter that is not frozen. No argument is changed.

    The gradient of a table is a RowGradient. Those of W, b and U have the shape of their parameter (the
    shape convention).
    """
    J, ds, cache = forward_loss(objective, parameters, batch, masks, chain)    # ∂J/∂s (B, K)

    # ∂J/∂s → ∂J/∂W, ∂J/∂b, ∂J/∂U and ∂J/∂x, through δ = ∂J/∂z
    f = ACTIVATIONS[objective.activation]
    (W, b, U), dx = chain.backward(weights_of(parameters), f, ds, cache)

    # ∂J/∂x (B, C d) → ∂J/∂R (n, d) → ∂J/∂L and the other tables' gradients, in the rows of the batch's words
    gradients: ParameterGradients = {}
    if trained_tables(objective, parameters):
        dR = chain.windows_backward(batch.windows, dx, len(batch.ids), masks.input)
        gradients |= table_gradients(objective, parameters, batch.ids, dR, chain)

    return J, gradients | weight_gradients(objective, parameters, Weights(W, b, U), chain)


def table_gradients(
    objective: Objective, parameters: Parameters, ids: Rows, dR: Array, chain: Chain = PLAIN
) -> ParameterGradients:
    """Return the gradients of the trained tables from dR (n, d) = ∂J/∂R and the words' ids (n, F)."""
    tables = tables_of(parameters)
    frozen = {k for k, name in enumerate(tables) if name in objective.frozen}
    found = chain.embed_backward(list(tables.values()), ids, dR, objective.columns, frozen)
    return {name: g for name, g in zip(tables, found, strict=True) if g is not None}


def weight_gradients(
    objective: Objective, parameters: Parameters, of_loss: Weights, chain: Chain = PLAIN
) -> ParameterGradients:
    """Return the gradients of W, b and U: those of the loss plus those of the L2 penalty on W and U."""
    W, b, U = of_loss
    if objective.l2:
        W = W + chain.l2_gradient(objective.l2, parameters["W"])
        U = U + chain.l2_gradient(objective.l2, parameters["U"])
    return {"W": W, "b": b, "U": U}


def tables_of(parameters: Parameters) -> dict[str, Array]:
    """Return the tables by name, in the column order of R."""
    return {name: array for name, array in parameters.items() if name not in WEIGHTS}


def weights_of(parameters: Parameters) -> Weights:
    """Return W, b and U."""
    return Weights(parameters["W"], parameters["b"], parameters["U"])


def trained_tables(objective: Objective, parameters: Parameters) -> list[str]:
    """Return the names of the tables that are trained."""
    return [name for name in tables_of(parameters) if name not in objective.frozen]


def initial_weights(
    rng: np.random.Generator, D: int, H: int, K: int, dtype: type[np.floating] = np.float32
) -> Weights:
    """Draw W and U uniformly within ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010); b is 0."""

    def uniform(rows: int, columns: int) -> Array:
        limit = np.sqrt(6.0 / (rows + columns))
        return rng.uniform(-limit, limit, (rows, columns)).astype(dtype)

    return Weights(W=uniform(H, D), b=np.zeros(H, dtype=dtype), U=uniform(K, H))


def dense(gradient: Array | RowGradient, like: Array) -> Array:
    """Return a gradient in the full shape of its parameter, `like`."""
    if not isinstance(gradient, RowGradient):
        return gradient
    full = np.zeros_like(like)
    full[gradient.rows] = gradient.values
    return full
