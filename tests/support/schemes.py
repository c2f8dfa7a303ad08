"""Helpers for the tests of tag schemes: sentences of tags, entities written in a scheme, random texts."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from nertool.corpus.columnar import Interner, Span
from nertool.corpus.schemes import TagSpans, spans_of, tag_names, tags_of

LABELS = ["LOC", "PER"]


def starts_of(lengths: list[int]) -> np.ndarray:
    return np.cumsum([0, *lengths]).astype(np.int64)


def columns(*sentences: str) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Convert "B-PER I-PER O" sentences to tag ids, tags and sentence starts."""
    number = Interner()
    split = [sentence.split() for sentence in sentences]
    ids = np.array([number[tag] for tags in split for tag in tags], dtype=np.int32)
    return ids, list(number), starts_of([len(tags) for tags in split])


def spans(*sentences: str) -> list[Span]:
    return spans_of(*columns(*sentences)).as_list()


def written(entities: list[Span], lengths: list[int], scheme: str) -> list[str]:
    """Write entities in a scheme; return the tags of all sentences, one after another."""
    tags = tag_names(LABELS, scheme)
    ids = tags_of(as_tag_spans(entities), starts_of(lengths), tags, scheme)
    assert ids.dtype == np.int32
    return [tags[i] for i in ids]


def as_tag_spans(entities: list[Span]) -> TagSpans:
    return TagSpans(
        np.array([span.start for span in entities], dtype=np.int64),
        np.array([span.end for span in entities], dtype=np.int64),
        np.array([LABELS.index(span.label) for span in entities], dtype=np.int32),
        LABELS,
    )


@st.composite
def texts(draw: st.DrawFn, apart: bool = False) -> tuple[list[Span], list[int]]:
    """Draw entities and sentence lengths. `apart` leaves a word between two entities of one class."""
    item = st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(LABELS))
    entities, lengths, position = [], [], 0
    for items, tail in draw(
        st.lists(st.tuples(st.lists(item, max_size=4), st.integers(0, 2)), min_size=1, max_size=4)
    ):
        first, before = position, None
        for gap, length, label in items:
            position += max(gap, int(apart and label == before))
            entities.append(Span(position, position + length, label))
            position, before = position + length, label
        position += tail
        lengths.append(position - first)
    return entities, lengths
