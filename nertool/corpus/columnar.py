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
    """Tokens `start` up to, not including, `end` are one entity called `label`."""

    start: int
    end: int
    label: str


class Interner(dict[str, int]):
    """Give each distinct string the next whole number: `ids[string]` looks up or adds."""

    def __missing__(self, string: str) -> int:
        self[string] = number = len(self)
        return number

    def numbers_of(self, strings: Iterable[str]) -> list[int]:
        """Look up or add each string: many times as fast as one by one."""
        number = self.setdefault
        return [number(string, len(self)) for string in strings]


@dataclass(frozen=True)
class Records:
    """The R records that a corpus came in: JSON objects, paragraphs, files.

    starts (R+1,) int64: sentence where each record starts, and S; one without a word has none.
    texts: each record's text; fields: what else it held, to be passed through.
    token_starts, token_ends (N,) int64: each token's place in its record's text, in characters.
    own_text: the texts are the input's own, not words put together with blanks between.
    tokenized: the tokens were cut by nertool's tokeniser, not given by the file.
    own_sentences: the bounds of sentences are the file's own, not found by rules.
    numbered: the field id is a number that nertool gave the record, not the input's own.
    arrow_schema: the columns of the table that the records are rows of, as Arrow writes a schema; empty
    for records of other kinds.
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

    words: the distinct word forms; word_ids (N,) int32 points into it.
    tags: the distinct tags as written; tag_ids (N,) int32 points into it (empty if unlabelled).
    sentence_starts (S+1,) int64: token where each sentence starts, and N.
    document_starts (D+1,) int64: sentence where each document starts, and S.
    line_numbers (N,) int32: the line of the file that each token stood on, counted from 1.
    layout, columns: what the file looked like, in words, and how many columns it had. comments: how many
    lines of columns were passed over as comments.
    records: the texts that the tokens were cut from, where the format has them.
    files, file_ids (N,) int32: of a text that was read from several files, their names, and the number of
    each token's file.
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
        """Say where a token stands, as file:line."""
        source = self.source if self.file_ids is None else self.files[self.file_ids[token]]
        return f"{source}:{self.line_numbers[token]}"


def ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return start, start+1, … start+length−1 for each pair, one after another."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)
