"""Entity memory: how often each word type of the training text had each class.

P(class | word) is counted, not trained. If a token's own label were part of its input, the network would
learn to copy it. So in training, the counts of the token's own document are subtracted first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Interner
from nertool.corpus.invisible import normal_form
from nertool.files.scratch import OF_TOKENS, Spill, Stored
from nertool.inputs.means import Values
from nertool.inputs.text import Text, blocks_of

UNMET = 0  # the row of words that are not in the training text, and of the padding: zeros


class Memory(NamedTuple):
    """The memory's table, and the row of each token of the training text.

    table (1 + words + rest, K + 2): the class shares, and a 1 if the word was counted at all. Row 0 is for
    unseen words. A row for each word type follows, counted on the whole text. The rest are counts of a word
    without one of its documents; documents with the same counts of the word share a row. rows (N,): each
    token's row among the rest.
    """

    table: Values
    rows: Ids | Stored


def remember(
    text: Text, classes: NDArray[np.integer], K: int, earlier: Values | None = None
) -> Memory:
    """Count the classes of a text's tokens by word type.

    classes (N,): in 0 … K, where 0 is O; earlier: counts (words, K + 1) of other texts, which are added. If
    the text is a single document, a token's sentence is left out of its counts instead of its document.
    """
    V = len(text.words)
    # Word types with the same normal form are counted as one. normal (V,): numbers of normal forms.
    interner = Interner()
    normal = np.array([interner[normal_form(word)] for word in text.words], dtype=np.int64)
    several = len(text.document_starts) > 2
    counts = np.zeros((len(interner), K + 1))
    for block in blocks_of(text):
        # All blocks add to one table: a table for each block would cost a pass over all words each time.
        flat = normal[block.text.word_ids] * (K + 1) + classes[block.tokens]
        np.add.at(counts.reshape(-1), flat, 1.0)
    if earlier is not None:
        before = np.zeros_like(counts)
        before[normal] = earlier  # equal for all word types with one normal form
        counts += before
    tables = [_shares(np.zeros((1, K + 1))), _shares(counts)[normal]]
    tables = [table.astype(np.float32) for table in tables]
    rows = Spill(OF_TOKENS)
    made = 1 + V
    for block in blocks_of(text):
        units = block.text.documents if several else block.text.sentences
        own = normal[block.text.word_ids]
        words, inside, place = _counted(own, units, classes[block.tokens], K)
        tables.append(_shares(counts[words] - inside).astype(np.float32))
        rows.add((made + place).astype(np.int32))
        made += len(words)
    return Memory(np.concatenate(tables), rows.whole())


def _counted(
    ids: NDArray[np.int64], units: NDArray[np.int64], classes: NDArray[np.integer], K: int
) -> tuple[NDArray[np.int64], Values, NDArray[np.int64]]:
    """Count the classes (N,) of each word in each unit (a document or a sentence) that contains it.

    Returns the distinct pairs of a word (r,) and its counts (r, K + 1), in the order of their first
    appearance when words and then units are taken in order; and the index of each token's pair, (N,).
    """
    U = int(units.max()) + 1 if len(units) else 1
    pairs, place = np.unique(ids * np.int64(U) + units, return_inverse=True)
    counts = _counts(place, classes, len(pairs), K)
    words = pairs // U
    key = words
    for column in counts.T.astype(np.int64):
        size = int(column.max(initial=0)) + 1
        if (int(key.max(initial=0)) + 1) * size >= 1 << 62:
            key = np.unique(key, return_inverse=True)[1]
        key = key * size + column
    _, firsts, like = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    kept = firsts[order]
    return words[kept], counts[kept], number[like][place]


def _counts(place: NDArray[np.integer], classes: NDArray[np.integer], n: int, K: int) -> Values:
    flat = np.bincount(place.astype(np.int64) * (K + 1) + classes, minlength=n * (K + 1))
    return flat.reshape(n, K + 1).astype(np.float64)


def _shares(counts: Values) -> Values:
    """Return the shares of counts (n, K + 1), and a 1 for rows with any counts, (n, K + 2).

    The divisor is the sum plus 1. So the share of a word that was seen once is only one half.
    """
    met = counts.sum(axis=1, keepdims=True)
    return np.concatenate([counts / (met + 1.0), met > 0], axis=1)


def counts_of(rows: Values) -> Values:
    """Return the counts (n, K + 1) from which rows (n, K + 2) of a memory's table were computed.

    If the counts of a row add up to c, its shares add up to c / (c + 1).
    """
    shares = rows[:, :-1]
    total = shares.sum(axis=1, keepdims=True)
    return np.asarray(np.rint(shares / np.maximum(1.0 - total, 1e-9)))
