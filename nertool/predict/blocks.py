"""Cut a text into parts that can be tagged separately: between sentences, or between documents.

A part is a block of lines, or a list of records. A model that reads documents needs whole ones. Documents
that are too long for that are cut where the network's inputs cut them (cut_documents in inputs/text.py), so
that the tags do not depend on how a text is cut.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nertool.corpus.blocks import Block, regrouped, whole_sentences
from nertool.corpus.build import build_corpus
from nertool.corpus.columnar import Offsets
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record, labels_as_gold
from nertool.errors import CorpusError
from nertool.formats.conll.conllu import read_conllu
from nertool.formats.conll.lines import Lines
from nertool.formats.conll.parse import Columns, outline
from nertool.formats.conll.rows import DOCUMENT_START, Rows, is_document_start, starts_of
from nertool.inputs.text import DOCUMENT_TOKENS, cut_documents

_LONGEST = 64  # a document of this many times the usual size is cut, so that memory stays bounded


def whole_columns(
    blocks: Iterator[Block], rows: Rows, documents: bool, document_tokens: int = DOCUMENT_TOKENS
) -> Iterator[Block]:
    """Regroup blocks of CoNLL columns so that each block has whole sentences.

    With `documents`, each block has whole documents, or whole parts of very long ones.
    """
    if not documents:
        return whole_sentences(blocks)
    lines = Lines(rows)

    def cut(block: Block) -> int:
        nonlocal lines
        if lines.full:
            lines = Lines(rows)
        return after_last_document(block, lines, document_tokens)

    return regrouped(blocks, cut)


def after_last_document(block: Block, lines: Lines, document_tokens: int = DOCUMENT_TOKENS) -> int:
    """Return the position, in characters, of the last document in a block, or of a long one's last part.

    The result is 0 if no other document or part comes before it.
    """
    text = block.text
    at = text.rfind("\n" + DOCUMENT_START) + 1
    while at:
        if is_document_start(text[at:].partition("\n")[0].removesuffix("\r")):
            return at
        at = text.rfind("\n" + DOCUMENT_START, 0, at - 1) + 1
    kinds, starts = lines.outline(block)
    sentence_starts, document_starts = starts_of(kinds)
    last = last_start(sentence_starts, document_starts, document_tokens)
    if not last:
        return 0
    line = int(np.flatnonzero(kinds >= 0)[sentence_starts[last]])
    return len(text.encode()[: starts[line]].decode())


def whole_sentence_lines(
    blocks: Iterator[Block], documents: bool, document_tokens: int = DOCUMENT_TOKENS
) -> Iterator[Block]:
    """Regroup blocks of text with one sentence on each line, which are all one document.

    With `documents`, each block has whole parts of the document, as the network's inputs cut it.
    """

    def cut(block: Block) -> int:
        lines = block.lines
        sentence_starts = np.cumsum([0, *(len(line.split()) for line in lines)])
        last = last_start(sentence_starts, np.array([0, len(lines)]), document_tokens)
        return sum(map(len, lines[:last])) + last

    return regrouped(blocks, cut) if documents else blocks


def whole_tables(
    blocks: Iterator[Block],
    columns: Columns,
    source: str,
    documents: bool,
    document_tokens: int = DOCUMENT_TOKENS,
) -> Iterator[Block]:
    """Regroup blocks of columns that only parse.py reads, such as tables with commas or with a header.

    Each block has whole sentences or, with `documents`, whole documents, as those of whole_columns.
    """

    def cut(block: Block) -> int:
        lines = block.lines
        sentence_starts, document_starts, rows = outline(lines, block.first, columns, source)
        last = max(0, len(sentence_starts) - 2)
        if documents:
            last = last_start(sentence_starts, document_starts, document_tokens)
        if not last:
            return 0
        return sum(len(line) + 1 for line in lines[: int(rows[sentence_starts[last]])])

    return regrouped(blocks, cut)


def whole_conllu(
    blocks: Iterator[Block], source: str, documents: bool, document_tokens: int = DOCUMENT_TOKENS
) -> Iterator[Block]:
    """Regroup blocks of CoNLL-U so that each has whole sentences or, with `documents`, whole documents.

    Errors, while iterating: CorpusError with file:line.
    """

    def cut(block: Block) -> int:
        lines = block.lines
        bare = (line.removesuffix("\r") for line in lines)
        records = list(read_conllu(bare, source, False, block.first, by_words=True))
        lengths = [len(record.tokens or ()) for record in records]
        begins = [i for i, record in enumerate(records) if not record.goes_on]
        last = last_start(
            np.cumsum([0, *lengths]), np.array([*begins, len(records)]), document_tokens
        )
        if not last:
            return 0
        return sum(len(line) + 1 for line in lines[: records[last].line - block.first])

    sentences = whole_sentences(blocks)
    return regrouped(sentences, cut) if documents else sentences


def whole_records(
    records: Iterator[Record],
    size: int,
    reading: Reading,
    documents: bool,
    document_tokens: int = DOCUMENT_TOKENS,
) -> Iterator[list[Record]]:
    """Group records into lists of about `size` characters, so that memory stays bounded.

    A list ends at the end of a document. With `documents`, a document of more than 4 × `size` characters is
    cut where the network's inputs cut it, as long as such a place is between two records. It is cut between
    any two records without `documents`, or after _LONGEST × `size` characters without such a place.
    """
    batch: list[Record] = []
    length = looked_at = 0
    for record in records:
        if batch and length >= size and not record.goes_on:
            yield batch
            batch, length, looked_at = [], 0, 0
        elif length >= 4 * size and length >= 2 * looked_at:
            at = len(batch)
            if documents and length < _LONGEST * size:
                at = after_last_part(batch, reading, document_tokens)
            if at:
                yield batch[:at]
            batch = batch[at:]
            length = sum(map(_size_of, batch))
            looked_at = 0 if at else length
        batch.append(record)
        length += _size_of(record)
    if batch:
        yield batch


def _size_of(record: Record) -> int:
    return len(record.text) + 100  # a record also takes memory besides its text


def after_last_part(records: list[Record], reading: Reading, document_tokens: int) -> int:
    """Return the index of the last record with which a document, or a part of a long one, begins.

    The result is 0 if there is none after the first record, or if a record can't be read.
    """
    try:
        corpus = build_corpus(map(labels_as_gold, records), "", "", reading, Ledger())
    except CorpusError:  # the task that tags these records reports it
        return 0
    assert corpus.records is not None
    parts = cut_documents(
        corpus.sentence_starts, np.unique(corpus.document_starts), document_tokens
    )
    starts = corpus.records.starts[:-1]
    begins = np.flatnonzero((starts > 0) & (starts < corpus.sentences) & np.isin(starts, parts))
    return int(begins[-1]) if len(begins) else 0


def last_start(sentence_starts: Offsets, document_starts: Offsets, document_tokens: int) -> int:
    """Return the sentence that begins the last document, or the last part of a long one; 0 if there is one.

    sentence_starts (S+1,), document_starts (D+1,): as in Corpus.
    """
    starts = cut_documents(sentence_starts, document_starts, document_tokens)
    return int(starts[-2]) if len(starts) > 1 else 0
