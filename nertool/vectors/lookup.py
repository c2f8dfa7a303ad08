"""Which vector a word gets: the spellings that are looked up, one after another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_DIGIT = re.compile(r"\d")

# How a vector was found, in the order in which the spellings are tried.
EXACT, NORMAL_FORM, LOWER, TITLE, DIGITS = (
    "exact",
    "normal form",
    "lower case",
    "title case",
    "digits",
)
STEPS = (EXACT, NORMAL_FORM, LOWER, TITLE, DIGITS)


def spellings(word: str) -> Iterator[tuple[str, str]]:
    """Yield (step, spelling): the spellings of a word to look up, the best first.

    As it stands; in Unicode's composed form (NFC), which most files of vectors are written in; in lower
    case; in title case; with digits as 0 or #, as some files have them. The same spelling may come twice.

    >>> [spelling for _, spelling in spellings("GPS2")]
    ['GPS2', 'gps2', 'Gps2', 'GPS0', 'gps0', 'GPS#', 'gps#']
    """
    yield EXACT, word
    if not word.isascii():
        composed = unicodedata.normalize("NFC", word)
        if composed != word:
            yield NORMAL_FORM, composed
            word = composed
    lower = word.lower()
    yield LOWER, lower
    if word.isupper() and len(word) > 1:
        yield TITLE, word[:1] + lower[1:]
    if _DIGIT.search(word):
        for digit in "0#":
            yield DIGITS, _DIGIT.sub(digit, word)
            yield DIGITS, _DIGIT.sub(digit, lower)
