"""A batch cut into shards, which several threads compute at the same time; then the sum of all.

The result is that of objective.loss_and_gradients, up to rounding; with a single shard, to the bit. It
does not depend on the number of threads: how a batch is cut depends on the batch alone, and the shards
are added up in their order.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from nertool.kernels import rows
from nertool.kernels.rows import ParallelMap
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import Columns, RowGradient, Rows
from nertool.network.objective import (
    NO_MASKS,
    Batch,
    Chain,
    Masks,
    Objective,
    ParameterGradients,
    Parameters,
    forward_loss,
    table_gradients,
    trained_tables,
    weight_gradients,
    weights_of,
)
from nertool.network.scorer import Weights, backward

SHARD_SIZE = 256  # windows: their arrays stay in a core's own cache through the whole chain


def _embed_backward(
    tables: Sequence[Array],
    ids: Rows,
    dR: Array,
    columns: Columns = (),
    frozen: Container[int] = (),
    parallel_map: ParallelMap = map,
) -> list[RowGradient | None]:
    """Return what lookup.embed_backward returns."""
    found = rows.embed_backward(tables, ids, dR, columns, frozen, parallel_map)
    return [None if of is None else RowGradient(*of) for of in found]


FAST = Chain(
    embed=rows.embed,
    assemble_windows=rows.assemble_windows,
    windows_backward=rows.windows_backward,
    embed_backward=_embed_backward,
)


class Shard(NamedTuple):
    """A stretch of a batch's windows, as a batch of its own with only the words that it needs.

    share: the share of the batch's windows that it has, 0 … 1.
    """

    batch: Batch
    masks: Masks
    share: float


class ShardGradients(NamedTuple):
    """What a shard adds to the batch's J, ∂J/∂W, ∂J/∂b, ∂J/∂U, and to ∂J/∂R of its words.

    dR is None where no table is trained.
    """

    J: float
    weights: Weights
    dR: Array | None


def shard_count(windows: int, shard_size: int = SHARD_SIZE) -> int:
    """Return into how many shards a batch of so many windows is cut."""
    return max(1, round(windows / shard_size))


def cut_batch(batch: Batch, masks: Masks, shard_size: int = SHARD_SIZE) -> list[Shard]:
    """Cut a batch into equal shards of about shard_size windows.

    In training, windows lie in the order of their words; so each shard has its own words, and only the few
    around a cut are in two shards.
    """
    B = len(batch.windows)
    k = shard_count(B, shard_size)
    if k == 1:
        return [Shard(batch, masks, 1.0)]
    shards = []
    for i in range(k):
        own = slice(B * i // k, B * (i + 1) // k)
        windows = batch.windows[own]
        words = slice(int(windows.min()), int(windows.max()) + 1)
        of_shard = Batch(
            batch.ids[words],
            windows - words.start,
            batch.y[own],
            None if batch.side is None else batch.side[own],
            None if batch.weights is None else batch.weights[own],
        )
        masks_of_shard = Masks(
            None if masks.input is None else masks.input[words],
            None if masks.hidden is None else masks.hidden[own],
        )
        shards.append(Shard(of_shard, masks_of_shard, len(windows) / B))
    return shards


def shard_gradients(
    objective: Objective, parameters: Parameters, shard: Shard
) -> ShardGradients:
    """Go forward and back through a shard. J is a mean, so the shard counts by its share."""
    batch, masks, share = shard
    J, ds, cache = forward_loss(objective, parameters, batch, masks, FAST)
    f = ACTIVATIONS[objective.activation]
    back = backward(weights_of(parameters), f, share * ds, cache)
    dR = None
    if trained_tables(objective, parameters):
        dR = rows.windows_backward(batch.windows, back.x, len(batch.ids), masks.input)
    return ShardGradients(share * J, back.weights, dR)


def add_shards(
    objective: Objective,
    parameters: Parameters,
    shards: list[Shard],
    computed: list[ShardGradients],
    parallel_map: ParallelMap = map,
) -> tuple[float, ParameterGradients]:
    """Return J and ∂J/∂θ of the batch that shards are cut from. The arrays of `computed` are used up."""
    J = sum(own.J for own in computed)
    W, b, U = map(_sum, zip(*(own.weights for own in computed), strict=True))
    gradients: ParameterGradients = {}
    dRs = [own.dR for own in computed if own.dR is not None]
    if dRs:
        # A word that is in two shards stands here twice; its rows get the sum, as always.
        ids = _concatenate([shard.batch.ids for shard in shards])
        chain = FAST._replace(embed_backward=partial(_embed_backward, parallel_map=parallel_map))
        gradients |= table_gradients(objective, parameters, ids, _concatenate(dRs), chain)
    return J, gradients | weight_gradients(objective, parameters, Weights(W, b, U))


def sharded_loss_and_gradients(
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    masks: Masks = NO_MASKS,
    parallel_map: ParallelMap = map,
    shard_size: int = SHARD_SIZE,
) -> tuple[float, ParameterGradients]:
    """Return what objective.loss_and_gradients returns, computed shard by shard with parallel_map."""
    shards = cut_batch(batch, masks, shard_size)
    computed = list(parallel_map(partial(shard_gradients, objective, parameters), shards))
    return add_shards(objective, parameters, shards, computed, parallel_map)


def _sum(arrays: Iterable[Array]) -> Array:
    """Add arrays up, one after another, in the memory of the first."""
    total, *others = arrays
    for other in others:
        total += other
    return total


def _concatenate(arrays: list[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
