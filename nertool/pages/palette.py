"""Colours for labels: distinguishable with any colour vision, and with readable text on them.

A label's name is always written on its colour, in black or white. The contrast is at least 4.5:1 (WCAG 2.1,
AA), in light and dark mode. Under simulated protanopia, deuteranopia and tritanopia, any two colours are
at least 14 apart in CIELAB. A test checks both.
"""

from __future__ import annotations

from collections.abc import Sequence

COLOURS = (
    "#0072b2", "#e69f00", "#882255", "#b2df8a", "#56b4e9", "#d55e00",
    "#332288", "#f0e442", "#999999", "#661100", "#ffb6c1", "#3b1f2b",
)  # fmt: skip
BLACK, WHITE = "#000000", "#ffffff"


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb, 0 to 1, as WCAG 2.1 defines it."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21, as WCAG 2.1 defines it."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def text_on(colour: str) -> str:
    """Return black or white, whichever is easier to read on a colour."""
    return max((BLACK, WHITE), key=lambda text: contrast(text, colour))


def class_name(number: int) -> str:
    """Return the CSS classes of label `number`: a colour, and a border style.

    The first labels have distinct colours. Later ones repeat the colours with another border style.
    """
    return f"c{number % len(COLOURS)} r{min(number // len(COLOURS), 3)}"


def class_names(labels: Sequence[str]) -> dict[str, str]:
    """Map each label to its CSS classes."""
    return {label: class_name(i) for i, label in enumerate(labels)}


def label_styles() -> str:
    """Return the CSS rules of all classes that class_name returns."""
    rules = [
        f".c{i} {{ --label: {colour}; --on-label: {text_on(colour)}; }}"
        for i, colour in enumerate(COLOURS)
    ]
    borders = ("solid", "dashed", "dotted", "double")
    rules += [f".r{i} {{ --rule: {border}; }}" for i, border in enumerate(borders)]
    return "\n".join(rules)
