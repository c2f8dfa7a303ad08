"""A page from a template: everything escaped, nothing loaded from anywhere."""

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
    """Return Jinja's environment with these folders of templates and the base template's.

    Jinja is loaded here, so that commands that write no page do without it.
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
    """Return what a template writes for a value: of a text no sign that controls the page's display."""
    # What is markup already was escaped where it was made.
    return without_controls(value) if type(value) is str else value


def escaped(text: str) -> str:
    """Return a text for HTML that is written without a template."""
    return escape(without_controls(text))


def render(name: str, folder: Path | None = None, **values: Any) -> str:
    """Return a page from a template, which extends base.html."""
    folders = [folder] if folder else []
    return environment(*folders).get_template(name).render(values)


def around(title: str) -> tuple[str, str]:
    """Return what stands before and after the content of a page, for one that is written bit by bit."""
    before, _, after = render("plain.html", title=title, cut=_CUT).partition(_CUT)
    return before, after


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share in percent, a dash for one that is undefined."""
    return "–" if share is None else f"{100 * share:.{digits}f}"


def for_script(value: Any) -> Any:
    """Return a value as JSON that can stand in a script element: nothing in it can end the element."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
