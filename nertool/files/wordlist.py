"""Long lists of words, such as a vocabulary: stored as bytes, and searched without a Python dictionary."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

import numpy as np

from nertool.kernels.library import Bytes, Int32s, compiled
from nertool.kernels.words import Index, WordSet, find_words, index_words, joined


class Words(Sequence[str]):
    """A list of words without line ends. Python strings are created at the first access to a word.

    It is pickled as one compressed text, so that objects that share a list also share it afterwards.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._set("".join(f"{word}\n" for word in words).encode("utf-8", "surrogatepass"))

    @classmethod
    def of_bytes(cls, raw: bytes) -> Words:
        """Create a list from words in UTF-8, each followed by an LF."""
        words = cls.__new__(cls)
        words._set(raw)
        return words

    def _set(self, raw: bytes) -> None:
        self.raw = np.frombuffer(raw, dtype=np.uint8)
        self._count = raw.count(b"\n")

    @cached_property
    def is_ascii(self) -> bool:
        """Whether all characters are in ASCII."""
        return not len(self.raw) or int(self.raw.max()) < 0x80

    @cached_property
    def _strings(self) -> list[str]:
        return self.raw.tobytes().decode("utf-8", "surrogatepass").split("\n")[:-1]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._strings[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._strings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Words, list)) and self._strings == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[Words], tuple[()], bytes]:
        """Return the compressed text as the state."""
        return Words, (), zlib.compress(self.raw.tobytes())

    def __setstate__(self, text: bytes) -> None:
        """Restore the words from the compressed text."""
        self._set(zlib.decompress(text))

    def beyond_ascii(self) -> list[tuple[int, str]]:
        """Return the words with a character beyond ASCII, each with its index."""
        ends = np.flatnonzero(self.raw == ord("\n"))
        of_bytes = np.searchsorted(ends, np.flatnonzero(self.raw >= 0x80))
        # They are sorted, so np.diff finds the distinct ones; np.unique would first load numpy.ma.
        numbers = of_bytes[np.diff(of_bytes, prepend=-1) > 0]
        starts = np.concatenate([[0], ends[:-1] + 1])[numbers].tolist()
        raw = self.raw.tobytes()
        return [
            (number, raw[start:end].decode("utf-8", "surrogatepass"))
            for number, start, end in zip(
                numbers.tolist(), starts, ends[numbers].tolist(), strict=True
            )
        ]


class WordNumbers(Mapping[str, int]):
    """A mapping from each word of a list to its number, counted from `first`. It is built in milliseconds."""

    def __init__(self, words: Words, index: Index, first: int) -> None:
        self.words = words
        self._index, self._first = index, first

    def __getitem__(self, word: str) -> int:
        number = int(self.find([word])[0])
        if number < 0:
            raise KeyError(word)
        return number

    def get(self, word: str, default: int | None = None) -> int | None:  # type: ignore[override]
        """Return a word's number, or the default if the word is not in the list."""
        number = int(self.find([word])[0])
        return default if number < 0 else number

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def beyond_ascii(self) -> Iterator[tuple[str, int]]:
        """Yield the words with a character beyond ASCII, each with its number."""
        for number, word in self.words.beyond_ascii():
            yield word, self._first + number

    def find(self, words: Sequence[str]) -> Int32s:
        """Return the number of each word, (n,) int32; −1 for a word that is not in the list."""
        if not len(words):
            return np.empty(0, dtype=np.int32)
        raw = bytes_of(words)
        numbers = None if raw is None else find_words(raw, len(words), self._index)
        if numbers is None:  # a word contains a line end, or the kernels are not compiled
            known = self._dictionary
            return np.array([known.get(word, -1) for word in words], dtype=np.int32)
        return np.where(numbers < 0, np.int32(-1), numbers + np.int32(self._first))

    @cached_property
    def _dictionary(self) -> dict[str, int]:
        return dict(zip(self.words, range(self._first, self._first + len(self)), strict=True))


def numbers_of(words: Sequence[str], first: int) -> Mapping[str, int]:
    """Return a mapping from each word of a list to its number, counted from `first`.

    A word that occurs several times gets the last of its numbers.
    """
    if isinstance(words, Words):
        index = index_words(words.raw, len(words))
        if index is not None:
            return WordNumbers(words, index, first)
    return dict(zip(words, range(first, first + len(words)), strict=True))


def bytes_of(words: Sequence[str]) -> Bytes | None:
    """Return words as UTF-8 bytes, each followed by an LF; None if a word contains an LF."""
    return words.raw if isinstance(words, Words) else joined(words)


class NumberedWords:
    """Number distinct words from 0, in the order in which they are added."""

    def __init__(self) -> None:
        self._set = WordSet() if compiled() else None
        self._numbers: dict[str, int] = {}  # without the kernels

    def __len__(self) -> int:
        return len(self._numbers) if self._set is None else len(self._set)

    def add(self, words: Sequence[str]) -> Int32s:
        """Add the words that are new, and return the number of each word, (n,) int32."""
        if self._set is None:
            number = self._numbers.setdefault
            return np.array([number(word, len(self._numbers)) for word in words], dtype=np.int32)
        if not len(words):
            return np.empty(0, dtype=np.int32)
        raw = bytes_of(words)
        if raw is None:
            # UTF-8 never contains the byte FF, so it can represent the line ends within words.
            several = (word.encode("utf-8", "surrogatepass") for word in words)
            text = b"".join(word.replace(b"\n", b"\xff") + b"\n" for word in several)
            raw = np.frombuffer(text, dtype=np.uint8)
        return self._set.add(raw, len(words))
