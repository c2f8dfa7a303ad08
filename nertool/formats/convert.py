"""Convert texts from one format to another, and count what the target format can't hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from nertool.catalogue import FORMATS, Format, Formats, find_format
from nertool.corpus.annotated import Annotated, labelled
from nertool.corpus.blocks import decode_lines
from nertool.corpus.build import build_corpus, count
from nertool.corpus.classes import check_classes
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger, counted
from nertool.corpus.record import Reading
from nertool.files.output import open_output
from nertool.formats.base import Writing, tags_in
from nertool.formats.conll.conllu import NOT_IN_LABEL, ner_key, read_conllu, with_ner
from nertool.formats.conll.parse import column_index, parse_conll
from nertool.formats.conll.retag import retagged
from nertool.formats.opening import Opened, Report, open_text
from nertool.formats.read import no_labels, read_opened, refuse_part, with_labels_needed
from nertool.formats.writable import with_labels
from nertool.formats.write import write_output, written


def convert(
    paths: Iterable[Path],
    format_name: str,
    to_name: str,
    reading: Reading,
    writing: Writing,
    bare: bool,
    output: Path | None,
    ledger: Ledger,
    report: Report,
    formats: Formats = FORMATS,
) -> None:
    """Write the texts in another format to a path. `output` None is standard output.

    From CoNLL columns to CoNLL columns, and from CoNLL-U to CoNLL-U, all lines and columns are kept, and only
    the tags change. Exceptions: bare asks for words and tags only, and columns are rewritten if
    reading.pass_over_faulty is set. Errors: CorpusError with file:line.
    """
    to = find_format(to_name, formats)
    if to.name in ("conll", "conllu") and not bare:
        with open_output(output) as out:
            for path in paths:
                with open_text(path, format_name, reading, formats) as found:
                    opened = with_labels_needed(found)
                    kept = opened.in_columns and to.name == "conll"
                    if opened.format.name == to.name == "conllu":
                        out.writelines(_to_conllu(opened, reading, writing, ledger, report))
                    elif kept:
                        out.writelines(_to_conll(opened, to, reading, writing, ledger, report))
                    else:
                        piece = _described(_read(opened, reading, ledger, report), report)
                        out.writelines(written(to, [piece], writing, ledger))
        return

    def pieces() -> Iterator[Annotated]:
        for path in paths:
            with open_text(path, format_name, reading, formats) as opened:
                yield _described(_read(opened, reading, ledger, report), report)

    write_output(to, pieces(), writing, ledger, output)


def _read(opened: Opened, reading: Reading, ledger: Ledger, report: Report) -> Corpus:
    """Read a text. It must have labels, unless the user named its format.

    Errors: CorpusError, also for text without labels whose format was detected.
    """
    corpus = read_opened(with_labels_needed(opened), reading, ledger, report)
    if not corpus.tags:
        if opened.why:
            raise no_labels(opened.source, opened.why, opened.head, opened.format.labelled)
        report(f"{opened.source}: no labels here: no entity is written")
    return corpus


def _described(corpus: Corpus, report: Report) -> Annotated:
    """Return a corpus with its entities, and report its size."""
    piece = labelled(corpus)
    report(
        f"{corpus.source}: {counted(corpus.tokens, 'tokens')}, "
        f"{counted(corpus.sentences, 'sentences')}, {counted(corpus.documents, 'documents')}, "
        f"{counted(len(piece.spans), 'entities')} ({corpus.layout})"
    )
    return piece


def _to_conllu(
    opened: Opened, reading: Reading, writing: Writing, ledger: Ledger, report: Report
) -> Iterator[str]:
    """Yield the lines of CoNLL-U with new tags in MISC. Lemmas, heads, ranges and comments are kept."""
    raw = opened.whole.read()
    again = replace(opened, stream=BytesIO(raw))
    _described(_read(again, reading, ledger, report), report)
    lines = list(decode_lines(BytesIO(raw), opened.source))
    words = read_conllu(lines, opened.source, by_words=True)
    corpus = build_corpus(words, opened.source, opened.format.title, reading, Ledger())
    piece = with_labels(labelled(corpus), NOT_IN_LABEL, ledger)
    key = writing.ner_key or ner_key(lines)
    for number, tag in zip(
        corpus.line_numbers.tolist(), tags_in(piece, writing.scheme, ledger), strict=True
    ):
        lines[number - 1] = with_ner(lines[number - 1], tag, key)
    yield from (line + "\n" for line in lines)


def _to_conll(
    opened: Opened, to: Format, reading: Reading, writing: Writing, ledger: Ledger, report: Report
) -> Iterator[str]:
    """Yield the lines of a text in columns with new tags."""
    source = opened.source
    if opened.why:
        report(f"{source}: read as {opened.why}")
    refuse_part(reading, opened)
    raw = opened.whole.read()
    columns = opened.columns(reading, report)
    if reading.pass_over_faulty:
        corpus = parse_conll(decode_lines(BytesIO(raw), source), columns, source, skipped=ledger)
        count(corpus, ledger)
        yield from written(to, [_described(corpus, report)], writing, ledger)
        return
    corpus = parse_conll(decode_lines(BytesIO(raw), source), columns, source)
    count(corpus, ledger)
    check_classes(corpus, reading, report)
    piece = _described(corpus, report)
    layout = columns.layout
    assert layout is not None
    assert columns.tag is not None
    tags = tags_in(piece, writing.scheme, ledger)
    column = column_index(columns.tag, layout, "--tag-column", source)
    yield from retagged(BytesIO(raw), corpus, tags, layout, column)
