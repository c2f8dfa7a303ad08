"""Vectors trained on raw text against random ones: dev F1 of both, with three seeds.

The raw text is the training text without its labels. The labelled text is all of it, or every n-th sentence.
One network with features of the word's form, on CoNLL-2003 and Swahili (MasakhaNER). Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import nertool

sys.path.insert(0, str(Path(__file__).parent))
from record import DATA

TEXTS = {  # train, dev, n (every n-th sentence is labelled), epochs
    "CoNLL-2003": ("conll2003/train.txt", "conll2003/dev.txt", 1, 6),
    "CoNLL-2003, 1/8 labelled": ("conll2003/train.txt", "conll2003/dev.txt", 8, 15),
    "Swahili": ("suite/masakha-swa/train.conll", "suite/masakha-swa/dev.conll", 1, 6),
    "Swahili, 1/4 labelled": (
        "suite/masakha-swa/train.conll",
        "suite/masakha-swa/dev.conll",
        4,
        20,
    ),
}
SETTINGS: dict[str, Any] = {
    "features": {"shape": 8, "affixes": 6},
    "network": {"activation": "relu", "output": "softmax"},
    "training": {
        "dropout_input": 0.2,
        "dropout_hidden": 0.3,
        "average": 3,
        "word_dropout": 0.25,
    },
}


def main() -> None:
    """Train, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print("| text | random vectors | vectors trained on the raw text |\n|---|---|---|")
    for name, text in TEXTS.items():
        cells = []
        for raw in (False, True):
            found = []
            for seed in range(1, 1 + options.seeds):
                found.append(f1(*text, raw, seed))
                print(f"{name}, raw text {raw}, seed {seed}: {found[-1]:.2f}", file=sys.stderr)
            cells.append(f"{mean(found):.2f} ± {stdev(found) if len(found) > 1 else 0:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def f1(train: str, dev: str, every: int, epochs: int, raw: bool, seed: int) -> float:
    """Train one network on every n-th sentence; return its F1 on dev in percent."""
    with tempfile.TemporaryDirectory() as folder:
        labelled = Path(folder) / "train.conll"
        sentences = (DATA / train).read_text(encoding="utf-8").split("\n\n")
        labelled.write_text("\n\n".join(sentences[::every]) + "\n\n", encoding="utf-8")
        config = {
            **SETTINGS,
            "training": {**SETTINGS["training"], "epochs": epochs},
            "corpus": {"train": str(labelled), "dev": str(DATA / dev)},
            "vectors": {"raw_text": [str(DATA / train)]} if raw else {},
            "seed": seed,
        }
        run = nertool.train(config, Path(folder) / "run")
        assert run.scores is not None
        return 100 * float(run.scores["f1"])


if __name__ == "__main__":
    main()
