"""How much a command prints on stderr (--quiet, --verbose), and whether in colour."""

from __future__ import annotations

import os
from typing import TextIO

QUIET, NORMAL, VERBOSE = -1, 0, 1

_level = NORMAL


def set_level(level: int) -> None:
    """Set the level of the running command: QUIET, NORMAL or VERBOSE."""
    global _level
    _level = level


def is_quiet() -> bool:
    """Tell whether --quiet was given: no notes and no progress, only warnings and errors."""
    return _level == QUIET


def is_verbose() -> bool:
    """Tell whether --verbose was given: versions, time and memory, and the traceback of an unexpected
    error."""
    return _level == VERBOSE


def wants_colour(stream: TextIO | None) -> bool:
    """Tell whether text for a stream may be coloured.

    NO_COLOR (not empty) forbids colours. Otherwise FORCE_COLOR (not empty) requests them. Otherwise a
    terminal gets colours unless TERM is dumb. These are the rules of the library rich.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return False
    return stream is not None and stream.isatty()


BOLD, RED, YELLOW = (
    "1",
    "1;31",
    "33",
)  # parameters of the control sequence "select graphic rendition"


def coloured(text: str, colour: str, stream: TextIO | None) -> str:
    """Return a text in a colour, if the stream may be coloured."""
    return f"\x1b[{colour}m{text}\x1b[0m" if wants_colour(stream) else text
