"""Read a corpus from a path in any format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from nertool.catalogue import FORMATS, Formats, find_format
from nertool.corpus.blocks import decode_lines
from nertool.corpus.build import build_corpus, count
from nertool.corpus.classes import check_classes
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.corpus.schemes import OUTSIDE
from nertool.errors import CorpusError
from nertool.formats.conll.find import looks_like_tag
from nertool.formats.conll.parse import parse_conll
from nertool.formats.conll.rows import find_layout
from nertool.formats.foreign import known_markup
from nertool.formats.head import Head
from nertool.formats.opening import Opened, Report, open_stream, open_text

_WIDEST = 8
# Formats that also serve other purposes than entities: a file without any entity is taken as unlabelled.
_UNMARKED = ("conllu", "pubtator", "xml")


def read_corpus(
    path: Path,
    format_name: str,
    reading: Reading,
    ledger: Ledger,
    report: Report = lambda line: None,
    formats: Formats = FORMATS,
) -> Corpus:
    """Read a whole file or folder as one corpus. `-` is standard input.

    format_name: the name of a format, or auto. A detected format is reported. Errors: CorpusError with
    file:line.
    """
    with open_text(path, format_name, reading, formats) as opened:
        return read_opened(opened, reading, ledger, report)


def read_stream(
    stream: BinaryIO,
    source: str,
    format_name: str,
    reading: Reading,
    ledger: Ledger,
    report: Report,
    formats: Formats = FORMATS,
) -> Corpus:
    """Read a whole stream as one corpus. See read_corpus."""
    opened = open_stream(stream, source, format_name, reading, formats)
    return read_opened(opened, reading, ledger, report)


def read_opened(opened: Opened, reading: Reading, ledger: Ledger, report: Report) -> Corpus:
    """Read an open input as one corpus. See read_corpus."""
    source = opened.source
    if reading.needs_labels:
        opened = with_labels_needed(opened)
    if opened.why:
        report(f"{source}: read as {opened.why}")
    refuse_part(reading, opened)
    if opened.in_columns:
        columns = opened.columns(reading, report)
        skipped = ledger if reading.pass_over_faulty else None
        corpus = parse_conll(decode_lines(opened.whole, source), columns, source, skipped=skipped)
    else:
        records = opened.records(reading, ledger)
        corpus = build_corpus(records, source, opened.why or opened.format.title, reading, ledger)
    if (
        opened.why
        and opened.format.name in _UNMARKED
        and not any(tag != OUTSIDE for tag in corpus.tags)
    ):
        corpus = replace(
            corpus, tags=[], tag_ids=corpus.tag_ids[:0]
        )  # the file was not annotated with entities
    if reading.part and not corpus.tokens:
        raise CorpusError(
            f"{source}: found no document of part {reading.part}, expected sentences with [words](LABEL)"
        )
    if not corpus.tokens:
        raise CorpusError(f"{source}: found no token, expected text with words in it")
    if reading.labelled:
        check_classes(corpus, reading, report)
    count(corpus, ledger)
    return corpus


def with_labels_needed(opened: Opened) -> Opened:
    """Make sure that an input whose labels are needed is in a labelled format.

    If its format was detected as plain text, but its lines look like CoNLL columns, it is opened as columns,
    so that their reader names the faulty lines. Errors: CorpusError for other text that was detected as plain
    text.
    """
    if not opened.why or opened.format.labelled:
        return opened
    if known_markup(opened.head.text) or not _like_columns(opened.head):
        raise no_labels(opened.source, opened.format.title, opened.head)
    return replace(opened, format=find_format("conll"), why=None)


def _like_columns(head: Head) -> bool:
    """Tell whether lines look like columns, even if many are faulty.

    They do if no line has more than _WIDEST words, most have several columns, and a quarter end with a tag.
    True also if there are no lines.
    """
    if not head.rows:
        return True
    layout = find_layout(head.rows)
    if layout is None or layout.width < 2 or any(len(line.split()) > _WIDEST for line in head.rows):
        return False
    rows = [row for row in map(layout.split, head.rows) if len(row) > 1]
    tagged = sum(looks_like_tag(row[-1]) or row[-1] in ("B-", "I-") for row in rows)
    return 4 * tagged >= len(head.rows)


def no_labels(source: str, title: str, head: Head, labelled: bool = False) -> CorpusError:
    """Return the error for text without labels where labels are needed.

    The message names known markup that occurs in the text. labelled: whether the format is a labelled one.
    """
    if labelled:
        return CorpusError(
            f"{source}: found {title}: no labels here, expected a list of spans in each record (entities, "
            "spans, label or labels) or tags (ner_tags)"
        )
    markup = known_markup(head.text)
    what = f"what looks like {markup}, which would be read as {title}" if markup else title
    return CorpusError(
        f"{source}: found {what}: no labels here, expected labelled text; if these are columns or another "
        "known format, name it by --format (corpus.format in a config), and its faulty lines are named"
    )


def refuse_part(reading: Reading, opened: Opened) -> None:
    """Refuse a selection of one part (train, dev, test) in a format that does not mark parts."""
    if reading.part is not None and opened.format.name != "inline":
        raise CorpusError(
            f"{opened.source}: found {opened.format.name}, expected inline: its documents alone name a "
            "part; leave the part out (corpus convert --part)"
        )


def batches(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    """Group records into lists of about `size` characters, so that memory stays bounded.

    A list ends at the end of a document, unless that would make it longer than four times `size`.
    """
    batch: list[Record] = []
    length = 0
    for record in records:
        if batch and (length >= 4 * size or (length >= size and not record.goes_on)):
            yield batch
            batch, length = [], 0
        batch.append(record)
        length += len(record.text) + 100  # a record also takes memory besides its text
    if batch:
        yield batch
