"""Which vector a word gets: the spellings that are looked up, one after another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.invisible import normal_form, normal_forms
from nertool.files.wordlist import WordNumbers

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

    As it stands; in Unicode's composed form (NFC), which most files of vectors are written in; without
    invisible characters (see corpus/invisible.py); in lower case; in title case; with digits as 0 or #, as
    some files have them. The same spelling may come twice.

    >>> [spelling for _, spelling in spellings("GPS2")]
    ['GPS2', 'gps2', 'Gps2', 'GPS0', 'gps0', 'GPS#', 'gps#']
    """
    yield EXACT, word
    if not word.isascii():
        composed = unicodedata.normalize("NFC", word)
        if composed != word:
            yield NORMAL_FORM, composed
        seen = normal_form(word)
        if seen != composed:
            yield NORMAL_FORM, seen
        word = seen
    lower = word.lower()
    yield LOWER, lower
    if word.isupper() and len(word) > 1:
        yield TITLE, word[:1] + lower[1:]
    if _DIGIT.search(word):
        for digit in "0#":
            yield DIGITS, _DIGIT.sub(digit, word)
            yield DIGITS, _DIGIT.sub(digit, lower)


class Vocabulary:
    """Words with their rows, looked up by every spelling of a word."""

    def __init__(self, rows: Mapping[str, int]) -> None:
        self.rows = rows
        self._normal: dict[str, int] | None = None

    def rows_of(self, words: Sequence[str], unknown: int) -> NDArray[np.int32]:
        """Return the row that find gives for each word, (n,), or `unknown`; many words at a time."""
        rows = np.full(len(words), -1, dtype=np.int32)
        if isinstance(self.rows, WordNumbers):
            # Nearly all words are found as they stand, or in lower case: for words of nothing but letters
            # of ASCII, not all of them capitals, there is no more to try. Of the others all spellings are
            # looked up at once.
            rows = self.rows.find(words)
            left = np.flatnonzero(rows < 0)
            rest = [words[i] for i in left.tolist()]
            rows[left] = self.rows.find(list(map(str.lower, rest)))
            more = [
                (i, word)
                for i, word in zip(left.tolist(), rest, strict=True)
                if not (word.isalpha() and word.isascii()) or word.isupper()
            ]
            tried = [[spelling for _, spelling in spellings(word)] for _, word in more]
            numbers = self.rows.find(list(chain.from_iterable(tried))).tolist()
            end = 0
            for (i, _), own in zip(more, tried, strict=True):
                start, end = end, end + len(own)
                rows[i] = next((row for row in numbers[start:end] if row >= 0), -1)
            odd = self._odd_spellings()
            unmet = np.flatnonzero(rows < 0).tolist() if odd else []
            normal = normal_forms([words[i] for i in unmet])
            for i, word in zip(unmet, normal, strict=True):
                plain = word.isalpha() and word.isascii() and not word.isupper()
                spelled = [word, word.lower()] if plain else [s for _, s in spellings(word)]
                rows[i] = next((odd[spelling] for spelling in spelled if spelling in odd), -1)
            return np.where(rows < 0, np.int32(unknown), rows)
        for i, word in enumerate(words):
            found_row = self.find(word)
            rows[i] = unknown if found_row is None else found_row[1]
        return rows

    def _odd_spellings(self) -> dict[str, int]:
        if self._normal is None:
            self._normal = odd_spellings(self.rows)
        return self._normal

    def find(self, word: str) -> tuple[str, int] | None:
        """Return the step that finds a word, and its row; None if the vocabulary lacks it.

        The vocabulary's own words may hold invisible characters, or letters that are not composed: they
        are found by their normal form, after all else.
        """
        for step, spelling in spellings(word):
            row = self.rows.get(spelling)
            if row is not None:
                return step, row
        odd = self._odd_spellings()
        if odd:
            for _, spelling in spellings(normal_form(word)):
                row = odd.get(spelling)
                if row is not None:
                    return NORMAL_FORM, row
        return None


def odd_spellings(rows: Mapping[str, int]) -> dict[str, int]:
    """Return the rows of the words that are not written in their normal form, by that form."""
    odd: dict[str, int] = {}
    words = (
        rows.beyond_ascii()
        if isinstance(rows, WordNumbers)
        else ((word, row) for word, row in rows.items() if not word.isascii())
    )
    for word, row in words:
        normal = normal_form(word)
        if normal != word:
            odd.setdefault(normal, row)
    return odd
