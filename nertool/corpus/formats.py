"""All formats in one table, and a corpus from a path in any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nertool.corpus.brat import is_brat, read_brat
from nertool.corpus.columnar import Corpus
from nertool.corpus.columns import find_columns
from nertool.corpus.conll import Columns, decode_lines, parse_conll
from nertool.corpus.conllu import read_conllu
from nertool.corpus.detect import HEAD_BYTES, detect
from nertool.corpus.inline import read_inline
from nertool.corpus.jsonl import read_json_list, read_jsonl
from nertool.corpus.labelstudio import read_label_studio
from nertool.corpus.ledger import Ledger
from nertool.corpus.parquet import read_parquet
from nertool.corpus.plain import read_lines, read_raw, read_text
from nertool.corpus.records import Reading, Record, build_corpus, entities_of
from nertool.errors import CorpusError
from nertool.files import open_input

Report = Callable[[str], None]
Reader = Callable[[BinaryIO, str, Reading, Ledger], Iterator[Record]]

RECORD_READERS: dict[str, tuple[Reader, str]] = {
    "jsonl": (read_jsonl, "JSON lines"),
    "json": (read_json_list, "a JSON list"),
    "label-studio": (read_label_studio, "Label Studio's JSON"),
    "parquet": (read_parquet, "Parquet"),
    "conllu": (
        lambda stream, source, reading, ledger: read_conllu(
            decode_lines(stream, source), source, reading.labelled
        ),
        "CoNLL-U",
    ),
    "inline": (
        lambda stream, source, reading, ledger: read_inline(
            decode_lines(stream, source), source, reading.part
        ),
        "inline annotation",
    ),
    "text": (
        lambda stream, source, reading, ledger: read_text(stream, source),
        "a sentence a line",
    ),
    "lines": (lambda stream, source, reading, ledger: read_lines(stream, source), "a text a line"),
    "raw": (lambda stream, source, reading, ledger: read_raw(stream, source), "running text"),
}
# Other names for JSON lines and lists, as people call them.
ALIASES = {"doccano": "jsonl", "spacy": "jsonl", "prodigy": "jsonl", "hf": "jsonl"}
UNLABELLED = ("text", "lines", "raw")


class Opened(NamedTuple):
    """An input whose format is known. head: its first lines; why: what showed the format, if it was found."""

    stream: BinaryIO
    form: str
    why: str | None
    head: list[str]


class Rewound:
    """A stream that gives back first what was read from it already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = BytesIO(head), stream

    def read(self, size: int = -1) -> bytes:
        head = self._head.read(size)
        if size < 0:
            return head + self._stream.read()
        return head + self._stream.read(size - len(head)) if len(head) < size else head


def open_format(stream: BinaryIO, form: str, comment: str = "") -> Opened:
    """Look at a stream's first bytes, and find its format if form is auto; nothing is lost from it."""
    head = b""
    while len(head) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(head))):
        head += piece
    rewound: BinaryIO = Rewound(head, stream)  # type: ignore[assignment]
    whole = len(head) < HEAD_BYTES
    why = None
    if form == "auto":
        form, why = detect(head, whole, comment)
    lines = head.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")
    if len(lines) > 1 and (not whole or not lines[-1]):
        lines.pop()
    return Opened(
        rewound, ALIASES.get(form, form), why, [line.removesuffix("\r") for line in lines]
    )


def labels_needed(opened: Opened) -> Opened:
    """Take for columns what looks like plain text, so that what is wrong with them is named."""
    return opened._replace(form="conll", why=None) if opened.form in UNLABELLED else opened


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


def count(corpus: Corpus, ledger: Ledger, files: int = 1) -> None:
    """Enter what was read into the account."""
    ledger.read["files"] += files
    if corpus.records is not None:
        ledger.read["records"] += len(corpus.records.texts)
    ledger.read["sentences"] += corpus.sentences
    ledger.read["tokens"] += corpus.tokens
    if corpus.tags:
        ledger.read["entities"] += len(entities_of(corpus))
