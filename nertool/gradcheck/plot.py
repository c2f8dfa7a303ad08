"""Error against ε, log-log: why a central difference has a best ε, and a complex step needs none.

matplotlib draws it: axes, scales and fonts are a job that it does well, and who doesn't plot need not
install it (the extra `plot`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nertool.errors import NertoolError
from nertool.gradcheck.check import ALL, FAIL, METHODS, WARN, BlockCheck

_KINDS = (".png", ".svg", ".pdf")
_LEAST = 1e-17  # an error of exactly 0 is drawn here, or a logarithmic axis would leave it out
_STYLES = {"central": "o-", "complex": "s-", "directional": "^--", "directional complex": "v--"}


def check_plot(path: Path) -> None:
    """Refuse, before any long work, a file that can't be drawn, or if matplotlib is missing.

    Errors: NertoolError; OSError for a folder that isn't there.
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
    """Draw each method's error at every ε, the worst of all blocks. Errors: OSError as it comes."""
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
        # Where a kink left nothing to compare, there is no error to draw.
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
