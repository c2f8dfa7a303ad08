"""The gain of each ingredient: one network on CoNLL-2003, with and without it, three seeds each.

Writes results/ingredients.md and .json. F1 is on dev, of the best epoch, mean ± standard deviation. Time is
the CPU time of a whole run (start, vectors, training, checkpoints), relative to the plain network's. Each run
has one BLAS thread, and --workers runs are done in parallel.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from record import DATA, RESULTS, ROOT, check_data, keep, machine

from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.evaluation.evaluate import evaluate_with_calibration
from nertool.formats.read import read_corpus
from nertool.model.load import load_model
from nertool.training.experiments.sweep import Trial, run_sweep

Change = dict[str, Any]  # overrides of the config
Run = dict[str, Any]

# The plain network: word vectors and capitals. Its other settings are the configs' defaults.
PLAIN: Change = {
    "corpus.train": DATA / "conll2003/train.txt",
    "corpus.dev": DATA / "conll2003/dev.txt",
    "vectors.path": DATA / "vectors/glove.6B.50d.bin",
    "features.shape": 0,
    "features.affixes": 0,
    "features.memory": "false",
    "features.sentence": 0,
    "features.document": 0,
    "features.neighbours": "false",
    "features.document_vector": "false",
    "vectors.limit": 200000,
    "network.hidden": 128,
    "training.epochs": 8,
    "first_stage.folds": 0,
    "first_stage.window": 0,
}
WORDS = {"features.shape": 8, "features.affixes": 6}
DOCUMENT = {
    "features.memory": "true",
    "features.sentence": 5,
    "features.document": 5,
    "features.neighbours": "true",
    "features.document_vector": "true",
}
ALL: Change = {**WORDS, **DOCUMENT}

# name → what it changes in the plain network
LESS: dict[str, Change] = {
    "IOB2 in place of BIOES": {"decoding.scheme": "iob2"},
    "each word's best tag in place of Viterbi": {"decoding.method": "argmax"},
    "tanh in place of ReLU": {"network.activation": "tanh"},
    "Adam, alpha 0.001, in place of AdaGrad, 0.05": {
        "training.optimizer": "adam",
        "training.alpha": 0.001,
    },
    "logistic outputs in place of softmax": {"network.output": "logistic"},
    "no dropout": {"training.dropout_input": 0, "training.dropout_hidden": 0},
    "no averaging": {"training.average": 1},
    "frozen word vectors": {"vectors.fine_tune": "false"},
}
MORE: dict[str, Change] = {
    "+ word shape": {"features.shape": 8},
    "+ affixes": {"features.affixes": 6},
    "+ sentence context": {"features.sentence": 5},
    "+ document context": {"features.document": 5},
    "+ entity memory": {"features.memory": "true"},
    "+ neighbours elsewhere in the document": {"features.neighbours": "true"},
    "+ mean vector of the document": {"features.document_vector": "true"},
    "+ agreement within a document (0.3)": {"decoding.consistency": 0.3},
    "+ 256 hidden units": {"network.hidden": 256},
    "+ sentences in lower case and in capitals (0.2)": {"training.recase": 0.2},
    "+ all of the word's and the document's features": ALL,
    "+ these and 256 hidden units": {**ALL, "network.hidden": 256},
    "+ these and two stages": {**ALL, "first_stage.folds": 5, "first_stage.epochs": 6},
    "+ these and 3 members": {**ALL, "network.members": 3},
}
CASES = ("as it is", "in lower case", "in capitals")
ROBUST: dict[str, Change] = {
    "plain": {},
    "plain, trained with sentences in other case (0.2)": {"training.recase": 0.2},
    "all features": ALL,
    "all features, trained with sentences in other case (0.2)": {**ALL, "training.recase": 0.2},
}


TABLES = {"ingredients": {"plain": {}, **LESS, **MORE}, "robustness": ROBUST}


def main() -> None:
    """Run the requested rows, and write the tables after each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--only", default="", help="run the rows whose name contains this, keep the others"
    )
    parser.add_argument("--table", choices=TABLES, action="append", help="[default: all]")
    options = parser.parse_args()
    check_data()
    path = RESULTS / "ingredients.json"
    results = json.loads(path.read_text()) if path.exists() else {name: {} for name in TABLES}
    results["machine"] = machine()
    for table in options.table or TABLES:
        rows = {name: row for name, row in TABLES[table].items() if options.only in name}
        with tempfile.TemporaryDirectory() as folder:
            for name, run in measure(
                rows, options.seeds, options.workers, Path(folder), table == "robustness"
            ):
                row = results[table].setdefault(name, {})
                row[str(run.pop("seed"))] = run
                keep("ingredients", results, lines_of(results))
    print(keep("ingredients", results, lines_of(results)))


def measure(
    rows: dict[str, Change], seeds: int, workers: int, folder: Path, other_case: bool
) -> Iterator[tuple[str, Run]]:
    """Yield each run when it is done: its row's name, its seed, F1 on dev and the CPU seconds.

    If requested, also F1 on dev with changed letter case.
    """
    config = ROOT / "configs/conll2003.yaml"
    trials, names = [], {}
    for i, (name, change) in enumerate(rows.items()):
        for seed in range(1, seeds + 1):
            variant = tuple(f"{key}={value}" for key, value in change.items())
            trials.append(Trial(config, variant, seed, folder / f"{i}-{seed}"))
            names[folder / f"{i}-{seed}"] = name
    overrides = [f"{key}={value}" for key, value in PLAIN.items()]
    dev = read_corpus(Path(PLAIN["corpus.dev"]), "conll", Reading(), Ledger())
    outcomes = run_sweep(overrides, trials, workers)
    for n, outcome in enumerate(outcomes):
        name, seed = names[outcome.trial.run_dir], outcome.trial.seed
        run: Run = {"seed": seed, "f1": outcome.f1, "seconds": outcome.processor_seconds}
        if other_case:
            model = load_model(outcome.trial.run_dir)
            texts = (dev, recased(dev, str.lower), recased(dev, str.upper))
            for case, text in zip(CASES, texts, strict=True):
                run[case] = evaluate_with_calibration(model, text)[0].f1
        note = f"{n + 1}/{len(trials)} {name}: seed {seed}, {100 * outcome.f1:.2f}"
        print(f"{note}, {outcome.processor_seconds:.1f} s", flush=True)
        yield name, run


def recased(corpus: Corpus, case: Callable[[str], str]) -> Corpus:
    """Return a corpus with the letter case of every word changed."""
    return replace(corpus, words=[case(word) for word in corpus.words])


def lines_of(results: dict[str, Any]) -> list[str]:
    """Format the results as lines of tables, with the rows in the order of this file."""
    lines = ["| | dev F1 | gain | time | seeds |", "|---|---|---|---|---|"]
    runs = {name: list(row.values()) for name, row in results["ingredients"].items()}
    for name in TABLES["ingredients"]:
        if name not in runs:
            continue
        own, plain = runs[name], runs.get("plain", [])
        f1, seconds = [run["f1"] for run in own], mean(run["seconds"] for run in own)
        gain = time = ""
        if plain and name != "plain":
            gain = f"{100 * (mean(f1) - mean(run['f1'] for run in plain)):+.2f}"
            time = f"{seconds / mean(run['seconds'] for run in plain):.1f} ×"
        lines.append(f"| {name} | {spread(f1)} | {gain} | {time} | {len(own)} |")
    if results["robustness"]:
        lines += ["", f"| dev F1 on text | {' | '.join(CASES)} |", "|---|---|---|---|"]
        for name, row in results["robustness"].items():
            cells = " | ".join(spread([run[case] for run in row.values()]) for case in CASES)
            lines.append(f"| {name} | {cells} |")
    return lines


def spread(values: list[float]) -> str:
    """Format a mean and a standard deviation, in points of F1."""
    deviation = f" ± {100 * stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.2f}{deviation}"


if __name__ == "__main__":
    main()
