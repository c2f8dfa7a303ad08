"""Sums over all allowed tag sequences, in logarithms, step by step.

They check the product's own sums, which are scaled and use matrix products.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nertool.corpus.columnar import Ids, Offsets
from nertool.decoding.viterbi import Lattice, _longest_first
from nertool.network.activations import Array


class Marginals(NamedTuple):
    """Forward–backward over the lattice: log sums over the allowed paths to and from each tag.

    - into (N, T): paths from the sentence's start that end in the tag, including its own score.
    - out (N, T): paths from the tag to the sentence's end, without its own score.
    - log_Z (N,): the log sum over all allowed sequences of the token's sentence.
    """

    into: Array
    out: Array
    log_Z: Array


def forward_backward(scores: Array, sentence_starts: Offsets, allowed: Lattice) -> Marginals:
    """Sum over all allowed tag sequences of each sentence (Rabiner 1989), in float64."""
    s = scores.astype(np.float64)
    bar = np.where(allowed.step, 0.0, -np.inf)
    first_bar, last_bar = (np.where(a, 0.0, -np.inf) for a in (allowed.start, allowed.end))
    into, out = np.empty_like(s), np.empty_like(s)
    log_Z = np.empty(len(s))
    if not len(s):
        return Marginals(into, out, log_Z)
    starts, lengths = _longest_first(sentence_starts)
    into[starts] = s[starts] + first_bar
    for t in range(1, int(lengths[0])):
        rows = starts[: int(np.searchsorted(-lengths, -t, side="left"))] + t
        into[rows] = s[rows] + _log_sum(into[rows - 1][:, :, None] + bar, axis=1)
    out[starts + lengths - 1] = last_bar
    for t in range(int(lengths[0]) - 2, -1, -1):
        rows = starts[: int(np.searchsorted(-lengths, -(t + 1), side="left"))] + t
        out[rows] = _log_sum(bar + (s[rows + 1] + out[rows + 1])[:, None, :], axis=2)
    log_Z[starts] = _log_sum(into[starts] + out[starts], axis=1)
    first = np.repeat(sentence_starts[:-1], np.diff(sentence_starts))
    return Marginals(into, out, log_Z[first])


def span_log_probability(
    start: int,
    end: int,
    tag_ids: Ids,
    scores: Array,
    sentence: tuple[int, int],
    marginals: Marginals,
    allowed: Lattice,
) -> float:
    """Return log P that tokens start … end−1 have exactly these tags and are one whole entity.

    It is the log sum over the allowed sequences that contain the entity, minus the log sum over all of them.
    """
    tags = tag_ids[start:end]
    first, last = int(tags[0]), int(tags[-1])
    if start > sentence[0]:
        before = allowed.step[:, first] & ~allowed.goes_on[:, first]
        log_p = float(_log_sum(np.where(before, marginals.into[start - 1], -np.inf), axis=0))
    else:
        log_p = 0.0 if allowed.start[first] else -np.inf
    log_p += float(scores[np.arange(start, end), tags].sum(dtype=np.float64))
    if end < sentence[1]:
        after = allowed.step[last] & ~allowed.goes_on[last]
        ways = scores[end].astype(np.float64) + marginals.out[end]
        log_p += float(_log_sum(np.where(after, ways, -np.inf), axis=0))
    elif not allowed.end[last]:
        log_p = -np.inf
    return min(0.0, log_p - float(marginals.log_Z[start]))


def _log_sum(values: Array, axis: int) -> Array:
    """Return log Σ e^v along an axis, −∞ where every v is."""
    peak = values.max(axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    with np.errstate(divide="ignore"):
        total = np.log(np.exp(values - peak).sum(axis=axis, keepdims=True))
    return np.asarray((total + peak).squeeze(axis))
