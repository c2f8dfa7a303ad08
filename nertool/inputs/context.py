"""What a token's sentence and document show: numbers a token, with a trained embedding of their own.

A word's form says less than it could: the same word stands elsewhere in the document, in other
company and perhaps in lower case. All of it is found from the text alone, and a token's own
occurrence never counts as evidence about itself.

To add such a feature: write its function, name it in CONTEXTS, and give its key to the config's
features section.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nertool.corpus.columnar import Ids
from nertool.inputs.features import CAPITALS, CAPS, INITIAL, LOWER, MIXED
from nertool.inputs.text import Text


def sentence_context(text: Text) -> Ids:
    """Number what kind of sentence a token is in, whether it begins it, and whether that begins
    the document, or its part: 1 … 12."""
    begins = np.zeros(len(text.sentence_starts) - 1, dtype=np.int64)
    begins[text.sentences[np.flatnonzero(np.diff(text.documents, prepend=-1))]] = 1
    of_sentences = (1 + 4 * text.kinds + begins).astype(np.int32)
    return np.asarray(of_sentences[text.sentences] + 2 * text.first, dtype=np.int32)


_FIELD = 21  # bits of a count: no word occurs two million times in one part of a document


def document_context(text: Text) -> Ids:
    """Number how the document has the same word elsewhere: 1 + 1 (in lower case) + 2 (capitalised
    within a sentence) + 4 (all in capitals, in a sentence that is not)."""
    number = np.ones(len(text.word_ids), dtype=np.int32)
    members, group, sizes = text.groups
    if not len(members):
        return number
    caps, kinds = text.caps[members], text.kinds[text.sentences[members]]
    # Three counts in one number, so that there is one sum to take: by the class of capitals, by whether
    # the sentence is as usual, like a title, or in capitals, and by whether the word begins it.
    evidence = np.zeros((CAPS, 3, 2), dtype=np.int64)
    evidence[LOWER] += 1
    evidence[[INITIAL, MIXED], 0, 0] += 1 << _FIELD
    evidence[CAPITALS, :2] += 1 << 2 * _FIELD
    own = evidence.ravel()[(caps * np.int64(3) + kinds) * 2 + text.first[members]]
    others = np.add.reduceat(own, np.cumsum(sizes) - sizes)[group] - own
    found = np.ones(len(members), dtype=np.int32)
    for i in range(3):
        field = ((1 << _FIELD) - 1) << (i * _FIELD)
        found += ((others & field) != 0) * np.int32(1 << i)
    number[members] = found
    return number


class Context(NamedTuple):
    """What of(text) gives: a number in 1 … size−1 for each token; 0 is the padding's."""

    size: int
    of: Callable[[Text], Ids]


CONTEXTS: dict[str, Context] = {
    "sentence": Context(13, sentence_context),
    "document": Context(9, document_context),
}


def context_ids(names: Sequence[str], text: Text) -> Ids:
    """Return (N, contexts) int32: each token's number for each named feature, in order."""
    parts = [CONTEXTS[name].of(text) for name in names]
    return np.stack(parts, axis=1) if parts else np.empty((len(text.word_ids), 0), np.int32)
