"""A text as a format gives it, before it is cut into tokens, and how it is to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

from nertool.corpus.columnar import Span

GOLD = "gold"  # the key of an input's own labels, where others take their place


DOCUMENT = "document"  # the key that says which records are of one document


@dataclass(frozen=True)
class Reading:
    """How labelled text is to be read; None is for what the file itself shows.

    token_column, tag_column: numbers from 0 (negative ones from the end), or names in a header.
    tag_names: the names of integer tags, in order. misaligned: what becomes of an entity that is
    not made of whole tokens: error, snap (to the tokens that it touches) or drop.
    part: read only the documents whose header names it (inline). labelled: labels are looked at.
    needs_labels: what looks like plain text is refused as faulty columns. pass_over_faulty: JSON
    records that can't be read are counted, and left out. offsets: what places count: auto (found),
    characters, utf16 (units) or bytes (of UTF-8). class_name: the class of tags that name none: B, I, O.
    """

    token_column: int | str | None = None
    tag_column: int | str | None = None
    delimiter: str | None = None
    comment: str = ""
    tag_names: tuple[str, ...] = ()
    misaligned: str = "error"
    language: str = "en"
    part: str | None = None
    text_field: str = "text"
    labelled: bool = True
    needs_labels: bool = False
    pass_over_faulty: bool = False
    offsets: str = "auto"
    class_name: str | None = None


class Record(NamedTuple):
    """A text as a format has it, before it is cut into tokens.

    spans: entities in characters of the text, None if the record bears no labels at all.
    tags: a tag a token, where the format has those. tokens: each token's place in the text, None
    if they are to be found. sentences: where each begins (in tokens if those are given, else in
    characters), None to find them. goes_on: of the same document as the record before it.
    lined: the text stands in the file as it is, its first line being `line`. own_text: as in Records.
    place: where it stands, for messages, if that is not source:line. token_lines: each token's line,
    where each has its own. arrow_schema: as in Records.
    """

    text: str
    line: int
    spans: Sequence[Span] | None = None
    tags: Sequence[str] | None = None
    tokens: Sequence[tuple[int, int]] | None = None
    sentences: Sequence[int] | None = None
    fields: dict[str, Any] = {}  # noqa: RUF012  # never changed
    goes_on: bool = False
    lined: bool = False
    own_text: bool = True
    place: str = ""
    token_lines: Sequence[int] | None = None
    arrow_schema: bytes = b""


def joined(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Put words together with blanks between; return the text and the words' places."""
    ends = list(accumulate(len(word) + 1 for word in words))
    return " ".join(words), [
        (end - 1 - len(w), end - 1) for end, w in zip(ends, words, strict=True)
    ]
