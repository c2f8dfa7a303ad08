"""Write tags into CoNLL lines that are not plain columns, or that get more than one new column."""

from __future__ import annotations

from typing import NamedTuple

from nertool.corpus.blocks import Block
from nertool.corpus.ledger import Ledger
from nertool.formats.base import tags_in, token_probabilities
from nertool.formats.conll.parse import Columns, column_index, parse_piece
from nertool.formats.conll.retag import with_tag
from nertool.formats.conll.rows import Layout, is_document_start
from nertool.predict.tasks.task import Result, Worker
from nertool.tagging.annotate import Details, annotate


class RewriteColumnsTask(NamedTuple):
    """CoNLL lines that get a new column of tags, or with replace_tags new tags in the column of tags.

    If the details include probabilities, a column of these follows.
    """

    block: Block
    source: str
    columns: Columns
    details: Details
    replace_tags: bool
    scheme: str

    def run(self, worker: Worker) -> Result:
        """Tag the lines. Errors: CorpusError with file:line for a line that is not a row."""
        ledger = Ledger(keep=True)
        lines = self.block.lines
        corpus = parse_piece(lines, self.block.first, self.columns, self.source, ledger)
        if corpus is None or self.columns.layout is None:
            return Result(self.block.marked(self.block.text), None, ledger)
        piece = annotate(worker.tagger, corpus, self.details, ledger)
        ledger.read["entities found"] += len(piece.spans)
        tags = tags_in(piece, self.scheme, ledger)
        probabilities = token_probabilities(piece) if self.details.probabilities else None
        layout = self.columns.layout
        for i, (number, tag) in enumerate(zip(corpus.line_numbers.tolist(), tags, strict=True)):
            at = number - self.block.first
            if self.replace_tags:
                assert self.columns.tag is not None
                column = column_index(self.columns.tag, layout, "--tag-column", self.source)
                lines[at] = with_tag(lines[at], layout, column, tag)
                added = ""
            else:
                added = layout.delimiter + tag
            if probabilities is not None:
                added += layout.delimiter + probabilities[i]
            end = "\r" if lines[at].endswith("\r") else ""
            lines[at] = lines[at].removesuffix("\r") + added + end
        self._fill_other_lines(lines, layout)
        return Result(self.block.joined(iter(lines)), None, ledger)

    def _fill_other_lines(self, lines: list[str], layout: Layout) -> None:
        """Add cells for the new columns to the header, and to document marks that have columns."""
        sure = self.details.probabilities
        cells = ([] if self.replace_tags else ["O"]) + (["_"] if sure else [])
        names = ([] if self.replace_tags else ["predicted"]) + (["probability"] if sure else [])
        for i, line in enumerate(lines):
            bare = line.removesuffix("\r")
            if self.block.first + i == self.columns.header:
                lines[i] = layout.delimiter.join([bare, *names]) + line[len(bare) :]
            elif is_document_start(bare) and len(layout.split(bare)) == layout.width > 1 and cells:
                lines[i] = layout.delimiter.join([bare, *cells]) + line[len(bare) :]
