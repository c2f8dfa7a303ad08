"""The whole chain, from words' rows to J, and back: the loss of a batch and every gradient.

    row numbers → R (n, d) → windows x (B, D) → s (B, K) → J          lookup, scorer, losses
    tables      ← ∂J/∂R    ← ∂J/∂x            ← ∂J/∂s                 each file's way back, in reverse
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.network.activations import Array
from nertool.network.lookup import (
    RowGradient,
    Rows,
    assemble_windows,
    embed,
)
from nertool.network.losses import LOSSES
from nertool.network.scorer import Cache, Weights, forward

WEIGHTS = ("W", "b", "U")

# Every array that training changes, by name: the tables in the order of a row's parts
# ("L" first, then the features'), then W, b and U.
Parameters = dict[str, Array]
ParameterGradients = dict[str, Array | RowGradient]


class Objective(NamedTuple):
    """What J is: f, the output's loss, the L2 penalty's factor, the tables that stay as they are,
    and how many row numbers a word has in each table (empty: one)."""

    activation: str
    output: str
    l2: float = 0.0
    frozen: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()


class Batch(NamedTuple):
    """B windows over n words: ids (n, F) are the words' row numbers in the tables, windows (B, C)
    point into the n words, y (B, K) are the targets; side (B, e) stands in x beside the window's
    rows: inputs of the centre that come from elsewhere, so that no gradient goes back into them;
    weights (B,): how much each window counts in J, None for 1 each."""

    ids: Rows
    windows: NDArray[np.integer]
    y: Array
    side: Array | None = None
    weights: Array | None = None


class Masks(NamedTuple):
    """Dropout masks, already divided by the share kept: input (n, d), hidden (B, H); None for none."""

    input: Array | None = None
    hidden: Array | None = None


NO_MASKS = Masks()


def tables_of(parameters: Parameters) -> dict[str, Array]:
    return {name: array for name, array in parameters.items() if name not in WEIGHTS}


def weights_of(parameters: Parameters) -> Weights:
    return Weights(parameters["W"], parameters["b"], parameters["U"])


class Pass(NamedTuple):
    """What one forward pass leaves: J, ∂J/∂s (B, K), and the scorer's cache."""

    J: float
    ds: Array
    cache: Cache


def forward_loss(
    objective: Objective, parameters: Parameters, batch: Batch, masks: Masks = NO_MASKS
) -> Pass:
    """Go forward: J = mean loss of the B windows + l2/2 (‖W‖² + ‖U‖²)."""
    weights = weights_of(parameters)
    tables = list(tables_of(parameters).values())
    R = embed(tables, batch.ids, objective.columns)                     # (n, d)
    if masks.input is not None:
        R *= masks.input
    x = assemble_windows(R, batch.windows, batch.side)                     # (B, D)  D = C d + e
    e = 0 if batch.side is None else batch.side.shape[1]
    s, cache = forward(weights, objective.activation, x, masks.hidden, e)   # (B, K)
    J, ds = LOSSES[objective.output](s, batch.y, batch.weights)
    if objective.l2:
        W, _, U = weights
        J += 0.5 * objective.l2 * float((W * W).sum() + (U * U).sum())
    return Pass(J, ds, cache)






















def initial_weights(
    rng: np.random.Generator, D: int, H: int, K: int, dtype: type[np.floating] = np.float32
) -> Weights:
    """Draw W and U uniformly within ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010); b is 0."""

    def uniform(rows: int, columns: int) -> Array:
        limit = np.sqrt(6.0 / (rows + columns))
        return rng.uniform(-limit, limit, (rows, columns)).astype(dtype)

    return Weights(W=uniform(H, D), b=np.zeros(H, dtype=dtype), U=uniform(K, H))


def dense(gradient: Array | RowGradient, like: Array) -> Array:
    """Return a gradient in its parameter's full shape."""
    if not isinstance(gradient, RowGradient):
        return gradient
    full = np.zeros_like(like)
    full[gradient.rows] = gradient.values
    return full
