"""Any text in, tagged text out, in any format: a piece at a time, so that memory stays bounded.

CoNLL columns that stay columns, and sentences a line that are to be marked, go through stream.py,
line by line, byte for byte; all else is read into pieces of a corpus, tagged, and written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from nertool.catalogue import Format, find_format
from nertool.corpus.annotated import Annotated, views, with_records
from nertool.corpus.blocks import BLOCK_BYTES, Block, read_blocks, whole_sentences
from nertool.corpus.ledger import Ledger
from nertool.formats.base import Writer, Writing
from nertool.formats.conll.parse import Columns
from nertool.formats.conll.rows import Rows, find_layout
from nertool.formats.json.objects import plain_object
from nertool.formats.markup.inline import write_marked
from nertool.formats.opening import Opened, open_text
from nertool.formats.plain.lines import read_whole_lines
from nertool.formats.plain.raw import read_chunks
from nertool.formats.read import batches
from nertool.formats.registry import text_writer
from nertool.inputs.shapes import needs_documents
from nertool.model.model import Model
from nertool.predict.cuts import whole_columns, whole_sentence_lines
from nertool.predict.request import Tagging
from nertool.predict.tasks.columns import ColumnsTask
from nertool.predict.tasks.conllu import ConlluTask
from nertool.predict.tasks.pieces import PieceTask, numbered
from nertool.predict.tasks.records import RecordsTask
from nertool.predict.tasks.rows import ColumnsAgainTask, usual
from nertool.predict.tasks.sentences import SentencesTask
from nertool.predict.tasks.task import Done, Task
from nertool.predict.workers import Workers

PIECE = 1 << 18  # characters tagged together
Report = Callable[[str], None]

_TURNS = 4  # times as large as others are a text's blocks for several networks


def tag_input(
    model: Model,
    path: Path,
    tagging: Tagging,
    ledger: Ledger,
    report: Report,
    workers: Workers,
) -> Iterator[str]:
    """Yield the tagged text of a file (a folder in brat's format, `-` for standard input) in pieces.

    Errors: CorpusError with file:line.
    """
    comment = tagging.reading.comment or model.config.corpus.comment
    with open_text(path, tagging.form, comment) as opened:
        if opened.why:
            report(f"{opened.source}: read as {opened.why}; --format says otherwise")
        yield from tag_opened(model, opened, tagging, ledger, report, workers)


def tag_opened(
    model: Model,
    opened: Opened,
    tagging: Tagging,
    ledger: Ledger,
    report: Report,
    workers: Workers,
) -> Iterator[str]:
    """Yield the tagged text of an opened input in pieces, as tag_input."""
    source = opened.source
    to = tagging.to or opened.format.written_as
    ledger.read["files"] += 1
    columns, blocks = _columns(model, opened, tagging, source, report)
    tasks = _line_tasks(model, opened.format.name, columns, blocks, source, to, tagging)
    if tasks is not None:
        yield from _texts(workers.run(tasks), ledger)
        return
    writer, writing = _writer(model, to, tagging, opened.format)
    if columns is not None:
        tasks = _piece_tasks(model, columns, blocks, source, tagging)
        yield from writer(numbered(_merged(workers.run(tasks), ledger)), writing, ledger)
        return
    records = _record_tasks(opened, source, to, tagging, writing, ledger)
    if find_format(to).piecewise or writer is write_marked:
        tasks = (task._replace(writer=writer) for task in records)
        yield from _texts(workers.run(tasks), ledger)
    else:
        yield from writer(_pieces(workers.run(records), ledger), writing, ledger)


def parquet_rows(
    model: Model, path: Path, tagging: Tagging, ledger: Ledger, report: Report, workers: Workers
) -> Iterator[dict[str, Any]]:
    """Yield the tagged records of a file as rows for Parquet."""
    comment = tagging.reading.comment or model.config.corpus.comment
    with open_text(path, tagging.form, comment) as opened:
        source = opened.source
        if opened.why:
            report(f"{source}: read as {opened.why}; --format says otherwise")
        ledger.read["files"] += 1
        columns, blocks = _columns(model, opened, tagging, source, report)
        if columns is not None:
            tasks = _piece_tasks(model, columns, blocks, source, tagging)
            pieces = numbered(_merged(workers.run(tasks), ledger))
        else:
            _, writing = _writer(model, "jsonl", tagging, opened.format)
            records = _record_tasks(opened, source, "parquet", tagging, writing, ledger)
            pieces = _pieces(workers.run(records), ledger)
        for piece in pieces:
            corpus = with_records(piece.corpus, by_sentence=True)
            for view in views(piece._replace(corpus=corpus)):
                yield plain_object(view, tagging.exact)


def _line_tasks(
    model: Model,
    form: str,
    columns: Columns | None,
    blocks: Iterator[Block],
    source: str,
    to: str,
    tagging: Tagging,
) -> Iterator[Task] | None:
    """Yield an input that leaves as its own lines in pieces; None if it leaves otherwise."""
    scheme = tagging.scheme or model.corpus_scheme
    documents = needs_documents(model.config)
    fast = to in ("conll", "inline") and not tagging.details.needed and not tagging.replace_tags
    if form == "text" and fast:
        whole = whole_sentence_lines(blocks, documents)
        return (SentencesTask(block, to, scheme) for block in whole)
    if form == "conllu" and to == "conllu":
        reading = tagging.unlabelled()
        return (ConlluTask(block, source, reading, scheme) for block in whole_sentences(blocks))
    if columns is None:
        return None
    if fast and usual(columns):
        rows = _rows(columns, source)
        return (
            ColumnsTask(block, source, rows, to, scheme)
            for block in whole_columns(blocks, rows, documents)
        )
    if to != "conll":
        return None
    return (
        ColumnsAgainTask(block, source, columns, tagging.details, tagging.replace_tags, scheme)
        for block in _whole(model, blocks, columns, source)
    )


def _piece_tasks(
    model: Model, columns: Columns, blocks: Iterator[Block], source: str, tagging: Tagging
) -> Iterator[PieceTask]:
    """Yield CoNLL columns that are wanted as records in pieces."""
    for block in _whole(model, blocks, columns, source):
        yield PieceTask(block, source, columns, tagging.details)


def _whole(model: Model, blocks: Iterator[Block], columns: Columns, source: str) -> Iterator[Block]:
    if not usual(columns):
        return whole_sentences(blocks)
    return whole_columns(blocks, _rows(columns, source), needs_documents(model.config))


def _rows(columns: Columns, source: str) -> Rows:
    assert columns.layout is not None
    return columns.rows(columns.layout, source)


def _columns(
    model: Model, opened: Opened, tagging: Tagging, source: str, report: Report
) -> tuple[Columns | None, Iterator[Block]]:
    """Find the words' column, if the input has columns: as asked for, as the model was trained, or as
    the text shows. Return it with the text."""
    # The tables of several networks take turns, and what each makes anew for a block pays in a large one.
    alone = len(model.first_stage) + len(model.members) == 1
    if opened.stream is None:
        return None, iter(())
    blocks = read_blocks(opened.stream, source, BLOCK_BYTES * (1 if alone else _TURNS))
    if not opened.in_columns:
        return None, blocks
    reading, settings = tagging.unlabelled(), model.config.corpus
    if reading.token_column is None and settings.token_column != 0:
        reading = replace(reading, token_column=settings.token_column)
    reading = replace(reading, comment=reading.comment or settings.comment, labelled=True)
    columns = opened.columns(reading, report)
    if columns.layout is None:  # nothing but marks, blank lines and comments so far
        begun = []
        for block in blocks:
            begun.append(block)
            layout = find_layout(block.lines, columns.comment)
            if layout is not None:
                columns = replace(columns, layout=layout)
                break
        blocks = chain(begun, blocks)
    return columns, blocks


def _record_tasks(
    opened: Opened, source: str, to: str, tagging: Tagging, writing: Writing, ledger: Ledger
) -> Iterator[RecordsTask]:
    """Yield an input's records in pieces."""
    reading = tagging.unlabelled()
    records = opened.records(reading, ledger)
    if to == "inline" and opened.format.name == "raw":  # to be put together again, here and below
        records = read_chunks(opened.whole, source)
    elif to == "inline" and not opened.format.labelled:
        records = read_whole_lines(opened.whole, source, cut=opened.format.name == "lines")
    title = opened.format.title
    for piece in batches(records, PIECE):
        yield RecordsTask(piece, source, title, reading, tagging.details, None, writing)


def _merged(done: Iterator[Done], ledger: Ledger) -> Iterator[Done]:
    for one in done:
        ledger.merge(one.ledger)
        yield one


def _texts(done: Iterator[Done], ledger: Ledger) -> Iterator[str]:
    return (one.text for one in _merged(done, ledger))


def _pieces(done: Iterator[Done], ledger: Ledger) -> Iterator[Annotated]:
    return (one.piece for one in _merged(done, ledger) if one.piece is not None)


def _writer(model: Model, to: str, tagging: Tagging, came: Format) -> tuple[Writer, Writing]:
    scheme = tagging.scheme or model.corpus_scheme
    # A piece does not know of the documents in others: whether they have heads is one rule for all.
    marks = came.name not in ("raw", "text", "conll")
    writing = Writing(scheme, True, tagging.exact, tagging.source, marks)
    if to == "inline" and not came.labelled:
        return write_marked, writing
    return text_writer(to), writing
