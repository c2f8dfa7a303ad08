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

from nertool.corpus.columnar import Ids, Offsets
from nertool.embeddings.features import CAPITALS, CAPS, INITIAL, LOWER, MIXED, SINGLE
from nertool.embeddings.wordforms import WordForms
from nertool.kernels.library import add_rows

Booleans = NDArray[np.bool_]

_LETTERS = (LOWER, INITIAL, CAPITALS, MIXED, SINGLE)
_CAPITALS = (CAPITALS, SINGLE)
_INITIALS = (INITIAL, CAPITALS, SINGLE, MIXED)

DOCUMENT_TOKENS = 10_000  # a longer document is read in parts of about so many


def cut_documents(sentence_starts: Offsets, document_starts: Offsets) -> Offsets:
    """Return where documents, or the parts of those that are very long, start (as document_starts does).

    A part ends with the sentence in which it reaches DOCUMENT_TOKENS. So any text, however long, can
    be read in bounded memory, and where a part ends depends on what comes before alone.
    """
    more: list[int] = []
    for i in np.flatnonzero(np.diff(sentence_starts[document_starts]) >= DOCUMENT_TOKENS):
        first, end = int(document_starts[i]), int(document_starts[i + 1])
        while True:
            full = sentence_starts[first] + DOCUMENT_TOKENS
            first = int(np.searchsorted(sentence_starts, full))
            if first >= end:
                break
            more.append(first)
    return np.sort(np.append(document_starts, np.array(more, dtype=np.int64)), kind="stable")


class Groups(NamedTuple):
    """Tokens that have something in common, two or more in each of G groups.

    members (M,) int64: the tokens, group by group, each group's in the text's order; group (M,)
    int64: whose member each is, ascending; sizes (G,) int64. Tokens that are alone are in none.
    """

    members: NDArray[np.int64]
    group: NDArray[np.int64]
    sizes: NDArray[np.int64]


def groups_of(keys: NDArray[np.int64]) -> Groups:
    """Gather the tokens with equal keys (N,), whole numbers from 0 on."""
    N = len(keys)
    bits = N.bit_length()
    if int(keys.max(initial=0)).bit_length() + bits > 62:
        keys = np.unique(keys, return_inverse=True)[1]
    # Each key with its token in the bits below: numpy sorts numbers several times as fast as it
    # finds the order of them.
    both = np.sort((keys << bits) | np.arange(N))
    firsts = np.flatnonzero(np.diff(both >> bits, prepend=-1))
    sizes = np.diff(firsts, append=N)
    several = sizes > 1
    members = both[np.repeat(several, sizes)] & ((1 << bits) - 1)
    sizes = sizes[several]
    return Groups(members, np.repeat(np.arange(len(sizes)), sizes), sizes)


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
    def neighbours(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The tokens before and after each token in its sentence, (N,) each; N where there is none."""
        N = len(self.word_ids)
        before, after = np.arange(-1, N - 1), np.arange(1, N + 1)
        before[self.first] = N
        after[:-1][self.first[1:]] = N
        return before, after

    @cached_property
    def forms(self) -> WordForms:
        return self.words if isinstance(self.words, WordForms) else WordForms(list(self.words))

    @cached_property
    def caps(self) -> NDArray[np.int8]:
        """Each token's class of capitals, (N,): as the feature caps has them."""
        return np.asarray(self.forms.caps[self.word_ids])

    @cached_property
    def groups(self) -> Groups:
        """The tokens whose document has the same word elsewhere, in whatever case."""
        lower = self.forms.lower
        ids = lower[self.word_ids].astype(np.int64)
        return groups_of(self.documents * (1 + int(lower.max(initial=0))) + ids)

    @cached_property
    def kinds(self) -> NDArray[np.int64]:
        """What each sentence is written like, (S,): 0 as usual, 1 like a title, 2 all in capitals."""

        def count(first: Sequence[int], second: Sequence[int]) -> tuple[Offsets, Offsets]:
            # Two counts in one number, so that there is one sum to take.
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


Values = NDArray[np.floating[Any]]


_NARROW = 32  # columns
_MANY = 4096  # rows


def group_sums(
    values: Values, rows: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.floating[Any]]:
    """Add up rows of values (n, e), sizes[g] of them for each g, one after another: (G, e)."""
    sums = np.zeros((len(sizes), values.shape[1]), dtype=values.dtype)
    group = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    if add_rows(sums, group, values, rows.astype(np.int32)):
        return sums
    if len(rows) > _MANY:
        from scipy import sparse  # worth its loading: many times as fast, with the same roundings

        indptr = np.concatenate([[0], np.cumsum(sizes)])
        ones = np.ones(len(rows), dtype=values.dtype)
        picked = sparse.csr_array((ones, rows, indptr), shape=(len(sizes), len(values)))
        return np.asarray(picked @ values)
    np.add.at(sums, group, values[rows])
    return sums


def others_sum(values: Values, groups: Groups) -> Values:
    """Return for each member of a group the sum of values (N, e) over the others, (M, e)."""
    members, group, sizes = groups
    if values.shape[1] < _NARROW:
        # Column by column: numpy adds up long columns faster than short rows.
        out = np.empty((len(members), values.shape[1]), dtype=values.dtype, order="F")
        for column, own in zip(values.T, out.T, strict=True):
            np.take(column, members, out=own)
            own[:] = np.bincount(group, own)[group] - own
        return out
    out = group_sums(values, members, sizes)[group]
    out -= values[members]
    return out


def others_mean(values: Values, groups: Groups) -> Values:
    """Return for each member of a group the mean of values (N, e) over the others, (M, e)."""
    means = others_sum(values, groups)
    means /= (groups.sizes - 1)[groups.group, None].astype(values.dtype)
    return means


def sentence_context(setting: Setting) -> Ids:
    """Number what kind of sentence a token is in, whether it begins it, and whether that begins
    the document, or its part: 1 … 12."""
    begins = np.zeros(len(setting.sentence_starts) - 1, dtype=np.int64)
    begins[setting.sentences[np.flatnonzero(np.diff(setting.documents, prepend=-1))]] = 1
    of_sentences = (1 + 4 * setting.kinds + begins).astype(np.int32)
    return np.asarray(of_sentences[setting.sentences] + 2 * setting.first, dtype=np.int32)


_FIELD = 21  # bits of a count: no word occurs two million times in one part of a document


def document_context(setting: Setting) -> Ids:
    """Number how the document has the same word elsewhere: 1 + 1 (in lower case) + 2 (capitalised
    within a sentence) + 4 (all in capitals, in a sentence that is not)."""
    number = np.ones(len(setting.word_ids), dtype=np.int32)
    members, group, sizes = setting.groups
    if not len(members):
        return number
    caps, kinds = setting.caps[members], setting.kinds[setting.sentences[members]]
    # Three counts in one number, so that there is one sum to take: by the class of capitals, by whether
    # the sentence is as usual, like a title, or in capitals, and by whether the word begins it.
    evidence = np.zeros((CAPS, 3, 2), dtype=np.int64)
    evidence[LOWER] += 1
    evidence[[INITIAL, MIXED], 0, 0] += 1 << _FIELD
    evidence[CAPITALS, :2] += 1 << 2 * _FIELD
    own = evidence.ravel()[(caps * np.int64(3) + kinds) * 2 + setting.first[members]]
    others = np.add.reduceat(own, np.cumsum(sizes) - sizes)[group] - own
    found = np.ones(len(members), dtype=np.int32)
    for i in range(3):
        field = ((1 << _FIELD) - 1) << (i * _FIELD)
        found += ((others & field) != 0) * np.int32(1 << i)
    number[members] = found
    return number


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


def neighbour_sums(setting: Setting, own: Values) -> Values:
    """Return the sum of what stands before and after the members of each group of setting.groups, (G, 2v):
    of own (N + 1, v), each token's vector, the last for beyond a sentence's ends."""
    members, _, sizes = setting.groups
    sums = [group_sums(own, side[members], sizes) for side in setting.neighbours]
    return np.concatenate(sums, axis=1)


def neighbour_means(setting: Setting, own: Values) -> Values:
    """Return what stands before and after the word elsewhere in the document, for each member of
    setting.groups (M, 2v): the mean vectors of its other occurrences' left and right neighbours (0
    beyond a sentence's ends).

    own (N, v): each token's vector.
    """
    members, group, sizes = setting.groups
    padded = np.concatenate([own, np.zeros((1, own.shape[1]), dtype=own.dtype)])
    means = neighbour_sums(setting, padded)[group]
    means -= np.concatenate([padded[side[members]] for side in setting.neighbours], axis=1)
    means /= (sizes - 1)[group, None].astype(own.dtype)
    return means


def document_means(setting: Setting, own: Values) -> Values:
    """Return the mean vector of each document, as setting.documents numbers them, (D, v); own as above."""
    lengths = np.bincount(setting.documents)
    sums = group_sums(own, np.arange(len(own)), lengths)
    return np.asarray(sums / np.maximum(lengths, 1)[:, None].astype(own.dtype))
