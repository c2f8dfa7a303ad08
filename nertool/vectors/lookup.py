"""Look up a word's vector: by its spellings in a fixed order, then by parts of the word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nertool.catalogue import LOOKUP
from nertool.corpus.invisible import normal_form, normal_forms
from nertool.files.wordlist import WordNumbers, Words

_DIGIT = re.compile(r"\d")
_HYPHENS = re.compile("[-/\u2010\u2011\u2013]+")
_SHORTEST_SUFFIX = 4  # letters of the shortest suffix that is looked up

# The steps of the lookup, in order. The last one is in subwords.py.
STEPS = EXACT, NFC, LOWER, TITLE, DIGITS, HYPHEN, SUFFIX, SUBWORDS = LOOKUP
SPELLINGS = STEPS[:5]  # the steps of models whose config does not name them
_NUMBER = {step: number for number, step in enumerate(STEPS)}


def spellings(word: str, steps: Collection[str] = SPELLINGS) -> Iterator[tuple[str, str]]:
    """Yield (step, spelling) for each spelling of a word to look up, the best first.

    exact: the word itself. nfc: the word in Unicode's composed form (NFC), which most files of vectors use,
    and without invisible characters (see corpus/invisible.py). lower: lower case. title: title case, for a
    word in capitals. digits: digits replaced by 0 or #, as in some files. The same spelling may occur twice.

    >>> [spelling for _, spelling in spellings("GPS2")]
    ['GPS2', 'gps2', 'Gps2', 'GPS0', 'gps0', 'GPS#', 'gps#']
    """
    yield EXACT, word
    if NFC in steps and not word.isascii():
        composed = unicodedata.normalize("NFC", word)
        if composed != word:
            yield NFC, composed
        seen = normal_form(word)
        if seen != composed:
            yield NFC, seen
        word = seen
    lower = word.lower()
    if LOWER in steps:
        yield LOWER, lower
    if TITLE in steps and word.isupper() and len(word) > 1:
        yield TITLE, word[:1] + lower[1:]
    if DIGITS in steps and _DIGIT.search(word):
        for digit in "0#":
            yield DIGITS, _DIGIT.sub(digit, word)
            yield DIGITS, _DIGIT.sub(digit, lower)


def hyphen_parts(word: str) -> list[str]:
    """Return the parts of a word with hyphens or slashes, the last part first; [] for other words.

    The last part is the most informative one: an Anglo-French treaty is French.

    >>> hyphen_parts("Anglo-French")
    ['French', 'Anglo']
    """
    parts = [part for part in _HYPHENS.split(word) if part]
    return parts[::-1] if len(parts) > 1 else []


def suffixes(word: str) -> Iterator[str]:
    """Yield the suffixes of a word of letters, the longest first. Those of a compound include its last parts.

    >>> list(suffixes("Volleyball"))[3:6]
    ['leyball', 'eyball', 'yball']
    """
    if word.isalpha():
        for start in range(1, len(word) - _SHORTEST_SUFFIX + 1):
            yield word[start:]


class Vocabulary:
    """A mapping from words to rows that is searched by the spellings of a word, then by its parts."""

    def __init__(self, rows: Mapping[str, int], steps: Collection[str] = SPELLINGS) -> None:
        """Create a vocabulary. rows: word → row. steps: a subset of STEPS; `exact` is always used."""
        self.rows = rows
        self.steps = frozenset(steps)
        self._normal: dict[str, int] | None = None

    def rows_of(self, words: Sequence[str], unknown: int) -> NDArray[np.int32]:
        """Return the row of each word as by `find`, (n,); `unknown` for a word without one."""
        _, rows = self.find_many(words)
        return np.where(rows < 0, np.int32(unknown), rows)

    def find_many(self, words: Sequence[str]) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
        """Look up many words at a time, with the same results as `find`.

        Returns the index of the step in STEPS, (n,) int8, and the row, (n,) int32. Both are −1 for a word
        that is not found.
        """
        if not (isinstance(self.rows, WordNumbers) and self.steps >= set(SPELLINGS)):
            pairs = [_numbered(self.find(word)) for word in words]
            both = np.array(pairs, dtype=np.int32).reshape(-1, 2)
            return both[:, 0].astype(np.int8), both[:, 1]
        # Nearly all words are found unchanged, or in lower case. A word of ASCII letters that are not all
        # capitals has no further spelling. All spellings of the remaining words are looked up at once.
        rows = self.rows.find(words)
        steps = np.where(rows < 0, np.int8(-1), np.int8(_NUMBER[EXACT]))
        left = np.flatnonzero(rows < 0)
        rest = [words[i] for i in left.tolist()]
        lower = self.rows.find(_lowered(rest))
        rows[left] = lower
        steps[left] = np.where(lower < 0, np.int8(-1), np.int8(_NUMBER[LOWER]))
        more = [
            (i, word)
            for i, word in zip(left.tolist(), rest, strict=True)
            if not (word.isalpha() and word.isascii()) or word.isupper()
        ]
        tried = [list(spellings(word)) for _, word in more]
        numbers = self.rows.find([spelling for own in tried for _, spelling in own]).tolist()
        end = 0
        for (i, _), own in zip(more, tried, strict=True):
            start, end = end, end + len(own)
            found = ((step, row) for (step, _), row in zip(own, numbers[start:end], strict=True))
            steps[i], rows[i] = _numbered(next((pair for pair in found if pair[1] >= 0), None))
        odd = self._odd_spellings()
        unmet = np.flatnonzero(rows < 0).tolist() if odd else []
        normal = normal_forms([words[i] for i in unmet])
        for i, word in zip(unmet, normal, strict=True):
            plain = word.isalpha() and word.isascii() and not word.isupper()
            spelled = [word, word.lower()] if plain else [s for _, s in spellings(word)]
            row = next((odd[spelling] for spelling in spelled if spelling in odd), None)
            steps[i], rows[i] = _numbered(None if row is None else (NFC, row))
        if self.steps & {HYPHEN, SUFFIX}:
            for i in np.flatnonzero(rows < 0).tolist():
                steps[i], rows[i] = _numbered(self.find(words[i]))
        return steps, rows

    def _odd_spellings(self) -> dict[str, int]:
        if NFC not in self.steps:
            return {}
        if self._normal is None:
            self._normal = odd_spellings(self.rows)
        return self._normal

    def find(self, word: str) -> tuple[str, int] | None:
        """Return the step that finds a word, and its row; None if no step finds it.

        Words of the vocabulary that contain invisible characters or decomposed letters are found by their
        normal form, after all other spellings.
        """
        found = self._spelt(word)
        if found is None and HYPHEN in self.steps:
            for part in hyphen_parts(word):
                if (spelt := self._spelt(part)) is not None:
                    return HYPHEN, spelt[1]
        if found is None and SUFFIX in self.steps:
            for suffix in suffixes(normal_form(word)):
                if (spelt := self._spelt(suffix)) is not None:
                    return SUFFIX, spelt[1]
        return found

    def _spelt(self, word: str) -> tuple[str, int] | None:
        for step, spelling in spellings(word, self.steps):
            row = self.rows.get(spelling)
            if row is not None:
                return step, row
        odd = self._odd_spellings()
        if odd:
            for _, spelling in spellings(normal_form(word), self.steps):
                row = odd.get(spelling)
                if row is not None:
                    return NFC, row
        return None


def _lowered(words: Sequence[str]) -> Sequence[str]:
    """Return each word in lower case."""
    text = "\n".join(words)
    if words and text.isascii() and text.count("\n") == len(words) - 1:
        return Words.of_bytes(text.lower().encode() + b"\n")
    return [word.lower() for word in words]


def _numbered(found: tuple[str, int] | None) -> tuple[int, int]:
    """Return the index of a step in STEPS, and the row; −1 for both if nothing was found."""
    return (-1, -1) if found is None else (_NUMBER[found[0]], found[1])


def odd_spellings(rows: Mapping[str, int]) -> dict[str, int]:
    """Return {normal form: row} for the words that differ from their normal form."""
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
