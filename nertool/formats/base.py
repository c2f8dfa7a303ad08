"""Corpora out, in every format: each writer turns annotated pieces into pieces of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nertool.corpus.annotated import (
    Annotated,
    RecordView,
    documents_of_records,
    views,
    with_records,
)
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT
from nertool.corpus.schemes import TagSpans, spans_of, tag_names, tags_of

WEBANNO_LAYER = (
    "webanno_layer"  # the field with a WebAnno layer's declaration, if that is not INCEpTION's own
)
WEBANNO_GAP = (
    "webanno_gap"  # the field with the characters before a WebAnno sentence, if they are not 1
)


@dataclass(frozen=True)
class Writing:
    """How labelled text is written. by_sentence: a record a sentence, where a corpus has no records;
    None for documents if there are several. exact: tokens and sentences stand in JSON, too, so that
    they needn't be found again. source: each record says which input it is from.
    marks: whether documents have a head in text (conll, inline), None for if there are several.
    ner_key: the key of tags in CoNLL-U's MISC; empty for the input's own, or NER."""

    scheme: str = "iob2"
    by_sentence: bool | None = None
    exact: bool = True
    source: bool = False
    marks: bool | None = None
    ner_key: str = ""


Pieces = Iterable[Annotated]
Writer = Callable[[Pieces, Writing, Ledger], Iterator[str]]


def record_views(pieces: Pieces, writing: Writing, tokens: bool = True) -> Iterator[RecordView]:
    """Yield the records that a writer of JSON or a table writes, one after another. Texts of one document
    have the same value in the field `document`."""
    for piece in pieces:
        corpus = with_records(piece.corpus, writing.by_sentence)
        numbers = {} if writing.marks is False else _document_numbers(corpus)
        for view in views(piece._replace(corpus=corpus), tokens):
            if view.document in numbers and DOCUMENT not in view.fields:
                view = view._replace(fields={**view.fields, DOCUMENT: numbers[view.document]})
            if writing.source:
                view = view._replace(fields={"source": corpus.source, **view.fields})
            yield view


def _document_numbers(corpus: Corpus) -> dict[int, Any]:
    """Return what the field `document` is for each document of several records: its own value, or the line
    of its first token, so that pieces of an input that are written one by one have different numbers."""
    records = corpus.records
    assert records is not None
    if corpus.documents == len(records.texts) or not corpus.tokens:
        return {}
    owners = documents_of_records(corpus)
    texts = np.bincount(owners, minlength=corpus.documents)
    tokens = corpus.sentence_starts[corpus.document_starts[:-1]]
    first = corpus.line_numbers[np.minimum(tokens, corpus.tokens - 1)].tolist()
    numbers: dict[int, Any] = {}
    at = 0
    for document, line in enumerate(first):
        at = max(at + 1, line)
        if texts[document] > 1:
            numbers[document] = at
    for document, fields in zip(owners.tolist(), records.fields, strict=True):
        if document in numbers and fields.get(DOCUMENT) is not None:
            numbers[document] = fields[DOCUMENT]
    return numbers


def token_probabilities(piece: Annotated) -> list[str]:
    """Return for each token the probability of the entity that it belongs to, _ for none."""
    out = ["_"] * piece.corpus.tokens
    assert piece.probabilities is not None
    columns = (piece.spans.starts, piece.spans.ends, piece.probabilities)
    for start, end, p in zip(*(column.tolist() for column in columns), strict=True):
        out[start:end] = [f"{p:.6f}"] * (end - start)
    return out


def tags_in(piece: Annotated, scheme: str, ledger: Ledger) -> list[str]:
    """Return each token's tag in a scheme."""
    names = tag_names(piece.spans.label_names, scheme)
    count_merged(piece, names, scheme, ledger)
    ids = tags_of(piece.spans, piece.corpus.sentence_starts, names, scheme)
    return [names[i] for i in ids.tolist()]


def count_merged(piece: Annotated, names: list[str], scheme: str, ledger: Ledger) -> None:
    """Count the entities that run into a neighbour of their class, in a scheme that can't part them."""
    if scheme != "io":
        return
    corpus: Corpus = piece.corpus
    spans: TagSpans = piece.spans
    again = spans_of(
        tags_of(spans, corpus.sentence_starts, names, scheme), names, corpus.sentence_starts
    )
    kept = set(again.starts.tolist())
    for start in spans.starts.tolist():
        if start not in kept:
            ledger.alter(corpus.place(start), "entities run into a neighbour of their class in io")
