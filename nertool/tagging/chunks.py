"""A text in chunks of some thousand tokens, whose products stay in the processor's cache.

The products of side inputs are computed for the documents of a chunk, not of the whole text. Without the
kernels, the contexts of a window's words are summed once for each distinct window of contexts. A chunk has
several hundred of these.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Ids, Offsets
from nertool.inputs.text import Text

CHUNK_TOKENS = 8192  # the usual size of a chunk; every chunk has less than twice as many tokens
# The bits of a number that encodes a window's contexts. Together with a token's index, it fits into 63 bits.
_KEY_BITS = 40
_NONE = slice(0, 0)


class Chunk(NamedTuple):
    """n consecutive tokens, with their documents and groups. An input that is not used is None.

    documents, groups: the range of the tokens' documents, and of their groups in Text.groups; document,
    group (n,) int32: the document and the group of each token, counted from the start of the range, −1 if a
    token is in no group; share (groups,): 1 / (k − 1) for a group of k tokens.
    """

    tokens: slice
    documents: slice = _NONE
    groups: slice = _NONE
    document: Ids | None = None
    group: Ids | None = None
    share: NDArray[np.float64] | None = None

    def within(self, tokens: slice) -> Chunk:
        """Return the part of the chunk that is in `tokens`."""
        start, stop = max(self.tokens.start, tokens.start), min(self.tokens.stop, tokens.stop)
        own = slice(start - self.tokens.start, max(0, stop - self.tokens.start))
        document, group = (
            None if numbers is None else numbers[own] for numbers in (self.document, self.group)
        )
        return self._replace(tokens=slice(start, max(start, stop)), document=document, group=group)


def chunks_of(text: Text, config: Config, chunk_tokens: int = CHUNK_TOKENS) -> list[Chunk]:
    """Cut a text into chunks: between documents, and inside documents that are longer than a chunk."""
    N, features = len(text.word_ids), config.features
    group = share = document = None
    documents = np.array([0, N])
    if features.neighbours or features.document_vector:
        documents = text.document_bounds
    of_groups = np.zeros(len(documents), dtype=np.int64)
    if features.neighbours:
        # Groups are numbered in the order of documents.
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
    """Return (first, last + 1) of consecutive documents that have about chunk_tokens tokens together.

    A longer document is alone. documents (D + 1,): the start of each document, and the end of the text.
    """
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
    """Return each token's index of its window of contexts (n,) int32, and the distinct windows (w, 2m + 1).

    contexts (P,): numbers below `combinations`; centres (n,): the tokens' indices in contexts.
    """
    n = len(centres)
    keys, most = np.zeros(n, dtype=np.int64), 1
    for c in range(-m, m + 1):
        if most * combinations >= 1 << _KEY_BITS:
            keys, most = np.unique(keys, return_inverse=True)[1], n
        keys, most = keys * combinations + contexts[centres + c], most * combinations
    # Each number is a key with its token in the lower bits: see groups_of.
    bits = n.bit_length()
    both = np.sort((keys << bits) | np.arange(n))
    tokens = both & ((1 << bits) - 1)
    begins = np.diff(both >> bits, prepend=-1) > 0
    window = np.empty(n, dtype=np.int32)
    window[tokens] = np.cumsum(begins) - 1
    around = centres[tokens[begins]][:, None] + np.arange(-m, m + 1)
    return window, np.ascontiguousarray(contexts[around])
