"""The cost of evaluation on top of tagging: CPU time of `nertool evaluate` and of `nertool predict`.

All commands read the same labelled columns (CoNLL-2003's dev part, repeated) with the same model, on one
thread, in turns. predict writes to a file: columns, which contain only the tags, and JSON lines with the
probabilities, which evaluate also computes. The start-up time, measured on a text of one sentence, is
subtracted. Writes results/evaluating.md and .json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from record import DATA, check_data, keep, machine
from tagging import run

SENTENCE = "EU B-ORG\nrejects O\nGerman B-MISC\ncall O\n. O\n\n"


def main() -> None:
    """Measure the commands in turns, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, metavar="MODEL", help="such as runs/conll2003")
    parser.add_argument("--times", type=int, default=10, help="copies of the dev part")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    check_data()
    dev = (DATA / "conll2003" / "dev.txt").read_text(encoding="utf-8").rstrip("\n") + "\n\n"
    tokens = options.times * sum(map(bool, dev.splitlines()))
    with TemporaryDirectory() as folder:
        text, sentence = Path(folder, "text.conll"), Path(folder, "sentence.conll")
        text.write_text(dev * options.times, encoding="utf-8")
        sentence.write_text(SENTENCE, encoding="utf-8")
        out = ["--workers", "1", "--output", str(Path(folder, "out"))]
        commands = {
            "predict": ["predict", *out, "--to", "conll"],
            "predict --probabilities": ["predict", *out, "--to", "jsonl", "--probabilities"],
            "evaluate": ["evaluate"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        starts: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.repetitions):
            for name, (command, *arguments) in commands.items():
                nertool = [sys.executable, "-m", "nertool", command, str(options.model)]
                starts[name].append(run([*nertool, str(sentence), *arguments]).processor)
                seconds[name].append(run([*nertool, str(text), *arguments]).processor)
    own = {name: median(seconds[name]) - median(starts[name]) for name in seconds}
    table = ["| | seconds | start-up | tokens a second | ratio |", "|---|---|---|---|---|"]
    for name in own:
        table.append(
            f"| `nertool {name}` | {own[name]:.2f} | {median(starts[name]):.2f} | "
            f"{tokens / own[name]:,.0f} | {own[name] / own['predict']:.2f} |"
        )
    results = {
        "tokens": tokens,
        "seconds": seconds,
        "start": starts,
        "ratio": {name: own["evaluate"] / own[name] for name in own},
        "machine": machine("numpy"),
    }
    print(keep("evaluating", results, table))


if __name__ == "__main__":
    main()
