"""The memory of training and the time of an epoch, as the text grows.

The text is CoNLL-2003's training part, repeated. In each copy, the letters of names are replaced by others,
so that the vocabulary grows as in real text. Each training is a process of its own. Its memory is read from
/proc (Linux) every tenth of a second: resident memory, with pages that processes share counted once, and the
anonymous part of it, which the system can't take back without swapping. Seconds are CPU time, since
wall-clock time depends on what else the machine does. Writes results/memory.md and .json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from record import DATA, ROOT, check_data, keep, machine

SIZES = (200_000, 2_000_000, 20_000_000)
_PAUSE = 0.1  # seconds between two readings of a process's memory
_VOWELS, _CONSONANTS = "aeiou", "bcdfghklmnprstvw"


def main() -> None:
    """Measure each recipe on texts of each size, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, action="append", help=f"[default: {SIZES}]")
    parser.add_argument("--config", action="append", help="[default: auto, conll2003]")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--keep-text", type=Path, help="a folder for the texts, made once")
    options = parser.parse_args()
    check_data()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        texts = options.keep_text or Path(folder)
        texts.mkdir(parents=True, exist_ok=True)
        for name in options.config or ("auto", "conll2003"):
            for tokens in options.tokens or SIZES:
                text = texts / f"{tokens}.txt"
                if not text.exists():
                    write_text(text, tokens)
                rows.append(measure(name, text, tokens, options.epochs, Path(folder)))
                print(table(rows[-1:])[-1], file=sys.stderr)
    print(keep("memory", {"machine": machine("numpy"), "rows": rows}, table(rows)))


def write_text(path: Path, tokens: int) -> None:
    """Write about `tokens` tokens: whole documents of the training part, repeated."""
    documents = (DATA / "conll2003/train.txt").read_text(encoding="utf-8").split("-DOCSTART-")[1:]
    written = 0
    with open(path, "w", encoding="utf-8") as file:
        for copy, document in _copies(documents):
            file.write(f"-DOCSTART-{renamed(document, copy)}")
            written += len(re.findall(r"^\S+ ", document, re.MULTILINE)) - 1
            if written >= tokens:
                return


def _copies(documents: list[str]) -> Iterator[tuple[int, str]]:
    copy = 0
    while True:
        for document in documents:
            yield copy, document
        copy += 1


def renamed(document: str, copy: int) -> str:
    """Replace the letters of a document's names, in the same way within a copy. Copy 0 is unchanged."""
    if not copy:
        return document
    drawn = random.Random(copy)
    letters: dict[str, str] = {}
    for kind in (_VOWELS, _CONSONANTS):
        shuffled = "".join(drawn.sample(kind, len(kind)))
        letters |= dict(zip(kind + kind.upper(), shuffled + shuffled.upper(), strict=True))
    table = str.maketrans(letters)

    def line(match: re.Match[str]) -> str:
        word, rest = match[1], match[2]
        return f"{word if rest.endswith(' O') else word.translate(table)}{rest}"

    return re.sub(r"^(\S+)( .*)$", line, document, flags=re.MULTILINE)


def measure(name: str, text: Path, tokens: int, epochs: int, folder: Path) -> dict[str, Any]:
    """Train on a text; return the peak memory in bytes, and the seconds."""
    run = folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    settings = {"training.epochs": epochs, "network.members": 1, "first_stage.folds": 0}
    command = [sys.executable, "-m", "nertool", "train"]
    if name == "auto":
        command.append(str(text))  # a tenth is held out as dev, and a second fit follows
    else:
        command += [str(ROOT / f"configs/{name}.yaml")]
        settings |= {
            "corpus.train": text,
            "corpus.dev": DATA / "conll2003/dev.txt",
            "vectors.path": DATA / "vectors/glove.6B.50d.bin",
        }
    command += [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    command += ["--run-dir", str(run), "--json", "--workers", "1"]
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    with open(folder / "stderr", "wb") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=errors, env={**os.environ, **one_thread}
        )
        resident, anonymous = watch(process)
    if process.returncode:
        raise SystemExit((folder / "stderr").read_text())
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return {
        "recipe": name,
        "tokens": tokens,
        "resident": resident,
        "anonymous": anonymous,
        "epoch_seconds": [entry["seconds"] for entry in log],
        "seconds": _seconds[process.pid],
        "dev_f1": log[-1]["dev"]["f1"],
    }


_seconds: dict[int, float] = {}


def watch(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Wait for a process; return the peak resident and anonymous memory, with its descendants, in bytes."""
    most = [0, 0]
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            _seconds[process.pid] = usage.ru_utime + usage.ru_stime
            return most[0], most[1]
        now = [sum(of) for of in zip(*map(memory, tree(process.pid)), strict=True)] or [0, 0]
        most = [max(a, b) for a, b in zip(most, now, strict=True)]
        time.sleep(_PAUSE)


def tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(own for child in children for own in tree(int(child)))]


def memory(pid: int) -> tuple[int, int]:
    """Return a process's share of resident memory, and its anonymous part, in bytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    of = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines}
    return of["Pss"], of.get("Pss_Anon", of["Anonymous"])


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Format the results as lines of a table."""
    lines = [
        "| recipe | tokens | resident memory, GB | of it anonymous, GB | an epoch, s | "
        "processor, s in all | dev F1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['recipe']} | {row['tokens']:,} | {row['resident'] / 1e9:.2f} | "
            f"{row['anonymous'] / 1e9:.2f} | {min(row['epoch_seconds']):.1f} | "
            f"{row['seconds']:.0f} | {100 * row['dev_f1']:.1f} |"
        )
    return lines


if __name__ == "__main__":
    main()
