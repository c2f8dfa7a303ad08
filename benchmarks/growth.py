"""How the cost of tagging grows with the text, the hidden layer, the window, and the workers.

One thing changes at a time. All else is as in conll2003-fast, trained for one epoch, since speed does not
depend on what was learnt. Speed is in wall-clock time, from file to file, including the start-up, so that the
smallest texts show its cost. A second part compares the tagger's inner loop with a plain copy of the rows
that it adds up. Writes results/growth.md, .json and .png.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

from record import DATA, RESULTS, ROOT, check_data, keep, machine
from tagging import ONE_THREAD, run, sides, text_of

SIZES = (10**4, 10**5, 10**6, 10**7)
HIDDEN = (32, 64, 128, 256, 512)
WINDOWS = (1, 3, 5, 7, 9)
TOKENS = 1_000_000  # unless the size of the text is what changes


def main() -> None:
    """Measure, and write the table and the plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "runs" / "benchmarks")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    check_data()
    measure(options.models, options.repetitions)


def measure(models: Path, repetitions: int = 3) -> None:
    """Measure everything, and store the results."""
    models.mkdir(parents=True, exist_ok=True)
    os.environ.update(ONE_THREAD)  # before numpy is imported
    cores = os.cpu_count() or 1
    curves: dict[str, dict[int, float]] = {
        "tokens of text, one worker": {
            n: speed(trained(models), models, n, 1, repetitions) for n in SIZES
        },
        "tokens of text, all workers": {
            n: speed(trained(models), models, n, cores, repetitions) for n in SIZES
        },
        "hidden units": {
            H: speed(trained(models, f"network.hidden={H}"), models, TOKENS, 1, repetitions)
            for H in HIDDEN
        },
        "words in the window": {
            C: speed(trained(models, f"windows.size={C}"), models, TOKENS, 1, repetitions)
            for C in WINDOWS
        },
        "workers": {
            w: speed(trained(models), models, 4 * TOKENS, w, repetitions)
            for w in range(1, cores + 1)
        },
    }
    copy = copied(trained(models), repetitions)
    results = {"machine": machine("numpy"), "curves": curves, "copy": copy}
    print(keep("growth", results, table(curves, copy)))
    plot(curves)


def trained(models: Path, *settings: str) -> Path:
    """Return a run folder of the fast recipe with other settings, after one epoch."""
    name = "-".join(["growth", *(entry.replace("=", "-") for entry in settings)])
    folder = models / name
    if not folder.exists():
        command = sides(models)["nertool, conll2003-fast"].train
        command[command.index("--run-dir") + 1] = str(folder)
        more = ("training.epochs=1", "training.average=1", *settings)
        run([*command, *(part for entry in more for part in ("--set", entry))])
    return folder


def speed(model: Path, models: Path, tokens: int, workers: int, repetitions: int) -> float:
    """Return the median speed of `nertool predict` in tokens per second of wall-clock time."""
    side = sides(models)["nertool, conll2003-fast"]
    text, written = text_of(tokens, False, models)
    command = [*side.tag[: side.tag.index("predict") + 1], str(model), str(text)]
    command += ["-o", str(models / "tagged"), "--workers", str(workers)]
    return median(written / run(command).clock for _ in range(repetitions))


def copied(model: Path, repetitions: int) -> dict[str, float]:
    """Return seconds for a million tokens: for scoring them, for adding up their rows alone, and for copying.

    The copy moves as many bytes as these rows have from one place in memory to another.
    """
    import numpy as np

    from nertool.corpus.ledger import Ledger
    from nertool.corpus.record import Reading
    from nertool.formats.read import read_corpus
    from nertool.inputs.text import Text
    from nertool.model.load import load_model
    from nertool.tagging.compiled import CompiledTagger

    corpus = read_corpus(DATA / "conll2003/train.txt", "conll", Reading(), Ledger())
    text = Text(corpus.words, corpus.word_ids, corpus.sentence_starts, corpus.document_starts)
    loaded = load_model(model)
    tagger = CompiledTagger(loaded)
    tagger.scores(text)  # fills the tables
    N, C, H = corpus.tokens, loaded.config.windows.size, loaded.config.network.hidden
    block = 512
    rows = np.random.default_rng(0).random((block * C, H), dtype=np.float32)
    there = np.empty_like(rows)

    def copy() -> None:
        for _ in range(N // block):
            np.copyto(there, rows)

    def seconds(work: Any) -> float:
        times = []
        for _ in range(max(3, repetitions)):
            started = time.process_time()
            work()
            times.append(time.process_time() - started)
        return median(times) / N * 1e6

    return {
        "scoring": seconds(lambda: tagger.scores(text)),
        "a plain copy of the rows": seconds(copy),
    }


def table(curves: dict[str, dict[int, float]], copy: dict[str, float]) -> list[str]:
    """Format the results as lines of a table."""
    lines = ["| | | tokens a second |", "|---|---|---|"]
    for name, curve in curves.items():
        lines += [f"| {name} | {x:,} | {y:,.0f} |" for x, y in curve.items()]
    score, plain = copy["scoring"], copy["a plain copy of the rows"]
    return [
        *lines,
        "",
        f"Scoring a token takes {score:.2f} µs of one thread, its context included; copying as many "
        f"bytes as the rows that it adds up, within the cache, {plain:.2f} µs: {100 * plain / score:.0f} %.",
    ]


def plot(curves: dict[str, dict[int, float]]) -> None:
    """Plot speed against each thing that changes, on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    groups: dict[str, list[str]] = {}
    for name in curves:
        groups.setdefault(name.partition(",")[0], []).append(name)
    figure, axes = plt.subplots(1, len(groups), figsize=(3.4 * len(groups), 3.2), sharey=True)
    for axis, (what, names) in zip(axes, groups.items(), strict=True):
        for name in names:
            label = name.partition(", ")[2] or "one worker"
            axis.plot(
                list(curves[name]), [y / 1e6 for y in curves[name].values()], "o-", label=label
            )
        axis.set_xlabel(what)
        if what.startswith("tokens"):
            axis.set_xscale("log")
            axis.legend()
        elif what == "hidden units":
            axis.set_xscale("log", base=2)
            axis.set_xticks(HIDDEN, [str(H) for H in HIDDEN])
        else:
            axis.set_xticks(list(curves[names[0]]))
        axis.grid(alpha=0.3)
        axis.set_ylim(bottom=0)
    axes[0].set_ylabel("million tokens a second")
    figure.tight_layout()
    figure.savefig(RESULTS / "growth.png", dpi=120)


if __name__ == "__main__":
    main()
