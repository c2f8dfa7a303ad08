"""JSON as text: written so that UTF-8 can hold it."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any


def keys_shown(value: Any) -> str:
    """Say which keys an object has: ` with "text", "label"`; an empty string for any other value."""
    if not isinstance(value, dict):
        return ""
    return " with " + ", ".join(f'"{key}"' for key in list(value)[:6])


_HALF = re.compile("[\ud800-\udfff]")


def dump(value: Any) -> str:
    """Write a value as JSON that UTF-8 can hold: only halves of surrogate pairs are escaped.

    What a table may hold beside JSON's values becomes a string: dates in ISO 8601, bytes in base 64.
    JSON has no number for NaN and the infinities: they become null.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_as_text)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, default=_as_text)
    return text if text.isascii() else _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def json_list(values: Iterable[Any]) -> Iterator[str]:
    """Yield the text of a JSON list, one value a line."""
    before = "["
    for value in values:
        yield f"{before}\n{dump(value)}"
        before = ","
    yield "\n]\n" if before == "," else "[]\n"
