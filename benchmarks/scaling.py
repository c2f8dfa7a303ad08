"""The parts of the time of tagging, and what more cores would gain: a serial part, and the rest.

A text with many new words (words.py) is tagged from a file of columns to a file. Seconds are CPU time. With
two workers, the seconds of the process that reads and writes (serial) and of the workers (parallel) are
measured separately. Amdahl's law then gives the best time with n workers:

    seconds(n) = serial + parallel / n

Writes results/scaling.md and .json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from statistics import median
from typing import Any

from record import ROOT, check_data, keep, machine
from tagging import ONE_THREAD, text_of

CORES = (1, 2, 8, 32)
# What is measured with one worker: (name, module, class or "", function).
STEPS = (
    ("read lines, look them up", "nertool.predict.tasks.task", "Worker", "kinds"),
    ("scores of the network", "nertool.tagging.compiled", "CompiledTagger", "scores"),
    ("best tags (Viterbi)", "nertool.tagging.analyse", "", "decode"),
)


def main() -> None:
    """Measure each number of workers several times, each in a process of its own; write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "runs" / "benchmarks")
    parser.add_argument("--tokens", type=int, default=4_000_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)  # model, text, workers
    options = parser.parse_args()
    if options.measure:
        model, text, workers = options.measure
        print(json.dumps(measured(Path(model), text, int(workers))))
        return
    check_data()
    model = options.models / "conll2003-fast"
    text, tokens = text_of(options.tokens, False, options.models, fresh=True)
    runs: dict[int, list[dict[str, Any]]] = {1: [], 2: []}
    for _ in range(options.repetitions):
        for workers, found in runs.items():
            command = [sys.executable, __file__, "--measure", model, text, str(workers)]
            done = subprocess.run(
                list(map(str, command)),
                env={**os.environ, **ONE_THREAD},
                stdout=subprocess.PIPE,
                check=True,
            )
            found.append(json.loads(done.stdout))
    results = summary(runs, tokens)
    print(keep("scaling", {"machine": machine("numpy"), **results}, table(results)))


def measured(model_path: Path, text: str, workers: int) -> dict[str, Any]:
    """Tag a text; return the CPU seconds of this process, of its workers and of each step, and wall-clock
    seconds."""
    from nertool.corpus.ledger import Ledger
    from nertool.model.load import load_model
    from nertool.predict.request import PredictRequest
    from nertool.predict.run import find_files, predict

    model = load_model(model_path)
    request = PredictRequest((text,), Path(f"{text}.tagged"), workers=workers)
    steps: dict[str, float] = {}
    for step in STEPS if workers == 1 else ():
        _time(*step, steps)
    usage = resource.getrusage
    own, clock = usage(resource.RUSAGE_SELF), time.perf_counter()
    predict(model, request, find_files(request), Ledger(), lambda line: None)
    after, children = usage(resource.RUSAGE_SELF), usage(resource.RUSAGE_CHILDREN)
    return {
        "clock": time.perf_counter() - clock,
        "self": after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime,
        "children": children.ru_utime + children.ru_stime,
        "steps": steps,
    }


def _time(name: str, module: str, owner: str, function: str, steps: dict[str, float]) -> None:
    """Measure the CPU seconds of a function's calls."""
    holder: Any = __import__(module, fromlist=["_"])
    holder = getattr(holder, owner) if owner else holder
    plain: Callable[..., Any] = getattr(holder, function)

    @wraps(plain)
    def timed(*arguments: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return plain(*arguments, **named)
        finally:
            steps[name] = steps.get(name, 0.0) + time.process_time() - start

    setattr(holder, function, timed)


def summary(runs: dict[int, list[dict[str, Any]]], tokens: int) -> dict[str, Any]:
    """Return the medians, and Amdahl's estimate for each number of workers, in tokens per second."""

    def middle(workers: int, key: str) -> float:
        return median(run[key] for run in runs[workers])

    one, serial, parallel = middle(1, "self"), middle(2, "self"), middle(2, "children")
    steps = {name: median(run["steps"].get(name, 0.0) for run in runs[1]) for name, *_ in STEPS}
    return {
        "tokens": tokens,
        "one_core": tokens / one,
        "by_clock": {str(n): tokens / middle(n, "clock") for n in runs},
        "serial_share": serial / (serial + parallel),
        "amdahl": {str(n): tokens / (serial + parallel / n) for n in CORES},
        "steps": {name: seconds / one for name, seconds in steps.items()},
        "runs": {str(n): found for n, found in runs.items()},
    }


def table(results: dict[str, Any]) -> list[str]:
    """Format the results as lines of two tables."""
    clock, amdahl = results["by_clock"], results["amdahl"]
    lines = [
        f"One core, processor time: {results['one_core']:,.0f} tokens a second. Serial part: "
        f"{100 * results['serial_share']:.1f} % of the processor's time.",
        "",
        "| workers | measured, by the clock | Amdahl's estimate |",
        "|---|---|---|",
    ]
    lines += [
        f"| {n} | {clock[str(n)]:,.0f} | {amdahl[str(n)]:,.0f} |"
        if str(n) in clock
        else f"| {n} | | {amdahl[str(n)]:,.0f} |"
        for n in CORES
    ]
    rest = 1 - sum(results["steps"].values())
    shares = {**results["steps"], "entities, output, all else": rest}
    lines += ["", "| step, one worker | share of the time |", "|---|---|"]
    return lines + [f"| {name} | {100 * share:.0f} % |" for name, share in shares.items()]


if __name__ == "__main__":
    main()
