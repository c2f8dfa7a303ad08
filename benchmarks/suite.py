"""What a newcomer gets: default `nertool train` against CRFsuite, on every given corpus.

    python benchmarks/suite.py FOLDER… [--vectors FILE] [--plain NAME…] [--seeds 1 2 3] [--workers 2]

A folder contains train.conll, dev.conll and perhaps test.conll: token TAB tag. F1 is on test, or on dev if
there is no test part. --vectors applies to all corpora except those of --plain, for text in other languages
than the vectors'. CRFsuite has the template "usual" of peers/crfsuite.py. Times are wall-clock and CPU time,
including files and start-up. Memory is that of the largest process. Writes results/suite.md and .json after
every training. Results that are already in them are not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

from record import DATA, RESULTS, keep, machine
from tagging import f1

# Languages that the suite's vectors do not cover.
PLAIN = ("germeval", "masakha-swa", "masakha-yor", "masakha-hau", "masakha-amh")
TEMPLATE = "usual"


class Cost(NamedTuple):
    """Wall-clock and CPU time in seconds, and the largest process's memory in bytes."""

    clock: float
    processor: float
    memory: int


def main() -> None:
    """Train and measure both on every corpus, seed by seed, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--vectors", type=Path, default=DATA / "vectors/glove.6B.50d.bin")
    parser.add_argument("--plain", nargs="*", default=PLAIN, help="corpora without vectors")
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--budget", help="passed on to nertool train")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--name", default="suite", help="of the results' files")
    options = parser.parse_args()
    before = RESULTS / f"{options.name}.json"
    rows = json.loads(before.read_text())["rows"] if before.is_file() else {}
    results = {"machine": machine("numpy", "python-crfsuite"), "rows": rows}
    for seed in options.seeds:
        for folder in options.folders:
            row = rows.setdefault(folder.name, {"part": measured_part(folder).stem, "ours": {}})
            if "crfsuite" not in row:
                row["crfsuite"] = measure_crfsuite(folder)
            if str(seed) not in row["ours"]:
                vectors = (
                    [] if folder.name in options.plain else ["--vectors", str(options.vectors)]
                )
                budget = ["--budget", options.budget] if options.budget else []
                more = [*vectors, *budget, "--workers", str(options.workers)]
                row["ours"][str(seed)] = measure(folder, seed, more)
            keep(options.name, results, table(rows))
    print(keep(options.name, results, table(rows)))


def measured_part(folder: Path) -> Path:
    """Return the part that F1 is measured on."""
    test = folder / "test.conll"
    return test if test.is_file() else folder / "dev.conll"


def measure_crfsuite(folder: Path) -> dict[str, Any]:
    """Train CRFsuite once, since it uses no random numbers, and measure it."""
    part = measured_part(folder)
    with tempfile.TemporaryDirectory(prefix="nertool-suite-") as scratch:
        model, tagged = Path(scratch, "crfsuite"), Path(scratch, "tagged")
        peer = [sys.executable, "-m", "peers.crfsuite"]
        cost, _ = run([*peer, "train", str(folder / "train.conll"), str(model), TEMPLATE])
        run([*peer, "tag", str(model), str(part), str(tagged), TEMPLATE])
        return {"f1": f1(part, tagged), **cost._asdict(), "bytes": model.stat().st_size}


def measure(folder: Path, seed: int, more: Sequence[str]) -> dict[str, Any]:
    """Train nertool on a text with its dev part and one seed, and measure it."""
    nertool = [sys.executable, "-m", "nertool"]
    train, dev = (str(folder / f"{name}.conll") for name in ("train", "dev"))
    with tempfile.TemporaryDirectory(prefix="nertool-suite-") as scratch:
        run_dir = Path(scratch, "run")
        options = ["--dev", dev, *more, "--seed", str(seed), "--run-dir", str(run_dir)]
        cost, _ = run([*nertool, "train", train, *options])
        _, found = run([*nertool, "evaluate", str(run_dir), str(measured_part(folder)), "--json"])
        size = sum(f.stat().st_size for f in (run_dir / "best").rglob("*") if f.is_file())
        measured = {"f1": 100 * json.loads(found)["f1"], **cost._asdict(), "bytes": size}
    print(
        f"{folder.name}, seed {seed}: F1 {measured['f1']:.2f}, {cost.clock:.0f} s", file=sys.stderr
    )
    return measured


def run(command: list[str]) -> tuple[Cost, str]:
    """Run a command; return its cost and its stdout."""
    here = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": here}, stdout=out, stderr=errors
        )
        _, status, used = os.wait4(process.pid, 0)  # including its child processes
        process.returncode = os.waitstatus_to_exitcode(status)
        clock = time.perf_counter() - started
        for file in (out, errors):
            file.seek(0)
        if process.returncode:
            code = process.returncode
            raise SystemExit(f"exit code {code}: {' '.join(command)}\n{errors.read()}")
        return Cost(clock, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024), out.read()


def table(rows: dict[str, Any]) -> list[str]:
    """Format the results as lines of a table."""
    lines = [
        "| corpus | F1 on | CRFsuite | nertool | seeds | gain | CRFsuite, wall-clock s | nertool, "
        "wall-clock s | nertool, CPU s | nertool, MB of memory | CRFsuite's model, MB | "
        "nertool's model, MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    gains = []
    for name, row in rows.items():
        if not row["ours"]:
            continue
        peer, ours = row["crfsuite"], list(row["ours"].values())
        found = [own["f1"] for own in ours]
        spread = f" ± {stdev(found):.1f}" if len(found) > 1 else ""
        gains.append(mean(found) - peer["f1"])
        lines.append(
            f"| {name} | {row['part']} | {peer['f1']:.1f} | {mean(found):.1f}{spread} | {len(found)} | "
            f"{gains[-1]:+.1f} | {peer['clock']:.0f} | {mean(r['clock'] for r in ours):.0f} | "
            f"{mean(r['processor'] for r in ours):.0f} | {max(r['memory'] for r in ours) / 1e6:,.0f} | "
            f"{peer['bytes'] / 1e6:.1f} | {mean(r['bytes'] for r in ours) / 1e6:.1f} |"
        )
    if gains:
        lines.append(f"| mean | | | | | {mean(gains):+.1f} | | | | | | |")
    return lines


if __name__ == "__main__":
    main()
