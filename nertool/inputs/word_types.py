"""The distinct word types of a text, with properties that are computed once for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from nertool.corpus.columnar import Ids
from nertool.corpus.invisible import normal_forms
from nertool.files.wordlist import NumberedWords, Words
from nertool.inputs.features import caps_of
from nertool.kernels.words import WordSet


class WordTypes(Sequence[str]):
    """A list of word types that may grow at its end, and arrays that grow with it.

    The caller keeps the list (or the WordSet) and may append to it. Parts of a text can share one object.
    """

    def __init__(self, words: list[str] | WordSet) -> None:
        self._set = words if isinstance(words, WordSet) else None
        self._words = words if isinstance(words, list) else []
        self._caps = np.empty(0, dtype=np.int8)
        self._lower = np.empty(0, dtype=np.int32)
        self._lower_numbers = NumberedWords()

    @property
    def words(self) -> list[str]:
        """The words. The strings of a WordSet are made from its bytes when they are first needed."""
        if self._set is not None and len(self._words) < len(self._set):
            self._words += self._set.strings_from(len(self._words))
        return self._words

    def since(self, first: int) -> Sequence[str]:
        """Return the words from index `first` on."""
        if self._set is None:
            return self._words[first:]
        return Words.of_bytes(self._set.bytes_from(first).tobytes())

    def __len__(self) -> int:
        return len(self._words if self._set is None else self._set)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self.words[index]

    @property
    def caps(self) -> np.ndarray:
        """Each word type's class of capitals (n,) int8: the value of the feature `caps`."""
        new = self.since(len(self._caps))
        if len(new):
            self._caps = np.concatenate([self._caps, caps_of(new)])
        return self._caps

    @property
    def lower(self) -> Ids:
        """A number for each word type (n,) int32.

        Word types get the same number if they differ only in case or in what normal_form removes.
        """
        new = self.since(len(self._lower))
        if len(new):
            added = self._lower_numbers.add(in_lower_case(new))
            self._lower = np.concatenate([self._lower, added])
        return self._lower


def in_lower_case(words: Sequence[str]) -> Sequence[str]:
    """Return the normal form of each word in lower case."""
    if isinstance(words, Words) and words.is_ascii:
        return Words.of_bytes(words.raw.tobytes().lower())
    return [word.lower() for word in normal_forms(words)]
