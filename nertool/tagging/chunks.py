"""A text in chunks of some thousand tokens: what is multiplied for one stays in the processor's cache.

The side inputs of a token's document are multiplied for the documents of a chunk, not of a whole text. And
numpy sums the contexts of a window's words once for each distinct window of contexts, of which a chunk has
several hundred.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.inputs.text import Text

CHUNK_TOKENS = 8192  # a chunk has about so many, and less than twice as many
# Of a window's contexts as one number. With the bits of a token's number there are fewer than 63.
_KEY_BITS = 40
_NONE = slice(0, 0)


class Chunk(NamedTuple):
    """Neighbouring tokens (n of them) with what they have in common; None: no such input.

    documents, groups: the documents, and the groups of Text.groups, of which they can be. document, group
    (n,) int32: each token's, counted from the first of these; group −1 for none. share (groups,): 1 / (k − 1)
    for a group of k.
    """

    tokens: slice
    documents: slice = _NONE
    groups: slice = _NONE
    document: Ids | None = None
    group: Ids | None = None
    share: NDArray[np.float64] | None = None

    def within(self, tokens: slice) -> Chunk:
        """Return the chunk with those of its tokens alone that are among the given ones."""
        start, stop = max(self.tokens.start, tokens.start), min(self.tokens.stop, tokens.stop)
        own = slice(start - self.tokens.start, max(0, stop - self.tokens.start))
        document, group = (
            None if numbers is None else numbers[own] for numbers in (self.document, self.group)
        )
        return self._replace(tokens=slice(start, max(start, stop)), document=document, group=group)


def chunks_of(text: Text, config: Config, chunk_tokens: int = CHUNK_TOKENS) -> list[Chunk]:
    """Cut a text between documents, and within those that are longer than a chunk."""
    N, features = len(text.word_ids), config.features
    group = share = document = None
    documents = np.array([0, N])
    if features.neighbours or features.document_vector:
        documents = text.document_bounds
    of_groups = np.zeros(len(documents), dtype=np.int64)
    if features.neighbours:
        # Groups are numbered document by document.
        members, of_members, sizes = text.groups
        group = np.full(N, -1, dtype=np.int32)
        group[members] = of_members
        share = 1.0 / (sizes - 1)
        firsts = members[np.cumsum(sizes) - sizes]
        of_groups = np.searchsorted(text.documents[firsts], np.arange(len(documents)))
    if features.document_vector:
        document = text.documents.astype(np.int32)
    chunks = []
    for first, last in _together(documents, chunk_tokens):
        a, b = int(of_groups[first]), int(of_groups[last])
        start, stop = int(documents[first]), int(documents[last])
        for tokens in _pieces(start, stop, chunk_tokens):
            chunk = Chunk(tokens, slice(first, last), slice(a, b))
            if document is not None:
                chunk = chunk._replace(document=document[tokens] - np.int32(first))
            if group is not None and share is not None:
                own = group[tokens]
                own = np.where(own < 0, own, own - np.int32(a))
                chunk = chunk._replace(group=own, share=share[a:b])
            chunks.append(chunk)
    return chunks


def _together(documents: Offsets, chunk_tokens: int) -> list[tuple[int, int]]:
    """Return (first, last + 1) of documents in a row that have about chunk_tokens tokens, or of one alone;
    documents (D + 1,): where each starts, and the end."""
    found, at, last = [], 0, len(documents) - 1
    while at < last:
        full = int(documents[at]) + chunk_tokens
        end = max(at + 1, int(np.searchsorted(documents, full, side="right")) - 1)
        end = min(end, last)
        if documents[end] > documents[at]:
            found.append((at, end))
        at = end
    return found


def _pieces(start: int, stop: int, chunk_tokens: int) -> list[slice]:
    several = max(1, (stop - start) // chunk_tokens)
    bounds = np.linspace(start, stop, several + 1).astype(int).tolist()
    return [slice(a, b) for a, b in pairwise(bounds)]


def distinct_windows(contexts: Ids, centres: Offsets, m: int, combinations: int) -> tuple[Ids, Ids]:
    """Return which window of contexts each token has, (n,) int32, and the distinct windows (w, 2m + 1).

    contexts (P,): numbers below `combinations`; centres (n,): where tokens stand in these.
    """
    n = len(centres)
    keys, most = np.zeros(n, dtype=np.int64), 1
    for c in range(-m, m + 1):
        if most * combinations >= 1 << _KEY_BITS:
            keys, most = np.unique(keys, return_inverse=True)[1], n
        keys, most = keys * combinations + contexts[centres + c], most * combinations
    # Each key with its token in the bits below: see groups_of.
    bits = n.bit_length()
    both = np.sort((keys << bits) | np.arange(n))
    tokens = both & ((1 << bits) - 1)
    begins = np.diff(both >> bits, prepend=-1) > 0
    window = np.empty(n, dtype=np.int32)
    window[tokens] = np.cumsum(begins) - 1
    around = centres[tokens[begins]][:, None] + np.arange(-m, m + 1)
    return window, np.ascontiguousarray(contexts[around])
