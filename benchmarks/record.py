"""Functions that the benchmarks share: the path of the corpora, and storing results with their machine."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NERTOOL_DATA", ROOT.parent / "shared" / "data"))
RESULTS = ROOT / "benchmarks" / "results"


def check_data() -> None:
    """Exit if the corpora are absent."""
    if not DATA.is_dir():
        raise SystemExit(f"{DATA}: no such folder; set NERTOOL_DATA to the corpora's")


def machine(*packages: str) -> dict[str, Any]:
    """Describe the machine: processor, cores, Python, and the versions of installed packages."""
    import nertool  # imported after the number of threads is set
    from nertool.kernels.library import compiled

    found: dict[str, Any] = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "nertool": f"{nertool.__version__} {'with' if compiled() else 'without'} compiled kernels",
    }
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def keep(name: str, results: dict[str, Any], table: list[str]) -> str:
    """Write results as JSON, and their table, with the machine below it, as Markdown; return the Markdown.

    results: must have the machine under the key "machine".
    """
    text = "\n".join([*table, "", ", ".join(f"{k} {v}" for k, v in results["machine"].items()), ""])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(text)
    return text
