"""The whole chain, from words' rows to J, and back: the loss of a batch and every gradient.

    row numbers → R (n, d) → windows x (B, D) → s (B, K) → J          lookup, scorer, losses
    tables      ← ∂J/∂R    ← ∂J/∂x            ← ∂J/∂s                 each file's way back, in reverse
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.network.activations import Array
from nertool.network.lookup import (
    Each,
    RowGradient,
    Rows,
    embed,
    embed_backward,
    scatter_add,
    side_by_side,
)
from nertool.network.losses import LOSSES
from nertool.network.scorer import Cache, Weights, backward, forward

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
    point into the n words, y (B, K) are the targets; given (B, e) stands in x beside the window's
    rows: inputs of the centre that come from elsewhere, so that no gradient goes back into them;
    weights (B,): how much each window counts in J, None for 1 each."""

    ids: Rows
    windows: NDArray[np.integer]
    y: Array
    given: Array | None = None
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


def evaluate(
    objective: Objective, parameters: Parameters, batch: Batch, masks: Masks = NO_MASKS
) -> Pass:
    """Go forward: J = mean loss of the B windows + l2/2 (‖W‖² + ‖U‖²)."""
    weights = weights_of(parameters)
    tables = list(tables_of(parameters).values())
    R = embed(tables, batch.ids, objective.columns)                     # (n, d)
    if masks.input is not None:
        R *= masks.input
    x = side_by_side(R, batch.windows, batch.given)                     # (B, D)  D = C d + e
    e = 0 if batch.given is None else batch.given.shape[1]
    s, cache = forward(weights, objective.activation, x, masks.hidden, e)   # (B, K)
    J, ds = LOSSES[objective.output](s, batch.y, batch.weights)
    if objective.l2:
        W, _, U = weights
        J += 0.5 * objective.l2 * float((W * W).sum() + (U * U).sum())
    return Pass(J, ds, cache)


PART = 256  # windows: as many as go through the chain without leaving a core's own cache


class Part(NamedTuple):
    """A stretch of a batch's windows, as a batch of its own, with the words that they are made of
    (a slice of the batch's n) and their masks."""

    words: slice
    batch: Batch
    masks: Masks


def parts_of(batch: Batch, masks: Masks) -> list[Part]:
    """Cut a batch into equal stretches of about PART windows: into how many depends on it alone.

    Where windows lie in the order of their words, as in training, each part has its own words, but
    for the few around a cut, which both have.
    """
    n, B = len(batch.ids), len(batch.windows)
    k = max(1, round(B / PART))
    if k == 1:
        return [Part(slice(0, n), batch, masks)]
    parts = []
    for i in range(k):
        own = slice(B * i // k, B * (i + 1) // k)
        windows = batch.windows[own]
        words = slice(int(windows.min()), int(windows.max()) + 1)
        parts.append(
            Part(
                words,
                Batch(
                    batch.ids[words],
                    windows - words.start,
                    batch.y[own],
                    None if batch.given is None else batch.given[own],
                    None if batch.weights is None else batch.weights[own],
                ),
                Masks(
                    None if masks.input is None else masks.input[words],
                    None if masks.hidden is None else masks.hidden[own],
                ),
            )
        )
    return parts


class Share(NamedTuple):
    """What a part adds to the batch's J, to ∂J/∂W, ∂J/∂b and ∂J/∂U, and to ∂J/∂R in its words' rows
    (None where all tables are frozen)."""

    J: float
    weights: Weights
    dR: Array | None


def share_of(
    objective: Objective, parameters: Parameters, batch: Batch, masks: Masks, of: float, trained: bool
) -> Share:
    """Go forward and back through a part, which is so much (`of`) of its batch: J is a mean."""
    J, ds, cache = evaluate(objective, parameters, batch, masks)
    back = backward(weights_of(parameters), objective.activation, of * ds, cache)
    dR = None
    if trained:
        n, (B, C) = len(batch.ids), batch.windows.shape
        dx = back.x.reshape(B * C, -1)                                  # (BC, d)  cut into C pieces
        dR = scatter_add(batch.windows.ravel(), dx, n)                  # (n, d)
        if masks.input is not None:
            dR *= masks.input
    return Share(of * J, back.weights, dR)


def shares_of(
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    masks: Masks = NO_MASKS,
    each: Each = map,
) -> list[tuple[Part, Share]]:
    """Go forward and back through each part of a batch; each: how to go through the parts."""
    parts = parts_of(batch, masks)
    trained = any(name not in objective.frozen for name in tables_of(parameters))

    def share(part: Part) -> Share:
        of = len(part.batch.windows) / len(batch.windows)
        return share_of(objective, parameters, part.batch, part.masks, of, trained)

    return list(zip(parts, each(share, parts), strict=True))


def summed(
    objective: Objective,
    parameters: Parameters,
    shares: list[tuple[Part, Share]],
    each: Each = map,
) -> tuple[float, ParameterGradients]:
    """Put the parts of a batch together, in their order: J and ∂J/∂θ. The shares are used up.

    each: how to go through the tables.
    """
    parts, own = zip(*shares, strict=True)
    J = sum(share.J for share in own)
    W, b, U = map(_added, zip(*(share.weights for share in own), strict=True))

    gradients: ParameterGradients = {}
    tables = tables_of(parameters)
    dRs = [share.dR for share in own if share.dR is not None]
    if dRs:
        # A word that two parts have stands twice here; its rows get the sum, as any word's do.
        ids = _joined([part.batch.ids for part in parts])
        frozen = {k for k, name in enumerate(tables) if name in objective.frozen}
        by_table = embed_backward(
            list(tables.values()), ids, _joined(dRs), objective.columns, frozen, each
        )
        for name, gradient in zip(tables, by_table, strict=True):
            if gradient is not None:
                gradients[name] = gradient
    gradients.update(W=W, b=b, U=U)
    if objective.l2:
        gradients["W"] = W + objective.l2 * parameters["W"]
        gradients["U"] = U + objective.l2 * parameters["U"]
    return J, gradients


def loss_and_gradients(
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    masks: Masks = NO_MASKS,
    each: Each = map,
) -> tuple[float, ParameterGradients]:
    """Return J and ∂J/∂θ for every parameter that is not frozen. Changes nothing.

    Tables get a RowGradient, the rest an array of their own shape (the shape convention). each: how
    to go through the batch's parts, and then through the tables; the result is the same to the bit,
    since the parts are added in their order.
    """
    return summed(
        objective, parameters, shares_of(objective, parameters, batch, masks, each), each
    )


def _added(arrays: Iterable[Array]) -> Array:
    """Add arrays up, one after the other, in the first one's place."""
    total, *others = arrays
    for other in others:
        total += other
    return total


def _joined(arrays: list[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


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
