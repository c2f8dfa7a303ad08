"""Inputs that are large in one way: time must grow as the input does, or the input is refused in one line.

Each input is made in one size and in four times that size. The processor time of the second, beyond what a
small input takes, may be at most eight times that of the first: linear, with room for a noisy machine;
quadratic would be sixteen. An input that is refused must end with exit code 1 and one line, or, where an
option has a limit, with exit code 2.

python -m tests.campaigns.corners MODEL
python -m tests.campaigns.corners MODEL --size 2500000      # the largest have ten million tokens
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.campaigns.common import ENVIRONMENT, NERTOOL, Tally

_LARGER, _MOST = 4, 8.0
_NOISE = 0.5  # seconds that are added to both sides of the comparison


class Corner(NamedTuple):
    """What is run: write makes an input of a size in a folder and returns the command for it. divisor: the
    size is divided by it, where a unit costs more than a token. refused: a fault is expected."""

    write: Callable[[Path, int], list[str]]
    divisor: int = 1
    refused: bool = False


def main() -> None:
    """Try every corner, and print what each took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="a trained model, tagging with it is what is measured")
    parser.add_argument("--size", type=int, default=250_000, help="tokens of the smaller input")
    parser.add_argument("--only", nargs="*", help="corners whose name contains one of these")
    options = parser.parse_args()
    tally = Tally("corners")
    for name, corner in corners(options.model).items():
        if options.only and not any(part in name for part in options.only):
            continue
        with tempfile.TemporaryDirectory(prefix="nertool-corners-") as folder:
            tally.count(fault(name, corner, max(4, options.size // corner.divisor), Path(folder)))
    sys.exit(tally.end())


def fault(name: str, corner: Corner, size: int, folder: Path) -> str:
    """Run a corner in both sizes; return what is wrong, empty if nothing is."""
    runs = []
    for part, n in (("small", 4), ("one", size), ("four", _LARGER * size)):
        own = folder / part
        own.mkdir()
        runs.append(run(corner.write(own, n)))
        if corner.refused and part != "small":
            seconds, code, said = runs[-1]
            print(f"{name}: {n:,}: {seconds:.1f} s, exit code {code}: {said.strip()[:100]}")
            if code not in (1, 2) or (code == 1 and len(said.strip().splitlines()) > 1):
                return f"{name}: exit code {code}, expected a refusal in one line: {said[-300:]}"
        elif runs[-1][1] and not corner.refused:
            return f"{name}: {n:,}: exit code {runs[-1][1]}: {runs[-1][2][-300:]}"
    if corner.refused:
        return ""
    start, one, four = (seconds for seconds, _, _ in runs)
    ratio = (four - start + _NOISE) / (one - start + _NOISE)
    print(
        f"{name}: {size:,}: {one:.1f} s, {_LARGER * size:,}: {four:.1f} s, {ratio:.1f} times",
        flush=True,
    )
    return f"{name}: {ratio:.1f} times as long for four times as much" if ratio > _MOST else ""


def run(command: list[str]) -> tuple[float, int, str]:
    """Return a command's seconds of the processor, its exit code, and what it wrote to stderr."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [*NERTOOL, *command], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        return used.ru_utime + used.ru_stime, process.returncode, errors.read()


_SENTENCE = ["Ada", "Lovelace", "met", "Charles", "Babbage", "in", "London", "yesterday", "evening"]


def words(n: int) -> Iterator[str]:
    """Yield n words, some of which are names."""
    for i in range(n):
        yield _SENTENCE[i % len(_SENTENCE)]


def corners(model: str) -> dict[str, Corner]:
    """Return the corners by name."""
    predict = ["predict", model]

    def one_sentence(folder: Path, n: int) -> list[str]:
        path = folder / "text.conll"
        path.write_text("".join(f"{word} O\n" for word in words(n)) + "\n")
        return [*predict, str(path), "-o", str(folder / "out.conll"), "--workers", "1"]

    def one_record(folder: Path, n: int) -> list[str]:
        path = folder / "text.jsonl"
        path.write_text('{"text": "' + " ".join(words(n)) + '"}\n')
        return [*predict, str(path), "-o", str(folder / "out.jsonl"), "--workers", "1"]

    def brat(folder: Path, n: int) -> list[str]:
        text = "Ada met Bob.\n" * n
        (folder / "text.txt").write_text(text)
        (folder / "text.ann").write_text(
            "".join(f"T{i + 1}\tPER {13 * i} {13 * i + 3}\tAda\n" for i in range(n))
        )
        return ["corpus", "convert", str(folder), "-o", str(folder.with_suffix(".jsonl"))]

    def distinct_labels(folder: Path, n: int) -> list[str]:
        path = folder / "text.conll"
        path.write_text("".join(f"Ada B-L{i}\nmet O\n\n" for i in range(n)))
        return ["corpus", "stats", str(path)]

    def distinct_words(folder: Path, n: int) -> list[str]:
        path = folder / "text.conll"
        path.write_text("".join(f"Word{i} O\n" + "\n" * (i % 9 == 8) for i in range(n)))
        return [*predict, str(path), "-o", str(folder / "out.conll"), "--workers", "1"]

    def one_long_line(folder: Path, n: int) -> list[str]:
        path = folder / "text.txt"
        with open(path, "w") as file:
            for _ in range(200):
                file.write("Ada " * ((1 << 20) // 4))
        return [*predict, str(path), "-o", str(folder / "out.txt")]

    def many_best(folder: Path, n: int) -> list[str]:
        path = folder / "text.txt"
        path.write_text("Ada met Bob .\n")
        return [*predict, str(path), "-o", str(folder / "out.jsonl"), "--n-best", "1000000"]

    return {
        "a sentence of so many tokens, in columns": Corner(one_sentence),
        "a JSON record of so many tokens": Corner(one_record),
        "so many annotations of one brat text": Corner(brat, 10),
        "so many distinct labels in corpus stats": Corner(distinct_labels, 10),
        "so many distinct words": Corner(distinct_words),
        "a line of 200 MB": Corner(one_long_line, refused=True),
        "--n-best 1000000": Corner(many_best, refused=True),
    }


if __name__ == "__main__":
    main()
