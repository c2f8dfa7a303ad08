"""How sure is the model? Probabilities of entities and of tags, over all sequences that are allowed.

Forward–backward with scaling (Rabiner 1989), by a kernel, or in numpy with one small matrix product a step
for all sentences at once. A test compares both with the same sums in logarithms.
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

_FLOOR = -300.0  # scores below the token's best are cut here: e^-300 squared is still a number


class Sums(NamedTuple):
    """forward, backward (N, T): the sums to and from each tag, each token's scaled to add up to 1;
    weight (N, T): e to the scores less the token's best; scale (N,): what forward was divided by;
    log_Z (S,): the log sum over each sentence's allowed sequences."""

    forward: Array
    backward: Array
    weight: Array
    scale: NDArray[np.float64]
    log_Z: NDArray[np.float64]


def sums(scores: Array, sentence_starts: Offsets, allowed: Lattice) -> Sums:
    """Sum over all allowed tag sequences of each sentence; scores (N, T), sentence_starts (S+1,)."""
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
    """Return each token's best score, (N,). With few tags this is quicker than scores.max(axis=1)."""
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
    """Fill forward, backward and scale: token by token, for all sentences that are as long at once."""
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


LONG = 2000  # tokens: longer than any sentence, so a list or a table


def shorter(scores: Array, sentence_starts: Offsets, longest: int = LONG) -> Offsets:
    """Cut sentences of more than `longest` tokens into parts of about half that length, and return where
    all parts start, (P+1,), so that the sums take neither much memory nor much time.

    Each cut is made at the token, of some hundreds, that is most certain to be outside all entities.
    What lies before the cut and after it then depends on each other only by the chance that it is not.
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
    """Return each token's distribution over the tags, given its whole sentence: (N, T), rows add up to 1."""
    p = parts.forward * parts.backward
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def span_probabilities(
    spans: TagSpans, tag_ids: Ids, parts: Sums, sentence_starts: Offsets, allowed: Lattice
) -> NDArray[np.float64]:
    """Return the probability that each span is one whole entity with just its tags: (n,).

    tag_ids (N,): the tags that the spans were read from. The sum over all allowed sequences that
    hold the entity, over the sum of all.
    """
    if not len(spans):
        return np.zeros(0)
    starts, ends = spans.starts, spans.ends
    N = len(tag_ids)
    sentence = np.searchsorted(sentence_starts, starts, side="right") - 1
    first, last = tag_ids[starts], tag_ids[ends - 1]
    opens, closes = sentence_starts[sentence] == starts, sentence_starts[sentence + 1] == ends

    # Ways into the entity, and out of it, by steps that do not go on with another.
    parting = (allowed.step & ~allowed.goes_on).astype(np.float64)
    before = (parts.forward[np.maximum(starts - 1, 0)] * parting[:, first].T).sum(axis=1)
    before = np.where(opens, allowed.start[first], before)
    # α is known at each end: what lies beyond is weighed against the whole by β, at the same place.
    ratio = parts.weight[np.arange(N), tag_ids] / parts.scale
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.concatenate([[0.0], np.cumsum(np.log(ratio))])
        log_p = np.log(before) + inside[ends] - inside[starts]
        after_row = np.minimum(ends, N - 1)
        beyond = parts.weight[after_row] * parts.backward[after_row]
        after = (beyond * parting[last]).sum(axis=1)
        # The same sum over all tags and steps, by which the whole sentence's is 1.
        step = allowed.step.astype(np.float64)
        whole = ((parts.forward[ends - 1] @ step) * beyond).sum(axis=1)
        finish = (parts.forward[ends - 1] * allowed.end).sum(axis=1)
        log_p += np.where(closes, np.log(allowed.end[last] / finish), np.log(after / whole))
    return np.asarray(np.exp(np.minimum(log_p, 0.0)))
