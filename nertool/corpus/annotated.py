"""A corpus with its entities, and its records one by one, for the writers of formats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.build import entities_of
from nertool.corpus.columnar import Corpus, Records
from nertool.corpus.record import DOCUMENT, joined
from nertool.corpus.schemes import TagSpans


class Annotated(NamedTuple):
    """A corpus and its n entities, which are in order and don't overlap.

    probabilities (n,): the probability of each entity, if known.
    extras: for each sentence, further fields to write, if any.
    """

    corpus: Corpus
    spans: TagSpans
    probabilities: NDArray[np.float64] | None = None
    extras: Sequence[dict[str, Any]] | None = None


class Entity(NamedTuple):
    """An entity of a record. Tokens and characters are counted from the start of the record."""

    token_start: int
    token_end: int
    start: int
    end: int
    label: str
    probability: float | None


class RecordView(NamedTuple):
    """One record of an annotated corpus.

    number, document: the index of the record, and of its document, in the corpus.
    first: the index of its first token in the corpus.
    words, places: its tokens, and their positions in the text.
    sentences: the start and end of each sentence, in tokens of the record.
    extras: as in Annotated, for its sentences.
    predicted: a model has predicted the entities, and their probabilities are known.
    """

    number: int
    document: int
    first: int
    text: str
    fields: dict[str, Any]
    words: list[str]
    places: list[tuple[int, int]]
    sentences: list[tuple[int, int]]
    entities: list[Entity]
    extras: Sequence[dict[str, Any]]
    predicted: bool = False


def labelled(corpus: Corpus) -> Annotated:
    """Return a corpus with the entities of its own tags."""
    return Annotated(corpus, entities_of(corpus))


def with_records(corpus: Corpus, by_sentence: bool | None = None) -> Corpus:
    """Return the corpus with records. If it has none, each document or sentence becomes a record.

    by_sentence: None means sentences if there is only one document, else documents. Words are joined by
    blanks, sentences by line ends. A record of a sentence has the number of its document as a field.
    """
    if corpus.records is not None:
        return corpus
    if by_sentence is None:
        by_sentence = corpus.documents == 1
    S, D = corpus.sentences, corpus.documents
    starts = np.arange(S + 1) if by_sentence else corpus.document_starts
    texts: list[str] = []
    token_starts = np.empty(corpus.tokens, dtype=np.int64)
    token_ends = np.empty(corpus.tokens, dtype=np.int64)
    sentences = list(corpus.sentence_words())
    at = 0
    for a, b in pairwise(starts.tolist()):
        lines, base = [], 0
        for words in sentences[a:b]:
            line, places = joined(words)
            lines.append(line)
            n = len(words)
            columns = np.array(places, dtype=np.int64).reshape(-1, 2) + base
            token_starts[at : at + n], token_ends[at : at + n] = columns[:, 0], columns[:, 1]
            base += len(line) + 1
            at += n
        texts.append("\n".join(lines))
    fields: list[dict[str, Any]] = [{} for _ in texts]
    if by_sentence:
        numbers = np.repeat(np.arange(D), np.diff(corpus.document_starts))
        fields = [{DOCUMENT: number} for number in numbers.tolist()]
    return replace(
        corpus, records=Records(starts, texts, fields, token_starts, token_ends, own_text=False)
    )


def by_document(piece: Annotated) -> Annotated:
    """Return a piece whose records are documents.

    The texts of a document are joined by line ends. The fields are those of its first text.
    """
    corpus = with_records(piece.corpus, by_sentence=False)
    records = corpus.records
    assert records is not None
    owners = documents_of_records(corpus)
    if len(records.texts) == corpus.documents:
        return piece._replace(corpus=corpus)
    texts: list[str] = []
    fields: list[dict[str, Any]] = []
    starts, shifts = [], []
    before = -1
    for owner, text, own, start in zip(
        owners.tolist(), records.texts, records.fields, records.starts.tolist(), strict=False
    ):
        if owner != before:
            texts.append(text)
            fields.append(own)
            starts.append(start)
            shifts.append(0)
        else:
            shifts.append(len(texts[-1]) + 1)
            texts[-1] += "\n" + text
        before = owner
    tokens = np.diff(corpus.sentence_starts[records.starts])
    moved = np.repeat(np.array(shifts, dtype=np.int64), tokens)
    joined_records = replace(
        records,
        starts=np.array([*starts, corpus.sentences], dtype=np.int64),
        texts=texts,
        fields=fields,
        token_starts=records.token_starts + moved,
        token_ends=records.token_ends + moved,
    )
    return piece._replace(corpus=replace(corpus, records=joined_records))


def documents_of_records(corpus: Corpus) -> NDArray[np.int64]:
    """Return the index of each record's document (R,).

    A record without words counts to the document of the next record, unless each record is a document.
    """
    assert corpus.records is not None
    starts = corpus.records.starts[:-1]
    if len(starts) == corpus.documents:
        return np.arange(len(starts))
    return np.searchsorted(corpus.document_starts, starts, side="right") - 1


def views(annotated: Annotated, tokens: bool = True) -> Iterator[RecordView]:
    """Yield each record with its words, sentences and entities.

    tokens: False leaves words, places and sentences empty, which is twice as fast.
    """
    corpus = annotated.corpus
    records = corpus.records
    assert records is not None
    words = corpus.words
    token_at = corpus.sentence_starts
    documents = documents_of_records(corpus)
    spans = annotated.spans
    bounds = np.searchsorted(spans.starts, token_at[records.starts]).tolist()
    starts, ends = records.token_starts, records.token_ends
    columns = (spans.starts, spans.ends, starts[spans.starts], ends[spans.ends - 1], spans.labels)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    known = annotated.probabilities
    probabilities = [None] * len(rows) if known is None else known.tolist()
    for number, (a, b) in enumerate(pairwise(records.starts.tolist())):
        first, last = int(token_at[a]), int(token_at[b])
        entities = [
            Entity(s - first, e - first, start, end, spans.label_names[label], p)
            for (s, e, start, end, label), p in zip(
                rows[bounds[number] : bounds[number + 1]],
                probabilities[bounds[number] : bounds[number + 1]],
                strict=True,
            )
        ]
        yield RecordView(
            number=number,
            document=int(documents[number]),
            first=first,
            text=records.texts[number],
            fields=records.fields[number],
            words=[words[i] for i in corpus.word_ids[first:last].tolist()] if tokens else [],
            places=list(zip(starts[first:last].tolist(), ends[first:last].tolist(), strict=True))
            if tokens
            else [],
            sentences=[(s - first, e - first) for s, e in pairwise(token_at[a : b + 1].tolist())]
            if tokens
            else [],
            entities=entities,
            extras=(annotated.extras or ())[a:b],
            predicted=known is not None,
        )
