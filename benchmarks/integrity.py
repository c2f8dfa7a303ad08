"""The cost of the checks of a model's files, and of the lock that makes a tagger safe in threads.

    python benchmarks/integrity.py MODEL [TEXT] [--repetitions 7]

CPU seconds to load a model with and without checks, and to tag a labelled text with and without the lock. The
variants take turns. The first run of each is left out, so that the files are in the system's cache.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import Any

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.read import read_corpus
from nertool.model.load import load_model
from nertool.tagging.annotate import text_of_corpus
from nertool.tagging.compiled import CompiledTagger


def seconds(path: Path, verify: bool) -> tuple[float, float]:
    """Load a model once; return CPU seconds, of all threads, and wall-clock seconds."""
    processor, clock = time.process_time(), time.perf_counter()
    load_model(path, verify=verify)
    return time.process_time() - processor, time.perf_counter() - clock


class _NoLock:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def tagging(model: Path, text: Path, repetitions: int) -> dict[str, float]:
    """Return the median CPU seconds of tagging a text in blocks, with the lock and without."""
    tagger = CompiledTagger(load_model(model))
    corpus = read_corpus(text, "auto", Reading(), Ledger())
    block = text_of_corpus(corpus, tagger.document_tokens)
    locks: dict[str, Any] = {"with": tagger._lock, "without": _NoLock()}
    found: dict[str, list[float]] = {name: [] for name in locks}
    for _ in range(repetitions + 1):
        for name, lock in locks.items():
            tagger._lock = lock
            begun = time.process_time()
            tagger.scores(block)
            found[name].append(time.process_time() - begun)
    return {name: median(times[1:]) for name, times in found.items()}


def main() -> None:
    """Measure, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("text", type=Path, nargs="?")
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()
    found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for _ in range(options.repetitions + 1):
        for verify, times in found.items():
            times.append(seconds(options.model, verify))
    for verify, times in found.items():
        processor, clock = (median(column) for column in zip(*times[1:], strict=True))
        how = "with" if verify else "without"
        print(f"loading {how} checks: {processor:.3f} s, {clock:.3f} s by the clock")
    if options.text:
        times = tagging(options.model, options.text, options.repetitions)
        for name, taken in times.items():
            print(f"tagging {name} the lock: {taken:.3f} s")
        print(f"speed with the lock: {times['without'] / times['with']:.3f} of that without")


if __name__ == "__main__":
    main()
