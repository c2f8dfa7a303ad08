"""Run all speed benchmarks: tagging, how its cost grows, and training.

It takes half an hour on two cores. An idle machine gives the steadiest figures.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from record import ROOT, check_data

HERE = Path(__file__).parent


def main() -> None:
    """Run one script after another, each in its own process. Each writes its own results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "runs" / "benchmarks")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    check_data()
    times = ["--repetitions", str(options.repetitions)]
    models = ["--models", str(options.models)]
    for script, arguments in (
        ("tagging.py", [*models, *times]),
        ("growth.py", [*models, *times]),
        ("scaling.py", [*models, *times]),
        ("training.py", times),
    ):
        subprocess.run([sys.executable, HERE / script, *arguments], check=True)


if __name__ == "__main__":
    main()
