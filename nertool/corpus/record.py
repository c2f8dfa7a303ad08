"""A text as a format gives it, before it is cut into tokens, and how it is to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from nertool.corpus.columnar import Span
from nertool.corpus.schemes import spans_of

GOLD = "gold"  # the key of an input's own labels, where others take their place


DOCUMENT = "document"  # the key that says which records are of one document


@dataclass(frozen=True)
class Reading:
    """How labelled text is to be read; None is for what the file itself shows.

    token_column, tag_column: numbers from 0 (negative ones from the end), or names in a header.
    tag_names: the names of integer tags, in order. misaligned: what becomes of an entity that is
    not made of whole tokens: error, snap (to the tokens that it touches) or drop.
    part: read only the documents whose header names it (inline). labelled: labels are looked at.
    gold: labels become each record's field `gold`, in place of being looked at.
    needs_labels: what looks like plain text is refused as faulty columns. pass_over_faulty: JSON
    records that can't be read are counted, and left out. offsets: what places count: auto (found),
    characters, utf16 (units) or bytes (of UTF-8). class_name: the class of tags that name none: B, I, O.
    outside: the tag of tokens in no entity, None for O or what is unmistakable. encoding: of the file's text,
    None for UTF-8, or UTF-16 where a byte-order mark says so.
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
    gold: bool = False
    needs_labels: bool = False
    pass_over_faulty: bool = False
    offsets: str = "auto"
    class_name: str | None = None
    outside: str | None = None
    encoding: str | None = None

    @property
    def with_labels(self) -> bool:
        """Whether labels are read at all."""
        return self.labelled or self.gold


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


def labels_as_gold(record: Record) -> Record:
    """Return a record with its labels in the field `gold`, as objects of start, end and label, if any."""
    spans = record.spans
    if record.tags is not None and record.tokens is not None:
        names = list(dict.fromkeys(record.tags))
        ids = np.array([names.index(tag) for tag in record.tags], dtype=np.int32)
        starts = np.array([*(record.sentences or [0]), len(ids)], dtype=np.int64)
        places = record.tokens
        found = spans_of(ids, names, starts).as_list() if len(ids) else []
        spans = [Span(places[a][0], places[b - 1][1], label) for a, b, label in found]
    if spans is None:
        return record
    gold = [{"start": start, "end": end, "label": label} for start, end, label in spans]
    return record._replace(spans=None, tags=None, fields={**record.fields, GOLD: gold})


def joined(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Put words together with blanks between; return the text and the words' places."""
    ends = list(accumulate(len(word) + 1 for word in words))
    return " ".join(words), [
        (end - 1 - len(w), end - 1) for end, w in zip(ends, words, strict=True)
    ]
