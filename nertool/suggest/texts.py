"""Extract single texts from a tagged piece: records, or sentences, with their entities."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from nertool.corpus.annotated import Annotated
from nertool.corpus.schemes import TagSpans


def in_sentences(piece: Annotated) -> Annotated:
    """Return a piece in which each sentence is a record, with its part of the text and the same fields."""
    corpus = piece.corpus
    records = corpus.records
    assert records is not None
    starts = corpus.sentence_starts
    owner = np.searchsorted(records.starts, np.arange(corpus.sentences), side="right") - 1
    texts, fields = [], []
    token_starts, token_ends = records.token_starts.copy(), records.token_ends.copy()
    for i, (a, b) in enumerate(pairwise(starts.tolist())):
        r = int(owner[i])
        first = int(records.token_starts[a]) if b > a else 0
        end = int(records.token_ends[b - 1]) if b > a else 0
        texts.append(records.texts[r][first:end])
        fields.append(records.fields[r])
        token_starts[a:b] -= first
        token_ends[a:b] -= first
    own = replace(
        records,
        starts=np.arange(corpus.sentences + 1),
        texts=texts,
        fields=fields,
        token_starts=token_starts,
        token_ends=token_ends,
    )
    return piece._replace(corpus=replace(corpus, records=own))


def record_of(piece: Annotated, number: int) -> Annotated:
    """Return one record of a piece as a piece with one document. It keeps the entities, but no extras."""
    corpus, spans = piece.corpus, piece.spans
    records = corpus.records
    assert records is not None
    first, last = (int(s) for s in records.starts[number : number + 2])
    a, b = (int(t) for t in corpus.sentence_starts[[first, last]])
    words, word_ids = np.unique(corpus.word_ids[a:b], return_inverse=True)
    own = slice(*np.searchsorted(spans.starts, [a, b]).tolist())
    alone = replace(
        corpus,
        words=[corpus.words[i] for i in words.tolist()],
        word_ids=word_ids.astype(np.int32),
        tag_ids=corpus.tag_ids[a:b],
        sentence_starts=corpus.sentence_starts[first : last + 1] - a,
        document_starts=np.array([0, last - first]),
        line_numbers=corpus.line_numbers[a:b],
        file_ids=None if corpus.file_ids is None else corpus.file_ids[a:b],
        records=replace(
            records,
            starts=np.array([0, last - first]),
            texts=[records.texts[number]],
            fields=[records.fields[number]],
            token_starts=records.token_starts[a:b],
            token_ends=records.token_ends[a:b],
        ),
    )
    entities = TagSpans(
        spans.starts[own] - a, spans.ends[own] - a, spans.labels[own], spans.label_names
    )
    p = piece.probabilities
    return Annotated(alone, entities, None if p is None else p[own])
