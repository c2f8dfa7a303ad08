"""Kernels of decoding: sums over all tag sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Array, Int64s, address_of

MOST_TAGS = 64  # decoding.c has room for so many

Doubles = NDArray[np.float64]


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
    """Fill forward, backward (N, T) and scale (N,) as `decoding.probabilities.sums` does, from weight (N, T),
    which tags may follow one another, step (T, T), and which may begin and end a sentence, (T,), all 0 or 1;
    tell whether it was done. With many tags numpy's matrix products are quicker."""
    N, T = weight.shape
    if library.loaded is None or T > MOST_TAGS:
        return False
    starts = np.ascontiguousarray(sentence_starts, dtype=np.int64)
    if starts[0] != 0 or starts[-1] != N or (np.diff(starts) < 0).any():
        raise IndexError(f"found sentences from {starts[0]} to {starts[-1]}, expected 0 to {N}")
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
    """Return which tags may come before each tag, in groups that tags share: the number G of groups; the
    group of each tag, (T,); where each group starts, (G+1,); the members of all groups, one after another."""
    T = len(step)
    known: dict[bytes, int] = {}
    allowed = np.ascontiguousarray(step.T > 0)  # (T, T): in row j, which tags may come before j
    of = np.array([known.setdefault(row.tobytes(), len(known)) for row in allowed], dtype=np.int64)
    members = [np.flatnonzero(np.frombuffer(row, dtype=bool)) for row in known]
    starts = np.cumsum([0, *map(len, members)]).astype(np.int64)
    return len(known), of.reshape(T), starts, np.concatenate(members).astype(np.int64)


def outside_by(scores: Array) -> Doubles | None:
    """Return for each token how much the best tags lose, at the least, if it is not O, (N,), as
    `decoding.viterbi.outside_by` does. None: there is no kernel for these scores (N, T), which must be
    float32 and lie column by column."""
    N, T = scores.shape
    if (
        library.loaded is None
        or scores.dtype != np.float32
        or not scores.flags.f_contiguous
        or T < 2
    ):
        return None
    h, prefix = np.empty(N, dtype=np.float32), np.empty(N + 1, dtype=np.float64)
    lost = np.empty(N, dtype=np.float64)
    library.loaded.outside_by(
        *(address_of(scores, np.float32, columns=True), N, T, address_of(h, np.float32)),
        *(address_of(prefix, np.float64), address_of(lost, np.float64)),
    )
    return lost
