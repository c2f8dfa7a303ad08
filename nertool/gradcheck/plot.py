"""A log-log plot of error against ε: a central difference has a best ε, a complex step needs none.

The plot needs matplotlib, which the extra `plot` installs. Only users who plot need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nertool.errors import NertoolError
from nertool.gradcheck.check import ALL, FAIL, METHODS, WARN, BlockCheck

_KINDS = (".png", ".svg", ".pdf")
_LEAST = 1e-17  # an error of exactly 0 is drawn here, since a logarithmic axis can't show 0
_STYLES = {"central": "o-", "complex": "s-", "directional": "^--", "directional complex": "v--"}


def check_plot(path: Path) -> None:
    """Check that a plot can be written to `path`. Call this before any long work.

    Errors: NertoolError for another file extension or a missing matplotlib, OSError for a missing folder.
    """
    if path.suffix not in _KINDS:
        raise NertoolError(
            f"{path}: found {path.suffix or 'no ending'}, expected a name that ends in {', '.join(_KINDS)}"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(None, "no such folder, expected one to write to", str(path.parent))
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise NertoolError(
            "--plot: found no matplotlib, expected it to be installed; run: pip install 'nertool[plot]'"
        ) from None


def plot_ladders(checks: Sequence[BlockCheck], title: str, path: Path) -> None:
    """Draw for each method the largest error of all blocks at every ε. Errors: OSError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 5.0), layout="constrained")
    axes = figure.add_subplot()
    for method in METHODS:
        ladders = [
            check.methods[method].ladder
            for check in checks
            if method in check.methods and (check.block != ALL or method.startswith("dir"))
        ]
        if not ladders:
            continue
        eps = [rung.eps for rung in ladders[0]]
        # If kinks left nothing to compare at an ε, there is no error to draw.
        errors = np.array([[r.error if r.compared else np.nan for r in rungs] for rungs in ladders])
        worst = np.array([np.nanmax(e) if np.isfinite(e).any() else np.nan for e in errors.T])
        axes.plot(eps, np.maximum(worst, _LEAST), _STYLES[method], label=method, markersize=4)
    axes.axhline(FAIL, color="tab:red", linewidth=0.8, linestyle=":")
    axes.axhline(WARN, color="tab:orange", linewidth=0.8, linestyle=":")
    axes.annotate("fails", (1, FAIL), xycoords=("axes fraction", "data"), ha="right", va="bottom")
    axes.annotate("warns", (1, WARN), xycoords=("axes fraction", "data"), ha="right", va="bottom")
    axes.set(
        xscale="log", yscale="log", title=title,
        xlabel="ε", ylabel="‖a − n‖ / (‖a‖ + ‖n‖), the worst block's",
    )  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=150)
