"""Build a corpus from records: texts with entities as character spans, or words with tags.

Every format except columns is read this way: its reader yields records. An entity with a boundary inside a
token, and overlapping entities, are counted, and handled as reading.misaligned says.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus, Interner, Records, Span
from nertool.corpus.invisible import is_blank_text, without_invisible
from nertool.corpus.labels import (
    CHOOSE,
    excerpt,
    flat_spans,
    labelled_alone,
    place_of,
    short,
    without_outside,
)
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.corpus.schemes import OUTSIDE, TagSpans, checked_tag, spans_of, tag_names, tags_of
from nertool.corpus.sentences import sentence_bounds
from nertool.corpus.tokens import pieces
from nertool.errors import CorpusError

_LINE_END = re.compile("\n")


class _Pieces(dict[str, int]):
    """Number the distinct words and blanks; lengths, blank: for each its length, and whether it is blank.

    Both arrays are longer than the number of pieces, since they grow by doubling.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lengths = np.empty(1024, dtype=np.int64)
        self.blank = np.empty(1024, dtype=bool)

    def __missing__(self, piece: str) -> int:
        self[piece] = number = len(self)
        if number == len(self.lengths):
            self.lengths = np.resize(self.lengths, 2 * number)
            self.blank = np.resize(self.blank, 2 * number)
        self.lengths[number], self.blank[number] = len(piece), is_blank_text(piece)
        return number

    def ids(self, pieces: Sequence[str]) -> NDArray[np.int64]:
        return np.fromiter(map(self.__getitem__, pieces), np.int64, len(pieces))


class _Growing:
    """A column of whole numbers, as a list of arrays that are concatenated at the end."""

    def __init__(self) -> None:
        self.parts: list[NDArray[np.int64]] = []
        self.size = 0

    def add(self, part: NDArray[np.int64]) -> None:
        self.parts.append(part)
        self.size += len(part)

    def whole(self, kind: type[np.integer[Any]] = np.int64) -> NDArray[Any]:
        return np.concatenate([np.empty(0, dtype=kind), *self.parts]).astype(kind, copy=False)


@dataclass
class _Columns:
    """The columns of a corpus while it is being built."""

    pieces: _Pieces = field(default_factory=_Pieces)
    tags: Interner = field(default_factory=Interner)
    tag_numbers: dict[str, int] = field(default_factory=dict)  # tag as written → its index in tags
    labels: Interner = field(default_factory=Interner)
    ids: _Growing = field(default_factory=_Growing)
    starts: _Growing = field(default_factory=_Growing)
    ends: _Growing = field(default_factory=_Growing)
    lines: _Growing = field(default_factory=_Growing)
    tag_ids: list[int] = field(default_factory=list)
    found: list[tuple[int, int, int]] = field(default_factory=list)
    sentences: list[int] = field(default_factory=lambda: [0])
    record_starts: list[int] = field(default_factory=lambda: [0])
    documents: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    fields: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, ids: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> None:
        self.ids.add(ids)
        self.starts.add(starts)
        self.ends.add(ends)


def build_corpus(
    records: Iterable[Record], source: str, layout: str, reading: Reading, ledger: Ledger
) -> Corpus:
    """Cut records into tokens and sentences, and return them as a corpus. Spans become tags in IOB2.

    A sentence end that the splitter finds inside an entity is ignored. Errors: CorpusError with file:line
    for an entity that is not made of whole tokens, or overlaps another, if reading.misaligned is error.
    """
    out = _Columns()
    if reading.labelled:
        records = labelled_alone(records, source, ledger)
    labelled = tagged = False
    own_text, tokenized, own_sentences = True, True, False
    arrow_schema = b""
    for record in records:
        if not record.goes_on or not out.documents:
            out.documents.append(len(out.sentences) - 1)
        first = out.ids.size
        spans: Sequence[Span] = record.spans or ()
        if reading.outside is not None and record.spans:
            record = without_outside(record, reading.outside, source, ledger)
            spans = record.spans or ()
        if record.spans and len(record.spans) > 1:
            spans = flat_spans(record, source, reading, ledger)
        if record.tokens is None:
            _cut(record, spans, reading, out)
        else:
            text = record.text
            places = np.array(record.tokens, dtype=np.int64).reshape(-1, 2)
            ids = out.pieces.ids([text[a:b] for a, b in record.tokens])
            out.add(ids, places[:, 0], places[:, 1])
            bounds = [*(record.sentences or [0])[1:], len(record.tokens)]
            # A sentence without a token is dropped.
            ends = dict.fromkeys(first + end for end in bounds)
            out.sentences += [end for end in ends if end > out.sentences[-1]]
        if record.tags is not None:
            tagged = True
            for tag in record.tags:
                if tag not in out.tag_numbers:
                    named = _checked(tag, reading, place_of(record, source))
                    out.tag_numbers[tag] = out.tags[named]
                out.tag_ids.append(out.tag_numbers[tag])
        if record.spans is not None:
            labelled = True
            out.found += _align(record, spans, first, source, reading, ledger, out)
        out.lines.add(_line_numbers(record, out.starts.parts[-1]))
        out.record_starts.append(len(out.sentences) - 1)
        out.texts.append(record.text)
        out.fields.append(record.fields)
        own_text &= record.own_text
        tokenized &= record.tokens is None
        own_sentences |= record.sentences is not None or record.tokens is not None
        arrow_schema = arrow_schema or record.arrow_schema
    corpus = _finish(out, source, layout, labelled, tagged)
    assert corpus.records is not None
    texts = replace(
        corpus.records, own_text=own_text, tokenized=tokenized, own_sentences=own_sentences,
        arrow_schema=arrow_schema,
    )  # fmt: skip
    return replace(corpus, records=texts)


def _checked(tag: str, reading: Reading, place: str) -> str:
    if tag == reading.outside:
        return OUTSIDE
    try:
        return checked_tag(tag, reading.class_name)
    except CorpusError as error:
        raise CorpusError(f"{place}: {error}") from None


def _cut(record: Record, spans: Sequence[Span], reading: Reading, out: _Columns) -> None:
    """Find a record's sentences and tokens."""
    text = record.text
    if record.sentences is None:
        bounds = sentence_bounds(text, reading.language)
    else:
        bounds = [*record.sentences, len(text)]
    if spans:
        bounds = [b for b in bounds if not _within(b, spans)]
    cut: list[str] = []
    counts = []
    for a, b in pairwise(bounds):
        own = pieces(text[a:b])
        cut += own
        counts.append(len(own))
    # Each piece that is not blank is a word. Its position is the sum of the lengths before it.
    ids = out.pieces.ids(cut)
    ends = bounds[0] + np.cumsum(out.pieces.lengths[ids])
    is_word = ~out.pieces.blank[ids]
    words_before = np.concatenate([[0], np.cumsum(is_word)])
    first = out.ids.size
    sentence_ends = first + words_before[np.cumsum(counts, dtype=np.int64)]
    out.sentences += sorted(set(sentence_ends[sentence_ends > first].tolist()))
    own_ids = ids[is_word]
    out.add(own_ids, ends[is_word] - out.pieces.lengths[own_ids], ends[is_word])


def _within(place: int, spans: Sequence[Span]) -> bool:
    """Tell whether a position lies inside one of the entities, which must be in order."""
    before = bisect_left(spans, (place,)) - 1
    return before >= 0 and spans[before].end > place


def _align(
    record: Record,
    spans: Sequence[Span],
    first: int,
    source: str,
    reading: Reading,
    ledger: Ledger,
    out: _Columns,
) -> list[tuple[int, int, int]]:
    """Return the whole tokens of each entity as (first token, end, label), in order and without overlaps."""
    starts, ends = out.starts.parts[-1].tolist(), out.ends.parts[-1].tolist()
    text = record.text
    found: list[tuple[int, int, int]] = []
    line, counted = record.line, 0
    for span in spans:
        start, end, label = span
        if record.lined:  # entities are in order, so each line is counted once
            line, counted = line + text.count("\n", counted, start), start
        i, j = bisect_right(ends, start), bisect_left(starts, end)
        if found:
            i = max(i, found[-1][1] - first)  # after snapping, two entities may claim one token
        place = record.place or f"{source}:{line}"
        shown = f'"{excerpt(text, span)}" ({label})'
        if i >= j:
            what = "entities without a token of their own"
            if reading.misaligned == "error":
                raise CorpusError(
                    f"{place}: found the entity {shown} at {start}–{end} without a token of its "
                    f"own, expected whole tokens; correct it, or {CHOOSE}"
                )
            ledger.refuse(place, what, shown)
            continue
        if starts[i] != start or ends[j - 1] != end:
            a, b = starts[i], ends[j - 1]
            whole = text[a:b]
            if text[start:end].strip() == whole:
                ledger.alter(place, "entities with blanks at their borders, trimmed", shown)
            elif _same_but_invisible(text[start:end], whole):
                what = "entities widened by adjacent invisible characters"
                ledger.alter(place, what, shown)
            elif reading.misaligned == "snap":
                ledger.alter(
                    place, "entities snapped to whole tokens", f'{shown} → "{short(whole)}"'
                )
            elif reading.misaligned == "drop":
                ledger.refuse(place, "entities with a border inside a token", shown)
                continue
            else:
                raise CorpusError(
                    f'{place}: found the entity "{excerpt(text, span)}" with a border inside a token '
                    f'("{short(whole)}"), expected whole tokens; move the border, part the words by '
                    f"a blank, or {CHOOSE}"
                )
        found.append((first + i, first + j, out.labels[label]))
    return found


def _same_but_invisible(a: str, b: str) -> bool:
    """Tell whether two texts are the same except for blanks at their ends and invisible characters."""
    return not b.isascii() and without_invisible(a).strip() == without_invisible(b)


def _line_numbers(record: Record, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    if record.token_lines is not None:
        return np.array(record.token_lines, dtype=np.int64)
    lines = np.full(len(starts), record.line, dtype=np.int64)
    if record.lined and "\n" in record.text:
        ends = [match.start() for match in _LINE_END.finditer(record.text)]
        lines += np.searchsorted(ends, starts)
    return lines


def _finish(out: _Columns, source: str, layout: str, labelled: bool, tagged: bool) -> Corpus:
    sentence_starts = np.array(out.sentences, dtype=np.int64)
    tags: list[str] = []
    tag_ids = np.empty(0, dtype=np.int32)
    if tagged:
        if len(out.tag_ids) != out.ids.size or out.found:
            raise CorpusError(
                f"{source}: found records with tags and records without, expected tags in all or none"
            )
        tags, tag_ids = list(out.tags), np.array(out.tag_ids, dtype=np.int32)
    elif labelled:
        columns = np.array(out.found, dtype=np.int64).reshape(-1, 3)
        labels = columns[:, 2].astype(np.int32)
        tags = tag_names(list(out.labels), "iob2")
        spans = TagSpans(columns[:, 0], columns[:, 1], labels, list(out.labels))
        tag_ids = tags_of(spans, sentence_starts, tags, "iob2")
    blank = out.pieces.blank[: len(out.pieces)]
    number = np.cumsum(~blank) - 1  # the index of each word, not counting blanks
    return Corpus(
        source=source,
        words=[word for word, no in zip(out.pieces, blank.tolist(), strict=True) if not no],
        word_ids=number[out.ids.whole()].astype(np.int32),
        tags=tags,
        tag_ids=tag_ids,
        sentence_starts=sentence_starts,
        document_starts=np.array([*out.documents, len(out.sentences) - 1], dtype=np.int64),
        line_numbers=out.lines.whole(np.int32),
        layout=layout,
        records=Records(
            starts=np.array(out.record_starts, dtype=np.int64),
            texts=out.texts,
            fields=out.fields,
            token_starts=out.starts.whole(),
            token_ends=out.ends.whole(),
        ),
    )


def entities_of(corpus: Corpus) -> TagSpans:
    """Read a corpus' entities from its tags. A corpus without tags has none."""
    if not corpus.tags:
        none = np.empty(0, dtype=np.int64)
        return TagSpans(none, none, none.astype(np.int32), [])
    return spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)


def count(corpus: Corpus, ledger: Ledger, files: int = 1) -> None:
    """Add a corpus' files, records, sentences, tokens and entities to the ledger's counts of data read."""
    ledger.read["files"] += files
    if corpus.records is not None:
        ledger.read["records"] += len(corpus.records.texts)
    ledger.read["sentences"] += corpus.sentences
    ledger.read["tokens"] += corpus.tokens
    if corpus.tags:
        ledger.read["entities"] += len(entities_of(corpus))
