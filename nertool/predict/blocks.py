"""Cutting a text into blocks that can be tagged separately: between sentences, or between documents."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nertool.corpus.blocks import Block, regrouped, whole_sentences
from nertool.formats.conll.lines import Lines
from nertool.formats.conll.rows import DOCUMENT_START, Rows, is_document_start, starts_of
from nertool.inputs.text import DOCUMENT_TOKENS, cut_documents


def whole_columns(
    blocks: Iterator[Block], rows: Rows, documents: bool, document_tokens: int = DOCUMENT_TOKENS
) -> Iterator[Block]:
    """Regroup blocks of CoNLL columns so that each block has whole sentences.

    With `documents`, each block has whole documents. A very long document is cut where the network's inputs
    cut it (cut_documents in inputs/text.py).
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
    *_, last, _ = [0, *cut_documents(sentence_starts, document_starts, document_tokens)]
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
        document_starts = np.array([0, len(lines)])
        *_, last, _ = [0, *cut_documents(sentence_starts, document_starts, document_tokens)]
        return sum(map(len, lines[:last])) + int(last)

    return regrouped(blocks, cut) if documents else blocks
