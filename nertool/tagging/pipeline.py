"""Any text in, tagged text out, in any format: a piece at a time, so that memory stays bounded.

CoNLL columns that stay columns, and sentences a line that are to be marked, go through stream.py,
line by line, byte for byte; all else is read into pieces of a corpus, tagged, and written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from nertool.corpus.annotated import Annotated, views, with_records
from nertool.corpus.brat import is_brat, read_brat
from nertool.corpus.columnar import Corpus
from nertool.corpus.conll import (
    Columns,
)
from nertool.corpus.formats import (
    RECORD_READERS,
    UNLABELLED,
    Opened,
    batches,
    columns_of,
    open_format,
)
from nertool.corpus.ledger import Ledger
from nertool.corpus.marked import write_html, write_marked
from nertool.corpus.plain import read_chunks, read_whole_lines
from nertool.corpus.records import Reading
from nertool.corpus.writers import (
    WRITERS,
    Writer,
    Writing,
    plain_object,
)
from nertool.files import open_input
from nertool.tagging.annotate import Asked, Tagging, annotate
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.parallel import Done, Task, Workers, do
from nertool.tagging.rewrite import columns_again, conll_pieces, conllu_again, numbered, usual
from nertool.tagging.stream import tag_stream

PIECE = 1 << 18  # characters tagged together
Report = Callable[[str], None]

# What a format is written as if nothing else is asked for; all others as JSON lines.
_AS_IT_CAME = {
    "conll": "conll",
    "conllu": "conllu",
    "text": "inline",
    "lines": "inline",
    "raw": "inline",
    "inline": "inline",
    "hf": "hf",
    "json": "json",
    "label-studio": "label-studio",
}


def tag_input(
    tagger: CompiledTagger,
    path: Path,
    tagging: Tagging,
    ledger: Ledger,
    report: Report,
    workers: Workers | None = None,
) -> Iterator[str]:
    """Yield the tagged text of a file (a folder in brat's format, `-` for standard input) in pieces.

    Errors: CorpusError with file:line.
    """
    if tagging.form == "brat" or (tagging.form == "auto" and path.is_dir() and is_brat(path)):
        ledger.read["files"] += 1
        reading = tagging.unlabelled()
        writer, writing = _writer(tagger, tagging.to or "jsonl", tagging, "brat")
        tasks = (
            Task(piece, str(path), "brat", reading, tagging.asked, None, writing)
            for piece in batches(read_brat(path, reading, ledger), PIECE)
        )
        yield from writer(_tagged(tagger, tasks, workers, ledger), writing, ledger)
        return
    with open_input(path) as (stream, source):
        yield from tag_opened(tagger, stream, source, tagging, ledger, report, workers)


def tag_opened(
    tagger: CompiledTagger,
    stream: BinaryIO,
    source: str,
    tagging: Tagging,
    ledger: Ledger,
    report: Report,
    workers: Workers | None = None,
) -> Iterator[str]:
    """Yield the tagged text of a stream in pieces, as tag_input."""
    settings = tagger.model.config.corpus
    reading = tagging.unlabelled()
    opened = open_format(stream, tagging.form, reading.comment or settings.comment)
    if opened.why:
        report(f"{source}: read as {opened.why}; --format says otherwise")
    to = tagging.to or _AS_IT_CAME.get(opened.form, "jsonl")
    by_lines = (
        opened.form in ("conll", "text") and to in ("conll", "inline") and tagging.asked.plain
    )
    ledger.read["files"] += 1
    columns = None
    if opened.form == "conll":
        columns = _columns(tagger, opened, reading, source, report)
    if by_lines and not tagging.replace_tags and usual(columns):
        yield from tag_stream(
            tagger,
            opened.stream,
            source,
            opened.form,
            to,
            tagging.scheme,
            None,
            report,
            columns,
            ledger,
        )
    elif columns is not None and to == "conll":
        yield from columns_again(tagger, opened, source, tagging, columns, ledger)
    elif opened.form == "conllu" and to == "conllu":
        yield from conllu_again(tagger, opened, source, tagging, ledger)
    else:
        writer, writing = _writer(tagger, to, tagging, opened.form)
        if columns is not None:
            corpora = numbered(conll_pieces(tagger, opened.stream, source, columns, ledger))
            yield from writer(
                tagged_pieces(tagger, corpora, tagging.asked, ledger), writing, ledger
            )
            return
        tasks = _tasks(opened, source, to, tagging, reading, writing, ledger)
        # What is written piece by piece can be written where it is tagged, and side by side.
        if to in _PIECEWISE or writer is write_marked:
            tasks = (task._replace(writer=writer) for task in tasks)
            for done in _done(tagger, tasks, workers):
                ledger.merge(done.ledger)
                yield done.text
        else:
            yield from writer(_tagged(tagger, tasks, workers, ledger), writing, ledger)


_PIECEWISE = ("jsonl", "doccano", "spacy", "conll")


def _tasks(
    opened: Opened,
    source: str,
    to: str,
    tagging: Tagging,
    reading: Reading,
    writing: Writing,
    ledger: Ledger,
) -> Iterator[Task]:
    """Yield an input's records in pieces that are to be tagged."""
    reader, layout = RECORD_READERS[opened.form]
    records = reader(opened.stream, source, reading, ledger)
    if to == "inline" and opened.form == "raw":  # to be put together again, here and below
        records = read_chunks(opened.stream, source)
    elif to == "inline" and opened.form in UNLABELLED:
        records = read_whole_lines(opened.stream, source, cut=opened.form == "lines")
    for piece in batches(records, PIECE):
        yield Task(piece, source, layout, reading, tagging.asked, None, writing)


def _done(tagger: CompiledTagger, tasks: Iterator[Task], workers: Workers | None) -> Iterator[Done]:
    return workers.run(tasks) if workers else (do(task, tagger) for task in tasks)


def _tagged(
    tagger: CompiledTagger, tasks: Iterator[Task], workers: Workers | None, ledger: Ledger
) -> Iterator[Annotated]:
    for done in _done(tagger, tasks, workers):
        ledger.merge(done.ledger)
        assert done.piece is not None
        yield done.piece


def _columns(
    tagger: CompiledTagger, opened: Opened, reading: Reading, source: str, report: Report
) -> Columns:
    """Find the words' column: as asked for, as the model was trained, or as the text shows."""
    settings = tagger.model.config.corpus
    if reading.token_column is None and settings.token_column != 0:
        reading = replace(reading, token_column=settings.token_column)
    reading = replace(reading, comment=reading.comment or settings.comment, labelled=True)
    return columns_of(opened, reading, source, report)


def _writer(tagger: CompiledTagger, to: str, tagging: Tagging, form: str) -> tuple[Writer, Writing]:
    scheme = tagging.scheme or tagger.model.corpus_scheme
    # A piece does not know of the documents in others: whether they have heads is one rule for all.
    marks = form not in ("raw", "text", "conll")
    writing = Writing(scheme, True, tagging.exact, tagging.source, marks)
    if to == "html":
        return write_html, writing
    if to == "inline" and form in UNLABELLED:
        return write_marked, writing
    return WRITERS[to].write, writing


def tagged_pieces(
    tagger: CompiledTagger, pieces: Iterator[Corpus], asked: Asked, ledger: Ledger
) -> Iterator[Annotated]:
    """Yield each piece with the entities that were found in it."""
    for corpus in pieces:
        piece = annotate(tagger, corpus, asked, ledger)
        ledger.read["entities found"] += len(piece.spans)
        yield piece


def parquet_rows(
    tagger: CompiledTagger, path: Path, tagging: Tagging, ledger: Ledger, report: Report
) -> Iterator[dict[str, Any]]:
    """Yield the tagged records of a file as rows for Parquet."""
    with open_input(path) as (stream, source):
        reading = tagging.unlabelled()
        opened = open_format(stream, tagging.form, reading.comment)
        if opened.why:
            report(f"{source}: read as {opened.why}; --format says otherwise")
        ledger.read["files"] += 1
        columns = None
        if opened.form == "conll":
            columns = _columns(tagger, opened, reading, source, report)
            corpora = numbered(conll_pieces(tagger, opened.stream, source, columns, ledger))
            pieces = tagged_pieces(tagger, corpora, tagging.asked, ledger)
        else:
            _, writing = _writer(tagger, "jsonl", tagging, opened.form)
            tasks = _tasks(opened, source, "parquet", tagging, reading, writing, ledger)
            pieces = _tagged(tagger, tasks, None, ledger)
        for piece in pieces:
            corpus = with_records(piece.corpus, by_sentence=True)
            for view in views(piece._replace(corpus=corpus)):
                yield plain_object(view, tagging.exact)
