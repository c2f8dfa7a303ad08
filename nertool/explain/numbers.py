"""Format numbers for readers."""

from __future__ import annotations


def short(value: float) -> str:
    """Format a number with four decimals, or with four digits and a power of ten if it is small or large.

    −0 becomes 0.0000.
    """
    value = value + 0.0
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4f}"
    return f"{value:.3e}"
