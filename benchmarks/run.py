"""All that is measured of speed, in one run: training, tagging, and how its cost grows.

Half an hour on two cores; a machine that does nothing else gives the steadiest figures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import growth
import tagging
import training
from record import ROOT, check_data


def main() -> None:
    """Measure one thing after another; each writes its own results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "runs" / "benchmarks")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    check_data()
    tagging.measure(options.models, options.repetitions)
    growth.measure(options.models, options.repetitions)
    training.main()


if __name__ == "__main__":
    main()
