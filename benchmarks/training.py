"""Speed of a training step: an epoch of nertool against the same network in PyTorch, in turns.

Both get the same batches of windows, the same tables, dropout and AdaGrad, float32, and the same number of
threads (--threads). PyTorch's gradients of the tables are sparse (nn.Embedding(sparse=True)), which is its
best case here: dense ones are several times slower. Writes results/training.md and .json.

The table also shows how close nertool is to the hardware's limit: the rate of its matrix products in a whole
epoch, and its share of the rate at which this machine multiplies two large square matrices with the same
number of threads, measured before each epoch. The operations counted are those of the definition, W x. Tiles
(nertool/network/tiles.py) need fewer.
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median
from typing import Any

from record import DATA, ROOT, check_data, keep, machine


def main() -> None:
    """Measure the recipes, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--config", action="append", help="[default: conll2003-fast, conll2003]")
    options = parser.parse_args()
    check_data()
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(options.threads)  # before numpy and torch are imported
    rows = {
        name: measure(name, options.threads, options.repetitions)
        for name in options.config or ("conll2003-fast", "conll2003")
    }
    of = {"threads": options.threads, **machine("numpy", "torch")}
    print(keep("training", {"machine": of, "rows": rows}, table(rows)))


def measure(name: str, threads: int, repetitions: int) -> dict[str, Any]:
    """Return the seconds per epoch of each side (median and all), and dev F1 after the last epoch."""
    import torch
    from peers.twin import Twin

    from nertool.config.file import load_config
    from nertool.model.model import outputs
    from nertool.training.batches import batches, objective_of, one_hot
    from nertool.training.preparation.encode import prepare
    from nertool.training.preparation.working import training_text, working_inputs
    from nertool.training.trainer import initial_state, train

    torch.set_num_threads(threads)
    config = load_config(
        ROOT / f"configs/{name}.yaml",
        [
            f"corpus.train={DATA / 'conll2003/train.txt'}",
            f"corpus.dev={DATA / 'conll2003/dev.txt'}",
            f"vectors.path={DATA / 'vectors/glove.6B.50d.bin'}",
            f"training.epochs={repetitions}",
            "training.average=1",
        ],
    )
    prepared = prepare(config)
    working = working_inputs(config, prepared)
    state = initial_state(config, prepared, working)
    inputs, tag_ids, _ = training_text(config, prepared, working)
    targets = one_hot(tag_ids, len(prepared.tags), outputs(prepared.tags, config))
    sentences = torch.arange(len(inputs.padded.sentence_starts) - 1).numpy()
    twin = Twin(config, state.parameters, objective_of(config).columns, objective_of(config).frozen)
    optimizer = torch.optim.Adagrad(
        [p for p in twin.parameters() if p.requires_grad], lr=config.training.alpha, eps=1e-8
    )

    def twin_epoch() -> float:
        """Train the twin for an epoch; return its seconds, including making the batches, as for nertool."""
        started = time.perf_counter()
        for drawn in batches(
            inputs.padded, sentences, "sentences", config.training.batch_size, state.rng
        ):
            ids = torch.from_numpy(inputs.ids[drawn.positions]).long()
            side = None
            if inputs.side is not None:
                side = torch.from_numpy(inputs.side[drawn.tokens])
            s = twin(ids, torch.from_numpy(drawn.windows), side)
            y = torch.from_numpy(targets(drawn.tokens))
            if config.network.output == "softmax":
                J = torch.nn.functional.cross_entropy(s, y)
            else:
                J = torch.nn.functional.binary_cross_entropy_with_logits(
                    s, y, reduction="sum"
                ) / len(s)
            optimizer.zero_grad(set_to_none=True)
            J.backward()
            optimizer.step()
        return time.perf_counter() - started

    ours: list[float] = []
    theirs: list[float] = []
    peaks: list[float] = []
    f1 = 0.0
    records = train(config, prepared, working, state)
    for _ in range(repetitions):
        peaks.append(peak())
        record = next(records)
        ours.append(record.seconds)
        theirs.append(twin_epoch())
        f1 = record.dev.f1 if record.dev else 0.0
    twin_f1 = twin_score(twin, config, prepared, working)
    tokens = len(prepared.train.word_ids)
    flops = products(tokens, state.parameters, 0 if inputs.side is None else inputs.side.shape[1])
    return {
        "nertool": {"seconds": median(ours), "all": ours, "f1": f1},
        "torch": {"seconds": median(theirs), "all": theirs, "f1": twin_f1},
        "tokens": tokens,
        "product_flops": flops,
        "peak_flops_per_second": median(peaks),
        "all_peaks": peaks,
    }


def products(N: int, parameters: Any, e: int) -> int:
    """Count the additions and multiplications in an epoch's matrix products, over N windows.

    These are z = W x, ∂J/∂W = δ xᵀ, and Wᵀ δ without the e entries of x that are no words; s = U h, Uᵀ ∂J/∂s
    and ∂J/∂U.
    """
    (H, D), K = parameters["W"].shape, len(parameters["U"])
    return 2 * N * H * (2 * D + (D - e) + 3 * K)


def peak(side: int = 2048, times: int = 3) -> float:
    """Return the best rate of a float32 product of two large square matrices, in operations per second."""
    import numpy as np

    A, B = np.random.default_rng(1).random((2, side, side), dtype=np.float32)
    out = A @ B
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        np.matmul(A, B, out=out)
        seconds.append(time.perf_counter() - started)
    return float(2 * side**3 / min(seconds))


def twin_score(twin: Any, config: Any, prepared: Any, working: Any) -> float:
    """Return the twin's F1 on dev, with nertool's decoding."""
    import numpy as np
    import torch

    from nertool.decoding.viterbi import decode, lattice
    from nertool.evaluation.scores import score_predictions
    from nertool.inputs.windows import sentence_windows

    part, (text, ids, side) = prepared.dev, working.dev
    drawn = sentence_windows(text, np.arange(len(part.sentence_starts) - 1))
    twin.eval()
    with torch.no_grad():
        s = twin(
            torch.from_numpy(ids[drawn.positions]).long(),
            torch.from_numpy(drawn.windows),
            None if side is None else torch.from_numpy(side[drawn.tokens]),
        ).numpy()
    allowed = lattice(prepared.tags, config.decoding.scheme)
    tags = decode(s, part.sentence_starts, config.decoding.method, allowed)
    return score_predictions(
        tags, prepared.tags, part.gold_ids, part.gold_tags, part.scheme, part.sentence_starts
    ).f1


def table(rows: dict[str, Any]) -> list[str]:
    """Format the results as lines of a table."""
    lines = [
        "| recipe | nertool, s an epoch | tokens a second | PyTorch twin, s | ratio | dev F1 of both | "
        "our products, GFLOP/s | this machine's peak | share |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        ours, theirs = row["nertool"], row["torch"]
        rate, limit = row["product_flops"] / ours["seconds"], row["peak_flops_per_second"]
        lines.append(
            f"| {name} | {ours['seconds']:.2f} | {row['tokens'] / ours['seconds']:,.0f} | "
            f"{theirs['seconds']:.2f} | {theirs['seconds'] / ours['seconds']:.2f} | "
            f"{100 * ours['f1']:.1f}, {100 * theirs['f1']:.1f} | "
            f"{rate / 1e9:.0f} | {limit / 1e9:.0f} | {rate / limit:.0%} |"
        )
    return lines


if __name__ == "__main__":
    main()
