"""Match predicted entities with gold entities one to one, where they overlap.

Gold entities don't overlap each other, nor do predicted entities. So the overlapping pairs, in text order,
form chains in which pairs that share an entity are consecutive. Dynamic programming along each chain finds
the best matching exactly. Greedy matching can miss it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets, ranges
from nertool.corpus.schemes import TagSpans

Integers = NDArray[np.int64]


class Pairs(NamedTuple):
    """Pairs of a gold and a predicted entity.

    gold, predicted (n,) int64: the indices of the entities. same_label, same_bounds (n,) bool: whether class
    and boundaries agree. shared (n,) int64: the number of tokens in both.
    """

    gold: Integers
    predicted: Integers
    same_label: NDArray[np.bool_]
    same_bounds: NDArray[np.bool_]
    shared: Integers

    def take(self, which: NDArray[np.bool_] | Integers) -> Pairs:
        """Return some of the pairs."""
        return Pairs(
            self.gold[which],
            self.predicted[which],
            self.same_label[which],
            self.same_bounds[which],
            self.shared[which],
        )


def with_common_labels(*sides: TagSpans) -> list[TagSpans]:
    """Return the same entities with one sorted list of label names for all sides.

    Labels without entities are left out.
    """
    used = [{side.label_names[i] for i in np.unique(side.labels)} for side in sides]
    names = sorted(set().union(*used))
    number = {name: i for i, name in enumerate(names)}
    out = []
    for side in sides:
        line = np.array([number.get(name, -1) for name in side.label_names] or [-1])
        labels: Ids = line[side.labels].astype(np.int32)
        out.append(TagSpans(side.starts, side.ends, labels, names))
    return out


def overlapping_pairs(gold: TagSpans, predicted: TagSpans) -> Pairs:
    """List all pairs that share a token, in text order. Both sides must have the same label_names."""
    first = np.searchsorted(predicted.ends, gold.starts, side="right")
    end = np.searchsorted(predicted.starts, gold.ends, side="left")
    counts = np.maximum(end - first, 0)
    g = np.repeat(np.arange(len(gold)), counts)
    p = ranges(first, counts)
    starts = np.maximum(gold.starts[g], predicted.starts[p])
    ends = np.minimum(gold.ends[g], predicted.ends[p])
    same_bounds = (gold.starts[g] == predicted.starts[p]) & (gold.ends[g] == predicted.ends[p])
    return Pairs(g, p, gold.labels[g] == predicted.labels[p], same_bounds, ends - starts)


def best_matching(pairs: Pairs, label_first: bool) -> Pairs:
    """Choose pairs so that no entity is in two of them.

    label_first: maximise the number of pairs with the same label first, then the number of pairs; otherwise
    in the reverse order. Among equal choices, the one with the most shared tokens is taken, then the
    earliest.
    """
    n = len(pairs.gold)
    if not n:
        return pairs
    linked = (pairs.gold[1:] == pairs.gold[:-1]) | (pairs.predicted[1:] == pairs.predicted[:-1])
    chain = np.concatenate([[0], np.cumsum(~linked)])
    sizes = np.bincount(chain)
    keep = sizes[chain] == 1
    firsts = np.cumsum(sizes) - sizes
    for i in np.flatnonzero(sizes > 1).tolist():
        a = int(firsts[i])
        chosen = _best_of_chain(pairs, a, a + int(sizes[i]), label_first)
        keep[chosen] = True
    return pairs.take(keep)


def _best_of_chain(pairs: Pairs, a: int, b: int, label_first: bool) -> list[int]:
    """Return the indices of the best pairs of one chain: the pairs a up to, but not including, b."""
    gold, predicted = pairs.gold[a:b].tolist(), pairs.predicted[a:b].tolist()
    same, shared = pairs.same_label[a:b].tolist(), pairs.shared[a:b].tolist()
    # best[k]: the value of the best choice among the first k pairs, and that choice.
    best: list[tuple[tuple[int, int, int], list[int]]] = [((0, 0, 0), [])]
    for k in range(b - a):
        j = k
        while j and (gold[j - 1] == gold[k] or predicted[j - 1] == predicted[k]):
            j -= 1
        (major, minor, tokens), chosen = best[j]
        one, other = (int(same[k]), 1) if label_first else (1, int(same[k]))
        value = (major + one, minor + other, tokens + shared[k])
        best.append((value, [*chosen, a + k]) if value > best[-1][0] else best[-1])
    return best[-1][1]


def sentence_of(starts: Offsets, sentence_starts: Offsets) -> Integers:
    """Return the index of the sentence of each token in starts (n,): (n,)."""
    return np.asarray(np.searchsorted(sentence_starts, starts, side="right") - 1)
