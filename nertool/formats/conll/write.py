"""A corpus written as CoNLL columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nertool.corpus.columnar import Corpus, Ids
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import tag_names, tags_of
from nertool.formats.base import Pieces, Writing, count_merged, token_probabilities
from nertool.formats.conll.parse import DOCUMENT_START


def conll_delimiter(corpus: Corpus) -> str:
    """Return what divides a corpus' columns: a blank, or a tab where a word holds a blank itself."""
    return "\t" if any(" " in word for word in corpus.words) else " "


def corpus_to_conll(
    corpus: Corpus, tags: Sequence[str], tag_ids: Ids, marks: bool | None = None
) -> Iterator[str]:
    """Yield a corpus in lines of a word and its tag; documents are headed by -DOCSTART- if marks say so,
    None for if there are several.

    The delimiter is a blank, or a tab where a word holds a blank itself.
    """
    delimiter = conll_delimiter(corpus)
    marks = corpus.documents > 1 if marks is None else marks
    document_starts = set(corpus.document_starts[:-1].tolist()) if marks else set()
    at = 0
    for i, sentence in enumerate(corpus.sentence_words()):
        if i in document_starts:
            yield f"{DOCUMENT_START}{delimiter}O\n\n"
        sentence_tags = [tags[tag] for tag in tag_ids[at : at + len(sentence)]]
        at += len(sentence)
        rows = zip(sentence, sentence_tags, strict=True)
        yield "".join([f"{word}{delimiter}{tag}\n" for word, tag in rows]) + "\n"


def write_conll(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    for piece in pieces:
        corpus = piece.corpus
        names = tag_names(piece.spans.label_names, writing.scheme)
        count_merged(piece, names, writing.scheme, ledger)
        tag_ids = tags_of(piece.spans, corpus.sentence_starts, names, writing.scheme)
        if piece.probabilities is not None:
            delimiter = conll_delimiter(corpus)
            sure = token_probabilities(piece)
            names = [f"{names[i]}{delimiter}{p}" for i, p in zip(tag_ids, sure, strict=True)]
            tag_ids = np.arange(len(names), dtype=np.int32)
        yield from corpus_to_conll(corpus, names, tag_ids, writing.marks)
