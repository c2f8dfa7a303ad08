"""Context features: properties of a token's sentence and document, each with a trained table of embeddings.

Other occurrences of a word in the same document are evidence about it: for example, one of them may be in
lower case. Context features use only the text, no labels. A token's own occurrence is not counted as
evidence about itself.

To add a context feature, write its function, add it to CONTEXTS, and add its key to the config's section
`features`.
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
    """Return a number in 1 … 12 for each token.

    It encodes the kind of the token's sentence (Text.kinds), whether the token is the sentence's first, and
    whether the sentence is the first of its document, or of a part of a very long one.
    """
    starts, N = text.sentence_starts, len(text.word_ids)
    begins = np.zeros(len(starts) - 1, dtype=np.int64)
    firsts = text.document_bounds[text.document_bounds < N]  # the documents' first tokens
    begins[np.searchsorted(starts, firsts, side="right") - 1] = 1
    of_sentences = (1 + 4 * text.kinds + begins).astype(np.int32)
    lengths = np.diff(starts)
    numbers = np.repeat(of_sentences, lengths)
    numbers[starts[:-1][lengths > 0]] += 2
    return numbers


_FIELD = 21  # the bits of a count; a word never occurs two million times in one part of a document


def _evidence() -> NDArray[np.uint8]:
    """Return the evidence that a token gives, as bits, (CAPS, 3, 2).

    The axes are: the token's class of capitals, the kind of its sentence (Text.kinds), and whether the token
    is the sentence's first. The bits: 1 for lower case, 2 for capitalised, 4 for all in capitals.
    """
    evidence = np.zeros((CAPS, 3, 2), dtype=np.uint8)
    evidence[LOWER] |= 1
    evidence[[INITIAL, MIXED], 0, 0] |= 2
    evidence[CAPITALS, :2] |= 4
    return evidence


_EVIDENCE = _evidence()


def _counted(evidence: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return numbers in which each bit of the evidence is a count in a field of _FIELD bits."""
    bits = (evidence[..., None] >> np.arange(3)) & 1
    return np.asarray((bits.astype(np.int64) << (_FIELD * np.arange(3))).sum(axis=-1))


def document_context(text: Text) -> Ids:
    """Return a number in 1 … 8 for each token, which says how its document writes the same word elsewhere.

    The number is 1, + 1 if the word occurs in lower case, + 2 if it occurs capitalised in a usual sentence
    but not as its first word, + 4 if it occurs all in capitals in a sentence that is not.
    """
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
    # Three counts in one number need only one sum.
    own = _counted(_EVIDENCE).ravel()[(caps * np.int64(3) + kinds) * 2 + text.first[members]]
    others = np.add.reduceat(own, np.cumsum(sizes) - sizes)[group] - own
    numbers = np.ones(len(members), dtype=np.int32)
    for i in range(3):
        field = ((1 << _FIELD) - 1) << (i * _FIELD)
        numbers += ((others & field) != 0) * np.int32(1 << i)
    number[members] = numbers
    return number


class Context(NamedTuple):
    """A context feature. of(text) returns a number in 1 … size−1 for each token; 0 is for the padding."""

    size: int
    of: Callable[[Text], Ids]


CONTEXTS: dict[str, Context] = {
    "sentence": Context(13, sentence_context),
    "document": Context(9, document_context),
}
