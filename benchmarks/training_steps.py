"""The parts of the time of a training step, for nertool and for the same network in PyTorch.

Both get the same batches in turns, on one thread. Seconds are CPU time, so that other work on the machine
disturbs little. The matrix products of each step are repeated alone, on numbers of the same shapes: their
time is the least that a step can take. nertool's are those of tiles (nertool/network/tiles.py), which are
fewer. Writes results/training_steps.md and .json.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from record import DATA, ROOT, check_data, keep, machine

PARTS = ("batch", "forward", "backward", "step", "products alone")
_WARM = 3  # warm-up batches that are not counted


def main() -> None:
    """Measure the recipes, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--config", action="append", help="[default: conll2003-fast, conll2003]")
    options = parser.parse_args()
    check_data()
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"  # before numpy and torch are imported
    rows = {
        name: measure(name, options.batches)
        for name in options.config or ("conll2003-fast", "conll2003")
    }
    print(keep("training_steps", {"machine": machine("numpy", "torch"), "rows": rows}, table(rows)))


class Laps:
    """CPU seconds by part."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self.begin()

    def begin(self) -> None:
        """Start counting."""
        self._last = time.process_time()

    def lap(self, part: str) -> None:
        """Add the time since the last call to a part."""
        now = time.process_time()
        self.seconds[part] += now - self._last
        self._last = now


def measure(name: str, count: int) -> dict[str, Any]:
    """Return the microseconds per token of each part, for both sides, over `count` batches."""
    import numpy as np
    import torch
    from peers.twin import Twin

    from nertool.config.file import load_config
    from nertool.model.model import outputs
    from nertool.network.shards import add_shards, cut_batch, shard_gradients, shared_blocks
    from nertool.network.tiles import scheme_of
    from nertool.training.batches import batches, masked_batches, objective_of, one_hot
    from nertool.training.preparation.encode import prepare
    from nertool.training.preparation.working import training_text, working_inputs
    from nertool.training.trainer import initial_state

    torch.set_num_threads(1)
    config = load_config(
        ROOT / f"configs/{name}.yaml",
        [
            f"corpus.train={DATA / 'conll2003/train.txt'}",
            f"corpus.dev={DATA / 'conll2003/dev.txt'}",
            f"vectors.path={DATA / 'vectors/glove.6B.50d.bin'}",
        ],
    )
    prepared = prepare(config)
    working = working_inputs(config, prepared)
    state = initial_state(config, prepared, working)
    text, objective, alpha = (
        training_text(config, prepared, working),
        objective_of(config),
        config.training.alpha,
    )
    inputs, K = text.inputs, outputs(prepared.tags, config)
    targets = one_hot(text.tag_ids, len(prepared.tags), K)
    twin = Twin(config, state.parameters, objective.columns, objective.frozen)
    optimizer = torch.optim.Adagrad(
        [p for p in twin.parameters() if p.requires_grad], lr=alpha, eps=1e-8
    )
    (H, D), e = state.parameters["W"].shape, 0 if inputs.side is None else inputs.side.shape[1]
    C, rng = config.windows.size, np.random.default_rng(1)
    sentences, size = np.arange(len(inputs.padded.sentence_starts) - 1), config.training.batch_size
    drawn = batches(inputs.padded, sentences, "sentences", size, np.random.default_rng(2))
    own = masked_batches(
        config, prepared, text, sentences, state.parameters, np.random.default_rng(2)
    )

    def twin_step(laps: Laps) -> int:
        laps.begin()
        batch = next(drawn)
        ids = torch.from_numpy(inputs.ids[batch.positions]).long()
        side = None if inputs.side is None else torch.from_numpy(inputs.side[batch.tokens])
        y = torch.from_numpy(targets(batch.tokens))
        laps.lap("batch")
        s = twin(ids, torch.from_numpy(batch.windows), side)
        if config.network.output == "softmax":
            J = torch.nn.functional.cross_entropy(s, y)
        else:
            J = torch.nn.functional.binary_cross_entropy_with_logits(s, y, reduction="sum") / len(s)
        laps.lap("forward")
        optimizer.zero_grad(set_to_none=True)
        J.backward()
        laps.lap("backward")
        optimizer.step()
        laps.lap("step")
        return len(batch.tokens)

    def our_step(laps: Laps) -> tuple[int, int]:
        laps.begin()
        batch, masks = next(own)
        laps.lap("batch")
        shards = cut_batch(batch, masks)
        blocks = shared_blocks(objective, state.parameters, shards)
        found = [shard_gradients(objective, state.parameters, shard, blocks) for shard in shards]
        _, gradients = add_shards(objective, state.parameters, shards, found, _in_turn)
        laps.lap("backward")  # includes the forward pass, since nertool has one function for both
        state.optimizer.update(state.parameters, gradients, alpha, _in_turn)
        laps.lap("step")
        return len(batch.windows), sum(len(own.tiles.words.at) for own in shards if own.tiles)

    def drawn_numbers(*shape: int) -> Any:
        return rng.random(shape, dtype=np.float32)

    def twin_products(laps: Laps, B: int) -> None:
        shapes = (B, D), (H, D), (B, H), (K, H), (B, K)
        x, W, delta, U, ds = (torch.from_numpy(drawn_numbers(*shape)) for shape in shapes)
        laps.begin()
        _ = x @ W.T, delta.T @ x, delta @ W[:, : D - e], delta @ U.T, ds @ U, ds.T @ delta
        laps.lap("products alone")

    def our_products(laps: Laps, B: int, T: int) -> None:
        parts, d = len(scheme_of(C).P), (D - e) // C
        v, G, m = (drawn_numbers(parts, *shape) for shape in ((T, d), (H, d), (T, H)))
        shapes = (B, e), (H, e), (B, H), (K, H), (B, K)
        x, W, delta, U, ds = (drawn_numbers(*shape) for shape in shapes)
        laps.begin()
        _ = v @ G.transpose(0, 2, 1), m.transpose(0, 2, 1) @ v, m @ G
        _ = x @ W.T, delta.T @ x, delta @ U.T, ds @ U, ds.T @ delta
        laps.lap("products alone")

    ours, theirs, tokens = Laps(), Laps(), 0
    for i in range(_WARM + count):
        if i == _WARM:
            ours, theirs, tokens = Laps(), Laps(), 0
        twin_products(theirs, twin_step(theirs))
        B, T = our_step(ours)
        our_products(ours, B, T)
        tokens += B
    return {
        side: {part: 1e6 * seconds / tokens for part, seconds in laps.seconds.items()}
        for side, laps in (("nertool", ours), ("torch", theirs))
    }


def _in_turn(function: Any, items: Any) -> list[Any]:
    return [function(item) for item in items]


def table(rows: dict[str, Any]) -> list[str]:
    """Format the results as lines of a table."""
    lines = [
        "| recipe | | batches | forward | backward | optimiser | all | of it products | ratio | "
        "were we products alone |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        whole = {
            side: sum(own[part] for part in PARTS if part != "products alone")
            for side, own in row.items()
        }
        for side, own in row.items():
            forward = f"{own['forward']:.2f}" if own["forward"] else "in the next"
            share = own["products alone"] / whole[side]
            ratios = "| |"
            if side == "nertool":
                ratio = whole["torch"] / whole["nertool"]
                ratios = f"| {ratio:.2f} | {whole['torch'] / own['products alone']:.2f} |"
            lines.append(
                f"| {name} | {side} | {own['batch']:.2f} | {forward} | {own['backward']:.2f} | "
                f"{own['step']:.2f} | {whole[side]:.2f} | {own['products alone']:.2f}, {share:.0%} "
                f"{ratios}"
            )
    return lines


if __name__ == "__main__":
    main()
