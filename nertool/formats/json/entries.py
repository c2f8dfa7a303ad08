"""Read labelled spans in JSON, in all common notations.

`{"start": 0, "end": 3, "label": "PER"}`, `[0, 3, "PER"]`, `["PER", 0, 3]`, and objects with other keys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.standoff.units import taken_in_characters

_START = ("start", "start_offset", "start_char", "startOffset", "begin")
_END = ("end", "end_offset", "end_char", "endOffset")
_LABEL = ("label", "labels", "type", "entity_group", "entity", "tag", "category")
_KNOWN = {*_START, *_END, *_LABEL, "text", "token_start", "token_end"}
_WHOLE = "a whole number"
_CLASS = "a class name (a string)"


def is_entry(value: Any) -> bool:
    """Tell whether a value is certainly a labelled span: it has a start, an end and a label."""
    value = _usual(value)
    return (
        isinstance(value, dict)
        and type(value.get("start")) is int
        and type(value.get("end")) is int
        and isinstance(value.get("label"), str | list)
    )


def spans_of_entries(
    entries: Sequence[Any],
    text: str,
    where: str | Sequence[str],
    place: str,
    reading: Reading,
    ledger: Ledger,
) -> list[Span]:
    """Read a record's labelled spans.

    Spans with several labels are left out and counted, unless reading.misaligned is "error". where: the name
    of the list in messages, such as "x.jsonl:3: entities", or a name for each entry. Errors: CorpusError for
    an entry that is not a span, for offsets outside the text, and for an entry whose own text differs from
    the text at its offsets.
    """
    usual = [entry if _is_usual(entry) else _usual(entry) for entry in entries]
    spans = []
    for i, entry in enumerate(taken_in_characters(usual, text, reading, place, ledger)):
        if type(entry) is dict and _is_usual(entry):  # a fast path for the most common form
            start, end, label = entry["start"], entry["end"], entry["label"]
            inside = 0 <= start < end <= len(text)
            if inside and label != "O" and label.strip() and text[start:end] == entry.get("text"):
                spans.append(Span(start, end, label))
                continue
        named = f"{where}[{i}]" if isinstance(where, str) else where[i]
        span = _span(entry, entries[i], text, named, place, reading, ledger)
        if span is not None:
            spans.append(span)
    return spans


def _is_usual(entry: Any) -> bool:
    return (
        type(entry) is dict
        and type(entry.get("start")) is int
        and type(entry.get("end")) is int
        and type(entry.get("label")) is str
    )


def _usual(entry: Any) -> Any:
    """Convert an entry to an object with the keys start, end, label and text, as far as it has them.

    Any other value, such as a list of another length, is returned unchanged.
    """
    if isinstance(entry, dict):
        named = {"start": _START, "end": _END, "label": _LABEL}
        found = {
            name: next((entry[key] for key in keys if key in entry), _MISSING)
            for name, keys in named.items()
        }
        usual = {name: _whole(value) for name, value in found.items() if value is not _MISSING}
        return {**usual, "text": entry["text"]} if "text" in entry else usual
    if isinstance(entry, list | tuple) and len(entry) == 2 and isinstance(entry[0], list):
        entry = [*entry[0], entry[1]]  # [[0, 3], "PER"]
    if isinstance(entry, list | tuple) and len(entry) == 3:
        start, end, label = entry
        if isinstance(start, str) and not isinstance(label, str):
            label, start, end = entry
        return {"start": _whole(start), "end": _whole(end), "label": label}
    return entry


_MISSING = object()


def _whole(value: Any) -> Any:
    """Convert a float that is whole (3.0), as tables may contain, to an int. Other values are unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _span(
    entry: Any, raw: Any, text: str, where: str, place: str, reading: Reading, ledger: Ledger
) -> Span | None:
    """Read one entry with the usual keys. raw: the entry as it was written."""
    if not isinstance(entry, dict):
        raise CorpusError(
            f"{where}: found {described(raw)}, expected [start, end, label] or an object with them"
        )
    label: Any = entry.get("label")
    if isinstance(label, list):
        if len(label) > 1 and reading.misaligned != "error":
            ledger.refuse(place, "entities with several labels", ", ".join(map(str, label)))
            return None
        label = label[0] if len(label) == 1 else label
    for name, value, expected, right in (
        ("start", entry.get("start"), _WHOLE, type(entry.get("start")) is int),
        ("end", entry.get("end"), _WHOLE, type(entry.get("end")) is int),
        ("label", label, _CLASS, isinstance(label, str)),
    ):
        if not right:
            at = "" if isinstance(raw, list | tuple) else f".{name}"
            found = described(value) if name in entry else f"no {name} in {described(raw)}"
            raise CorpusError(
                f"{where}{at}: found {found}, expected {expected}{_advice(name, value)}"
            )
    if isinstance(raw, dict) and len(raw) > 3:
        for key in raw.keys() - _KNOWN:
            if raw[key] is not None:
                what = f"values of entities other than place and class: {key}"
                ledger.leave_out(place, what, short(raw[key]))
    start, end, own = entry["start"], entry["end"], entry.get("text")
    if not label or label.isspace() or label == "O":
        raise CorpusError(f'{where}: found the label "{label}", expected a class such as PER')
    if not 0 <= start < end <= len(text):
        raise CorpusError(
            f"{where}: found an entity at {start}–{end}, expected places within the text's {len(text)} "
            "characters, start before end"
        )
    if isinstance(own, str) and own != text[start:end] and own.split() != text[start:end].split():
        raise CorpusError(
            f'{where}: found the entity "{short(own)}" at {start}–{end}, where the text has '
            f'"{short(text[start:end])}"; expected places in characters'
            + (", the end behind the last one" if own == text[start : end + 1] else "")
            + "; where they count something else, say what by --offsets (corpus.offsets)"
        )
    return Span(start, end, str(label))


def _advice(name: str, value: Any) -> str:
    if name == "label" and type(value) is int:
        return "; export the labels by name"
    if name == "label" and isinstance(value, list) and len(value) > 1:
        return "; leave one, or leave such entities out by --misaligned drop (corpus.misaligned)"
    return ""


def is_absent(value: Any) -> bool:
    """Tell whether a value means that there are no labels: null, an empty string, or NaN from a table."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def kind_of(value: Any) -> str:
    """Name the kind of a JSON value: an object, a list, a string, a truth value, a number or null."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value"}
    return "null" if value is None else names.get(type(value), "a number")


def described(value: Any) -> str:
    """Return the kind of a JSON value and its beginning, such as: a string "PER"."""
    if value is None:
        return "null"
    shown = f'"{short(value)}"' if isinstance(value, str) else short(value)
    return f"{kind_of(value)} {shown}"


def short(value: Any) -> str:
    """Return a value as text of at most 60 characters."""
    shown = value if isinstance(value, str) else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
