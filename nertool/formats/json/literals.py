"""Lists and objects that a string holds: JSON, or Python's own notation, as pandas writes lists into CSV."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from itertools import pairwise
from typing import Any

from nertool.formats.json.entries import is_entry

_NAN = re.compile(r"\bnan\b")


def parsed(text: str) -> Any:
    """Return the list or object that a string holds; None if it holds none. Nothing in it is executed."""
    text = text.strip()
    if not text.startswith(("[", "{", "(")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    for given in (text, _NAN.sub("None", text)):
        try:
            value = ast.literal_eval(given)  # literals alone, no code
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        # ['Ada' 'met'], as numpy prints an array, would be one string to Python.
        return None if _strings_meet(text) else _as_json(value)
    return None


def is_entry_list(text: str) -> bool:
    """Tell whether a string holds a list of labelled spans."""
    value = parsed(text) if text.startswith(("[{", "[[", "[(")) else None
    return isinstance(value, list) and bool(value) and all(map(is_entry, value))


def _strings_meet(text: str) -> bool:
    try:
        kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(text).readline)]
    except (tokenize.TokenError, SyntaxError):
        return True
    return any(a == b == tokenize.STRING for a, b in pairwise(kinds))


def _as_json(value: Any) -> Any:
    """Return lists in place of tuples."""
    if isinstance(value, list | tuple):
        return [_as_json(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _as_json(entry) for key, entry in value.items()}
    return value
