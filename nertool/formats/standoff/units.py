"""Convert entity offsets that count UTF-16 units (JavaScript, Java), bytes, or CRLF as two, to characters.

The unit is detected for each record: it is the one with which the offsets match the texts of the entities.
Without such texts, it is the one with which no boundary lies within a word. Characters are tried first.
Text without blanks between words, such as Chinese or Thai, has boundaries between letters in every unit.
There, offsets that fit the tokens in characters are not taken for bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.corpus.tokens import tokenize

_BYTES = "bytes of UTF-8"
_WIDTHS = {
    "UTF-16 units": lambda c: 2 if ord(c) > 0xFFFF else 1,
    _BYTES: lambda c: len(c.encode("utf-8", "surrogatepass")),
    "CRLF as two signs": lambda c: 2 if c == "\n" else 1,
}


_ASKED = {"utf16": "UTF-16 units", "bytes": _BYTES}


def taken_in_characters(
    entries: Sequence[Any], text: str, reading: Reading, place: str, ledger: Ledger
) -> Sequence[Any]:
    """Return a record's entries with offsets in characters. A conversion is counted in the ledger."""
    found, unit = in_characters(entries, text, reading.offsets)
    if unit:
        ledger.alter(place, f"records whose places count {unit}, taken in characters")
    return found


def in_characters(
    entries: Sequence[Any], text: str, offsets: str = "auto"
) -> tuple[Sequence[Any], str]:
    """Return a record's entries with offsets in characters, and the original unit ("" for characters).

    entries: {"start", "end"} or [start, end, label]; others are not changed. offsets: as in Reading. If it
    names a unit, an offset within a character becomes -1, which lies outside every text.
    """
    if offsets == "characters" or not entries or (text.isascii() and "\n" not in text):
        return entries, ""
    places = [_place(entry) for entry in entries]
    if offsets in _ASKED:
        moved = _converted(places, text, _ASKED[offsets])
        pairs = zip(entries, moved, strict=True)
        unit = _ASKED[offsets] if moved != places else ""
        return [_moved(entry, place) for entry, place in pairs], unit
    known = [place for place in places if place is not None]
    owns = [e.get("text") if isinstance(e, dict) else None for e in entries]
    if not known or _fits(places, owns, text):
        return entries, ""
    for unit in _WIDTHS:
        moved = _converted(places, text, unit)
        if moved != places and _fits(moved, owns, text):
            if not _told(owns) and not _plausible(unit, known, moved, text):
                continue
            pairs = zip(entries, moved, strict=True)
            return [_moved(entry, place) for entry, place in pairs], unit
    return entries, ""


def _converted(
    places: Sequence[tuple[int, int] | None], text: str, unit: str
) -> list[tuple[int, int] | None]:
    """Convert (start, end) from a unit to characters. An offset within a character becomes -1."""
    starts = {at: i for i, at in enumerate(accumulate(map(_WIDTHS[unit], text), initial=0))}
    return [
        None if place is None else (starts.get(place[0], -1), starts.get(place[1], -1))
        for place in places
    ]


def _fits(places: Sequence[tuple[int, int] | None], owns: Sequence[Any], text: str) -> bool:
    """Tell whether all offsets are within the text and match the entities' texts (`owns`).

    If no entity has a text, tell whether no boundary lies within a word.
    """
    told = _told(owns)
    for place, own in zip(places, owns, strict=True):
        if place is None:
            continue
        start, end = place
        if not 0 <= start < end <= len(text):
            return False
        if isinstance(own, str) and own.split() != text[start:end].split():
            return False
        if not told and (_within_word(text, start) or _within_word(text, end)):
            return False
    return True


def _told(owns: Sequence[Any]) -> bool:
    return any(isinstance(own, str) for own in owns)


def _plausible(
    unit: str,
    places: Sequence[tuple[int, int]],
    moved: Sequence[tuple[int, int] | None],
    text: str,
) -> bool:
    """Tell whether offsets that fit a unit are likely to count it, rather than to fit it by chance.

    No entity begins or ends with white space then, and bytes do not fit the tokens as characters do.
    """
    found = [text[place[0] : place[1]] for place in moved if place]
    if any(entity != entity.strip() for entity in found):
        return False
    return unit != _BYTES or not _fits_tokens(places, text)


def _fits_tokens(places: Sequence[tuple[int, int]], text: str) -> bool:
    """Tell whether all offsets are within the text, and none lies within a token."""
    inside = {at for start, end in tokenize(text) for at in range(start + 1, end)}
    return all(0 <= start < end <= len(text) and not inside & {start, end} for start, end in places)


def _within_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and _in_words(text[at - 1]) and _in_words(text[at])


def _in_words(character: str) -> bool:
    """Tell whether a character is a part of words: a letter, a digit, or a mark on one, such as a vowel
    sign."""
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def _place(entry: Any) -> tuple[int, int] | None:
    if isinstance(entry, dict):
        pair = (
            entry.get("start", entry.get("start_offset")),
            entry.get("end", entry.get("end_offset")),
        )
    else:
        pair = tuple(entry[:2]) if isinstance(entry, list) and len(entry) == 3 else (None, None)
    start, end = pair
    return (start, end) if type(start) is int and type(end) is int else None


def _moved(entry: Any, place: tuple[int, int] | None) -> Any:
    if place is None:
        return entry
    if isinstance(entry, dict):
        keys = ("start", "end") if "start" in entry else ("start_offset", "end_offset")
        return {**entry, keys[0]: place[0], keys[1]: place[1]}
    return [*place, entry[2]]
