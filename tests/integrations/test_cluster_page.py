"""The examples of docs/cluster.md run as they stand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_pages import blocks

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
CODE = [
    code
    for language, _, code in blocks((ROOT / "docs" / "cluster.md").read_text(encoding="utf-8"))
    if language == "python"
]


@pytest.mark.parametrize("library", ["ray", "dask"])
def test_an_example_of_the_page_runs(library, run_dir, tmp_path):
    pytest.importorskip(library)
    (code,) = [code for code in CODE if f"import {library}" in code]
    shutil.copytree(run_dir / "best", tmp_path / "runs" / "quickstart")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AIR_NEW_OUTPUT": "0", "RAY_DEDUP_LOGS": "0"}
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        env={**os.environ, **quiet, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'quarantine': None" in done.stdout
    assert "'label': " in done.stdout
