"""Split a corpus by document into parts for training, development and test, each with all classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.blocks import is_blank
from nertool.corpus.columnar import Corpus
from nertool.corpus.schemes import TagSpans
from nertool.errors import CorpusError


def split_units(
    corpus: Corpus, spans: TagSpans, shares: Sequence[float], seed: int, by_sentence: bool = False
) -> NDArray[np.int64]:
    """Assign each unit (document, or sentence) to a part: (units,) indices into shares.

    This is iterative stratification (Sechidis et al. 2011). Units with the rarest class are assigned first,
    each to the part that lacks most entities of this class. Among equal parts, the one that lacks most tokens
    is chosen. The same seed gives the same parts.
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
        # Units with most entities first: the smaller ones, at the end, even out the parts.
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
    """Assign each line of a file to a document, or sentence: (lines,) its index.

    Blank lines belong to the unit before them. Document marks, headers and comments belong to the unit after
    them. Errors: CorpusError if several units are in one line, such as the sentences of a JSON object.
    """
    starts = np.arange(corpus.sentences + 1) if by_sentence else np.unique(corpus.document_starts)
    tokens = corpus.sentence_starts[starts]
    first = corpus.line_numbers[tokens[:-1]] - 1
    last = corpus.line_numbers[tokens[1:] - 1] - 1
    shared = np.flatnonzero(first[1:] <= last[:-1])
    if len(shared):
        raise CorpusError(
            f"{corpus.place(int(tokens[1 + shared[0]]))}: found several sentences in one line, expected one; "
            "leave out --by-sentence, or first write the tokens on lines "
            "of their own: nertool corpus convert --to conll"
        )
    unit = np.zeros(len(lines), dtype=np.int64)
    for i in range(1, len(first)):
        begin = int(last[i - 1]) + 1
        while begin < first[i] and is_blank(lines[begin]):
            begin += 1
        unit[begin:] = i
    return unit
