"""Parse JSON, and lists and objects in Python's notation, as pandas writes them into CSV.

A key that occurs twice in an object with different values is an error. Python's own parser would silently
keep the last value.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from itertools import pairwise
from json.decoder import JSONObject  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

from nertool.errors import CorpusError
from nertool.formats.json.entries import is_entry

_NAN = re.compile(r"\bnan\b")


class KeyTwice(ValueError):
    """An object has a key twice, with different values. at: the position of the object in the text, or -1."""

    def __init__(self, key: str) -> None:
        super().__init__(f'the key "{key[:60]}" twice in one object, with different values')
        self.at = -1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        first: dict[str, Any] = {}
        for key, entry in pairs:
            if first.setdefault(key, entry) != entry:
                raise KeyTwice(key)
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def loads(text: str) -> Any:
    """Parse a JSON value. Errors: ValueError, also KeyTwice, its subclass."""
    return _DECODER.decode(text)


def parse_json(text: str, place: str) -> Any:
    """Parse a JSON value. Errors: CorpusError that says what is wrong, and in which line and column."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = place if error.lineno == 1 else f"{place}:{error.lineno}"
        raise CorpusError(
            f"{where}: not JSON: {error.msg} in column {error.colno}; correct it (is it cut short?)"
        ) from None
    except KeyTwice as twice:
        line = text.count("\n", 0, _object_with(text)) + 1
        several = "\n" in text.strip()
        raise CorpusError(
            f"{place}{f':{line}' * several}: found {twice}, expected it once; remove one of the two"
        ) from None
    except RecursionError:
        raise CorpusError(f"{place}: found lists nested too deeply, expected a record") from None
    except ValueError as error:  # an integer with thousands of digits
        raise CorpusError(f"{place}: not JSON that can be read: {error}") from None


def _object_with(text: str) -> int:
    """Return the position of the first object with a repeated key.

    It uses the decoder that is written in Python, which is slow but knows positions.
    """
    decoder: Any = json.JSONDecoder(object_pairs_hook=_once)

    def parse_object(begin: tuple[str, int], *how: Any) -> Any:
        try:
            return JSONObject(begin, *how)
        except KeyTwice as twice:
            if twice.at < 0:
                twice.at = begin[1]
            raise

    decoder.parse_object = parse_object
    decoder.scan_once = py_make_scanner(decoder)
    try:
        decoder.decode(text)
    except KeyTwice as twice:
        return max(0, twice.at)
    except (ValueError, RecursionError):
        pass
    return 0


def parsed(text: str) -> Any:
    """Return the list or object that a string holds, in JSON or Python's notation. None if it holds none.

    Nothing in the string is executed. Errors: CorpusError, without a place, for an object with a repeated
    key.
    """
    text = text.strip()
    if not text.startswith(("[", "{", "(")):
        return None
    try:
        return loads(text)
    except KeyTwice as twice:
        raise CorpusError(f"found {twice}, expected it once; remove one of the two") from None
    except (ValueError, RecursionError):
        pass
    for given in (text, _NAN.sub("None", text)):
        try:
            value = ast.literal_eval(given)  # accepts only literals, no code
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        if "{" in text:
            _refuse_keys_twice(given)
        # Python would read ['Ada' 'met'], as numpy prints an array, as one string.
        return None if _strings_meet(text) else _as_json(value)
    return None


def is_entry_list(text: str) -> bool:
    """Tell whether a string holds a list of labelled spans."""
    try:
        value = parsed(text) if text.startswith(("[{", "[[", "[(")) else None
    except CorpusError:  # a repeated key, which the reader of the cell reports
        return True
    return isinstance(value, list) and bool(value) and all(map(is_entry, value))


def _refuse_keys_twice(text: str) -> None:
    """Refuse an object that repeats a key with another value, because Python would silently keep the last."""
    for node in ast.walk(ast.parse(text, mode="eval")):
        if not isinstance(node, ast.Dict):
            continue
        first: dict[Any, str] = {}
        for key, entry in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                value = ast.dump(entry)
                if first.setdefault(key.value, value) != value:
                    raise CorpusError(
                        f"found the key {json.dumps(str(key.value))} twice in one object, with different "
                        "values, expected it once; remove one of the two"
                    )


def _strings_meet(text: str) -> bool:
    try:
        kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(text).readline)]
    except (tokenize.TokenError, SyntaxError):
        return True
    return any(a == b == tokenize.STRING for a, b in pairwise(kinds))


def _as_json(value: Any) -> Any:
    """Replace tuples by lists."""
    if isinstance(value, list | tuple):
        return [_as_json(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _as_json(entry) for key, entry in value.items()}
    return value
