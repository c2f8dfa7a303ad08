"""The notebooks run; what docs/lesson.ipynb computes equals nertool.network."""

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


@pytest.mark.integration
def test_the_notebook_of_the_api_runs_and_shows_its_documents():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(NOTEBOOK.with_name("api.ipynb"), as_version=4)
    nbformat.validate(notebook)
    kept = sum(len(cell.get("outputs", [])) for cell in notebook.cells)
    place = {"metadata": {"path": str(NOTEBOOK.parent)}}
    executed = nbclient.NotebookClient(notebook, timeout=120, resources=place).execute()
    results = [
        output["data"]
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "execute_result"
    ]
    assert kept >= len(results) == 7
    document = results[1]["text/html"]
    assert "<mark" in document
    assert "Ada Lovelace" in document
    assert "text/html" in results[4]  # the explanation of a decision
    assert results[-1]["text/plain"] == "True"


def test_the_network_takes_about_40_lines():
    nbformat = pytest.importorskip("nbformat")
    cells = [
        cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"
    ]
    lines = [line for cell in cells[:4] for line in cell.source.splitlines() if line.strip()]
    assert len(lines) <= 45
