"""The distinct word types of a text, and what is found once for each: pieces of a text share them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from nertool.corpus.columnar import Ids, Interner
from nertool.corpus.invisible import normal_forms
from nertool.inputs.features import caps_of


class WordTypes(Sequence[str]):
    """Word types in a list that may grow at its end, and arrays that grow with it.

    words: the list, which stays the caller's own.
    """

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self._caps = np.empty(0, dtype=np.int8)
        self._lower = np.empty(0, dtype=np.int32)
        self._lower_ids = Interner()

    def __len__(self) -> int:
        return len(self.words)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self.words[index]

    @property
    def caps(self) -> np.ndarray:
        """Each word type's class of capitals, (n,) int8: as the feature caps has them."""
        new = self.words[len(self._caps) :]
        if new:
            self._caps = np.concatenate([self._caps, caps_of(new)])
        return self._caps

    @property
    def lower(self) -> Ids:
        """A number for each word type, (n,) int32: the same for those that differ in case alone,
        or in what normal_form leaves out."""
        new = self.words[len(self._lower) :]
        if new:
            lower = map(str.lower, normal_forms(new))
            added = np.array(self._lower_ids.numbers_of(lower), dtype=np.int32)
            self._lower = np.concatenate([self._lower, added])
        return self._lower
