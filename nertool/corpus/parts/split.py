"""A corpus in parts for training, development and test: by document, seeded, with every class in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.blocks import is_blank
from nertool.corpus.columnar import Corpus
from nertool.corpus.schemes import TagSpans


def split_units(
    corpus: Corpus, spans: TagSpans, shares: Sequence[float], seed: int, by_sentence: bool = False
) -> NDArray[np.int64]:
    """Choose a part for each document, or sentence: (units,) numbers into shares.

    Iterative stratification (Sechidis et al. 2011): the rarest class is dealt out first, each unit
    to the part that lacks most of it; size counts in tokens. The same seed gives the same parts.
    """
    starts = np.arange(corpus.sentences + 1) if by_sentence else np.unique(corpus.document_starts)
    token_starts = corpus.sentence_starts[starts]
    units = len(starts) - 1
    unit_of = np.searchsorted(token_starts, spans.starts, side="right") - 1
    counts = np.zeros((units, len(spans.label_names) + 1))
    np.add.at(counts, (unit_of, spans.labels), 1)
    counts[:, -1] = np.diff(token_starts)

    rng = np.random.default_rng(seed)
    order = rng.permutation(units)
    share = np.array(shares) / sum(shares)
    wanted = share[:, None] * counts.sum(axis=0)  # (parts, labels + 1): what each part still lacks
    part_of = np.full(units, -1, dtype=np.int64)
    open_units = list(order)
    while open_units:
        left = counts[open_units].sum(axis=0)
        present = [i for i in range(counts.shape[1] - 1) if left[i]]
        rarest = min(present, key=lambda i: left[i]) if present else counts.shape[1] - 1
        mine = [u for u in open_units if counts[u, rarest]] or open_units
        # The largest first: what is left at the end can even out the parts.
        for unit in sorted(mine, key=lambda u: -counts[u, rarest]):
            lack, size = wanted[:, rarest], wanted[:, -1]
            best = max(range(len(share)), key=lambda p: (round(float(lack[p]), 9), size[p]))
            part_of[unit] = best
            wanted[best] -= counts[unit]
        taken = set(mine)
        open_units = [u for u in open_units if u not in taken]
    return part_of


def line_units(
    corpus: Corpus, lines: Sequence[str], by_sentence: bool = False
) -> NDArray[np.int64]:
    """Tell of each line of a file which document, or sentence, it goes with: (lines,) numbers.

    Blank lines go with what stands before them, marks, headers and comments with what follows.
    """
    starts = np.arange(corpus.sentences + 1) if by_sentence else np.unique(corpus.document_starts)
    tokens = corpus.sentence_starts[starts]
    first = corpus.line_numbers[tokens[:-1]] - 1
    last = corpus.line_numbers[tokens[1:] - 1] - 1
    unit = np.zeros(len(lines), dtype=np.int64)
    for i in range(1, len(first)):
        begin = int(last[i - 1]) + 1
        while begin < first[i] and is_blank(lines[begin]):
            begin += 1
        unit[begin:] = i
    return unit
