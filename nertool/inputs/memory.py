"""Entity memory: how often each word type of the training text was of each class.

P(class | word) is counted, not trained. A network that met a word's own label in its input would
learn to copy it; so in training the counts of the token's own document are taken out first.
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

UNMET = 0  # the row of words that were never met, and of the padding: zeros


class Memory(NamedTuple):
    """table (1 + words + rest, K + 2): class shares and a bit for "was met". Row 0: never met; then
    a row for each word type, counted on the whole text; then rows of a word without one of its documents:
    one row for all documents that have the same counts of it. rows (N,): each token's row, of the last kind.
    """

    table: Values
    rows: Ids | Stored


def remember(
    text: Text, classes: NDArray[np.integer], K: int, earlier: Values | None = None
) -> Memory:
    """Count the classes (N,) in 0 … K of a text's tokens by word type; 0 is O.

    earlier: counts (words, K + 1) to begin with, of texts that were read before. Where the text is all one
    document, a sentence is what is left out.
    """
    V = len(text.words)
    # Word types that look the same are counted as one: numbers (V,) of normal forms.
    interner = Interner()
    normal = np.array([interner[normal_form(word)] for word in text.words], dtype=np.int64)
    several = len(text.document_starts) > 2
    counts = np.zeros((len(interner), K + 1))
    for block in blocks_of(text):
        # Into one table: one for each block would take the time of all words for every block.
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
    """Count the classes (N,) of each word in each unit (a document, or a sentence) that has it.

    Returns the distinct pairs of a word (r,) and its counts (r, K + 1), in the order in which they appear
    among words and units in order; and which of them each token has, (N,).
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
    """Turn counts (n, K + 1) into shares and a bit; one more is counted for none of them, so that
    what was met once is trusted half."""
    met = counts.sum(axis=1, keepdims=True)
    return np.concatenate([counts / (met + 1.0), met > 0], axis=1)


def counts_of(rows: Values) -> Values:
    """Return the counts (n, K + 1) that rows (n, K + 2) of a memory's table were made from: with n their
    sum, the shares add up to n / (n + 1)."""
    shares = rows[:, :-1]
    total = shares.sum(axis=1, keepdims=True)
    return np.asarray(np.rint(shares / np.maximum(1.0 - total, 1e-9)))
