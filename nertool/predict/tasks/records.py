"""Tag records, the texts that a format's reader yields."""

from __future__ import annotations

from typing import NamedTuple

from nertool.corpus.build import build_corpus, count
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record, labels_as_gold
from nertool.formats.base import Writer, Writing
from nertool.predict.tasks.task import Result, Worker
from nertool.tagging.annotate import Details, annotate


class RecordsTask(NamedTuple):
    """Records to tag.

    layout: the title of their format, for messages; writer: turns the tagged piece into text, or None if the
    result is the piece itself.
    """

    records: list[Record]
    source: str
    layout: str
    reading: Reading
    details: Details
    writer: Writer | None
    writing: Writing

    def run(self, worker: Worker) -> Result:
        """Tag the records. Errors: CorpusError with the place of a record that can't be read."""
        ledger = Ledger(keep=True)
        records = map(labels_as_gold, self.records) if self.reading.gold else self.records
        corpus = build_corpus(records, self.source, self.layout, self.reading, ledger)
        count(corpus, ledger, files=0)
        piece = annotate(worker.tagger, corpus, self.details, ledger)
        ledger.read["entities found"] += len(piece.spans)
        if self.writer is None:
            return Result("", piece, ledger)
        return Result("".join(self.writer([piece], self.writing, ledger)), None, ledger)
