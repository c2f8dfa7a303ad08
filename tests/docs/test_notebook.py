"""docs/lesson.ipynb runs, and what it computes equals nertool.network."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "lesson.ipynb"


@pytest.mark.integration
def test_the_notebook_runs_and_equals_the_network_to_the_last_digit():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    executed = nbclient.NotebookClient(notebook, timeout=60).execute()
    outputs = [
        output["data"]["text/plain"]
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "execute_result"
    ]
    assert outputs[-1] == "'equal, to the last digit'"
    names = ("Paris", "Rome", "Rome", "Paris")
    assert outputs[-2] == str([(name, True) for name in names])


def test_the_network_takes_about_40_lines():
    nbformat = pytest.importorskip("nbformat")
    cells = [
        cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"
    ]
    lines = [line for cell in cells[:4] for line in cell.source.splitlines() if line.strip()]
    assert len(lines) <= 45
