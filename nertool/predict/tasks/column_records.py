"""Tag CoNLL columns that are written in another format: each sentence becomes a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from nertool.corpus.annotated import Annotated, with_records
from nertool.corpus.blocks import Block
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT
from nertool.formats.conll.parse import Columns, parse_piece
from nertool.formats.conll.rows import is_document_start
from nertool.predict.tasks.task import Result, Worker
from nertool.tagging.annotate import Details, annotate


class ColumnRecordsTask(NamedTuple):
    """CoNLL lines whose sentences are wanted as records."""

    block: Block
    source: str
    columns: Columns
    details: Details

    def run(self, worker: Worker) -> Result:
        """Errors: CorpusError with file:line for a line that is no row."""
        ledger = Ledger(keep=True)
        lines = self.block.lines
        corpus = parse_piece(lines, self.block.first, self.columns, self.source, ledger)
        marks = [i for i, line in enumerate(lines) if is_document_start(line.removesuffix("\r"))]
        if corpus is None:
            return Result("", None, ledger, bool(marks), bool(marks))
        place = corpus.place(0)
        other = corpus.tokens * max(0, corpus.columns - 1)
        ledger.leave_out(place, "cells of the columns beside the words", number=other)
        ledger.leave_out(place, "comment lines", number=corpus.comments)
        corpus = with_records(corpus, by_sentence=True)
        piece = annotate(worker.tagger, corpus, self.details, ledger)
        ledger.read["entities found"] += len(piece.spans)
        first, last = (corpus.line_numbers[[0, -1]] - self.block.first).tolist()
        before, after = bool(marks) and marks[0] < first, bool(marks) and marks[-1] > last
        return Result("", piece, ledger, before, after)


def numbered(results: Iterable[Result]) -> Iterator[Annotated]:
    """Yield the pieces that have tokens; each record gets its number, and its document's, in the input."""
    sentence = 0
    document = -1
    begins = True  # a document has begun since the last token
    for result in results:
        begins = begins or result.document_before
        if result.piece is None:
            continue
        corpus = result.piece.corpus
        document += begins
        assert corpus.records is not None
        for i, fields in enumerate(corpus.records.fields):
            corpus.records.fields[i] = {"id": sentence, DOCUMENT: fields[DOCUMENT] + document}
            sentence += 1
        records = replace(corpus.records, numbered=True)
        document += corpus.documents - 1
        begins = result.document_after
        yield result.piece._replace(corpus=replace(corpus, records=records))
