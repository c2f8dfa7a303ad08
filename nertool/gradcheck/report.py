"""The results of a gradient check as one HTML page that explains them.

The page has each block's errors, a plot of the errors against ε, and the result for each known mistake.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from nertool.gradcheck.case import Verdict
from nertool.gradcheck.check import ALL, CENTRAL, COMPLEX, FAIL, METHODS, WARN, BlockCheck, Rung
from nertool.gradcheck.selfcheck import Caught
from nertool.pages.page import render

TEMPLATES = Path(__file__).parent / "templates"
_LEAST = 1e-17  # an error of 0 is drawn here, since a logarithmic axis can't show 0
_DASHES = ("", "6 3", "2 2", "8 3 2 3", "1 3", "10 4")


def page(verdicts: Sequence[Verdict], wide: Verdict, caught: Sequence[Caught]) -> str:
    """Return the page.

    verdicts: the results of all cases; wide: the result of the first case on the ladders WIDE, for the
    plots; caught: the results for the known mistakes in the first case.
    """
    from markupsafe import Markup

    blocks = [check for check in wide.checks if check.block != ALL]
    return render(
        "gradcheck.html",
        TEMPLATES,
        verdicts=[
            (
                title_of(verdict),
                [(check, [cell(check, method) for method in METHODS]) for check in verdict.checks],
            )
            for verdict in verdicts
        ],
        methods=METHODS,
        passed=all(verdict.passed for verdict in verdicts),
        fail=f"{FAIL:g}",
        warn=f"{WARN:g}",
        title=f"Gradient check: {title_of(wide)}",
        drawings=[
            (method, Markup(draw_ladders(blocks, method)), best_of(blocks, method))
            for method in (CENTRAL, COMPLEX)
        ],
        dashes=[(check.block, _DASHES[i % len(_DASHES)]) for i, check in enumerate(blocks)],
        floor=f"{floor_of(blocks):.1e}",
        caught=[(own, [(m, error(own.errors.get(m))) for m in METHODS]) for own in caught],
    )


def title_of(verdict: Verdict) -> str:
    """Return a title for a case: its network, activation and loss."""
    network = f"{verdict.network}, " if verdict.network else ""
    return f"{network}{verdict.activation}, {verdict.output}"


def error(value: float | None) -> str:
    """Format an error; None becomes a dash."""
    return "–" if value is None else f"{value:.1e}"


def cell(check: BlockCheck, method: str) -> str:
    """Format the error of a method on a block; "kinks" if every step crossed a kink."""
    comparison = check.methods.get(method)
    if comparison is None:
        return "–"
    return error(comparison.error) if comparison.compared else "kinks"


def floor_of(blocks: Sequence[BlockCheck]) -> float:
    """Return the smallest error above 0 that the complex step reaches, over all ε and blocks."""
    errors = [rung.error for check in blocks for rung in _rungs(check, COMPLEX)]
    return min((e for e in errors if e > 0), default=0.0)


def best_of(blocks: Sequence[BlockCheck], method: str) -> list[tuple[str, str, str]]:
    """Return for each block its name, the ε with the smallest error, and that error."""
    found = []
    for check in blocks:
        rungs = _rungs(check, method)
        if rungs:
            best = min(rungs, key=lambda rung: rung.error)
            found.append((check.block, f"{best.eps:.0e}", error(best.error)))
    return found


def _rungs(check: BlockCheck, method: str) -> list[Rung]:
    comparison = check.methods.get(method)
    rungs = comparison.ladder if comparison else ()
    return [rung for rung in rungs if rung.compared and math.isfinite(rung.error)]


_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 380, 240, 42, 30


def draw_ladders(blocks: Sequence[BlockCheck], method: str) -> str:
    """Draw each block's error against ε as SVG, with two logarithmic axes."""
    rungs = [rung for check in blocks for rung in _rungs(check, method)]
    if not rungs:
        return "<p>Nothing could be compared: every step crosses a kink.</p>"
    right = max(math.log10(rung.eps) for rung in rungs)
    left = min(math.log10(rung.eps) for rung in rungs)
    low, high = -17.0, 0.5

    def x(eps: float) -> float:
        share = (right - math.log10(eps)) / ((right - left) or 1.0)
        return _LEFT + share * (_WIDTH - _LEFT - 8)

    def y(value: float) -> float:
        share = (math.log10(min(max(value, _LEAST), 3.0)) - low) / (high - low)
        return (_HEIGHT - _BOTTOM) * (1 - share) + 4

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="error against ε, {method}">'
    ]
    for exponent in range(-16, 1, 4):
        at = y(10.0**exponent)
        parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f} H{_WIDTH - 8}"/>')
        parts.append(
            f'<text x="{_LEFT - 4}" y="{at + 3:.1f}" text-anchor="end">1e{exponent}</text>'
        )
    for exponent in range(math.ceil(left), math.floor(right) + 1):
        if exponent % 4 == 0:
            at = x(10.0**exponent)
            anchor = "end" if at > _WIDTH - 24 else "middle"
            parts.append(
                f'<text x="{at:.1f}" y="{_HEIGHT - 14}" text-anchor="{anchor}">1e{exponent}</text>'
            )
    parts.append(
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 2}" text-anchor="middle">ε, from large to small</text>'
    )
    parts.append(f'<path class="limit" d="M{_LEFT} {y(FAIL):.1f} H{_WIDTH - 8}"/>')
    for i, check in enumerate(blocks):
        points = " ".join(f"{x(r.eps):.1f},{y(r.error):.1f}" for r in _rungs(check, method))
        dash = _DASHES[i % len(_DASHES)]
        parts.append(f'<polyline points="{points}" stroke-dasharray="{dash}"/>')
    return "".join([*parts, "</svg>"])
