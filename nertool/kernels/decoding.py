"""Kernels of decoding: consistency within a document, the best tags, and sums over all tag sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Array, Int32s, Int64s, address_of
from nertool.kernels.tagging import check_indices

MOST_TAGS = 64  # the size of the arrays in decoding.c

Doubles = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def tag_sums(
    weight: Doubles,
    sentence_starts: Int64s,
    step: Doubles,
    first: Doubles,
    end: Doubles,
    forward: Doubles,
    backward: Doubles,
    scale: Doubles,
) -> bool:
    """Fill forward, backward (N, T) and scale (N,) for `decoding.probabilities.sums`.

    weight (N, T); step (T, T): 1 if a tag may follow another, else 0; first, end (T,): 1 if a tag may begin,
    or end, a sentence. Return False if nothing was done: without the kernel, or with more than MOST_TAGS
    tags, for which numpy's matrix products are faster.
    """
    N, T = weight.shape
    if library.loaded is None or T > MOST_TAGS:
        return False
    starts = _starts(sentence_starts, N)
    (G, *before), (back_G, *after) = _groups(step), _groups(step.T)
    library.loaded.tag_sums(
        address_of(weight, np.float64),
        address_of(starts, np.int64),
        len(starts) - 1,
        T,
        G,
        *(address_of(each, np.int64) for each in before),
        back_G,
        *(address_of(each, np.int64) for each in after),
        *(address_of(each, np.float64) for each in (first, end, forward, backward, scale)),
    )
    return True


def _groups(step: Doubles) -> tuple[int, Int64s, Int64s, Int64s]:
    """Return the sets of tags that may come before each tag. Tags with the same set share a group.

    The result is the number G of groups; the group of each tag, (T,); the start of each group among the
    members, (G+1,); the members of all groups in order.
    """
    T = len(step)
    known: dict[bytes, int] = {}
    allowed = np.ascontiguousarray(step.T > 0)  # (T, T): in row j, which tags may come before j
    of = np.array([known.setdefault(row.tobytes(), len(known)) for row in allowed], dtype=np.int64)
    members = [np.flatnonzero(np.frombuffer(row, dtype=bool)) for row in known]
    starts = np.cumsum([0, *map(len, members)]).astype(np.int64)
    return len(known), of.reshape(T), starts, np.concatenate(members).astype(np.int64)


def outside_by(scores: Array) -> Doubles | None:
    """Return the same as `decoding.viterbi.outside_by`, (N,), from scores (N, T).

    Return None without the kernel. It needs scores that are float32, finite and C-contiguous.
    """
    N, T = scores.shape
    if not _readable(scores) or T < 2:
        return None
    prefix, lost = np.empty(N + 1, dtype=np.float64), np.empty(N, dtype=np.float64)
    assert library.loaded is not None
    done = library.loaded.outside_by(
        *(address_of(scores, np.float32), N, T),
        *(address_of(each, np.float64) for each in (prefix, lost)),
    )
    return lost if done else None


def decode(
    scores: Array,
    sentence_starts: Int64s,
    bar: float,
    first: Booleans,
    end: Booleans,
    step: Booleans,
) -> Int32s | None:
    """Return each token's tag (N,), as `decoding.viterbi.decode` does; None as in outside_by.

    bar: tokens with a larger outside_by are O; first, end (T,), step (T, T): the allowed tag sequences.
    """
    T = scores.shape[1]
    if T > MOST_TAGS:
        return None
    lost = outside_by(scores)
    if lost is None:
        return None
    starts = _starts(sentence_starts, len(scores))
    best, wrong = np.empty(len(scores), dtype=np.int32), np.empty((len(scores), 2), dtype=np.int64)
    allowed = [np.ascontiguousarray(each).view(np.uint8) for each in (first, end, step)]
    at = [address_of(each, np.uint8) for each in allowed]
    assert library.loaded is not None
    fixed = address_of(best, np.int32), address_of(scores, np.float32), T
    n = library.loaded.best_of_each(
        *(*fixed, address_of(lost, np.float64), bar),
        *(address_of(starts, np.int64), len(starts) - 1, *at, address_of(wrong, np.int64)),
    )
    if n:
        longest = int(np.diff(wrong[:n]).max())
        back = np.empty((longest, T), dtype=np.uint8)
        G, *groups = _groups(step.astype(np.float64))
        library.loaded.best_sequences(
            *(*fixed, address_of(wrong, np.int64), n, *at[:2], G),
            *(address_of(each, np.int64) for each in groups),
            address_of(back, np.uint8),
        )
    return best


def softmax(scores: Array) -> Array | None:
    """Return the softmax of each token's scores (N, T); None without the kernel, which needs float32."""
    if not _readable(scores) or not scores.shape[1]:
        return None
    p = np.empty_like(scores)
    assert library.loaded is not None
    library.loaded.softmax(address_of(p, np.float32), address_of(scores, np.float32), *scores.shape)
    return p


def agree(
    scores: Array, document_bounds: Int64s, members: Int64s, sizes: Int64s, a: float, out: Array
) -> bool:
    """Write the result of `decoding.adjust.agree` to out (N, T), which may be `scores`.

    document_bounds (D + 1,): the starts of documents; members (M,), sizes (G,): the groups of their tokens.
    Return False if nothing was done: without the kernel, or for arrays that are not float32 or C-contiguous.
    """
    N, T = scores.shape
    if not (_readable(scores) and _readable(out) and T) or out.shape != scores.shape:
        return False
    check_indices(members, N)
    starts = _starts(document_bounds, N)
    if int(sizes.sum()) != len(members) or (len(sizes) and sizes.min() < 2):
        raise IndexError(
            f"found groups of {sizes.sum()} tokens, expected {len(members)}, 2 in each"
        )
    sums = np.empty(T, dtype=np.float64)
    assert library.loaded is not None
    library.loaded.agree(
        *(address_of(out, np.float32), address_of(scores, np.float32), T),
        *(address_of(starts, np.int64), len(starts) - 1),
        *(address_of(members, np.int64), address_of(sizes, np.int64), len(sizes)),
        *(a, address_of(sums, np.float64)),
    )
    return True


def _readable(scores: Array) -> bool:
    return (
        library.loaded is not None
        and scores.dtype == np.float32
        and bool(scores.flags.c_contiguous)
    )


def _starts(starts: Int64s, N: int) -> Int64s:
    starts = np.ascontiguousarray(starts, dtype=np.int64)
    if not len(starts) or starts[0] != 0 or starts[-1] != N or (np.diff(starts) < 0).any():
        raise IndexError(f"found parts from {starts[:1]} to {starts[-1:]}, expected 0 to {N}")
    return starts
