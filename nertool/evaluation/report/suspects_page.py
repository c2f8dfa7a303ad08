"""Suspects of a labelled text as one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nertool.pages.page import render

TEMPLATES = Path(__file__).parent / "templates"
MOST = 2_000  # on a page, so that it opens quickly


def suspects_page(rows: Sequence[dict[str, Any]], title: str) -> str:
    """Return the page of suspect_row's rows, the first MOST of them."""
    return render("suspects.html", TEMPLATES, title=title, rows=rows[:MOST], total=len(rows))
