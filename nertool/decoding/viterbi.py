"""From scores to tags: argmax, or the best sequence that the scheme allows (Viterbi 1967).

Scores are additive: the score of a sequence is the sum of its tags' scores, in float32 or
float64, (N, T) for N tokens and T tags, O first. A forbidden step has the score −∞.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets, ranges
from nertool.corpus.schemes import split_tag
from nertool.kernels import decoding as kernels
from nertool.network.activations import Array


class Lattice(NamedTuple):
    """What a scheme allows: start (T,) and end (T,) first and last tags, step (T, T) from row to column.

    goes_on (T, T): the step stays inside one entity.
    """

    start: NDArray[np.bool_]
    end: NDArray[np.bool_]
    step: NDArray[np.bool_]
    goes_on: NDArray[np.bool_]


def lattice(tags: Sequence[str], scheme: str) -> Lattice:
    """Say which tags may follow which: IO anything, IOB2 I- only inside, BIOES only whole entities."""
    pairs = [split_tag(tag) for tag in tags]
    T = len(tags)
    numbers = {label: i for i, label in enumerate(dict.fromkeys(label for _, label in pairs))}
    label = np.array([numbers[label] if label else -1 for _, label in pairs])

    def among(prefixes: str) -> NDArray[np.bool_]:
        return np.array([prefix in prefixes for prefix, _ in pairs])

    free = np.ones(T, dtype=bool)
    same = (label[:, None] == label) & (label >= 0)                     # (T, T)
    if scheme == "io":
        return Lattice(free, free.copy(), np.ones((T, T), dtype=bool), same)
    goes_on = same & among("BI")[:, None] & among("IE")
    if scheme == "iob2":
        return Lattice(among("OBS"), free, ~among("I") | goes_on, goes_on)
    # After B or I the entity must go on; elsewhere nothing may go on.
    step = np.where(among("BI")[:, None], goes_on, among("OBS"))
    end = among("OES") if scheme == "bioes" else free
    return Lattice(among("OBS"), end, step, goes_on)


def decode(scores: Array, sentence_starts: Offsets, method: str, allowed: Lattice) -> Ids:
    """Choose each token's tag, (N,) int32, by config.decoding.method."""
    if method == "argmax":
        return argmax(scores)
    # What is outside for certain is O; what lies between can be decoded by itself. There the best tag
    # of each token, where that is an allowed sequence, is the best sequence: only the rest needs the
    # search.
    known = kernels.decode(
        scores, sentence_starts, ROUNDING, allowed.start, allowed.end, allowed.step
    )
    if known is not None:
        return known
    best = np.zeros(len(scores), dtype=np.int32)
    tokens, parts = open_parts(scores, sentence_starts)
    if not len(tokens):
        return best
    own = scores[tokens]
    tag_ids = own.argmax(axis=1).astype(np.int32)  # they are few, and lie row by row
    wrong = np.flatnonzero(~valid_sentences(tag_ids, parts, allowed))
    starts, lengths = parts[wrong], np.diff(parts)[wrong]
    searched = ranges(starts, lengths)
    tag_ids[searched] = viterbi(own[searched], np.cumsum([0, *lengths]), allowed)
    best[tokens] = tag_ids
    return best


def outside_by(scores: Array) -> NDArray[np.float64]:
    """Return for each token how much the best tags lose, at the least, if it is not O: (N,).

    Make O of all tags of a sequence from the O before a token to the O after it: that is allowed, too,
    in every scheme. It costs the sum of h over the tokens between, h how much a token's best other tag
    beats O by. So where all sums of h over neighbours that hold the token are negative, no best
    sequence has it inside an entity. The largest such sum is that of the largest prefix sum from the
    token on, less the smallest before it.
    """
    known = kernels.outside_by(scores)
    if known is not None:
        return known
    h = (scores[:, 1:].max(axis=1) - scores[:, 0]).astype(np.float64)
    prefix = np.concatenate([[0.0], np.cumsum(h)])
    largest_after = np.maximum.accumulate(prefix[:0:-1])[::-1]
    smallest_before = np.minimum.accumulate(prefix[:-1])
    return np.asarray(smallest_before - largest_after)


ROUNDING = 1e-6  # of scores' sums, many times over


def open_parts(
    scores: Array, sentence_starts: Offsets
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the tokens that are not O for certain, (n,), and where among them each part starts that can
    be decoded by itself, (P+1,): none holds tokens that do not stand side by side in one sentence."""
    tokens = np.flatnonzero(outside_by(scores) <= ROUNDING)
    begins = np.zeros(len(scores) + 1, dtype=bool)
    begins[sentence_starts] = True
    first = np.diff(tokens, prepend=-2) > 1
    first |= begins[tokens]
    return tokens, np.append(np.flatnonzero(first), len(tokens))


def argmax(scores: Array) -> Ids:
    """Return each token's best tag (N,) int32, whatever stands beside it."""
    # From the last tag to the first, a pass over all tokens each: of equal scores the first tag's counts.
    top = scores.max(axis=1)
    best = np.zeros(len(scores), dtype=np.int32)
    for tag in reversed(range(scores.shape[1])):
        np.copyto(best, tag, where=scores[:, tag] == top)
    return best


def valid_sentences(
    tag_ids: Ids, sentence_starts: Offsets, allowed: Lattice
) -> NDArray[np.bool_]:
    """Tell of each sentence whether its tags are a sequence that is allowed: (S,)."""
    lengths = np.diff(sentence_starts)
    filled = lengths > 0
    firsts, lasts = sentence_starts[:-1][filled], sentence_starts[1:][filled] - 1
    bad = np.zeros(len(tag_ids), dtype=bool)                            # (N,) a bad step to the token
    bad[1:] = ~allowed.step[tag_ids[:-1], tag_ids[1:]]
    bad[firsts] = ~allowed.start[tag_ids[firsts]]
    bad[lasts] |= ~allowed.end[tag_ids[lasts]]
    valid = np.ones(len(lengths), dtype=bool)
    valid[filled] = ~np.logical_or.reduceat(bad, firsts) if len(firsts) else True
    return valid


def viterbi(scores: Array, sentence_starts: Offsets, allowed: Lattice) -> Ids:
    """Return the best allowed tag sequence of each sentence: (N,) int32.

    All sentences advance together, a position at a time; longest first, so that those still
    running are always the first rows.
    """
    best = np.empty(len(scores), dtype=np.int32)
    if not len(scores):
        return best
    starts, lengths = _longest_first(sentence_starts)
    bar = np.where(allowed.step, 0.0, -np.inf).astype(scores.dtype)     # (T, T)
    first_bar = np.where(allowed.start, 0.0, -np.inf).astype(scores.dtype)
    last_bar = np.where(allowed.end, 0.0, -np.inf).astype(scores.dtype)

    back = np.zeros((len(scores), scores.shape[1]), dtype=np.int16)     # best tag before each tag
    total = scores[starts] + first_bar                                  # (S, T)
    for t in range(1, int(lengths[0])):
        running = int(np.searchsorted(-lengths, -t, side="left"))       # sentences longer than t
        through = total[:running, :, None] + bar                        # (running, T, T)
        chosen = through.argmax(axis=1)                                 # (running, T)
        back[starts[:running] + t] = chosen
        total[:running] = (
            np.take_along_axis(through, chosen[:, None], axis=1)[:, 0] + scores[starts[:running] + t]
        )
    tag = (total + last_bar).argmax(axis=1)                             # (S,) each one's last tag
    for t in range(int(lengths[0]) - 1, -1, -1):
        running = int(np.searchsorted(-lengths, -t, side="left"))
        rows = starts[:running] + t
        best[rows] = tag[:running]
        tag[:running] = back[rows, tag[:running]]
    return best


def _longest_first(sentence_starts: Offsets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the sentences' first tokens and lengths, longest first, empty ones left out."""
    lengths = np.diff(sentence_starts)
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    return sentence_starts[:-1][order], lengths[order]
