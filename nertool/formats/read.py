"""All formats in one table, and a corpus from a path in any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from nertool.corpus.build import build_corpus, count
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.files.safe import open_input
from nertool.formats.conll.find import find_columns
from nertool.formats.conll.parse import Columns, decode_lines, parse_conll
from nertool.formats.opening import Opened, labels_needed, open_format
from nertool.formats.registry import RECORD_READERS
from nertool.formats.standoff.brat import is_brat, read_brat

Report = Callable[[str], None]


def read_corpus(
    path: Path, form: str, reading: Reading, ledger: Ledger, report: Report = lambda line: None
) -> Corpus:
    """Read a whole file, or a folder in brat's format, as one corpus; `-` is standard input.

    form: a format's name, or auto; what is found is reported. Errors: CorpusError with file:line.
    """
    if form == "brat" or (form == "auto" and is_brat(path)):
        if form == "auto":
            report(f"{path}: read as brat's .txt and .ann")
        refuse_part(reading, "brat", str(path))
        records = read_brat(path, reading, ledger)
        return _counted(build_corpus(records, str(path), "brat", reading, ledger), ledger)
    with open_input(path) as (stream, source):
        return read_stream(stream, source, form, reading, ledger, report)


def read_stream(
    stream: BinaryIO, source: str, form: str, reading: Reading, ledger: Ledger, report: Report
) -> Corpus:
    """Read all of a stream as one corpus; as read_corpus."""
    opened = open_format(stream, form, reading.comment)
    if reading.needs_labels:
        opened = labels_needed(opened)
    if opened.why:
        report(f"{source}: read as {opened.why}")
    refuse_part(reading, opened.form, source)
    if opened.form == "conll":
        columns = columns_of(opened, reading, source, report)
        corpus = parse_conll(decode_lines(opened.stream, source), columns, source)
        return _counted(corpus, ledger)
    reader, layout = RECORD_READERS[opened.form]
    records = reader(opened.stream, source, reading, ledger)
    corpus = build_corpus(records, source, layout, reading, ledger)
    if reading.part and not corpus.tokens:
        raise CorpusError(
            f"{source}: found no document of part {reading.part}, expected sentences with [words](LABEL)"
        )
    return _counted(corpus, ledger)


def refuse_part(reading: Reading, form: str, source: str) -> None:
    """Refuse to look for one part's documents in a format that has no parts."""
    if reading.part is not None and form != "inline":
        raise CorpusError(
            f"{source}: found {form}, expected inline: its documents alone name a part; leave out --part"
        )


def _counted(corpus: Corpus, ledger: Ledger) -> Corpus:
    if not corpus.tokens:
        raise CorpusError(f"{corpus.source}: found no token, expected text with words in it")
    count(corpus, ledger)
    return corpus


def columns_of(opened: Opened, reading: Reading, source: str, report: Report) -> Columns:
    """Find the columns of an input in CoNLL columns; what is not as usual is reported."""
    columns, unusual = find_columns(opened.head, reading, source)
    if unusual:
        report(f"{source}: found {unusual}")
    return columns if reading.labelled else replace(columns, tag=None)


def batches(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    """Yield a stream of records in lists of some `size` characters each: memory stays bounded.

    A list ends where a document does, unless that would make it four times as long.
    """
    piece: list[Record] = []
    length = 0
    for record in records:
        if piece and (length >= 4 * size or (length >= size and not record.goes_on)):
            yield piece
            piece, length = [], 0
        piece.append(record)
        length += len(record.text) + 100  # a record costs something beyond its text
    if piece:
        yield piece
