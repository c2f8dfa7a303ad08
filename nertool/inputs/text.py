"""A text as flat arrays, with properties of its tokens and sentences that the inputs use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Interner, Offsets, ranges
from nertool.inputs.features import CAPITALS, CAPS, INITIAL, LOWER, MIXED, SINGLE
from nertool.inputs.word_types import WordTypes
from nertool.kernels.documents import group_words, sentence_kinds

Booleans = NDArray[np.bool_]


_LETTERS = (LOWER, INITIAL, CAPITALS, MIXED, SINGLE)


_CAPITALS = (CAPITALS, SINGLE)


_INITIALS = (INITIAL, CAPITALS, SINGLE, MIXED)


def _bits_of(*kinds: Sequence[int]) -> NDArray[np.uint8]:
    """Return for each class of capitals (CAPS,) a bit for each of `kinds` that contains it."""
    bits = np.zeros(CAPS, dtype=np.uint8)
    for i, classes in enumerate(kinds):
        bits[list(classes)] |= 1 << i
    return bits


_CLASSES = _bits_of(_LETTERS, _CAPITALS, _INITIALS)


BLOCK_TOKENS = 1 << 18
DOCUMENT_TOKENS = 10_000  # a longer document is read in parts of about this number of tokens


def cut_documents(
    sentence_starts: Offsets, document_starts: Offsets, document_tokens: int = DOCUMENT_TOKENS
) -> Offsets:
    """Return the starts of documents and of the parts of very long documents, in the form of document_starts.

    A part ends with the sentence in which it reaches document_tokens. So a text of any length can be read in
    bounded memory, and the end of a part depends only on the text before it.
    """
    more: list[int] = []
    for i in np.flatnonzero(np.diff(sentence_starts[document_starts]) >= document_tokens):
        first, end = int(document_starts[i]), int(document_starts[i + 1])
        while True:
            full = sentence_starts[first] + document_tokens
            first = int(np.searchsorted(sentence_starts, full))
            if first >= end:
                break
            more.append(first)
    return np.sort(np.append(document_starts, np.array(more, dtype=np.int64)), kind="stable")


class Groups(NamedTuple):
    """G groups of two or more tokens with something in common. Other tokens are in no group.

    members (M,) int64: the tokens, group by group. Groups are in the order of their first tokens, and the
    tokens of a group in the order of the text. group (M,) int64: the group of each member, ascending;
    sizes (G,) int64: the size of each group.
    """

    members: NDArray[np.int64]
    group: NDArray[np.int64]
    sizes: NDArray[np.int64]


def groups_of(keys: NDArray[np.int64]) -> Groups:
    """Return the groups of tokens with equal keys. keys (N,): non-negative integers."""
    N = len(keys)
    bits = N.bit_length()
    if int(keys.max(initial=0)).bit_length() + bits > 62:
        keys = np.unique(keys, return_inverse=True)[1]
    # Each number is a key with its token in the lower bits: numpy's sort is several times as fast as its
    # argsort.
    both = np.sort((keys << bits) | np.arange(N))
    firsts = np.flatnonzero(np.diff(both >> bits, prepend=-1))
    sizes = np.diff(firsts, append=N)
    several = sizes > 1
    tokens = both & ((1 << bits) - 1)
    firsts, sizes = firsts[several], sizes[several]
    order = np.argsort(tokens[firsts])
    sizes = sizes[order]
    members = tokens[ranges(firsts[order], sizes)]
    return Groups(members, np.repeat(np.arange(len(sizes)), sizes), sizes)


@dataclass(frozen=True)
class Text:
    """A text of N tokens in S sentences.

    words, word_ids, sentence_starts, document_starts: as in Corpus; document_tokens: a longer document is
    read in parts of about this number of tokens; block_tokens: a longer text is processed in blocks of about
    this number of tokens.
    """

    words: Sequence[str]
    word_ids: Ids
    sentence_starts: Offsets
    document_starts: Offsets
    document_tokens: int = DOCUMENT_TOKENS
    block_tokens: int = BLOCK_TOKENS

    @cached_property
    def sentences(self) -> NDArray[np.int64]:
        """Each token's sentence, (N,)."""
        lengths = np.diff(self.sentence_starts)
        return np.repeat(np.arange(len(lengths)), lengths)

    @cached_property
    def document_bounds(self) -> Offsets:
        """The first token of each document, or part of a very long one, and last N: (D+1,)."""
        starts = cut_documents(self.sentence_starts, self.document_starts, self.document_tokens)
        return np.asarray(self.sentence_starts[starts])

    @cached_property
    def documents(self) -> NDArray[np.int64]:
        """Each token's document, or part of a very long one, (N,)."""
        lengths = np.diff(self.document_bounds)
        return np.repeat(np.arange(len(lengths)), lengths)

    @cached_property
    def first(self) -> Booleans:
        """Whether each token is the first of its sentence, (N,)."""
        first = np.zeros(len(self.word_ids), dtype=bool)
        first[self.sentence_starts[:-1][np.diff(self.sentence_starts) > 0]] = True
        return first

    @cached_property
    def neighbours(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The tokens before and after each token in its sentence, (N,) each; N if there is none."""
        N = len(self.word_ids)
        before, after = np.arange(-1, N - 1), np.arange(1, N + 1)
        before[self.first] = N
        after[:-1][self.first[1:]] = N
        return before, after

    @cached_property
    def word_types(self) -> WordTypes:
        """The text's word types, with properties that are computed once for each."""
        return self.words if isinstance(self.words, WordTypes) else WordTypes(list(self.words))

    @cached_property
    def caps(self) -> NDArray[np.int8]:
        """Each token's class of capitals (N,): the value of the feature `caps`."""
        return np.asarray(self.word_types.caps.take(self.word_ids))

    @cached_property
    def groups(self) -> Groups:
        """The groups of tokens that are the same word, in any case, in the same document."""
        lower = self.word_types.lower
        ids, words = lower[self.word_ids], 1 + int(lower.max(initial=0))
        found = group_words(ids, self.document_bounds, words)
        if found is not None:
            return Groups(*found)
        return groups_of(self.documents * words + ids.astype(np.int64))

    @cached_property
    def kinds(self) -> NDArray[np.int64]:
        """The kind of each sentence (S,): 0 for a usual sentence, 1 for a title, 2 for one in capitals."""
        found = sentence_kinds(self.caps, self.sentence_starts, _CLASSES)
        if found is not None:
            return found

        def count(first: Sequence[int], second: Sequence[int]) -> tuple[Offsets, Offsets]:
            # Two counts in one number need only one sum.
            counted = np.zeros(CAPS, dtype=np.int64)
            counted[list(first)] += 1
            counted[list(second)] += 1 << 32
            before = np.concatenate([[0], np.cumsum(counted[self.caps])])
            both = np.diff(before[self.sentence_starts])
            return both & 0xFFFFFFFF, both >> 32

        words, in_capitals = count(_LETTERS, _CAPITALS)
        initials, _ = count(_INITIALS, ())
        several = np.diff(self.sentence_starts) > 1
        capitals = several & (words >= 1) & (in_capitals >= 0.8 * words)
        title = (words >= 3) & (initials >= 0.6 * words)
        return np.where(capitals, 2, np.where(title, 1, 0))


class Block(NamedTuple):
    """Consecutive documents of a text.

    first: the index of its first token; document: the index of its first document in Text.documents;
    text: these documents as a text with the same word ids.
    """

    first: int
    document: int
    text: Text

    @property
    def tokens(self) -> slice:
        """The block's tokens in the whole text."""
        return slice(self.first, self.first + len(self.text.word_ids))


def blocks_of(text: Text) -> Iterator[Block]:
    """Cut a text into blocks of whole documents, or of parts of very long ones.

    Properties of a token's document are the same in its block as in the whole text. Computing them block by
    block limits the memory.
    """
    if len(text.word_ids) <= text.block_tokens:
        yield Block(0, 0, text)
        return
    documents = cut_documents(text.sentence_starts, text.document_starts, text.document_tokens)
    token_starts = text.sentence_starts[documents]
    last = len(documents) - 1
    at = 0
    while at < last:
        end = int(np.searchsorted(token_starts, token_starts[at] + text.block_tokens))
        end = min(max(end, at + 1), last)
        first, stop = documents[at], documents[end]
        start = int(token_starts[at])
        yield Block(
            start,
            at,
            Text(
                text.word_types,
                text.word_ids[start : token_starts[end]],
                text.sentence_starts[first : stop + 1] - start,
                documents[at : end + 1] - first,
                text.document_tokens,
            ),
        )
        at = end


def text_of(
    sentences: Iterable[Sequence[str]],
    document_starts: Offsets,
    document_tokens: int = DOCUMENT_TOKENS,
) -> Text:
    """Return a Text from sentences of words."""
    interner = Interner()
    starts = [0]
    word_ids: list[int] = []
    for sentence in sentences:
        word_ids.extend([interner[word] for word in sentence])
        starts.append(len(word_ids))
    return Text(
        list(interner),
        np.array(word_ids, dtype=np.int32),
        np.array(starts, dtype=np.int64),
        document_starts.astype(np.int64),
        document_tokens,
    )
