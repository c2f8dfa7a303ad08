"""Kernels on documents: groups of tokens with the same word, context features, and padded texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Bytes, Int32s, Int64s, address_of
from nertool.kernels.tagging import check_indices


def group_words(ids: Int32s, starts: Int64s, words: int) -> tuple[Int64s, Int64s, Int64s] | None:
    """Return members (M,), group (M,) and sizes (G,) of the tokens with the same word in a document.

    The result is that of groups_of in inputs/text.py. ids (N,): each token's word, below `words`; starts
    (D + 1,): the starts of documents. Return None without the kernel.
    """
    if library.loaded is None:
        return None
    check_indices(ids, words)
    _check_starts(starts, len(ids))
    count, place = np.zeros(words, dtype=np.int32), np.empty(words, dtype=np.int64)
    members, group = np.empty((2, len(ids)), dtype=np.int64)
    sizes, of = np.empty(len(ids) // 2, dtype=np.int64), np.zeros(1, dtype=np.int64)
    G = library.loaded.group_words(
        *(address_of(ids, np.int32), address_of(starts, np.int64), len(starts) - 1),
        *(address_of(count, np.int32), address_of(place, np.int64)),
        *(address_of(array, np.int64) for array in (members, group, sizes, of)),
    )
    M = int(of[0])
    return members[:M], group[:M], sizes[:G]


def document_context(
    caps: NDArray[np.int8],
    sentence_starts: Int64s,
    kinds: Int64s,
    table: Bytes,
    members: Int64s,
    sizes: Int64s,
) -> Int32s | None:
    """Return the context feature `document` of each token (N,), as document_context in inputs/context.py.

    caps (N,): the tokens' classes of capitals; kinds (S,): the kinds of sentences, 0 … 2; table
    (classes, 3, 2) uint8: the evidence as bits; members, sizes: the groups. Return None without the kernel.
    """
    if library.loaded is None:
        return None
    N = len(caps)
    check_indices(caps, len(table))
    check_indices(kinds, table.shape[1])
    check_indices(members, N)
    _check_starts(sentence_starts, N)
    if len(kinds) != len(sentence_starts) - 1 or int(sizes.sum()) != len(members):
        raise IndexError(f"found {len(kinds)} sentences and {len(members)} members")
    number, own = np.empty(N, dtype=np.int32), np.empty(N, dtype=np.uint8)
    library.loaded.document_context(
        *(address_of(number, np.int32), address_of(own, np.uint8), address_of(caps, np.int8)),
        *(address_of(sentence_starts, np.int64), address_of(kinds, np.int64), len(kinds)),
        *(address_of(table, np.uint8), address_of(members, np.int64)),
        *(address_of(sizes, np.int64), len(sizes)),
    )
    return number


def sentence_kinds(
    caps: NDArray[np.int8], sentence_starts: Int64s, classes: Bytes
) -> Int64s | None:
    """Return the kind of each sentence (S,), as Text.kinds in inputs/text.py; None without the kernel.

    caps (N,): the tokens' classes of capitals; classes: for each class, bits that say whether its words have
    letters, are all in capitals, and begin with a capital.
    """
    if library.loaded is None:
        return None
    check_indices(caps, len(classes))
    _check_starts(sentence_starts, len(caps))
    kinds = np.empty(len(sentence_starts) - 1, dtype=np.int64)
    library.loaded.sentence_kinds(
        *(address_of(kinds, np.int64), address_of(caps, np.int8)),
        *(address_of(sentence_starts, np.int64), len(kinds), address_of(classes, np.uint8)),
    )
    return kinds


def lay_out_words(
    numbers: Int32s, ids: Int32s, contexts: Int32s, sentence_starts: Int64s, m: int
) -> tuple[Int64s, Int32s, Int64s] | None:
    """Return a text with m paddings before and after each sentence; None without the kernel.

    The result is the words (N + 2mS,), their contexts (N + 2mS,), and the tokens' indices in these (N,).
    ids (N,): the tokens' word ids, whose words are numbers[ids]; contexts (N,): the tokens' contexts. A
    padding is the word 0 before a sentence, and 1 after it, with the context 0.
    """
    if library.loaded is None:
        return None
    N, S = len(ids), len(sentence_starts) - 1
    _check_starts(sentence_starts, N)
    if len(contexts) != N:
        raise IndexError(f"found {len(contexts)} contexts, expected {N}")
    P = N + 2 * m * S
    words, around, centres = (
        np.empty(P, dtype=np.int64),
        np.empty(P, dtype=np.int32),
        np.empty(N, dtype=np.int64),
    )
    done = library.loaded.lay_out_words(
        *(address_of(words, np.int64), address_of(around, np.int32)),
        *(address_of(centres, np.int64), address_of(numbers, np.int32), len(numbers)),
        *(address_of(ids, np.int32), address_of(contexts, np.int32)),
        *(address_of(sentence_starts, np.int64), S, m),
    )
    if not done:
        raise IndexError(f"found ids from {ids.min()} to {ids.max()}, expected {len(numbers)}")
    return words, around, centres


def _check_starts(starts: Int64s, n: int) -> None:
    if not len(starts) or starts[0] != 0 or starts[-1] != n or (np.diff(starts) < 0).any():
        raise IndexError(f"found parts from {starts[:1]} to {starts[-1:]}, expected 0 to {n}")
