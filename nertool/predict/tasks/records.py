"""Tag records: texts that a format gave, one by one."""

from __future__ import annotations

from typing import NamedTuple

from nertool.corpus.build import build_corpus, count
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.formats.base import Writer, Writing
from nertool.predict.tasks.task import Done, Worker
from nertool.tagging.annotate import Details, annotate


class RecordsTask(NamedTuple):
    """Records to be tagged; writer: None if they are wanted as they are."""

    records: list[Record]
    source: str
    layout: str
    reading: Reading
    details: Details
    writer: Writer | None
    writing: Writing

    def run(self, worker: Worker) -> Done:
        """Errors: CorpusError with the place of a record that can't be read."""
        ledger = Ledger(keep=True)
        corpus = build_corpus(self.records, self.source, self.layout, self.reading, ledger)
        count(corpus, ledger, files=0)
        piece = annotate(worker.tagger, corpus, self.details, ledger)
        ledger.read["entities found"] += len(piece.spans)
        if self.writer is None:
            return Done("", piece, ledger)
        return Done("".join(self.writer([piece], self.writing, ledger)), None, ledger)
