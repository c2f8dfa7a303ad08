"""Write values as JSON that can be encoded in UTF-8."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any


def keys_shown(value: Any) -> str:
    """Describe the first keys of an object: ` with "text", "label"`. "" for any other value."""
    if not isinstance(value, dict):
        return ""
    return " with " + ", ".join(f'"{key}"' for key in list(value)[:6])


_HALF = re.compile("[\ud800-\udfff]")


def dump(value: Any) -> str:
    """Return a value as JSON that can be encoded in UTF-8: only lone surrogates are escaped.

    Values of tables that JSON does not have become strings: dates in ISO 8601, bytes in base 64. JSON has no
    NaN and no infinities: they become null.
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
    """Yield the text of a JSON list, with one value per line."""
    before = "["
    for value in values:
        yield f"{before}\n{dump(value)}"
        before = ","
    yield "\n]\n" if before == "," else "[]\n"
