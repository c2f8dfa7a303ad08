"""Parse `nertool sweep --try`: the values of each key."""

from __future__ import annotations

from collections.abc import Sequence

from nertool.errors import OverrideError


def values_by_key(tries: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Parse --try KEY=A,B into the values of each key, each value once. A key may be given several times.

    Errors: OverrideError for a text without a key or an equals sign.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in tries:
        key, equals, values = text.partition("=")
        if not equals or not key:
            raise OverrideError(
                f"--try {text}: expected KEY=VALUE,…, such as training.alpha=0.03,0.1"
            )
        found[key] = tuple(dict.fromkeys((*found.get(key, ()), *divided(values))))
    return found


def divided(values: str) -> list[str]:
    """Split values at the commas outside brackets and quotes. A text with an empty value is not split."""
    parts, depth, quote, start = [], 0, "", 0
    for i, sign in enumerate(values):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        elif sign == "," and not depth:
            parts.append(values[start:i].strip())
            start = i + 1
    parts.append(values[start:].strip())
    return parts if all(parts) else [values]
