"""Render the suspects of a labelled text as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nertool.pages.page import render

TEMPLATES = Path(__file__).parent / "templates"
MOST = 2_000  # suspects on a page, so that it opens quickly


def suspects_page(rows: Sequence[dict[str, Any]], title: str) -> str:
    """Return the HTML of the first MOST rows, which come from suspect_row."""
    return render("suspects.html", TEMPLATES, title=title, rows=rows[:MOST], total=len(rows))
