"""Probabilities of entities and of tags, by sums over all allowed tag sequences.

The sums use the forward–backward algorithm with scaling (Rabiner 1989). A kernel computes them, or else
numpy, with one small matrix product for each position of all sentences together. A test compares both with
the same sums in logarithms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets
from nertool.corpus.schemes import TagSpans
from nertool.decoding.viterbi import Lattice, outside_by
from nertool.kernels.decoding import tag_sums
from nertool.network.activations import Array

Floats = NDArray[np.float64]

_FLOOR = -300.0  # the least score relative to the token's best: (e^-300)² does not underflow


class Sums(NamedTuple):
    """The sums of the forward–backward algorithm.

    forward (N, T): the scaled sums over all partial sequences up to each token and tag; the row of a token
    adds up to 1; backward (N, T): the scaled sums over all continuations; weight (N, T): exp of the score
    minus the token's best score; scale (N,): the divisor of each row of forward; log_Z (S,): the logarithm
    of the sum over all allowed sequences of each sentence.
    """

    forward: Array
    backward: Array
    weight: Array
    scale: NDArray[np.float64]
    log_Z: NDArray[np.float64]


def sums(scores: Array, sentence_starts: Offsets, allowed: Lattice) -> Sums:
    """Compute the sums over all allowed tag sequences of each sentence.

    scores (N, T), sentence_starts (S+1,).
    """
    N, T = scores.shape
    peak = _best(scores)[:, None]
    weight = (scores - peak).astype(np.float64, order="C")  # (N, T)
    np.exp(np.maximum(weight, _FLOOR, out=weight), out=weight)
    step, first, end = (a.astype(np.float64) for a in (allowed.step, allowed.start, allowed.end))
    forward, backward, scale = np.empty((N, T)), np.empty((N, T)), np.ones(N)
    if not tag_sums(weight, sentence_starts, step, first, end, forward, backward, scale):
        _fill(weight, sentence_starts, step, first, end, forward, backward, scale)
    log_Z = np.zeros(len(sentence_starts) - 1)
    filled = np.flatnonzero(np.diff(sentence_starts))
    starts, ends = sentence_starts[filled], sentence_starts[filled + 1]
    finish = np.log((forward[ends - 1] * end).sum(axis=1))
    scaled = np.concatenate([[0.0], np.cumsum(np.log(scale) + peak[:, 0])])
    log_Z[filled] = scaled[ends] - scaled[starts] + finish
    return Sums(forward, backward, weight, scale, log_Z)


def _best(scores: Array) -> Array:
    """Return each token's best score, (N,). With few tags, this is faster than scores.max(axis=1)."""
    best = scores[:, 0].copy()
    for j in range(1, scores.shape[1]):
        np.maximum(best, scores[:, j], out=best)
    return best


def _fill(
    weight: Floats,
    sentence_starts: Offsets,
    step: Floats,
    first: Floats,
    end: Floats,
    forward: Floats,
    backward: Floats,
    scale: Floats,
) -> None:
    """Fill forward, backward and scale in numpy, position by position for all sentences together."""
    lengths = np.diff(sentence_starts)
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    starts, n = sentence_starts[:-1][order], lengths[order]
    longest = int(n[0]) if len(n) else 0
    running = [int(np.searchsorted(-n, -t, side="left")) for t in range(longest + 1)]
    for t in range(longest):
        rows = starts[: running[t]] + t
        into = first if t == 0 else forward[rows - 1] @ step
        ways = into * weight[rows]
        total = ways.sum(axis=1)
        forward[rows], scale[rows] = ways / total[:, None], total
    backward[starts + n - 1] = end
    for t in range(longest - 2, -1, -1):
        rows = starts[: running[t + 1]] + t
        ways = (weight[rows + 1] * backward[rows + 1]) @ step.T
        backward[rows] = ways / ways.sum(axis=1, keepdims=True)


LONG = 2000  # tokens; a longer "sentence" is a list or a table


def shorter(scores: Array, sentence_starts: Offsets, longest: int = LONG) -> Offsets:
    """Cut sentences of more than `longest` tokens into parts of about half that length.

    Return the starts of all parts, (P+1,). Shorter parts save memory and time for the sums. Each cut is
    made at the token, among some hundreds, that is most certain to be outside of entities. If that token
    were O with certainty, the parts before and after it would be independent.
    """
    cuts = [sentence_starts]
    for i in np.flatnonzero(np.diff(sentence_starts) > longest):
        first, end = int(sentence_starts[i]), int(sentence_starts[i + 1])
        sure = outside_by(scores[first:end])
        for start in range(longest // 2, end - first - longest // 4, longest // 2):
            at = first + start + int(sure[start : start + longest // 4].argmax())
            cuts.append(np.array([at]))
    return np.sort(np.concatenate(cuts))


def tag_probabilities(parts: Sums) -> Array:
    """Return each token's distribution over the tags given its whole sentence, (N, T); rows add up to 1."""
    p = parts.forward * parts.backward
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def span_probabilities(
    spans: TagSpans, tag_ids: Ids, parts: Sums, sentence_starts: Offsets, allowed: Lattice
) -> NDArray[np.float64]:
    """Return the probability (n,) that each span is exactly one entity with its tags.

    It is the sum over all allowed sequences that contain the entity, divided by the sum over all allowed
    sequences. tag_ids (N,): the tags from which the spans were read.
    """
    if not len(spans):
        return np.zeros(0)
    starts, ends = spans.starts, spans.ends
    N = len(tag_ids)
    sentence = np.searchsorted(sentence_starts, starts, side="right") - 1
    first, last = tag_ids[starts], tag_ids[ends - 1]
    opens, closes = sentence_starts[sentence] == starts, sentence_starts[sentence + 1] == ends

    # Steps into the entity and out of it that do not continue an entity.
    parting = (allowed.step & ~allowed.goes_on).astype(np.float64)
    before = (parts.forward[np.maximum(starts - 1, 0)] * parting[:, first].T).sum(axis=1)
    before = np.where(opens, allowed.start[first], before)
    # forward is known at both ends of the entity. The part of the sentence after the entity is compared
    # with the whole by backward, at the same token.
    ratio = parts.weight[np.arange(N), tag_ids] / parts.scale
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.concatenate([[0.0], np.cumsum(np.log(ratio))])
        log_p = np.log(before) + inside[ends] - inside[starts]
        after_row = np.minimum(ends, N - 1)
        beyond = parts.weight[after_row] * parts.backward[after_row]
        after = (beyond * parting[last]).sum(axis=1)
        # The same sum over all tags and steps. Divided by it, the sum of the whole sentence is 1.
        step = allowed.step.astype(np.float64)
        whole = ((parts.forward[ends - 1] @ step) * beyond).sum(axis=1)
        finish = (parts.forward[ends - 1] * allowed.end).sum(axis=1)
        log_p += np.where(closes, np.log(allowed.end[last] / finish), np.log(after / whole))
    return np.asarray(np.exp(np.minimum(log_p, 0.0)))
