"""Are vectors trained on raw text better than random ones? Dev F1 of both, with three seeds.

The raw text is the training text without its labels, so that both know the same text. One network with
features of the word's form, on Swahili (MasakhaNER) and CoNLL-2003. Prints a table in Markdown.
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

TEXTS = {
    "Swahili": ("suite/masakha-swa/train.conll", "suite/masakha-swa/dev.conll"),
    "CoNLL-2003": ("conll2003/train.txt", "conll2003/dev.txt"),
}
SETTINGS: dict[str, Any] = {
    "features": {"shape": 8, "affixes": 6},
    "network": {"activation": "relu", "output": "softmax"},
    "training": {
        "epochs": 6,
        "dropout_input": 0.2,
        "dropout_hidden": 0.3,
        "average": 3,
        "word_dropout": 0.25,
    },
}


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print("| text | random vectors | vectors trained on the raw text |\n|---|---|---|")
    for name, (train, dev) in TEXTS.items():
        cells = []
        for raw in (False, True):
            found = []
            for seed in range(1, 1 + options.seeds):
                found.append(f1(DATA / train, DATA / dev, raw, seed))
                print(f"{name}, raw text {raw}, seed {seed}: {found[-1]:.2f}", file=sys.stderr)
            cells.append(f"{mean(found):.2f} ± {stdev(found) if len(found) > 1 else 0:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def f1(train: Path, dev: Path, raw: bool, seed: int) -> float:
    """Train one network; return its F1 on dev in percent."""
    config = {
        **SETTINGS,
        "corpus": {"train": str(train), "dev": str(dev)},
        "vectors": {"raw_text": [str(train)]} if raw else {},
        "seed": seed,
    }
    with tempfile.TemporaryDirectory() as folder:
        run = nertool.train(config, Path(folder) / "run")
        assert run.scores is not None
        return 100 * float(run.scores["f1"])


if __name__ == "__main__":
    main()
