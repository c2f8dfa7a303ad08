"""Columns in, the same lines out, with tags in them; and columns in pieces for other formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from nertool.corpus.annotated import with_records
from nertool.corpus.blocks import Block, is_blank, read_blocks, whole_sentences
from nertool.corpus.columnar import Corpus
from nertool.corpus.conll import (
    Columns,
    Layout,
    column_index,
    is_document_start,
    is_hash_comment,
    parse_conll,
)
from nertool.corpus.conllu import read_conllu, with_ner
from nertool.corpus.formats import Opened, count
from nertool.corpus.jsonobjects import DOCUMENT
from nertool.corpus.ledger import Ledger
from nertool.corpus.records import build_corpus
from nertool.corpus.retag import with_tag
from nertool.corpus.writers import tags_in, token_probabilities
from nertool.embeddings.inputs import needs_documents
from nertool.tagging.annotate import Tagging, annotate
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.stream import Lines, last_document, whole_documents


def usual(columns: Columns | None) -> bool:
    """Tell whether stream.py can read these columns, if they are any: no header, no commas."""
    if columns is None:
        return True
    divided = columns.layout is None or columns.layout.delimiter in ("\t", " ")
    return divided and columns.header == 0 and columns.sentence is None


def conll_pieces(
    tagger: CompiledTagger, stream: BinaryIO, source: str, columns: Columns, ledger: Ledger
) -> Iterator[tuple[Corpus | None, Block]]:
    """Yield the sentences of CoNLL columns in blocks, each with its lines; None if a block has no token."""
    blocks = whole_sentences(read_blocks(stream, source))
    layout = columns.layout
    if needs_documents(tagger.model.config) and usual(columns) and layout is not None:
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
            or (columns.hash_comments and line.startswith("#") and not _is_row(line, layout))
            or i == header
            for i, line in enumerate(lines)
        )
        if bare:
            yield None, block
            continue
        corpus = parse_conll(iter(lines), replace(columns, tag=None), source, block.first)
        count(corpus, ledger, files=0)
        yield corpus, block


def _is_row(line: str, layout: Layout | None) -> bool:
    """Tell whether a line that starts with # is as wide as the others: a token, not a comment."""
    if layout is None:
        return True
    return not is_hash_comment(line, len(layout.split(line)), layout.width)


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


def columns_again(
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


def conllu_again(
    tagger: CompiledTagger, opened: Opened, source: str, tagging: Tagging, ledger: Ledger
) -> Iterator[str]:
    """Yield CoNLL-U lines with the tags in MISC."""
    scheme = tagging.scheme or tagger.model.corpus_scheme
    reading = tagging.unlabelled()
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
