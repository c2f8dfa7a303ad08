"""Any text in, tagged text out, in any format: a piece at a time, so that memory stays bounded.

CoNLL columns that stay columns, and sentences a line that are to be marked, go through stream.py,
line by line, byte for byte; all else is read into pieces of a corpus, tagged, and written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from nertool.corpus.annotated import Annotated, views, with_records
from nertool.corpus.blocks import Block, is_blank, read_blocks, whole_sentences
from nertool.corpus.brat import is_brat, read_brat
from nertool.corpus.columnar import Corpus
from nertool.corpus.conll import Columns, column_index, is_document_start, parse_conll
from nertool.corpus.conllu import read_conllu, with_ner
from nertool.corpus.formats import (
    RECORD_READERS,
    Opened,
    batches,
    columns_of,
    count,
    open_format,
)
from nertool.corpus.jsonobjects import DOCUMENT
from nertool.corpus.ledger import Ledger
from nertool.corpus.marked import write_html, write_marked
from nertool.corpus.plain import read_chunks
from nertool.corpus.records import Reading, build_corpus
from nertool.corpus.retag import with_tag
from nertool.corpus.writers import (
    WRITERS,
    Writer,
    Writing,
    plain_object,
    tags_in,
    token_probabilities,
)
from nertool.embeddings.inputs import needs_documents
from nertool.files import open_input
from nertool.tagging.annotate import Asked, annotate
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.parallel import Done, Task, Workers, do
from nertool.tagging.stream import Lines, last_document, tag_stream, whole_documents

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


@dataclass(frozen=True)
class Tagging:
    """What is to be done to every input. to, scheme: None for as it came, as in training."""

    form: str = "auto"
    to: str | None = None
    scheme: str | None = None
    replace_tags: bool = False
    asked: Asked = field(default_factory=Asked)
    reading: Reading = field(default_factory=Reading)
    exact: bool = False
    source: bool = False


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
        reading = _reading(tagging)
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
    reading = _reading(tagging)
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
    if by_lines and not tagging.replace_tags and _usual(columns):
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
        yield from _columns_again(tagger, opened, source, tagging, columns, ledger)
    elif opened.form == "conllu" and to == "conllu":
        yield from _conllu_again(tagger, opened, source, tagging, ledger)
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


_PIECEWISE = ("jsonl", "doccano", "spacy", "conll", "inline")


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
    if opened.form == "raw" and to == "inline":  # to be put together again
        records = read_chunks(opened.stream, source)
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


def _reading(tagging: Tagging) -> Reading:
    return replace(tagging.reading, labelled=False)


def _columns(
    tagger: CompiledTagger, opened: Opened, reading: Reading, source: str, report: Report
) -> Columns:
    """Find the words' column: as asked for, as the model was trained, or as the text shows."""
    settings = tagger.model.config.corpus
    if reading.token_column is None and settings.token_column != 0:
        reading = replace(reading, token_column=settings.token_column)
    reading = replace(reading, comment=reading.comment or settings.comment, labelled=True)
    return columns_of(opened, reading, source, report)


def _usual(columns: Columns | None) -> bool:
    """Tell whether stream.py can read these columns, if they are any: no header, no commas."""
    if columns is None:
        return True
    divided = columns.layout is None or columns.layout.delimiter in ("\t", " ")
    return divided and columns.header == 0 and columns.sentence is None


def _writer(tagger: CompiledTagger, to: str, tagging: Tagging, form: str) -> tuple[Writer, Writing]:
    scheme = tagging.scheme or tagger.model.corpus_scheme
    writing = Writing(scheme, True, tagging.exact, tagging.source)
    if to == "html":
        return write_html, writing
    if to == "inline" and form == "raw":
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


def conll_pieces(
    tagger: CompiledTagger, stream: BinaryIO, source: str, columns: Columns, ledger: Ledger
) -> Iterator[tuple[Corpus | None, Block]]:
    """Yield the sentences of CoNLL columns in blocks, each with its lines; None if a block has no token."""
    blocks = whole_sentences(read_blocks(stream, source))
    layout = columns.layout
    if needs_documents(tagger.model.config) and _usual(columns) and layout is not None:
        token = column_index(columns.token, layout, "--token-column", source)
        kinds = Lines(layout, token, columns.comment, columns.hash_comments).kinds
        blocks = whole_documents(blocks, lambda block: last_document(kinds(block, source)))
    for block in blocks:
        lines = [line.removesuffix("\r") for line in block.lines]
        header = columns.header - block.first
        bare = all(
            is_blank(line)
            or is_document_start(line)
            or (columns.comment and line.startswith(columns.comment))
            or i == header
            for i, line in enumerate(lines)
        )
        if bare:
            yield None, block
            continue
        corpus = parse_conll(iter(lines), replace(columns, tag=None), source, block.first)
        count(corpus, ledger, files=0)
        yield corpus, block


def numbered(pieces: Iterator[tuple[Corpus | None, Block]]) -> Iterator[Corpus]:
    """Yield the pieces that have tokens, each sentence a record with its number and its document's."""
    sentence = 0
    document = -1
    marked = True  # a document has begun since the last token
    for corpus, block in pieces:
        first = next((line for line in block.lines if not is_blank(line)), "")
        marked = marked or is_document_start(first.removesuffix("\r"))
        if corpus is None:
            marked = marked or any(map(is_document_start, block.lines))
            continue
        document += marked
        corpus = with_records(corpus, by_sentence=True)
        assert corpus.records is not None
        for i, fields in enumerate(corpus.records.fields):
            number = fields[DOCUMENT] + document
            corpus.records.fields[i] = {"id": sentence, DOCUMENT: number}
            sentence += 1
        document += corpus.documents - 1
        last_mark = max((i for i, x in enumerate(block.lines) if is_document_start(x)), default=-1)
        marked = block.first + last_mark > int(corpus.line_numbers[-1])
        yield corpus


def _columns_again(
    tagger: CompiledTagger,
    opened: Opened,
    source: str,
    tagging: Tagging,
    columns: Columns,
    ledger: Ledger,
) -> Iterator[str]:
    """Yield CoNLL lines with a column of tags more, or with the tags' column replaced; a column of
    probabilities after it, if those are asked for."""
    layout = columns.layout
    scheme = tagging.scheme or tagger.model.corpus_scheme
    for corpus, block in conll_pieces(tagger, opened.stream, source, columns, ledger):
        if corpus is None or layout is None:
            yield block.joined(iter(block.lines))
            continue
        piece = annotate(tagger, corpus, tagging.asked, ledger)
        ledger.read["entities found"] += len(piece.spans)
        tags = tags_in(piece, scheme, ledger)
        sure = token_probabilities(piece) if tagging.asked.probabilities else None
        lines = block.lines
        for i, (number, tag) in enumerate(zip(corpus.line_numbers.tolist(), tags, strict=True)):
            at = number - block.first
            if tagging.replace_tags:
                assert columns.tag is not None
                column = column_index(columns.tag, layout, "--tag-column", source)
                lines[at] = with_tag(lines[at], layout, column, tag)
                extra = ""
            else:
                extra = layout.delimiter + tag
            if sure is not None:
                extra += layout.delimiter + sure[i]
            end = "\r" if lines[at].endswith("\r") else ""
            lines[at] = lines[at].removesuffix("\r") + extra + end
        _mark_others(lines, block, columns, tagging, sure is not None)
        yield block.joined(iter(lines))


def _mark_others(
    lines: list[str], block: Block, columns: Columns, tagging: Tagging, sure: bool
) -> None:
    """Give document marks that have columns, and the header, their cells of the new columns."""
    layout = columns.layout
    assert layout is not None
    cells = ([] if tagging.replace_tags else ["O"]) + (["_"] if sure else [])
    for i, line in enumerate(lines):
        bare = line.removesuffix("\r")
        if block.first + i == columns.header:
            names = ([] if tagging.replace_tags else ["predicted"]) + (
                ["probability"] if sure else []
            )
            lines[i] = layout.delimiter.join([bare, *names]) + line[len(bare) :]
        elif is_document_start(bare) and len(layout.split(bare)) == layout.width > 1 and cells:
            lines[i] = layout.delimiter.join([bare, *cells]) + line[len(bare) :]


def _conllu_again(
    tagger: CompiledTagger, opened: Opened, source: str, tagging: Tagging, ledger: Ledger
) -> Iterator[str]:
    """Yield CoNLL-U lines with the tags in MISC."""
    scheme = tagging.scheme or tagger.model.corpus_scheme
    reading = _reading(tagging)
    for block in whole_sentences(read_blocks(opened.stream, source)):
        lines = [line.removesuffix("\r") for line in block.lines]
        records = read_conllu(lines, source, False, block.first)
        corpus = build_corpus(records, source, "CoNLL-U", reading, ledger)
        if corpus.tokens:
            count(corpus, ledger, files=0)
            piece = annotate(tagger, corpus, tagging.asked, ledger)
            ledger.read["entities found"] += len(piece.spans)
            tags = tags_in(piece, scheme, ledger)
            for number, tag in zip(corpus.line_numbers.tolist(), tags, strict=True):
                at = number - block.first
                end = "\r" if block.lines[at].endswith("\r") else ""
                block.lines[at] = with_ner(lines[at], tag) + end
        yield block.joined(iter(block.lines))


def parquet_rows(
    tagger: CompiledTagger, path: Path, tagging: Tagging, ledger: Ledger, report: Report
) -> Iterator[dict[str, Any]]:
    """Yield the tagged records of a file as rows for Parquet."""
    with open_input(path) as (stream, source):
        reading = _reading(tagging)
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
