"""How fast is tagging? From a file of CoNLL columns to a tagged file, against what one might pick instead.

Every side is trained on CoNLL-2003's training part (unless its model is in --models already), then
tags the same text, one thread each, taking turns, several times. Speed is in tokens for each second
of the processor, start-up included; slower sides get a shorter text, so that start-up weighs
little for them, too. Writes results/tagging.md and .json.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from peers.columns import as_iob2, sentences
from record import DATA, ROOT, check_data, keep, machine

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Side(NamedTuple):
    """A tagger: the commands that train it and that tag with it, the tokens of its text, what it needs."""

    train: list[str]
    tag: list[str]
    tokens: int
    needs: str = ""


def sides(models: Path) -> dict[str, Side]:
    """Name everyone who takes part. {text} and {out} are filled in."""
    train_text = str(DATA / "conll2003/train.txt")

    def ours(config: str, more: Sequence[str] = ()) -> Side:
        sets = [
            f"corpus.train={train_text}",
            f"corpus.dev={DATA / 'conll2003/dev.txt'}",
            f"vectors.path={DATA / 'vectors/glove.6B.50d.bin'}",
            *more,
        ]
        nertool = [sys.executable, "-m", "nertool"]
        options = [part for entry in sets for part in ("--set", entry)]
        model = str(models / config)
        return Side(
            [*nertool, "train", str(ROOT / f"configs/{config}.yaml"), "--run-dir", model, *options],
            [*nertool, "predict", model, "{text}", "-o", "{out}", "--workers", "1"],
            1_000_000,
        )

    def peer(name: str, model: str, tokens: int, needs: str) -> Side:
        program = [sys.executable, "-m", f"peers.{name}"]
        return Side(
            [*program, "train", train_text, str(models / model)],
            [*program, "tag", str(models / model), "{text}", "{out}"],
            tokens,
            needs,
        )

    fast = ours("conll2003-fast")
    twin = [sys.executable, "-m", "peers.torch_tagger", "tag", str(models / "conll2003-fast")]
    second = [f"vectors.more=[{DATA / 'vectors/glove.6B.100d.bin'}]"]
    return {
        "nertool, conll2003-fast": fast,
        "nertool, conll2003": ours("conll2003"),
        "nertool, conll2003-max": ours("conll2003-max", second),
        "PyTorch, the network of conll2003-fast": Side(
            fast.train, [*twin, "{text}", "{out}"], 500_000, "torch"
        ),
        "CRFsuite": peer("crfsuite", "crfsuite.model", 200_000, "pycrfsuite"),
        "spaCy, blank en + ner": peer("spacy_ner", "spacy", 50_000, "spacy"),
    }


def main() -> None:
    """Train who is not trained yet, measure everyone in turns, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "runs" / "benchmarks")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="sides whose name contains one of these")
    options = parser.parse_args()
    check_data()
    options.models.mkdir(parents=True, exist_ok=True)
    taking_part = {
        name: side
        for name, side in sides(options.models).items()
        if (not side.needs or importlib.util.find_spec(side.needs))
        and (not options.only or any(part in name for part in options.only))
    }
    for side in taking_part.values():
        model = Path(
            side.train[side.train.index("--run-dir") + 1]
            if "--run-dir" in side.train
            else side.train[-1]
        )
        if not model.exists():
            run(side.train)
    rows: dict[str, Any] = {name: {"speeds": []} for name in taking_part}
    texts = {n: text_of(n, options.models) for n in {side.tokens for side in taking_part.values()}}
    out = options.models / "tagged.conll"
    for _ in range(options.repetitions):
        for name, side in taking_part.items():
            seconds = run([part.format(text=texts[side.tokens][0], out=out) for part in side.tag])
            rows[name]["speeds"].append(texts[side.tokens][1] / seconds)
    for name, side in taking_part.items():
        dev = DATA / "conll2003/dev.txt"
        run([part.format(text=dev, out=out) for part in side.tag])
        rows[name]["f1"] = f1(dev, out)
    of = machine("numpy", "torch", "python-crfsuite", "spacy")
    print(keep("tagging", {"machine": of, "rows": rows}, table(rows)))


def run(command: list[str]) -> float:
    """Run a command with one thread; return the processor's seconds, those of its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(Path(__file__).parent)}
    subprocess.run(
        command, check=True, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.perf_counter() - started:.1f} s  {' '.join(command[1:6])} …", file=sys.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def text_of(tokens: int, folder: Path) -> tuple[Path, int]:
    """Write the training part's words, over and over, until there are about so many; return their number."""
    path, written = folder / f"text.{tokens}.conll", 0
    with open(path, "w", encoding="utf-8") as file:
        while written < tokens:
            for line in open(DATA / "conll2003/train.txt", encoding="utf-8"):  # noqa: SIM115
                word = line.partition(" ")[0].rstrip("\n")
                file.write(f"{word} x O\n" if word else "\n")
                written += bool(word) and word != "-DOCSTART-"
    return path, written


def f1(gold: Path, tagged: Path) -> float:
    """Return the entities' F1 in percent."""

    def entities(path: Path) -> set[tuple[int, int, int, str]]:
        found = set()
        for n, sentence in enumerate(sentences(path)):
            tags = as_iob2([fields[-1] for fields in sentence])
            start = 0
            for i, tag in enumerate([*tags, "O"]):
                if tag[:1] in "BSO" and i and tags[i - 1] != "O":
                    found.add((n, start, i, tags[i - 1][2:]))
                if tag[:1] in "BS":
                    start = i
        return found

    a, b = entities(gold), entities(tagged)
    return 200.0 * len(a & b) / (len(a) + len(b))


def table(rows: dict[str, Any]) -> list[str]:
    """Write the results as lines of a table."""
    first = median(next(iter(rows.values()))["speeds"])
    lines = ["| | tokens a second of the processor | ratio | dev F1 |", "|---|---|---|---|"]
    for name, row in rows.items():
        speed = median(row["speeds"])
        lines.append(f"| {name} | {speed:,.0f} | {first / speed:.1f} | {row['f1']:.1f} |")
    return lines


if __name__ == "__main__":
    main()
