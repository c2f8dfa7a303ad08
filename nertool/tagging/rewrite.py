"""Columns in, the same lines out, with tags in them; and columns in pieces for other formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from nertool.corpus.annotated import Annotated, with_records
from nertool.corpus.blocks import Block, is_blank
from nertool.corpus.columnar import Corpus
from nertool.corpus.conll import (
    Columns,
    Layout,
    column_index,
    is_document_start,
    is_hash_comment,
    parse_conll,
)
from nertool.corpus.conllu import read_conllu, with_ner
from nertool.corpus.formats import count
from nertool.corpus.jsonobjects import DOCUMENT
from nertool.corpus.ledger import Ledger
from nertool.corpus.records import Reading, build_corpus
from nertool.corpus.retag import with_tag
from nertool.corpus.writers import tags_in, token_probabilities
from nertool.tagging.annotate import Asked, annotate
from nertool.tagging.parallel import Done, Worker


class ColumnsAgainTask(NamedTuple):
    """CoNLL lines to be given a column of tags more, or other tags in the tags' column; and after it a
    column of probabilities, if those are asked for."""

    block: Block
    source: str
    columns: Columns
    asked: Asked
    replace_tags: bool
    scheme: str

    def run(self, worker: Worker) -> Done:
        """Errors: CorpusError with file:line for a line that is no row."""
        ledger = Ledger(keep=True)
        lines = self.block.lines
        corpus = _parsed(lines, self.block.first, self.columns, self.source, ledger)
        if corpus is None or self.columns.layout is None:
            return Done(self.block.marked(self.block.text), None, ledger)
        piece = annotate(worker.tagger, corpus, self.asked, ledger)
        ledger.read["entities found"] += len(piece.spans)
        tags = tags_in(piece, self.scheme, ledger)
        sure = token_probabilities(piece) if self.asked.probabilities else None
        layout = self.columns.layout
        for i, (number, tag) in enumerate(zip(corpus.line_numbers.tolist(), tags, strict=True)):
            at = number - self.block.first
            if self.replace_tags:
                assert self.columns.tag is not None
                column = column_index(self.columns.tag, layout, "--tag-column", self.source)
                lines[at] = with_tag(lines[at], layout, column, tag)
                extra = ""
            else:
                extra = layout.delimiter + tag
            if sure is not None:
                extra += layout.delimiter + sure[i]
            end = "\r" if lines[at].endswith("\r") else ""
            lines[at] = lines[at].removesuffix("\r") + extra + end
        self._mark_others(lines, layout)
        return Done(self.block.joined(iter(lines)), None, ledger)

    def _mark_others(self, lines: list[str], layout: Layout) -> None:
        """Give document marks that have columns, and the header, their cells of the new columns."""
        sure = self.asked.probabilities
        cells = ([] if self.replace_tags else ["O"]) + (["_"] if sure else [])
        names = ([] if self.replace_tags else ["predicted"]) + (["probability"] if sure else [])
        for i, line in enumerate(lines):
            bare = line.removesuffix("\r")
            if self.block.first + i == self.columns.header:
                lines[i] = layout.delimiter.join([bare, *names]) + line[len(bare) :]
            elif is_document_start(bare) and len(layout.split(bare)) == layout.width > 1 and cells:
                lines[i] = layout.delimiter.join([bare, *cells]) + line[len(bare) :]


class PieceTask(NamedTuple):
    """CoNLL lines whose sentences are wanted as records."""

    block: Block
    source: str
    columns: Columns
    asked: Asked

    def run(self, worker: Worker) -> Done:
        """Errors: CorpusError with file:line for a line that is no row."""
        ledger = Ledger(keep=True)
        lines = self.block.lines
        corpus = _parsed(lines, self.block.first, self.columns, self.source, ledger)
        marks = [i for i, line in enumerate(lines) if is_document_start(line.removesuffix("\r"))]
        if corpus is None:
            return Done("", None, ledger, opens=bool(marks), closes=bool(marks))
        piece = annotate(worker.tagger, with_records(corpus, by_sentence=True), self.asked, ledger)
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


class ConlluTask(NamedTuple):
    """CoNLL-U lines to be given the tags in MISC."""

    block: Block
    source: str
    reading: Reading
    scheme: str

    def run(self, worker: Worker) -> Done:
        """Errors: CorpusError with file:line."""
        ledger = Ledger(keep=True)
        block, raw = self.block, self.block.lines
        lines = [line.removesuffix("\r") for line in raw]
        records = read_conllu(lines, self.source, False, block.first)
        corpus = build_corpus(records, self.source, "CoNLL-U", self.reading, ledger)
        if corpus.tokens:
            count(corpus, ledger, files=0)
            piece = annotate(worker.tagger, corpus, Asked(), ledger)
            ledger.read["entities found"] += len(piece.spans)
            tags = tags_in(piece, self.scheme, ledger)
            for number, tag in zip(corpus.line_numbers.tolist(), tags, strict=True):
                at = number - block.first
                end = "\r" if raw[at].endswith("\r") else ""
                raw[at] = with_ner(lines[at], tag) + end
        return Done(block.joined(iter(raw)), None, ledger)


def usual(columns: Columns) -> bool:
    """Tell whether stream.py can read these columns: no header, no commas."""
    divided = columns.layout is not None and columns.layout.delimiter in ("\t", " ")
    return divided and columns.header == 0 and columns.sentence is None


def _parsed(
    lines: list[str], first: int, columns: Columns, source: str, ledger: Ledger
) -> Corpus | None:
    """Read a piece of CoNLL columns whose first line has the number `first`; None if it has no token."""
    lines = [line.removesuffix("\r") for line in lines]
    header = columns.header - first
    bare = all(
        is_blank(line)
        or is_document_start(line)
        or (columns.comment and line.startswith(columns.comment))
        or (columns.hash_comments and line.startswith("#") and not _is_row(line, columns.layout))
        or i == header
        for i, line in enumerate(lines)
    )
    if bare:
        return None
    corpus = parse_conll(iter(lines), replace(columns, tag=None), source, first)
    count(corpus, ledger, files=0)
    return corpus


def _is_row(line: str, layout: Layout | None) -> bool:
    """Tell whether a line that starts with # is as wide as the others: a token, not a comment."""
    if layout is None:
        return True
    return not is_hash_comment(line, len(layout.split(line)), layout.width)
