"""Tag CoNLL columns whose sentences are wanted as records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nertool.corpus.annotated import Annotated, with_records
from nertool.corpus.blocks import Block
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT
from nertool.formats.conll.parse import Columns, parse_piece
from nertool.formats.conll.rows import is_document_start
from nertool.predict.tasks.task import Done, Worker
from nertool.tagging.annotate import Details, annotate


class PieceTask(NamedTuple):
    """CoNLL lines whose sentences are wanted as records."""

    block: Block
    source: str
    columns: Columns
    details: Details

    def run(self, worker: Worker) -> Done:
        """Errors: CorpusError with file:line for a line that is no row."""
        ledger = Ledger(keep=True)
        lines = self.block.lines
        corpus = parse_piece(lines, self.block.first, self.columns, self.source, ledger)
        marks = [i for i, line in enumerate(lines) if is_document_start(line.removesuffix("\r"))]
        if corpus is None:
            return Done("", None, ledger, opens=bool(marks), closes=bool(marks))
        piece = annotate(
            worker.tagger, with_records(corpus, by_sentence=True), self.details, ledger
        )
        ledger.read["entities found"] += len(piece.spans)
        first, last = (corpus.line_numbers[[0, -1]] - self.block.first).tolist()
        opens = bool(marks) and marks[0] < first
        return Done("", piece, ledger, opens, closes=bool(marks) and marks[-1] > last)


def numbered(pieces: Iterator[Done]) -> Iterator[Annotated]:
    """Yield the pieces that have tokens, each sentence a record with its number and its document's in
    the whole text."""
    sentence = 0
    document = -1
    marked = True  # a document has begun since the last token
    for done in pieces:
        marked = marked or done.opens
        if done.piece is None:
            continue
        corpus = done.piece.corpus
        document += marked
        assert corpus.records is not None
        for i, fields in enumerate(corpus.records.fields):
            corpus.records.fields[i] = {"id": sentence, DOCUMENT: fields[DOCUMENT] + document}
            sentence += 1
        document += corpus.documents - 1
        marked = done.closes
        yield done.piece
