"""Tag CoNLL-U: write the same lines, with the tags in the column MISC."""

from __future__ import annotations

from typing import NamedTuple

from nertool.corpus.blocks import Block
from nertool.corpus.build import build_corpus, count
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.base import tags_in
from nertool.formats.conll.conllu import read_conllu, with_ner
from nertool.predict.tasks.task import Result, Worker
from nertool.tagging.annotate import Details, annotate


class RewriteConlluTask(NamedTuple):
    """CoNLL-U lines that get tags in MISC. scheme: the scheme of the tags; key: the key of the entry."""

    block: Block
    source: str
    reading: Reading
    scheme: str
    key: str

    def run(self, worker: Worker) -> Result:
        """Tag the lines. Errors: CorpusError with file:line."""
        ledger = Ledger(keep=True)
        block, raw = self.block, self.block.lines
        lines = [line.removesuffix("\r") for line in raw]
        records = read_conllu(lines, self.source, False, block.first, by_words=True)
        corpus = build_corpus(records, self.source, "CoNLL-U", self.reading, ledger)
        if corpus.tokens:
            count(corpus, ledger, files=0)
            piece = annotate(worker.tagger, corpus, Details(), ledger)
            ledger.read["entities found"] += len(piece.spans)
            tags = tags_in(piece, self.scheme, ledger)
            for number, tag in zip(corpus.line_numbers.tolist(), tags, strict=True):
                at = number - block.first
                end = "\r" if raw[at].endswith("\r") else ""
                raw[at] = with_ner(lines[at], tag, self.key) + end
        return Result(block.joined(iter(raw)), None, ledger)
