"""Count the sentences and documents that two texts have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus

SHORTEST = 5  # tokens; shorter sentences are the same by chance
LARGE = 0.05  # share of shared sentences above which a score says little about new text


class Overlap(NamedTuple):
    """The number of a text's sentences that are also in another text.

    place: file:line of the first shared sentence, in the text and in the other text; None if there is none.
    """

    shared: int
    sentences: int
    place: tuple[str, str] | None

    @property
    def share(self) -> float:
        """The share of the sentences that are also in the other text: 0 to 1."""
        return self.shared / self.sentences if self.sentences else 0.0


def overlap(text: Corpus, other: Corpus) -> Overlap:
    """Count the sentences of `text` that are also sentences of `other`, word for word.

    Sentences of fewer than SHORTEST tokens are not counted, unless `text` has no longer ones.
    """
    least = SHORTEST if (np.diff(text.sentence_starts) >= SHORTEST).any() else 1
    numbers = {word: i for i, word in enumerate(other.words)}
    ids = np.array([numbers.get(word, -1) for word in text.words], dtype=np.int64)
    # The other text may be long: only the sentences that this text has, too, are kept in memory.
    wanted = {key for key, _ in _sentences(text, ids, least)}
    known = {
        key: start
        for key, start in _sentences(other, np.arange(len(other.words)), least)
        if key in wanted
    }
    shared = count = 0
    place = None
    for key, start in _sentences(text, ids, least):
        count += 1
        if key in known:
            place = place or (text.place(start), other.place(known[key]))
            shared += 1
    return Overlap(shared, count, place)


def _sentences(corpus: Corpus, ids: NDArray[np.int64], least: int) -> Iterator[tuple[bytes, int]]:
    """Yield each sentence of at least `least` tokens: a key made of its words' numbers, and its first token.

    ids: the number of each word type of the corpus.
    """
    for a, b in pairwise(corpus.sentence_starts):
        if b - a >= least:
            yield ids[corpus.word_ids[a:b]].tobytes(), int(a)


def copies_apart(corpus: Corpus, units: Sequence[int], part_of: NDArray[np.int64]) -> int:
    """Count the units (documents, or sentences) that have an identical copy in another part.

    Units of fewer than SHORTEST tokens are not counted. units (units + 1,): the first token of each unit,
    then the end. part_of (units,): the part of each unit.
    """
    parts: dict[bytes, set[int]] = {}
    counts: dict[bytes, int] = {}
    for i, (a, b) in enumerate(pairwise(units)):
        if b - a >= SHORTEST:
            key = corpus.word_ids[a:b].tobytes()
            parts.setdefault(key, set()).add(int(part_of[i]))
            counts[key] = counts.get(key, 0) + 1
    return sum(counts[key] for key, found in parts.items() if len(found) > 1)
