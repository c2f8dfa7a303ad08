"""A batch cut into shards, which several threads compute in parallel, and the sum of their gradients.

The result equals that of objective.loss_and_gradients up to rounding. It is identical for a single shard
without tiles. It does not depend on the number of threads: the batch alone determines how it is cut, and
the shards are added up in order.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from nertool.kernels import rows
from nertool.kernels.rows import ParallelMap
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import Columns, RowGradient, Rows, row_width
from nertool.network.losses import LOSSES
from nertool.network.objective import (
    NO_MASKS,
    Batch,
    Chain,
    Masks,
    Objective,
    ParameterGradients,
    Parameters,
    forward_loss,
    l2_penalty,
    table_gradients,
    tables_of,
    trained_tables,
    weight_gradients,
    weights_of,
)
from nertool.network.scorer import Weights, backward
from nertool.network.tiles import (
    Tiles,
    mixed_rows,
    mixed_rows_backward,
    mixed_weights,
    mixed_weights_backward,
    tile_scores,
    tile_scores_backward,
    tiles_of,
)

SHARD_SIZE = 256  # windows; their arrays fit into a core's own cache for the whole chain


def _embed_backward(
    tables: Sequence[Array],
    ids: Rows,
    dR: Array,
    columns: Columns = (),
    frozen: Container[int] = (),
    parallel_map: ParallelMap = map,
) -> list[RowGradient | None]:
    """Return the same as lookup.embed_backward, computed with kernels/rows.py."""
    found = rows.embed_backward(tables, ids, dR, columns, frozen, parallel_map)
    return [None if of is None else RowGradient(*of) for of in found]


FAST = Chain(
    embed=rows.embed,
    assemble_windows=rows.assemble_windows,
    windows_backward=rows.windows_backward,
    embed_backward=_embed_backward,
)


class Shard(NamedTuple):
    """Consecutive windows of a batch, as a smaller batch with only the words that they need.

    share: this shard's share of the batch's windows, from 0 to 1; tiles: its windows cut into tiles, None if
    tiles_of finds tiles of no use.
    """

    batch: Batch
    masks: Masks
    share: float
    tiles: Tiles | None = None


class ShardGradients(NamedTuple):
    """A shard's summands of the batch's J, ∂J/∂W, ∂J/∂b and ∂J/∂U, and dR = ∂J/∂R of its words.

    dR is None if no table is trained. blocks: ∂J/∂G of a shard that is computed by tiles. In that case,
    weights.W (H, e) has only the side inputs' columns of ∂J/∂W.
    """

    J: float
    weights: Weights
    dR: Array | None
    blocks: Array | None = None


def shard_count(windows: int, shard_size: int = SHARD_SIZE) -> int:
    """Return the number of shards for a batch with the given number of windows."""
    return max(1, round(windows / shard_size))


def cut_batch(batch: Batch, masks: Masks, shard_size: int = SHARD_SIZE) -> list[Shard]:
    """Cut a batch into equal shards of about shard_size windows.

    In training, the windows of a batch are in the order of their words. So a word is in one shard only,
    except the few words around a cut, which are in two.
    """
    B = len(batch.windows)
    k = shard_count(B, shard_size)
    if k == 1:
        return [Shard(batch, masks, 1.0, tiles_of(batch.windows))]
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
        tiles = tiles_of(of_shard.windows)
        shards.append(Shard(of_shard, masks_of_shard, len(windows) / B, tiles))
    return shards


def shared_blocks(objective: Objective, parameters: Parameters, shards: list[Shard]) -> Array | None:
    """Return G, which tiles need in place of W; None if no shard has tiles. All shards of a batch share G."""
    if all(shard.tiles is None for shard in shards):
        return None
    C = shards[0].batch.windows.shape[1]
    d = row_width(list(tables_of(parameters).values()), objective.columns)
    return mixed_weights(parameters["W"], C, d)


def shard_gradients(
    objective: Objective, parameters: Parameters, shard: Shard, blocks: Array | None = None
) -> ShardGradients:
    """Compute J and the gradients of a shard, multiplied by its share, since J is a mean over the batch.

    blocks: the result of shared_blocks; if it is None, tiles are not used.
    """
    batch, masks, share, tiles = shard
    if tiles is not None and blocks is not None:
        return _by_tiles(objective, parameters, shard, tiles, blocks)
    J, ds, cache = forward_loss(objective, parameters, batch, masks, FAST)
    f = ACTIVATIONS[objective.activation]
    back = backward(weights_of(parameters), f, share * ds, cache)
    dR = None
    if trained_tables(objective, parameters):
        dR = rows.windows_backward(batch.windows, back.x, len(batch.ids), masks.input)
    return ShardGradients(share * J, back.weights, dR)


def _by_tiles(
    objective: Objective, parameters: Parameters, shard: Shard, tiles: Tiles, G: Array
) -> ShardGradients:
    """Return the same as shard_gradients, with the products of tiles.py in place of those with W."""
    (ids, windows, y, side, weights), masks = shard.batch, shard.masks
    (W, b, U), f = weights_of(parameters), ACTIVATIONS[objective.activation]
    B, C = windows.shape
    D = C * G.shape[2]                                     # the columns of W that belong to words
    R = rows.embed(list(tables_of(parameters).values()), ids, objective.columns)   # (n, d)
    if masks.input is not None:
        R *= masks.input
    v = mixed_rows(tiles, R, C)
    z = tile_scores(tiles, v, G, B, C)
    if side is not None:
        z += side @ W[:, D:].T
    z += b                                                 # (B, H)  z = W x + b
    h = f.f(z, out=z)                                      # (B, H)  h = f(z), in z's memory
    kept = h if masks.hidden is None else h * masks.hidden
    J, ds = LOSSES[objective.output](kept @ U.T, y, weights)
    ds *= shard.share
    if objective.l2:
        J += l2_penalty(objective.l2, W, U)
    delta = ds @ U
    if masks.hidden is not None:
        delta *= masks.hidden
    delta *= f.f_prime_of_h(h)                             # (B, H)  δ = (Uᵀ ds) ∘ f′(z)
    dG, dv = tile_scores_backward(tiles, v, G, delta, C)
    dW = delta.T @ (y[:, :0] if side is None else side)    # (H, e)
    dR = None
    if trained_tables(objective, parameters):
        dR = mixed_rows_backward(tiles, dv, len(ids), C)
        if masks.input is not None:
            dR *= masks.input
    dU = ds.T @ kept
    return ShardGradients(shard.share * J, Weights(dW, delta.sum(axis=0), dU), dR, dG)


def add_shards(
    objective: Objective,
    parameters: Parameters,
    shards: list[Shard],
    computed: list[ShardGradients],
    parallel_map: ParallelMap = map,
) -> tuple[float, ParameterGradients]:
    """Return J and ∂J/∂θ of the batch that the shards are cut from. Arrays of `computed` are overwritten."""
    J = sum(own.J for own in computed)
    W, b, U = _added_weights(parameters, computed)
    gradients: ParameterGradients = {}
    dRs = [own.dR for own in computed if own.dR is not None]
    if dRs:
        # A word that is in two shards is here twice. table_gradients sums the gradients of its rows.
        ids = _concatenate([shard.batch.ids for shard in shards])
        chain = FAST._replace(embed_backward=partial(_embed_backward, parallel_map=parallel_map))
        gradients |= table_gradients(objective, parameters, ids, _concatenate(dRs), chain)
    return J, gradients | weight_gradients(objective, parameters, Weights(W, b, U))


def _added_weights(parameters: Parameters, computed: list[ShardGradients]) -> Weights:
    """Add up the shards' ∂J/∂W, ∂J/∂b and ∂J/∂U."""
    whole = [own.weights.W for own in computed if own.blocks is None]
    tiled = [own.weights.W for own in computed if own.blocks is not None]
    if tiled:
        # The shards' ∂J/∂G are summed first, so that ∂J/∂W is computed from them only once.
        W, e = np.empty_like(parameters["W"]), tiled[0].shape[1]
        D = W.shape[1] - e
        W[:, D:] = _sum(tiled)
        dG = _sum(own.blocks for own in computed if own.blocks is not None)
        mixed_weights_backward(dG, W, D // dG.shape[2])
        whole = [W, *whole]
    b, U = (_sum(getattr(own.weights, name) for own in computed) for name in ("b", "U"))
    return Weights(_sum(whole), b, U)


def sharded_loss_and_gradients(
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    masks: Masks = NO_MASKS,
    parallel_map: ParallelMap = map,
    shard_size: int = SHARD_SIZE,
) -> tuple[float, ParameterGradients]:
    """Return the same as objective.loss_and_gradients, computed shard by shard with parallel_map."""
    shards = cut_batch(batch, masks, shard_size)
    blocks = shared_blocks(objective, parameters, shards)
    back = partial(shard_gradients, objective, parameters, blocks=blocks)
    computed = list(parallel_map(back, shards))
    return add_shards(objective, parameters, shards, computed, parallel_map)


def _sum(arrays: Iterable[Array]) -> Array:
    """Return the sum of arrays, added in order. The first array is overwritten with the sum."""
    total, *others = arrays
    for other in others:
        total += other
    return total


def _concatenate(arrays: list[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
