"""What a token's sentence and document show: numbers a token, with a trained embedding of their own.

A word's form says less than it could: the same word stands elsewhere in the document, in other
company and perhaps in lower case. All of it is found from the text alone, and a token's own
occurrence never counts as evidence about itself.

To add such a feature: write its function, name it in CONTEXTS, and give its key to the config's
features section.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids
from nertool.inputs.features import CAPITALS, CAPS, INITIAL, LOWER, MIXED
from nertool.inputs.text import Text
from nertool.kernels import documents as kernels


def sentence_context(text: Text) -> Ids:
    """Number what kind of sentence a token is in, whether it begins it, and whether that begins
    the document, or its part: 1 … 12."""
    starts, N = text.sentence_starts, len(text.word_ids)
    begins = np.zeros(len(starts) - 1, dtype=np.int64)
    firsts = text.document_bounds[text.document_bounds < N]  # the documents' first tokens
    begins[np.searchsorted(starts, firsts, side="right") - 1] = 1
    of_sentences = (1 + 4 * text.kinds + begins).astype(np.int32)
    lengths = np.diff(starts)
    numbers = np.repeat(of_sentences, lengths)
    numbers[starts[:-1][lengths > 0]] += 2
    return numbers


_FIELD = 21  # bits of a count: no word occurs two million times in one part of a document


def _evidence() -> NDArray[np.uint8]:
    """Return what a token is evidence of, as bits, (CAPS, 3, 2): by the class of its capitals, by whether its
    sentence is as usual, like a title, or in capitals, and by whether it begins that."""
    evidence = np.zeros((CAPS, 3, 2), dtype=np.uint8)
    evidence[LOWER] |= 1
    evidence[[INITIAL, MIXED], 0, 0] |= 2
    evidence[CAPITALS, :2] |= 4
    return evidence


_EVIDENCE = _evidence()


def _counted(evidence: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return each bit as a count of its own in one number."""
    bits = (evidence[..., None] >> np.arange(3)) & 1
    return np.asarray((bits.astype(np.int64) << (_FIELD * np.arange(3))).sum(axis=-1))


def document_context(text: Text) -> Ids:
    """Number how the document has the same word elsewhere: 1 + 1 (in lower case) + 2 (capitalised
    within a sentence) + 4 (all in capitals, in a sentence that is not)."""
    members, group, sizes = text.groups
    found = kernels.document_context(
        text.caps, text.sentence_starts, text.kinds, _EVIDENCE, members, sizes
    )
    if found is not None:
        return found
    number = np.ones(len(text.word_ids), dtype=np.int32)
    if not len(members):
        return number
    caps, kinds = text.caps[members], text.kinds[text.sentences[members]]
    # Three counts in one number, so that there is one sum to take.
    own = _counted(_EVIDENCE).ravel()[(caps * np.int64(3) + kinds) * 2 + text.first[members]]
    others = np.add.reduceat(own, np.cumsum(sizes) - sizes)[group] - own
    numbers = np.ones(len(members), dtype=np.int32)
    for i in range(3):
        field = ((1 << _FIELD) - 1) << (i * _FIELD)
        numbers += ((others & field) != 0) * np.int32(1 << i)
    number[members] = numbers
    return number


class Context(NamedTuple):
    """What of(text) gives: a number in 1 … size−1 for each token; 0 is the padding's."""

    size: int
    of: Callable[[Text], Ids]


CONTEXTS: dict[str, Context] = {
    "sentence": Context(13, sentence_context),
    "document": Context(9, document_context),
}
