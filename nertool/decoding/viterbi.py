"""From scores to tags: argmax, or the best sequence that the scheme allows (Viterbi 1967).

Scores are (N, T) for N tokens and T tags, O first, in float32 or float64. The score of a sequence is the sum
of the scores of its tags. A step that is not allowed has the score −∞.
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
    """The tag sequences that a scheme allows.

    start, end (T,): whether a tag may be the first, or the last, of a sentence; step (T, T): whether the
    column's tag may follow the row's tag; goes_on (T, T): whether this step stays inside one entity.
    """

    start: NDArray[np.bool_]
    end: NDArray[np.bool_]
    step: NDArray[np.bool_]
    goes_on: NDArray[np.bool_]


def lattice(tags: Sequence[str], scheme: str) -> Lattice:
    """Return the tag sequences that a scheme allows.

    In IO, any tag may follow any other. In IOB2, I- may only follow B- or I- of the same class. In BIOES,
    entities must be complete.
    """
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
    # After B or I the entity must continue; after another tag nothing may continue.
    step = np.where(among("BI")[:, None], goes_on, among("OBS"))
    end = among("OES") if scheme == "bioes" else free
    return Lattice(among("OBS"), end, step, goes_on)


def decode(scores: Array, sentence_starts: Offsets, method: str, allowed: Lattice) -> Ids:
    """Return each token's tag (N,) int32. method: config.decoding.method, "argmax" or "viterbi"."""
    if method == "argmax":
        return argmax(scores)
    # Tokens that are outside with certainty are O. The parts between them can be decoded separately. If the
    # best tags of a part's tokens are an allowed sequence, they are its best sequence. Only other parts
    # need the search.
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
    tag_ids = own.argmax(axis=1).astype(np.int32)  # fast, as there are few tokens, in row order
    wrong = np.flatnonzero(~valid_sentences(tag_ids, parts, allowed))
    starts, lengths = parts[wrong], np.diff(parts)[wrong]
    searched = ranges(starts, lengths)
    tag_ids[searched] = viterbi(own[searched], np.cumsum([0, *lengths]), allowed)
    best[tokens] = tag_ids
    return best


def outside_by(scores: Array) -> NDArray[np.float64]:
    """Return for each token a lower bound of the loss of score if it is not O, (N,).

    If the bound is positive, the token is O in the best sequence.

    Take a sequence in which the token is not O. Change all tags between the O before it and the O after it
    to O. The result is allowed in every scheme. Let h be a token's best score of another tag minus its
    score of O. The change costs at most the sum of h over the changed tokens. If all sums of h over
    consecutive tokens that include this token are negative, no best sequence has it inside an entity. The
    largest of these sums is the largest prefix sum from the token on minus the smallest one before it.
    """
    known = kernels.outside_by(scores)
    if known is not None:
        return known
    h = (scores[:, 1:].max(axis=1) - scores[:, 0]).astype(np.float64)
    prefix = np.concatenate([[0.0], np.cumsum(h)])
    largest_after = np.maximum.accumulate(prefix[:0:-1])[::-1]
    smallest_before = np.minimum.accumulate(prefix[:-1])
    return np.asarray(smallest_before - largest_after)


ROUNDING = 1e-6  # many times the rounding error of sums of scores


def open_parts(
    scores: Array, sentence_starts: Offsets
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the tokens (n,) that are not O with certainty, and the starts (P+1,) of parts among them.

    A part is consecutive tokens of one sentence. It can be decoded separately.
    """
    tokens = np.flatnonzero(outside_by(scores) <= ROUNDING)
    begins = np.zeros(len(scores) + 1, dtype=bool)
    begins[sentence_starts] = True
    first = np.diff(tokens, prepend=-2) > 1
    first |= begins[tokens]
    return tokens, np.append(np.flatnonzero(first), len(tokens))


def argmax(scores: Array) -> Ids:
    """Return each token's best tag (N,) int32, independently of its neighbours."""
    # One pass over all tokens for each tag, from the last to the first: of equal scores, the first tag wins.
    top = scores.max(axis=1)
    best = np.zeros(len(scores), dtype=np.int32)
    for tag in reversed(range(scores.shape[1])):
        np.copyto(best, tag, where=scores[:, tag] == top)
    return best


def valid_sentences(
    tag_ids: Ids, sentence_starts: Offsets, allowed: Lattice
) -> NDArray[np.bool_]:
    """Return whether the tags of each sentence are an allowed sequence, (S,)."""
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
    """Return the best allowed tag sequence of each sentence, (N,) int32.

    All sentences advance together, one position at a time. They are sorted by length, the longest first, so
    that the sentences that are not finished are always the first rows.
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
    """Return the first tokens and the lengths of all sentences that are not empty, the longest first."""
    lengths = np.diff(sentence_starts)
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    return sentence_starts[:-1][order], lengths[order]
