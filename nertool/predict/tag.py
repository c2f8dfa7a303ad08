"""Tag one opened input of any format, part by part, so that memory is bounded.

An input becomes tasks, which workers run in parallel. There are two ways to tag it: some pairs of formats
keep the input's own lines and add the tags (rewrite.py). Others go through records, which the writer of the
output's format turns into text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from nertool.catalogue import Format
from nertool.corpus.annotated import Annotated
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.formats.base import Writer, Writing
from nertool.formats.opening import Opened, Report
from nertool.formats.registry import module_of
from nertool.formats.write import written
from nertool.inputs.layout import needs_documents
from nertool.predict.blocks import whole_records
from nertool.predict.columns import ColumnsInput, read_columns
from nertool.predict.request import PredictRequest
from nertool.predict.rewrite import REWRITES, rewrite_columns
from nertool.predict.tasks.column_records import ColumnRecordsTask, Numbers, numbered, tag_column
from nertool.predict.tasks.records import RecordsTask
from nertool.predict.tasks.task import Result
from nertool.predict.workers import Workers


class OutputColumns(NamedTuple):
    """The columns of an input's output. delimiter: None if the writer chooses it."""

    source: str
    width: int
    delimiter: str | None = None


class Tagged(NamedTuple):
    """A tagged input before it is written.

    It has either texts, which are ready to be written, or pieces for a writer; the other is None. format: the
    output's format; writing: the options of its writer; columns: those of an output in CoNLL columns.
    """

    format: Format
    writing: Writing
    columns: OutputColumns | None = None
    texts: Iterator[str] | None = None
    pieces: Iterator[Annotated] | None = None


def tag_input(
    opened: Opened,
    request: PredictRequest,
    workers: Workers,
    ledger: Ledger,
    report: Report,
    numbers: Numbers | None = None,
) -> Tagged:
    """Tag an opened input. The records are read and tagged while the result is iterated.

    numbers: those of the output's records, if several inputs share it. Errors, while iterating: CorpusError
    with file:line.
    """
    if opened.why:
        report(f"{opened.source}: read as {opened.why}; --from names another format")
    ledger.read["files"] += 1
    tagger = workers.tagger
    to = request.for_input(opened.format)
    request = request.for_output(to)
    writing = Writing(
        request.scheme or tagger.model.corpus_scheme,
        by_sentence=True,
        exact=request.tokens,
        source=request.with_source,
        marks=opened.format.heads,
        ner_key=request.ner_key,
    )
    out = Tagged(to, writing)
    if to.name == "conll" and opened.head.text.strip():
        out = out._replace(columns=OutputColumns(opened.source, 2 + request.details.probabilities))
    if opened.in_columns:
        return _tag_columns(opened, out, request, workers, ledger, report, numbers or Numbers())
    rewrite = REWRITES.get((opened.format.name, to.name))
    tasks = rewrite(opened, to, tagger, request, ledger) if rewrite else None
    if tasks is not None:
        return out._replace(texts=_texts(workers.run(tasks), ledger))
    return _tag_records(opened, out, request, workers, ledger)


def annotated_pieces(
    opened: Opened, request: PredictRequest, workers: Workers, ledger: Ledger, report: Report
) -> Iterator[Annotated]:
    """Yield an opened input's records with their predicted entities.

    In CoNLL columns, each sentence is a record. Errors, while iterating: CorpusError with file:line.
    """
    if opened.why:
        report(f"{opened.source}: read as {opened.why}; --from names another format")
    ledger.read["files"] += 1
    if opened.in_columns:
        given = read_columns(opened, workers.tagger, request, report)
        return _column_pieces(opened, given, request, workers, ledger, Numbers())
    return _record_pieces(opened, request.unlabelled, request, workers, ledger)


def _tag_columns(
    opened: Opened,
    out: Tagged,
    request: PredictRequest,
    workers: Workers,
    ledger: Ledger,
    report: Report,
    numbers: Numbers,
) -> Tagged:
    """Tag CoNLL columns, as lines or as records."""
    tagger = workers.tagger
    skipped = None if request.on_error == "fail" else ledger
    given = read_columns(opened, tagger, request, report, skipped)
    tasks = rewrite_columns(opened, given, out.format, tagger, request)
    if tasks is not None:
        layout = given.columns.layout
        if layout is None:  # no line has a token
            out = out._replace(columns=None)
        elif out.columns is not None:
            width = layout.width + (not request.replace_tags) + request.details.probabilities
            out = out._replace(columns=OutputColumns(opened.source, width, layout.delimiter))
        return out._replace(texts=_texts(workers.run(tasks), ledger))
    gold = "gold" in out.format.keeps
    pieces = _column_pieces(opened, given, request, workers, ledger, numbers, gold)
    return out._replace(pieces=pieces)


def _column_pieces(
    opened: Opened,
    given: ColumnsInput,
    request: PredictRequest,
    workers: Workers,
    ledger: Ledger,
    numbers: Numbers,
    gold: bool = False,
) -> Iterator[Annotated]:
    """Yield the sentences of CoNLL columns as records.

    gold: store the sentences' own labels in the field `gold`, if there is a column of tags.
    """
    column = tag_column(opened.head.lines, given.columns, opened.source) if gold else None
    tasks = (
        ColumnRecordsTask(block, opened.source, given.columns, request.details, column)
        for block in given.blocks
    )
    return numbered(_merged(workers.run(tasks), ledger), numbers)


def _record_pieces(
    opened: Opened, reading: Reading, request: PredictRequest, workers: Workers, ledger: Ledger
) -> Iterator[Annotated]:
    """Yield an input's tagged records, for a writer that needs all of them."""
    title = opened.format.title
    tasks = (
        RecordsTask(batch, opened.source, title, reading, request.details, None, Writing())
        for batch in _whole_records(opened.records(reading, ledger), reading, request, workers)
    )
    return _pieces(workers.run(tasks), ledger)


def _tag_records(
    opened: Opened, out: Tagged, request: PredictRequest, workers: Workers, ledger: Ledger
) -> Tagged:
    """Tag an input's records. If the output's format can be written piece by piece, workers write it, too."""
    reading = request.reading_for(out.format)
    records, writer = _kept_whole(opened, out.format)
    if records is None:
        records = opened.records(reading, ledger)
        writer = partial(written, out.format) if out.format.piecewise else None
    if writer is None:
        return out._replace(pieces=_record_pieces(opened, reading, request, workers, ledger))
    tasks = (
        RecordsTask(
            batch, opened.source, opened.format.title, reading, request.details, writer, out.writing
        )
        for batch in _whole_records(records, reading, request, workers)
    )
    return out._replace(texts=_texts(workers.run(tasks), ledger))


def _whole_records(
    records: Iterator[Record], reading: Reading, request: PredictRequest, workers: Workers
) -> Iterator[list[Record]]:
    """Group records into lists that can be tagged separately."""
    tagger = workers.tagger
    documents, size = needs_documents(tagger.model.config), request.sizes.piece_characters
    return whole_records(records, size, reading, documents, tagger.document_tokens)


def _kept_whole(opened: Opened, to: Format) -> tuple[Iterator[Record] | None, Writer | None]:
    """Return records whose texts together are exactly the input's text, and the writer for them.

    The writer marks entities inside these texts. Return None, None if one of the two formats does not
    support this.
    """
    read = getattr(module_of(opened.format), "read_whole", None)
    write = getattr(module_of(to), "write_whole", None)
    if read is None or write is None:
        return None, None
    return read(opened.stream, opened.source), write


def _merged(results: Iterator[Result], ledger: Ledger) -> Iterator[Result]:
    """Yield results, and add their ledgers to `ledger`."""
    for result in results:
        ledger.merge(result.ledger)
        yield result


def _texts(results: Iterator[Result], ledger: Ledger) -> Iterator[str]:
    return (result.text for result in _merged(results, ledger))


def _pieces(results: Iterator[Result], ledger: Ledger) -> Iterator[Annotated]:
    return (r.piece for r in _merged(results, ledger) if r.piece is not None)
