"""What all writers share: the options of writing, the type of a writer, and common steps."""

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

# The field with the declaration of a WebAnno layer, if it is not INCEpTION's built-in one.
WEBANNO_LAYER = "webanno_layer"
# The field with the number of characters between a WebAnno sentence and the one before, if it is not 1.
WEBANNO_GAP = "webanno_gap"


@dataclass(frozen=True)
class Writing:
    """How labelled text is written.

    scheme: the tag scheme. by_sentence: for a corpus without records, whether each sentence becomes a record
    (True) or each document (False). None: documents if there are several, otherwise sentences.
    exact: whether JSON also holds tokens and sentences, so that a reader need not detect them again.
    source: whether each record names its input. marks: whether each document has a head in text (conll,
    inline). None: if there are several documents, and in inline also if they have ids.
    ner_key: the key of tags in CoNLL-U's MISC. If it is empty, the input's key is used, or NER.
    """

    scheme: str = "iob2"
    by_sentence: bool | None = None
    exact: bool = True
    source: bool = False
    marks: bool | None = None
    ner_key: str = ""


Pieces = Iterable[Annotated]
Writer = Callable[[Pieces, Writing, Ledger], Iterator[str]]


def record_views(pieces: Pieces, writing: Writing, tokens: bool = True) -> Iterator[RecordView]:
    """Yield the records that writers of JSON and of tables write.

    Several texts of one document get the same value in the field `document`.
    """
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
    """Map each document with several records to the value of its field `document`.

    This is the value in the input, or the line of the document's first token. Line numbers differ between
    the pieces of an input, even if the pieces are written separately.
    """
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
    """Return the probability of each token's entity with six decimals, or "_" for tokens in no entity."""
    out = ["_"] * piece.corpus.tokens
    assert piece.probabilities is not None
    columns = (piece.spans.starts, piece.spans.ends, piece.probabilities)
    for start, end, p in zip(*(column.tolist() for column in columns), strict=True):
        out[start:end] = [f"{p:.6f}"] * (end - start)
    return out


def tags_in(piece: Annotated, scheme: str, ledger: Ledger) -> list[str]:
    """Return each token's tag in a scheme. Entities that the scheme merges are counted."""
    names = tag_names(piece.spans.label_names, scheme)
    count_merged(piece, names, scheme, ledger)
    ids = tags_of(piece.spans, piece.corpus.sentence_starts, names, scheme)
    return [names[i] for i in ids.tolist()]


def count_merged(piece: Annotated, names: list[str], scheme: str, ledger: Ledger) -> None:
    """Count adjacent entities of one class that the scheme io can't keep apart.

    Other schemes mark where an entity begins, so nothing is counted for them.
    """
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
