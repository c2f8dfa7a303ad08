"""The training text, made a little different in each epoch: other names in the same places, sentences
in lower case or in capitals.

A network that has met "paris" and "PARIS" where the text had Paris tags badly cased text better; one
that has met other names in a sentence leans more on what stands around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Interner, Offsets
from nertool.corpus.schemes import TagSpans


class Casings(NamedTuple):
    """words: a text's word types, then those that they have in lower case and in capitals; lower,
    upper (words,): where each one's are."""

    words: list[str]
    lower: Ids
    upper: Ids


def casings_of(words: Sequence[str]) -> Casings:
    """Add to a text's word types what they are in lower case and in capitals."""
    casings = Interner({word: i for i, word in enumerate(words)})
    lower = [casings[word.lower()] for word in words]
    upper = [casings[word.upper()] for word in words]
    added = range(len(words), len(casings))
    # A word type that was added stays as it is: no sentence is written anew twice.
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
    """Write a share of the sentences in lower case or, as often, in capitals: (N,) word ids."""
    lengths = np.diff(sentence_starts)
    drawn = np.repeat(rng.random(len(lengths)), lengths)
    written = np.where(drawn < share, casings.upper[word_ids], word_ids)
    return np.where(drawn < share / 2, casings.lower[word_ids], written).astype(np.int32)


def exchange_entities(
    spans: TagSpans, sentence_starts: Offsets, share: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Offsets]:
    """Put other entities of the same class in the place of a share of the spans.

    Returns source (N',), the token of the text that each token is now taken from, and where the
    sentences start now.
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
    # Each sentence grows by what its entities do.
    growth = (spans.ends - spans.starts)[other] - (spans.ends - spans.starts)
    before = np.concatenate([[0], np.cumsum(growth)])
    return source, sentence_starts + before[np.searchsorted(spans.starts, sentence_starts)]
