"""Speed of tagging, from a file of CoNLL columns to a tagged file, against other tools.

Every tool is trained on CoNLL-2003's training part (unless its model is already in --models). Then all tag
the same text on one thread, in turns, several times. Speed is in tokens per CPU second. The start-up, which
is the CPU time for a text of one sentence, is subtracted and reported separately. Slower tools get a shorter
text. Then nertool with all workers, in wall-clock time, for columns and for running text. Writes
results/tagging.md and .json.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from peers.columns import as_iob2, sentences
from record import DATA, ROOT, check_data, keep, machine
from words import ever_new

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Side(NamedTuple):
    """A tagger: its commands for training and tagging, the tokens of its text, and the package that it needs.

    by_clock: count wall-clock instead of CPU seconds. raw: the text is running text. fresh: new words keep
    coming, as in real text (words.py), instead of one text repeated. kernels: "off" for numpy alone.
    """

    train: list[str]
    tag: list[str]
    tokens: int
    needs: str = ""
    by_clock: bool = False
    raw: bool = False
    fresh: bool = False
    kernels: str = "on"


class Seconds(NamedTuple):
    """The cost of a command: CPU seconds including its children, wall-clock seconds, and peak memory in
    bytes.

    The memory is that of the largest process.
    """

    processor: float
    clock: float
    memory: int


def sides(models: Path) -> dict[str, Side]:
    """Return all taggers. {text} and {out} in their commands are filled in later."""
    train_text = str(DATA / "conll2003/train.txt")

    def ours(config: str, tokens: int, more: Sequence[str] = ()) -> Side:
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
            tokens,
        )

    def peer(name: str, model: str, tokens: int, needs: str) -> Side:
        program = [sys.executable, "-m", f"peers.{name}"]
        return Side(
            [*program, "train", train_text, str(models / model)],
            [*program, "tag", str(models / model), "{text}", "{out}"],
            tokens,
            needs,
        )

    fast, usual = ours("conll2003-fast", 4_000_000), ours("conll2003", 2_000_000)
    second = [f"vectors.more=[{DATA / 'vectors/glove.6B.100d.bin'}]"]
    largest = ours("conll2003-max", 1_000_000, second)
    large = ours("conll2003-large", 1_000_000, second)
    twin = [sys.executable, "-m", "peers.torch_tagger", "tag", str(models / "conll2003-fast")]

    def all_workers(side: Side) -> Side:
        return side._replace(tag=side.tag[:-2], by_clock=True)

    return {
        "nertool, conll2003-fast": fast,
        "nertool, conll2003-fast, without compiled kernels": fast._replace(
            kernels="off", tokens=2_000_000
        ),
        "nertool, conll2003": usual,
        "nertool, conll2003-fast, many new words": fast._replace(fresh=True),
        "nertool, conll2003, many new words": usual._replace(fresh=True),
        "nertool, conll2003-large": large,
        "nertool, conll2003-max": largest,
        "PyTorch, the network of conll2003-fast": Side(
            fast.train, [*twin, "{text}", "{out}"], 600_000, "torch"
        ),
        "CRFsuite": peer("crfsuite", "crfsuite.model", 400_000, "pycrfsuite"),
        "spaCy, blank en + ner": peer("spacy_ner", "spacy", 60_000, "spacy"),
        "nertool, conll2003-fast, all workers": all_workers(fast),
        "nertool, conll2003, all workers": all_workers(usual),
        "nertool, conll2003-large, all workers": all_workers(large),
        "nertool, conll2003-max, all workers": all_workers(largest),
        "nertool, conll2003-fast, all workers, running text": all_workers(fast)._replace(
            tag=[*fast.tag[:-2], "--format", "raw"], raw=True
        ),
    }


def main() -> None:
    """Train the taggers that are not trained yet, measure all in turns, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "runs" / "benchmarks")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="sides whose name contains one of these")
    options = parser.parse_args()
    check_data()
    measure(options.models, options.repetitions, options.only)


def measure(models: Path, repetitions: int = 3, only: Sequence[str] | None = None) -> None:
    """Measure all taggers, or those whose name contains one of `only`; store the results."""
    models.mkdir(parents=True, exist_ok=True)
    taking_part = {
        name: side
        for name, side in sides(models).items()
        if (not side.needs or importlib.util.find_spec(side.needs))
        and (not only or any(part in name for part in only))
    }
    for side in taking_part.values():
        model = Path(
            side.train[side.train.index("--run-dir") + 1]
            if "--run-dir" in side.train
            else side.train[-1]
        )
        if not model.exists():
            run(side.train)
    rows: dict[str, Any] = {
        name: {"speeds": [], "start": [], "memory": 0, "by_clock": side.by_clock}
        for name, side in taking_part.items()
    }
    out = models / "tagged"
    for _ in range(repetitions):
        for name, side in taking_part.items():
            short, long = (text_of(n, side.raw, models, side.fresh) for n in (1, side.tokens))
            times = [
                run([part.format(text=text, out=out) for part in side.tag], side.kernels)
                for text, _ in (short, long)
            ]
            first, whole = (t.clock if side.by_clock else t.processor for t in times)
            rows[name]["speeds"].append((long[1] - short[1]) / (whole - first))
            rows[name]["start"].append(first)
            rows[name]["memory"] = max(rows[name]["memory"], times[1].memory)
    for name, side in taking_part.items():
        if not side.by_clock:
            dev = DATA / "conll2003/dev.txt"
            run([part.format(text=dev, out=out) for part in side.tag], side.kernels)
            rows[name]["f1"] = f1(dev, out)
    of = machine("numpy", "torch", "python-crfsuite", "spacy")
    print(keep("tagging", {"machine": of, "rows": rows}, table(rows)))


def run(command: list[str], kernels: str = "on") -> Seconds:
    """Run a command with one thread per process. kernels: whether nertool's kernels are "on" or "off"."""
    started = time.perf_counter()
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(Path(__file__).parent)}
    environment["NERTOOL_KERNELS"] = kernels
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stderr=null, stdout=null)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}: {' '.join(command)}")
    clock = time.perf_counter() - started
    print(f"{clock:.1f} s  {' '.join(command[1:6])} …", file=sys.stderr)
    return Seconds(used.ru_utime + used.ru_stime, clock, used.ru_maxrss * 1024)


def text_of(tokens: int, raw: bool, folder: Path, fresh: bool = False) -> tuple[Path, int]:
    """Write the training part's words, repeated, up to about `tokens` tokens; return the file and their
    number.

    raw: as running text, a paragraph for each document. fresh: with many new words.
    """
    name = f"{'fresh' if fresh else 'text'}.{tokens}.{'txt' if raw else 'conll'}"
    path, written = folder / name, 0
    endless = chain.from_iterable(_sentences() for _ in count())
    with open(path, "w", encoding="utf-8") as file:
        for words in ever_new(endless) if fresh else endless:
            if words[0] == "-DOCSTART-":
                file.write("\n\n" if raw else "-DOCSTART- x O\n\n")
                continue
            if raw:
                file.write(_CLOSING.sub(r"\1", " ".join(words)) + " ")
            else:
                file.write("".join(f"{word} x O\n" for word in words) + "\n")
            written += len(words)
            if written >= tokens:
                break
    return path, written


_CLOSING = re.compile(r" ([.,;:!?%)]|'s\b|n't\b)")  # signs without a space before them


def _sentences() -> Iterator[list[str]]:
    words: list[str] = []
    with open(DATA / "conll2003/train.txt", encoding="utf-8") as file:
        for line in file:
            word = line.partition(" ")[0].rstrip("\n")
            if word:
                words.append(word)
            elif words:
                yield words
                words = []


def f1(gold: Path, tagged: Path) -> float:
    """Return the F1 of entities in percent."""

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
    """Format the results as lines of a table."""
    first = median(next(iter(rows.values()))["speeds"])
    lines = [
        "| | tokens a second | ratio | start-up | most memory of a process | dev F1 |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        speed = median(row["speeds"])
        dev = f"{row['f1']:.1f}" if "f1" in row else ""
        ratio = "" if row["by_clock"] else f"{first / speed:.1f}"
        lines.append(
            f"| {name} | {speed:,.0f} | {ratio} | {median(row['start']):.1f} s | "
            f"{row['memory'] / 1e6:,.0f} MB | {dev} |"
        )
    return [
        *lines,
        "",
        "One thread: seconds of the processor; all workers: seconds by the clock. Both without the start-up, "
        "which is what a text of one sentence takes.",
    ]


if __name__ == "__main__":
    main()
