"""A text as a format's reader returns it, before tokenisation, and the options for reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from nertool.corpus.columnar import Span
from nertool.corpus.schemes import spans_of

GOLD = "gold"  # the field of an input's own labels, when predicted ones replace them


DOCUMENT = "document"  # the field that is the same in all records of one document


@dataclass(frozen=True)
class Reading:
    """Options for reading labelled text. None means: detect it from the file.

    token_column, tag_column: numbers from 0 (negative ones count from the end), or names in a header.
    tag_names: the names of integer tags, in order.
    misaligned: what to do with an entity that is not made of whole tokens: error, snap (to the tokens that
    it overlaps) or drop.
    part: read only the documents whose header names this part (inline format).
    labelled: read labels as tags. gold: keep labels in each record's field `gold` instead.
    needs_labels: raise an error for a file that looks like plain text.
    pass_over_faulty: skip and count JSON records that can't be read.
    offsets: the unit of positions: auto (detected), characters, utf16 (code units) or bytes (of UTF-8).
    class_name: the class of tags without one, as in a file with the tags B, I and O.
    outside: the tag of tokens in no entity. None: O, and in columns without O also _, - or 0.
    encoding: the encoding of the file. None: UTF-8, or UTF-16 or UTF-32 if a byte-order mark says so.
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
        """Whether labels are read, as tags or as the field `gold`."""
        return self.labelled or self.gold


class Record(NamedTuple):
    """A text as a format's reader returns it, before it is cut into tokens.

    spans: entities, in characters of the text. None: the record has no labels.
    tags: a tag for each token, if the format has tags.
    tokens: the position of each token in the text. None: the text is tokenised.
    sentences: the start of each sentence, in tokens if `tokens` is given, else in characters. None: the
    sentence splitter finds them.
    goes_on: the record belongs to the same document as the one before it.
    lined: the file contains the text unchanged, starting at the line `line`.
    place: the position for messages, if it is not source:line.
    token_lines: the line of each token, if they differ.
    own_text, arrow_schema: as in Records.
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
    """Move a record's labels, if it has any, to its field `gold`: objects with start, end and label."""
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
    """Join words with blanks; return the text and the position (start, end) of each word in characters."""
    ends = list(accumulate(len(word) + 1 for word in words))
    return " ".join(words), [
        (end - 1 - len(w), end - 1) for end, w in zip(ends, words, strict=True)
    ]
