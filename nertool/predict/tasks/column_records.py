"""Tag CoNLL columns for an output in another format: each sentence becomes a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from nertool.corpus.annotated import Annotated, labelled, views, with_records
from nertool.corpus.blocks import Block, is_blank
from nertool.corpus.columnar import Corpus, Interner
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT, GOLD
from nertool.corpus.schemes import OUTSIDE, checked_tag
from nertool.errors import CorpusError
from nertool.formats.conll.brackets import tags_of_brackets
from nertool.formats.conll.find import looks_like_tag
from nertool.formats.conll.parse import Columns, column_index, parse_piece
from nertool.formats.conll.rows import is_document_start
from nertool.predict.tasks.task import Result, Worker
from nertool.tagging.annotate import Details, annotate


class ColumnRecordsTask(NamedTuple):
    """CoNLL lines whose sentences become records.

    gold: the column of the input's own tags, which become each record's field `gold`, or None.
    """

    block: Block
    source: str
    columns: Columns
    details: Details
    gold: int | None = None

    def run(self, worker: Worker) -> Result:
        """Tag the lines. Errors: CorpusError with file:line for a line that is not a row."""
        ledger = Ledger(keep=True)
        lines = self.block.lines
        corpus = parse_piece(lines, self.block.first, self.columns, self.source, ledger)
        marks = [i for i, line in enumerate(lines) if is_document_start(line.removesuffix("\r"))]
        if corpus is None:
            return Result("", None, ledger, bool(marks), bool(marks))
        place = corpus.place(0)
        other = corpus.tokens * max(0, corpus.columns - 1 - (self.gold is not None))
        ledger.leave_out(place, "cells of columns other than the words", number=other)
        ledger.leave_out(place, "comment lines", number=corpus.comments)
        corpus = with_records(corpus, by_sentence=True)
        if self.gold is not None:
            self._add_gold(corpus, self.gold, ledger)
        piece = annotate(worker.tagger, corpus, self.details, ledger)
        ledger.read["entities found"] += len(piece.spans)
        first, last = (corpus.line_numbers[[0, -1]] - self.block.first).tolist()
        before, after = bool(marks) and marks[0] < first, bool(marks) and marks[-1] > last
        return Result("", piece, ledger, before, after)

    def _add_gold(self, corpus: Corpus, column: int, ledger: Ledger) -> None:
        """Store each sentence's own entities in its record's field `gold`."""
        layout, lines = self.columns.layout, self.block.lines
        assert layout is not None
        names = Interner()
        at = (corpus.line_numbers - self.block.first).tolist()
        cells = [layout.split(lines[i].removesuffix("\r"))[column].strip() for i in at]
        ids = np.array([names[cell] for cell in cells], dtype=np.int32)
        tags = list(names)
        if self.columns.brackets:
            tags, ids = tags_of_brackets(tags, ids, corpus.sentence_starts)
        faulty = {i for i, tag in enumerate(tags) if _tag(tag, self.columns) is None}
        for i in np.flatnonzero(np.isin(ids, list(faulty))).tolist() if faulty else ():
            ledger.refuse(
                corpus.place(i), "own cells that are not tags, treated as O", tags[ids[i]]
            )
        tags = [_tag(tag, self.columns) or OUTSIDE for tag in tags]
        own = replace(corpus, tags=tags, tag_ids=ids)
        assert corpus.records is not None
        for fields, view in zip(
            corpus.records.fields, views(labelled(own), tokens=False), strict=True
        ):
            fields[GOLD] = [
                {"start": e.start, "end": e.end, "label": e.label} for e in view.entities
            ]


def _tag(cell: str, columns: Columns) -> str | None:
    """Return the tag in a cell, or None if it is not a tag."""
    if cell == columns.outside:
        return OUTSIDE
    try:
        return checked_tag(cell, columns.class_name)
    except CorpusError:
        return None


def tag_column(lines: Sequence[str], columns: Columns, source: str) -> int | None:
    """Return the index of the column of tags, judged by an input's first lines; None if there is none."""
    layout = columns.layout
    if layout is None or layout.width < 2 or columns.tag is None:
        return None
    column = column_index(columns.tag, layout, "--tag-column", source)
    word = column_index(columns.token, layout, "--token-column", source)
    rows = [
        layout.split(line.removesuffix("\r"))
        for number, line in enumerate(lines, 1)
        if number != columns.header and not is_blank(line) and not is_document_start(line)
    ]
    cells = [row[column].strip() for row in rows if len(row) == layout.width]
    if column == word or not cells:
        return None
    if columns.brackets:
        return column
    tags = sum(cell == columns.outside or looks_like_tag(cell) for cell in cells)
    return column if tags >= 0.9 * len(cells) else None


@dataclass
class Numbers:
    """The number of the next sentence of an output, and of its last document, which several inputs share."""

    sentence: int = 0
    document: int = -1


def numbered(results: Iterable[Result], numbers: Numbers) -> Iterator[Annotated]:
    """Yield the pieces of an input that have tokens. Each record gets its number and its document's."""
    begins = True  # whether a document has begun since the last token
    for result in results:
        begins = begins or result.document_before
        if result.piece is None:
            continue
        corpus = result.piece.corpus
        numbers.document += begins
        assert corpus.records is not None
        for i, fields in enumerate(corpus.records.fields):
            kept = {GOLD: fields[GOLD]} if GOLD in fields else {}
            number = fields[DOCUMENT] + numbers.document
            corpus.records.fields[i] = {"id": numbers.sentence, DOCUMENT: number, **kept}
            numbers.sentence += 1
        records = replace(corpus.records, numbered=True)
        numbers.document += corpus.documents - 1
        begins = result.document_after
        yield result.piece._replace(corpus=replace(corpus, records=records))
