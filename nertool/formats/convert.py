"""From one format into another: what goes where, and what has no place there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from nertool.corpus.annotated import Annotated, labelled, views, with_records
from nertool.corpus.build import count
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger, counted
from nertool.corpus.record import Reading
from nertool.files.safe import open_input
from nertool.formats.base import Writing, tags_in
from nertool.formats.conll.parse import column_index, decode_lines, parse_conll
from nertool.formats.conll.retag import retagged
from nertool.formats.json.objects import plain_object
from nertool.formats.opening import open_format
from nertool.formats.read import Report, columns_of, read_corpus, read_stream, refuse_part
from nertool.formats.registry import WRITERS, left_out
from nertool.formats.standoff.brat import is_brat


def convert_texts(
    paths: Iterable[Path],
    form: str,
    to: str,
    reading: Reading,
    writing: Writing,
    bare: bool,
    ledger: Ledger,
    report: Report,
) -> Iterator[str]:
    """Yield the texts in another format. CoNLL columns to CoNLL columns keeps all lines and columns,
    other tags apart, unless only the words and tags are wanted (bare).

    Errors: CorpusError with file:line.
    """
    for path in paths if to == "conll" and not bare else ():
        if form == "brat" or is_brat(path):
            yield from WRITERS[to].write(
                annotated([path], form, to, reading, ledger, report), writing, ledger
            )
            continue
        with open_input(path) as (stream, source):
            raw = stream.read()
        yield from _to_conll(raw, source, form, reading, writing, ledger, report)
    if to != "conll" or bare:
        yield from WRITERS[to].write(
            annotated(paths, form, to, reading, ledger, report), writing, ledger
        )


def annotated(
    paths: Iterable[Path], form: str, to: str, reading: Reading, ledger: Ledger, report: Report
) -> Iterator[Annotated]:
    """Yield each path's corpus with its own entities; say what the output has no place for."""
    for path in paths:
        corpus = read_corpus(path, form, reading, ledger, report)
        yield _described(corpus, to, report)


def parquet_rows(pieces: Iterable[Annotated], writing: Writing) -> Iterator[dict[str, Any]]:
    """Yield each record as a row: its fields, text and entities, and its tokens' places."""
    for piece in pieces:
        corpus = with_records(piece.corpus, writing.by_sentence)
        for view in views(piece._replace(corpus=corpus)):
            yield plain_object(view, writing.exact)


def _described(corpus: Corpus, to: str, report: Report, kept: bool = False) -> Annotated:
    """Return a corpus with its entities, and say what it holds and what won't go along."""
    piece = labelled(corpus)
    report(
        f"{corpus.source}: {counted(corpus.tokens, 'tokens')}, "
        f"{counted(corpus.sentences, 'sentences')}, {counted(corpus.documents, 'documents')}, "
        f"{counted(len(piece.spans), 'entities')} ({corpus.layout})"
    )
    lost = left_out(corpus, to)
    if corpus.columns > 2 and not kept:
        lost.append(f"{corpus.columns - 2} other columns")
    if lost:
        report(f"{corpus.source}: {to} has no place for {', '.join(lost)}: left out")
    return piece


def _to_conll(
    raw: bytes,
    source: str,
    form: str,
    reading: Reading,
    writing: Writing,
    ledger: Ledger,
    report: Report,
) -> Iterator[str]:
    """Yield a file's text as CoNLL columns: its own lines with other tags, if it is in columns."""
    opened = open_format(BytesIO(raw), form, reading.comment)
    if opened.form != "conll":
        corpus = read_stream(BytesIO(raw), source, form, reading, ledger, report)
        yield from WRITERS["conll"].write([_described(corpus, "conll", report)], writing, ledger)
        return
    if opened.why:
        report(f"{source}: read as {opened.why}")
    refuse_part(reading, opened.form, source)
    columns = columns_of(opened, reading, source, report)
    corpus = parse_conll(decode_lines(BytesIO(raw), source), columns, source)
    count(corpus, ledger)
    piece = _described(corpus, "conll", report, kept=True)
    layout = columns.layout
    assert layout is not None
    assert columns.tag is not None
    tags = tags_in(piece, writing.scheme, ledger)
    column = column_index(columns.tag, layout, "--tag-column", source)
    yield from retagged(BytesIO(raw), corpus, tags, layout, column)
