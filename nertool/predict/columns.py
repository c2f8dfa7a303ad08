"""Reading CoNLL columns for `predict`: the column of the words, and blocks of whole sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from nertool.corpus.blocks import Block, read_blocks, whole_sentences
from nertool.corpus.ledger import Ledger
from nertool.formats.conll.parse import Columns, blank_faulty_sentences
from nertool.formats.conll.rows import Rows, find_layout
from nertool.formats.opening import Opened, Report
from nertool.inputs.layout import needs_documents
from nertool.predict.blocks import whole_columns, whole_tables
from nertool.predict.request import PredictRequest
from nertool.tagging.compiled import CompiledTagger

_LARGEST = 4  # for a model of several networks, blocks may be this many times as large


class ColumnsInput(NamedTuple):
    """An input in CoNLL columns.

    rows: the columns for the fast path, None if the fast path can't read them (for example, with a header,
    commas, or a column of sentence numbers); blocks: blocks of whole sentences or documents.
    """

    columns: Columns
    rows: Rows | None
    blocks: Iterator[Block]


def read_text_blocks(
    opened: Opened, tagger: CompiledTagger, request: PredictRequest
) -> Iterator[Block]:
    """Yield an input's lines in blocks.

    With several networks, the tagger computes the rows of some words again for each block (see
    tagging/wordtables.py). Larger blocks reduce this work.
    """
    several = len(tagger.model.first_stage) + len(tagger.model.members) > 1
    size = request.sizes.block_bytes
    return read_blocks(opened.whole, opened.source, size, size * _LARGEST if several else 0)


def read_columns(
    opened: Opened,
    tagger: CompiledTagger,
    request: PredictRequest,
    report: Report,
    skipped: Ledger | None = None,
) -> ColumnsInput:
    """Open an input in CoNLL columns, and find the column of the words.

    The column is that of the request, or that of the model's training text, or else it is detected from the
    input. skipped: counts the sentences with a faulty row, whose lines are made blank while the blocks are
    read; None if these sentences are kept. Errors: CorpusError for a column that does not exist.
    """
    blocks = read_text_blocks(opened, tagger, request)
    reading, settings = request.unlabelled, tagger.model.config.corpus
    if reading.token_column is None and settings.token_column != 0:
        reading = replace(reading, token_column=settings.token_column)
    reading = replace(reading, comment=reading.comment or settings.comment, labelled=True)
    columns = opened.columns(reading, report)
    if columns.layout is None:  # the first bytes have only document marks, blank lines and comments
        columns, blocks = _with_layout(columns, blocks)
    rows = _fast_rows(columns, opened.source)
    documents, limit = needs_documents(tagger.model.config), tagger.document_tokens
    if skipped is not None:
        # Before the text is cut at the ends of documents, whose lengths depend on what is left.
        whole = (
            whole_tables(blocks, columns, opened.source, False)
            if rows is None
            else whole_sentences(blocks)
        )
        blocks = _without_faulty_sentences(whole, columns, opened.source, skipped)
    if rows is None:
        return ColumnsInput(
            columns, None, whole_tables(blocks, columns, opened.source, documents, limit)
        )
    return ColumnsInput(columns, rows, whole_columns(blocks, rows, documents, limit))


def _without_faulty_sentences(
    blocks: Iterator[Block], columns: Columns, source: str, skipped: Ledger
) -> Iterator[Block]:
    """Yield blocks of whole sentences, with blank lines in place of each sentence that has a faulty row."""
    for block in blocks:
        lines = blank_faulty_sentences(block.lines, block.first, columns, source, skipped)
        yield block if lines is None else block._replace(text=_as_text(block, lines))


def _as_text(block: Block, lines: list[str]) -> str:
    return "\n".join(lines) + "\n" * block.text.endswith("\n")


def _with_layout(columns: Columns, blocks: Iterator[Block]) -> tuple[Columns, Iterator[Block]]:
    """Read blocks until the layout of the columns is known; return the columns with it, and all blocks."""
    begun = []
    for block in blocks:
        begun.append(block)
        layout = find_layout(block.lines, columns.comment)
        if layout is not None:
            columns = replace(columns, layout=layout)
            break
    return columns, chain(begun, blocks)


def _fast_rows(columns: Columns, source: str) -> Rows | None:
    """Return the columns for the fast path, or None if they are not plain columns."""
    layout = columns.layout
    if layout is None or layout.delimiter not in ("\t", " "):
        return None
    if columns.header or columns.sentence is not None:
        return None
    return columns.rows(layout, source)
