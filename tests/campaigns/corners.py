"""Inputs that are large in one way: time must grow as the input does, or the input is refused in one line.

Each input is made in one size and in four times that size. The processor time of the second, beyond what a
small input takes, may be at most eight times that of the first: linear, with room for a noisy machine;
quadratic would be sixteen. The greatest memory of each run is printed. An input that is refused must end
with exit code 1 and one line, or, where an option has a limit, with exit code 2.

python -m tests.campaigns.corners MODEL
python -m tests.campaigns.corners MODEL --size 2500000      # the largest have ten million tokens
"""

from __future__ import annotations

import argparse
import os
import shutil
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
    size is divided by it, where a unit costs more than a token. refused: a fault is expected. codes: the
    exit codes of success, such as 1 of a check that finds something."""

    write: Callable[[Path, int], list[str]]
    divisor: int = 1
    refused: bool = False
    codes: tuple[int, ...] = (0,)


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


class Run(NamedTuple):
    """What a command took: seconds of the processor, bytes of memory at the most; and how it ended."""

    seconds: float
    memory: int
    code: int
    said: str

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, {self.memory / 1e9:.2f} GB"


def fault(name: str, corner: Corner, size: int, folder: Path) -> str:
    """Run a corner in both sizes; return what is wrong, empty if nothing is."""
    runs = []
    for part, n in (("small", 4), ("one", size), ("four", _LARGER * size)):
        own = folder / part
        own.mkdir()
        done = run(corner.write(own, n))
        shutil.rmtree(own)
        runs.append(done)
        lines = len(done.said.strip().splitlines())
        if corner.refused and part != "small":
            print(f"{name}: {n:,}: {done}, exit code {done.code}: {done.said.strip()[:100]}")
            if done.code not in (1, 2) or (done.code == 1 and lines > 1):
                return f"{name}: exit code {done.code}, expected a refusal in one line: {done.said[-300:]}"
        elif done.code not in corner.codes and not corner.refused:
            return f"{name}: {n:,}: exit code {done.code}: {done.said[-300:]}"
    if corner.refused:
        return ""
    start, one, four = runs
    ratio = (four.seconds - start.seconds + _NOISE) / (one.seconds - start.seconds + _NOISE)
    print(f"{name}: {size:,}: {one}; {_LARGER * size:,}: {four}; {ratio:.1f} times", flush=True)
    return f"{name}: {ratio:.1f} times as long for four times as much" if ratio > _MOST else ""


def run(command: list[str]) -> Run:
    """Run a command to its end."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [*NERTOOL, *command], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        seconds, memory = used.ru_utime + used.ru_stime, 1024 * used.ru_maxrss
        return Run(seconds, memory, process.returncode, errors.read())


_SENTENCE = ["Ada", "Lovelace", "met", "Charles", "Babbage", "in", "London", "yesterday", "evening"]


def write_repeated(path: Path, before: str, unit: str, n: int, after: str) -> None:
    """Write a unit n times between a beginning and an end; in pieces, since the memory of this process
    would count as that of the command."""
    at_once = max(1, (1 << 20) // len(unit))
    with open(path, "w") as file:
        file.write(before)
        for start in range(0, n, at_once):
            file.write(unit * min(at_once, n - start))
        file.write(after)


def words(n: int) -> Iterator[str]:
    """Yield n words, some of which are names."""
    for i in range(n):
        yield _SENTENCE[i % len(_SENTENCE)]


def corners(model: str) -> dict[str, Corner]:
    """Return the corners by name."""
    return {**long_texts(model), **many_labels(model), **many_entities(), **long_lines(model)}


def long_texts(model: str) -> dict[str, Corner]:
    """Return texts of many tokens without a break, of many documents, and of ever-new words."""
    predict = ["predict", model]

    def columns_of(command: list[str]) -> Callable[[Path, int], list[str]]:
        def write(folder: Path, n: int) -> list[str]:
            path = folder / "text.conll"
            with open(path, "w") as file:
                file.writelines(
                    f"{word} {'B-PER' if word == 'Ada' else 'O'}\n" for word in words(n)
                )
            return [*command, str(path)]

        return write

    def predicted(folder: Path, n: int) -> list[str]:
        command = columns_of(predict)(folder, n)
        return [*command, "-o", str(folder / "out.conll"), "--workers", "1"]

    def converted(folder: Path, n: int) -> list[str]:
        return [*columns_of(["corpus", "convert"])(folder, n), "-o", str(folder / "out.jsonl")]

    def one_record(folder: Path, n: int) -> list[str]:
        path = folder / "text.jsonl"
        path.write_text('{"text": "' + " ".join(words(n)) + '"}\n')
        return [*predict, str(path), "-o", str(folder / "out.jsonl"), "--workers", "1"]

    def distinct_words(folder: Path, n: int) -> list[str]:
        path = folder / "text.conll"
        path.write_text("".join(f"Word{i} O\n" + "\n" * (i % 9 == 8) for i in range(n)))
        return [*predict, str(path), "-o", str(folder / "out.conll"), "--workers", "1"]

    def documents(command: list[str]) -> Callable[[Path, int], list[str]]:
        def write(folder: Path, n: int) -> list[str]:
            path = folder / "text.conll"
            with open(path, "w") as file:
                file.writelines("-DOCSTART- O\n\nAda B-PER\nslept O\n\n" for _ in range(n))
            more = ["-o", str(folder / "out.conll")] if command[0] == "predict" else []
            return [*command, str(path), *more]

        return write

    def records(folder: Path, n: int) -> list[str]:
        path = folder / "text.jsonl"
        path.write_text('{"text": "Ada slept.", "label": [[0, 3, "PER"]]}\n' * n)
        return ["corpus", "convert", str(path), "-o", str(folder / "out.conll")]

    return {
        "a sentence of so many tokens, in columns: predict": Corner(predicted),
        "a sentence of so many tokens, in columns: corpus stats": Corner(
            columns_of(["corpus", "stats"])
        ),
        "a sentence of so many tokens, in columns: corpus check": Corner(
            columns_of(["corpus", "check"]), codes=(0, 1)
        ),
        "a sentence of so many tokens, in columns: corpus convert": Corner(converted),
        "a sentence of so many tokens, in columns: evaluate": Corner(
            columns_of(["evaluate", model])
        ),
        "a JSON record of so many tokens": Corner(one_record),
        "so many distinct words": Corner(distinct_words),
        "so many documents: predict": Corner(documents(predict), 4),
        "so many documents: corpus stats": Corner(documents(["corpus", "stats"]), 4),
        "so many documents: corpus check": Corner(documents(["corpus", "check"]), 4, codes=(0, 1)),
        "so many JSON records: corpus convert": Corner(records, 4),
    }


def many_labels(model: str) -> dict[str, Corner]:
    """Return texts whose every entity has a label of its own."""

    def labelled(path: Path, n: int) -> str:
        with open(path, "w") as file:
            file.writelines(f"Ada B-L{i}\nmet O\n\n" for i in range(n))
        return str(path)

    def command(*before: str) -> Callable[[Path, int], list[str]]:
        return lambda folder, n: [*before, labelled(folder / "text.conll", n)]

    def converted(to: str) -> Callable[[Path, int], list[str]]:
        return lambda folder, n: [
            *("corpus", "convert", labelled(folder / "text.conll", n)),
            *("--to", to, "-o", str(folder / f"out.{to}")),
        ]

    def compared(folder: Path, n: int) -> list[str]:
        gold, found = (labelled(folder / f"{name}.conll", n) for name in ("gold", "found"))
        return ["evaluate", "--gold", gold, "--predicted", found]

    def trained(folder: Path, n: int) -> list[str]:
        path = labelled(folder / "text.conll", n)
        return ["train", path, "--run-dir", str(folder / "run"), "--quiet"]

    return {
        "so many distinct labels: corpus stats": Corner(command("corpus", "stats"), 4),
        "so many distinct labels: corpus check": Corner(
            command("corpus", "check"), 4, codes=(0, 1)
        ),
        "so many distinct labels: corpus convert to jsonl": Corner(converted("jsonl"), 4),
        "so many distinct labels: corpus convert to conll": Corner(converted("conll"), 4),
        "so many distinct labels: evaluate two files": Corner(compared, 4),
        "so many distinct labels: evaluate a model": Corner(command("evaluate", model), 4),
        "so many distinct labels: train": Corner(trained, 4, refused=True),
    }


def many_entities() -> dict[str, Corner]:
    """Return single texts that hold many entities."""

    def brat(folder: Path, n: int) -> list[str]:
        text = "Ada met Bob.\n" * n
        (folder / "text.txt").write_text(text)
        (folder / "text.ann").write_text(
            "".join(f"T{i + 1}\tPER {13 * i} {13 * i + 3}\tAda\n" for i in range(n))
        )
        return ["corpus", "convert", str(folder), "-o", str(folder / "out.jsonl")]

    def one_sentence(folder: Path, n: int) -> list[str]:
        path = folder / "text.conll"
        path.write_text("Ada B-PER\nand O\n" * n)
        return ["corpus", "convert", str(path), "-o", str(folder / "out.jsonl")]

    def one_record(to: str) -> Callable[[Path, int], list[str]]:
        def write(folder: Path, n: int) -> list[str]:
            path = folder / "text.jsonl"
            spans = ", ".join(f'[{8 * i}, {8 * i + 3}, "PER"]' for i in range(n))
            path.write_text(f'{{"text": "{"Ada and " * n}", "label": [{spans}]}}\n')
            return ["corpus", "convert", str(path), "--to", to, "-o", str(folder / "out")]

        return write

    def compared(folder: Path, n: int) -> list[str]:
        files = [folder / name for name in ("gold.conll", "found.conll")]
        for path, label in zip(files, ("PER", "LOC"), strict=True):
            path.write_text(f"Ada B-{label}\nand O\n" * n)
        return ["evaluate", "--gold", str(files[0]), "--predicted", str(files[1])]

    return {
        "so many annotations of one brat text": Corner(brat, 10),
        "so many entities of one sentence, in columns": Corner(one_sentence, 4),
        "so many entities of one JSON record, to columns": Corner(one_record("conll"), 4),
        "so many entities of one JSON record, to brat": Corner(one_record("brat"), 4),
        "so many entities of one JSON record, to html": Corner(one_record("html"), 4),
        "so many wrong entities of one sentence: evaluate": Corner(compared, 4),
    }


def long_lines(model: str) -> dict[str, Corner]:
    """Return long lines, long words, deep nesting, and options that ask for much."""
    predict = ["predict", model]

    def line(name: str, before: str, unit: str, after: str) -> Callable[[Path, int], list[str]]:
        """Write one line, of so many units between a beginning and an end."""

        def write(folder: Path, n: int) -> list[str]:
            path = folder / name
            write_repeated(path, before, unit, n, f"{after}\n")
            options = ["--workers", "1", "--quiet"]  # without notes, a refusal is all that is said
            return [*predict, str(path), "-o", str(folder / f"out-{name}"), *options]

        return write

    def too_long(name: str, before: str, unit: str, after: str) -> Callable[[Path, int], list[str]]:
        return lambda folder, n: line(name, before, unit, after)(folder, (200 << 20) // len(unit))

    def many_best(folder: Path, n: int) -> list[str]:
        path = folder / "text.txt"
        path.write_text("Ada met Bob .\n")
        return [*predict, str(path), "-o", str(folder / "out.jsonl"), "--n-best", "1000000"]

    def nested(name: str, before: str, opened: str, closed: str, after: str) -> Corner:
        def write(folder: Path, n: int) -> list[str]:
            path = folder / name
            path.write_text(f"{before}{opened * n}{closed * n}{after}\n")
            return ["corpus", "convert", str(path), "-o", str(folder / "out.conll"), "--quiet"]

        return Corner(write, refused=True)

    shapes = {
        "text": ("text.txt", "", "Ada ", ""),
        "JSON": ("text.jsonl", '{"text": "', "Ada ", '"}'),
        "CSV": ("text.csv", 'text\n"', "Ada ", '"'),
        "columns": ("text.conll", "Ada ", "O ", "O"),
    }
    words_of = {
        "text": ("text.txt", "", "abcd", " met Ada ."),
        "JSON": ("text.jsonl", '{"text": "', "abcd", ' met Ada ."}'),
        "columns": ("text.conll", "Ada O\n", "abcd", " O"),
    }
    return {
        **{
            f"a line of so many words: {name}": Corner(line(*of), refused=name == "columns")
            for name, of in shapes.items()
        },
        **{
            f"a line of 200 MB: {name}": Corner(too_long(*of), refused=True)
            for name, of in shapes.items()
            if name != "text"  # is read in pieces, whatever its lines are
        },
        **{
            f"a word of four times so many characters: {name}": Corner(line(*of))
            for name, of in words_of.items()
        },
        "--n-best 1000000": Corner(many_best, refused=True),
        "JSON lists nested so deep": nested("text.json", "", "[", "]", ""),
        "JSON objects nested so deep": nested(
            "text.jsonl", '{"text": "Ada", "meta": ', '{"a": ', "}", "1}"
        ),
        "XML elements nested so deep": nested("text.xml", "<doc>", "<b>", "</b>", "</doc>"),
    }


if __name__ == "__main__":
    main()
