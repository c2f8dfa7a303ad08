"""Which predicted entity answers which gold entity: a one-to-one matching of entities that overlap.

Gold entities don't overlap each other, nor do predicted ones. So the pairs that do overlap, taken
in the text's order, form chains in which only neighbours can share an entity, and the best matching is
found exactly, by dynamic programming along each chain. Tools that match greedily can miss it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Offsets, ranges
from nertool.corpus.schemes import TagSpans

Integers = NDArray[np.int64]


class Pairs(NamedTuple):
    """Pairs of a gold and a predicted entity: gold, predicted (n,) int64 are their numbers.

    same_label, same_bounds (n,) bool; shared (n,) int64: the tokens that both cover.
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
    """Return the same entities with one list of label names, sorted, for all sides.

    Labels that no entity bears are left out.
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
    """List every pair that shares a token, in the text's order. Both sides must share label_names."""
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

    label_first: as many pairs of one label as can be, then as many pairs as can be; otherwise the
    other way round. Among equals, those that share the most tokens, then the earliest.
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
    """Return the numbers of the best pairs out of one chain, pairs a up to, not including, b."""
    gold, predicted = pairs.gold[a:b].tolist(), pairs.predicted[a:b].tolist()
    same, shared = pairs.same_label[a:b].tolist(), pairs.shared[a:b].tolist()
    # best[k]: the value of the best choice out of the first k pairs, and that choice.
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
    """Return the sentence in which each token (n,) stands."""
    return np.asarray(np.searchsorted(sentence_starts, starts, side="right") - 1)
