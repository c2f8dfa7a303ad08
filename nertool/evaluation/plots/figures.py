"""Create and save figures, and check before long work that they can be saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nertool.errors import NertoolError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = (".png", ".svg", ".pdf")
BLUE, RED, GREY = "#0072b2", "#d55e00", "#767676"  # distinguishable with any colour vision


def check_figure(path: Path, option: str) -> None:
    """Check that a figure can be written to a path. option: its name in messages.

    Errors: NertoolError for another file extension than KINDS, or if matplotlib is missing; FileNotFoundError
    for a missing folder.
    """
    if path.suffix.lower() not in KINDS:
        raise NertoolError(
            f"{path}: found {path.suffix or 'no ending'}, expected a name that ends in {', '.join(KINDS)}"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(None, "no such folder, expected one to write to", str(path.parent))
    check_matplotlib(option)


def check_matplotlib(what: str) -> None:
    """Check that matplotlib is installed. Errors: NertoolError, whose message begins with `what`."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise NertoolError(
            f"{what}: found no matplotlib, expected it to be installed; run: pip install 'nertool[plot]'"
        ) from None


def new_figure(width: float = 7.0, height: float = 4.5) -> Figure:
    """Return an empty figure. width, height: in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, path: Path) -> None:
    """Write a figure. The same figure gives the same bytes. Errors: OSError."""
    import matplotlib

    kind = path.suffix.lower()[1:]
    dated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with matplotlib.rc_context({"svg.hashsalt": "nertool", "svg.fonttype": "none"}):
        figure.savefig(path, dpi=150, metadata=dated)
