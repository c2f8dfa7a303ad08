"""Data augmentation, repeated in each epoch: replace entities by others, and change sentences' letter case.

A network that has met "paris" and "PARIS" for Paris tags badly cased text better. One that has met other
names in a sentence relies more on their context.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Interner, Offsets
from nertool.corpus.schemes import TagSpans


class Casings(NamedTuple):
    """Word types in lower case and in capitals.

    words: a text's word types, followed by their forms in lower case and in capitals. lower, upper (words,):
    the index of each word's form.
    """

    words: list[str]
    lower: Ids
    upper: Ids


def casings_of(words: Sequence[str]) -> Casings:
    """Add to a text's word types their forms in lower case and in capitals."""
    casings = Interner({word: i for i, word in enumerate(words)})
    lower = [casings[word.lower()] for word in words]
    upper = [casings[word.upper()] for word in words]
    added = range(len(words), len(casings))
    # An added word type maps to itself, so that no sentence is changed twice.
    return Casings(
        list(casings), *(np.array([*ids, *added], dtype=np.int32) for ids in (lower, upper))
    )


def recase(
    word_ids: Ids,
    sentence_starts: Offsets,
    casings: Casings,
    share: float,
    rng: np.random.Generator,
) -> Ids:
    """Change a share of the sentences to lower case or, equally often, to capitals; return word ids (N,)."""
    lengths = np.diff(sentence_starts)
    drawn = np.repeat(rng.random(len(lengths)), lengths)
    written = np.where(drawn < share, casings.upper[word_ids], word_ids)
    return np.where(drawn < share / 2, casings.lower[word_ids], written).astype(np.int32)


def exchange_entities(
    spans: TagSpans, sentence_starts: Offsets, share: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Offsets]:
    """Replace a share of the spans by other entities of the same class.

    Return source (N',), the token of the text that each new token is taken from, and the new sentence starts.
    """
    other = np.arange(len(spans.starts))
    for label in range(len(spans.label_names)):
        own = np.flatnonzero(spans.labels == label)
        chosen = own[rng.random(len(own)) < share]
        if len(chosen):
            other[chosen] = rng.choice(own, len(chosen))
    pieces, at = [], 0
    for span, (start, end) in enumerate(zip(spans.starts, spans.ends, strict=True)):
        pieces += [
            np.arange(at, start),
            np.arange(spans.starts[other[span]], spans.ends[other[span]]),
        ]
        at = end
    pieces.append(np.arange(at, sentence_starts[-1]))
    source = np.concatenate(pieces)
    # Each sentence grows by as much as its entities do.
    growth = (spans.ends - spans.starts)[other] - (spans.ends - spans.starts)
    before = np.concatenate([[0], np.cumsum(growth)])
    return source, sentence_starts + before[np.searchsorted(spans.starts, sentence_starts)]
