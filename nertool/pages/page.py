"""Render an HTML page from a template: all values are escaped, and nothing is loaded from elsewhere."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nertool.errors import without_controls
from nertool.pages.palette import label_styles

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
_CUT = "<!-- the page's own content -->"


@cache
def environment(*folders: Path) -> Environment:
    """Return a Jinja environment that finds templates in these folders and in that of the base template.

    Jinja is imported here, so that commands that write no page don't load it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.globals["label_styles"] = label_styles()
    made.filters["percent"] = percent
    made.filters["for_script"] = for_script
    return made


def _shown(value: Any) -> Any:
    """Return the value that a template inserts: text without characters that control the display."""
    # Values of type Markup were escaped when they were made.
    return without_controls(value) if type(value) is str else value


def escaped(text: str) -> str:
    """Escape a text for HTML that is written without a template."""
    return escape(without_controls(text))


def render(name: str, folder: Path | None = None, **values: Any) -> str:
    """Render a page from a template that extends base.html.

    name: the template's file name. folder: where it is, besides the folder of the base template.
    """
    folders = [folder] if folder else []
    return environment(*folders).get_template(name).render(values)


def around(title: str) -> tuple[str, str]:
    """Return the HTML before and after a page's content, for a page that is written piece by piece."""
    before, _, after = render("plain.html", title=title, cut=_CUT).partition(_CUT)
    return before, after


def percent(share: float | None, digits: int = 1) -> str:
    """Format a share from 0 to 1 in percent, without a percent sign. None becomes a dash."""
    return "–" if share is None else f"{100 * share:.{digits}f}"


def for_script(value: Any) -> Any:
    """Return a value as JSON for a script element: <, > and & are escaped, so that it can't be closed."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
