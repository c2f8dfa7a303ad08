"""Print the lowest versions that pyproject.toml allows, as constraints for pip, to test that they work.

python scripts/lowest.py > lowest.txt
pip install -e . pytest hypothesis -c lowest.txt
pytest -n0 -o addopts= tests/network tests/corpus tests/formats/test_formats.py
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_BOUND = re.compile(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?>=([0-9.]+)")


def lowest(requirements: list[str]) -> list[str]:
    """Return `name==version` for each requirement `name>=version`. Errors: ValueError for another form."""
    pinned = []
    for requirement in requirements:
        found = _BOUND.fullmatch(requirement)
        if found is None:
            raise ValueError(f"{PYPROJECT}: found {requirement}, expected NAME>=VERSION")
        pinned.append(f"{found[1]}=={found[2]}")
    return pinned


def main() -> None:
    """Print the constraints of the dependencies that are always installed."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    print("\n".join(lowest(project["dependencies"])))


if __name__ == "__main__":
    main()
