"""A batch cut into shards that threads take side by side; the sums are those of the whole batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from nertool.network.activations import Array
from nertool.network.lookup import Each, embed_backward, scatter_add
from nertool.network.objective import (
    NO_MASKS,
    Batch,
    Masks,
    Objective,
    ParameterGradients,
    Parameters,
    forward_loss,
    tables_of,
    weights_of,
)
from nertool.network.scorer import Weights, backward

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
                    None if batch.side is None else batch.side[own],
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
    J, ds, cache = forward_loss(objective, parameters, batch, masks)
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
