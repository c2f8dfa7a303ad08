"""A corpus as flat arrays: word ids, tag ids, and where sentences and documents start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Offsets = NDArray[np.int64]


class Span(NamedTuple):
    """An entity of class `label`: the tokens from `start` up to, but not including, `end`."""

    start: int
    end: int
    label: str


class Interner(dict[str, int]):
    """A dictionary that numbers distinct strings from 0: `ids[string]` looks a string up, or adds it."""

    def __missing__(self, string: str) -> int:
        self[string] = number = len(self)
        return number

    def numbers_of(self, strings: Iterable[str]) -> list[int]:
        """Look up or add each string; many times as fast as `ids[string]` in a loop."""
        number = self.setdefault
        return [number(string, len(self)) for string in strings]


@dataclass(frozen=True)
class Records:
    """The R records that a corpus was read from, such as JSON objects, paragraphs or files.

    starts (R+1,) int64: the sentence at which each record starts, then S. A record without words has no
    sentences.
    texts: the text of each record. fields: its other fields, which are passed through.
    token_starts, token_ends (N,) int64: the position of each token in its record's text, in characters.
    own_text: the texts come from the input; False if they are words joined by blanks.
    tokenized: nertool's tokeniser cut the tokens; False if the file has tokens.
    own_sentences: the file marks its sentences; False if they were found by rules.
    numbered: nertool numbered the records in the field id; False if the input has ids.
    arrow_schema: for the rows of a table, its columns as a serialised Arrow schema; empty for other records.
    """

    starts: Offsets
    texts: list[str]
    fields: list[dict[str, Any]]
    token_starts: Offsets
    token_ends: Offsets
    own_text: bool = True
    tokenized: bool = False
    own_sentences: bool = False
    numbered: bool = False
    arrow_schema: bytes = b""


@dataclass(frozen=True)
class Corpus:
    """N tokens in S sentences in D documents.

    words: the word types; word_ids (N,) int32 are indices into it.
    tags: the distinct tags as written; tag_ids (N,) int32 are indices into it (empty if unlabelled).
    sentence_starts (S+1,) int64: the token at which each sentence starts, then N.
    document_starts (D+1,) int64: the sentence at which each document starts, then S.
    line_numbers (N,) int32: the line of each token in its file, counted from 1.
    layout: a description of the file's layout. columns: its number of columns. comments: the number of
    lines that were skipped as comments.
    records: the texts that the tokens were cut from, if the format has them.
    files, file_ids (N,) int32: for a text read from several files, their names, and for each token the
    index of its file.
    """

    source: str
    words: list[str]
    word_ids: Ids
    tags: list[str]
    tag_ids: Ids
    sentence_starts: Offsets
    document_starts: Offsets
    line_numbers: Ids
    layout: str = ""
    columns: int = 2
    comments: int = 0
    records: Records | None = None
    files: tuple[str, ...] = ()
    file_ids: Ids | None = None

    @property
    def tokens(self) -> int:
        """The number of tokens, N."""
        return len(self.word_ids)

    @property
    def sentences(self) -> int:
        """The number of sentences, S."""
        return len(self.sentence_starts) - 1

    @property
    def documents(self) -> int:
        """The number of documents."""
        return len(self.document_starts) - 1

    def sentence_words(self) -> Iterator[list[str]]:
        """Yield each sentence as its list of words."""
        for start, end in zip(self.sentence_starts, self.sentence_starts[1:], strict=False):
            yield [self.words[i] for i in self.word_ids[start:end]]

    def place(self, token: int) -> str:
        """Return the position of a token, as file:line."""
        source = self.source if self.file_ids is None else self.files[self.file_ids[token]]
        return f"{source}:{self.line_numbers[token]}"


def ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Concatenate the ranges start, start+1, …, start+length−1 of all pairs (start, length)."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)
