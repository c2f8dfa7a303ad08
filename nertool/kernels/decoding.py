"""Kernels of decoding: sums over all tag sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Int64s, address_of

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
    the tags that may follow one another, step (T, T), and those that may begin and end a sentence, (T,);
    tell whether it was done. With many tags numpy's matrix products are quicker."""
    N, T = weight.shape
    if library.loaded is None or T > MOST_TAGS:
        return False
    starts = np.ascontiguousarray(sentence_starts, dtype=np.int64)
    if starts[0] != 0 or starts[-1] != N or (np.diff(starts) < 0).any():
        raise IndexError(f"found sentences from {starts[0]} to {starts[-1]}, expected 0 to {N}")
    back = np.ascontiguousarray(step.T)
    library.loaded.tag_sums(
        address_of(weight, np.float64),
        address_of(starts, np.int64),
        len(starts) - 1,
        T,
        *(address_of(each, np.float64) for each in (step, back, first, end)),
        *(address_of(each, np.float64) for each in (forward, backward, scale)),
    )
    return True
