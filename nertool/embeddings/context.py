"""What a token's sentence and document show: numbers a token, with a trained embedding of their own.

A word's form says less than it could: the same word stands elsewhere in the document, in other
company and perhaps in lower case. All of it is found from the text alone, and a token's own
occurrence never counts as evidence about itself.

To add such a feature: write its function, name it in CONTEXTS, and give its key to the config's
features section.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Interner, Offsets
from nertool.embeddings.features import CAPITALS, INITIAL, LOWER, MIXED, SINGLE, caps

Booleans = NDArray[np.bool_]


DOCUMENT_TOKENS = 10_000  # a longer document is read in parts of about so many


def cut_documents(sentence_starts: Offsets, document_starts: Offsets) -> Offsets:
    """Return where documents, or the parts of those that are very long, start (as document_starts does).

    A part ends with the sentence in which it reaches DOCUMENT_TOKENS. So any text, however long, can
    be read in bounded memory, and where a part ends depends on what comes before alone.
    """
    starts = [document_starts[:1]]
    for first, end in zip(document_starts[:-1].tolist(), document_starts[1:].tolist(), strict=True):
        while True:
            full = sentence_starts[first] + DOCUMENT_TOKENS
            first = int(np.searchsorted(sentence_starts, full))
            if first >= end:
                break
            starts.append(np.array([first]))
        starts.append(np.array([end]))
    return np.concatenate(starts)


@dataclass(frozen=True)
class Setting:
    """A text, and who is whose neighbour in it. words, word_ids, sentence_starts, document_starts
    are as in Corpus; N tokens in S sentences."""

    words: Sequence[str]
    word_ids: Ids
    sentence_starts: Offsets
    document_starts: Offsets

    @cached_property
    def sentences(self) -> NDArray[np.int64]:
        """Each token's sentence, (N,)."""
        lengths = np.diff(self.sentence_starts)
        return np.repeat(np.arange(len(lengths)), lengths)

    @cached_property
    def documents(self) -> NDArray[np.int64]:
        """Each token's document, or its part of one that is very long, (N,)."""
        starts = cut_documents(self.sentence_starts, self.document_starts)
        lengths = np.diff(self.sentence_starts[starts])
        return np.repeat(np.arange(len(lengths)), lengths)

    @cached_property
    def first(self) -> Booleans:
        """Whether each token is the first of its sentence, (N,)."""
        first = np.zeros(len(self.word_ids), dtype=bool)
        first[self.sentence_starts[:-1][np.diff(self.sentence_starts) > 0]] = True
        return first

    @cached_property
    def caps(self) -> Ids:
        """Each token's class of capitals, (N,): as the feature caps has them."""
        of_words = np.array([caps(word) for word in self.words], dtype=np.int32)
        return np.asarray(of_words[self.word_ids] if len(of_words) else of_words)

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """A number for each token, (N,): the same where a document has the same word, in whatever case."""
        lower = Interner()
        of_words = np.array([lower[word.lower()] for word in self.words], dtype=np.int64)
        ids = of_words[self.word_ids] if len(of_words) else of_words
        _, groups = np.unique(self.documents * len(lower) + ids, return_inverse=True)
        return np.asarray(groups, dtype=np.int64)

    @cached_property
    def kinds(self) -> NDArray[np.int64]:
        """What each sentence is written like, (S,): 0 as usual, 1 like a title, 2 all in capitals."""
        S = len(self.sentence_starts) - 1

        def count(*classes: int) -> NDArray[np.int64]:
            return np.bincount(self.sentences[np.isin(self.caps, classes)], minlength=S)

        words = count(LOWER, INITIAL, CAPITALS, MIXED, SINGLE)
        several = np.diff(self.sentence_starts) > 1
        capitals = several & (words >= 1) & (count(CAPITALS, SINGLE) >= 0.8 * words)
        initials = count(INITIAL, CAPITALS, SINGLE, MIXED)
        title = (words >= 3) & (initials >= 0.6 * words)
        return np.where(capitals, 2, np.where(title, 1, 0))


Values = NDArray[np.floating[Any]]


def others_sum(values: Values, groups: NDArray[np.int64]) -> tuple[Values, NDArray[np.int64]]:
    """Add up values (N, e) over the other tokens of each token's group: (N, e), and their number (N,)."""
    if not len(groups):
        return values, groups
    order = np.argsort(groups, kind="stable")
    firsts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    # Group numbers are 0, 1, …, each met: the sums stand in their order.
    total = np.add.reduceat(values[order], firsts, axis=0)[groups] - values
    others = np.bincount(groups)[groups] - 1
    total[others == 0] = 0.0  # exactly, whatever the rounding left
    return total, others


def others_mean(values: Values, groups: NDArray[np.int64]) -> tuple[Values, Booleans]:
    """Return the mean of values (N, e) over the other tokens of each token's group, 0 where there is
    none: (N, e); and whether there is one (N,)."""
    total, others = others_sum(values, groups)
    total /= np.maximum(others, 1)[:, None].astype(values.dtype)
    return total, others > 0


def sentence_context(setting: Setting) -> Ids:
    """Number what kind of sentence a token is in, whether it begins it, and whether that begins
    the document, or its part: 1 … 12."""
    begins = np.zeros(len(setting.sentence_starts) - 1, dtype=np.int64)
    begins[setting.sentences[np.flatnonzero(np.diff(setting.documents, prepend=-1))]] = 1
    number = 4 * setting.kinds[setting.sentences] + 2 * setting.first + begins[setting.sentences]
    return np.asarray(1 + number, dtype=np.int32)


def document_context(setting: Setting) -> Ids:
    """Number how the document has the same word elsewhere: 1 + 1 (in lower case) + 2 (capitalised
    within a sentence) + 4 (all in capitals, in a sentence that is not)."""
    kinds = setting.kinds[setting.sentences]
    evidence = np.stack(
        [
            setting.caps == LOWER,
            np.isin(setting.caps, (INITIAL, MIXED)) & ~setting.first & (kinds == 0),
            (setting.caps == CAPITALS) & (kinds != 2),
        ],
        axis=1,
    )
    seen = others_sum(evidence.astype(np.float32), setting.groups)[0] > 0
    return np.asarray(1 + seen @ np.array([1, 2, 4]), dtype=np.int32)


class Context(NamedTuple):
    """What of(setting) gives: a number in 1 … size−1 for each token; 0 is the padding's."""

    size: int
    of: Callable[[Setting], Ids]


CONTEXTS: dict[str, Context] = {
    "sentence": Context(13, sentence_context),
    "document": Context(9, document_context),
}


def context_ids(names: Sequence[str], setting: Setting) -> Ids:
    """Return (N, contexts) int32: each token's number for each named feature, in order."""
    parts = [CONTEXTS[name].of(setting) for name in names]
    return np.stack(parts, axis=1) if parts else np.empty((len(setting.word_ids), 0), np.int32)


def neighbour_means(setting: Setting, vectors: Values) -> Values:
    """Return what stands before and after the word elsewhere in the document, (N, 2v): the mean
    vectors of its other occurrences' left and right neighbours (0 beyond a sentence's ends).

    vectors (words, v): each word form's.
    """
    own = vectors[setting.word_ids]
    left, right = np.zeros_like(own), np.zeros_like(own)
    left[1:], right[:-1] = own[:-1], own[1:]
    left[setting.first] = 0.0
    right[:-1][setting.first[1:]] = 0.0
    means, _ = others_mean(np.concatenate([left, right], axis=1), setting.groups)
    return means


def document_means(setting: Setting, vectors: Values) -> Values:
    """Return the mean vector of each token's whole document, (N, v); vectors (words, v) as above."""
    from scipy import sparse

    documents, W = setting.documents, len(vectors)
    D = int(documents.max()) + 1 if len(documents) else 0
    # How often each document has each word form, times the forms' vectors.
    counts = sparse.coo_array(
        (np.ones(len(documents), dtype=vectors.dtype), (documents, setting.word_ids)), shape=(D, W)
    ).tocsr()
    lengths = np.maximum(np.bincount(documents, minlength=D), 1).astype(vectors.dtype)
    return np.asarray((counts @ vectors) / lengths[:, None])[documents]
