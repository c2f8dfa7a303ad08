"""What two texts have in common: sentences and documents that stand in both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus

SHORTEST = 5  # tokens of a sentence that counts: shorter ones are alike by chance
LARGE = 0.05  # of the sentences: with more, a measure says little about new text


class Overlap(NamedTuple):
    """How many of a text's sentences stand in another one, too, and where the first one does.

    place: file:line of the first of them, in the text itself and in the other one; None if none is shared.
    """

    shared: int
    sentences: int
    place: tuple[str, str] | None

    @property
    def share(self) -> float:
        """The share of the sentences that stand in the other text: 0 to 1."""
        return self.shared / self.sentences if self.sentences else 0.0


def overlap(text: Corpus, other: Corpus) -> Overlap:
    """Count the sentences of `text` whose words stand in `other` as a sentence, too.

    Sentences of fewer than SHORTEST tokens are left out, unless there are no others.
    """
    least = SHORTEST if (np.diff(text.sentence_starts) >= SHORTEST).any() else 1
    numbers = {word: i for i, word in enumerate(other.words)}
    ids = np.array([numbers.get(word, -1) for word in text.words], dtype=np.int64)
    # The other text may be long: what is kept of it are the sentences that this one has, too.
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
    """Yield each sentence of enough tokens as its words' numbers, and its first token; ids: the number of
    each of the corpus' words."""
    for a, b in pairwise(corpus.sentence_starts):
        if b - a >= least:
            yield ids[corpus.word_ids[a:b]].tobytes(), int(a)


def copies_apart(corpus: Corpus, units: Sequence[int], part_of: NDArray[np.int64]) -> int:
    """Count the units (documents, or sentences) that stand, word for word, in another part as well.

    units: (units + 1,) the first token of each, and the end. part_of: (units,) each one's part.
    """
    parts: dict[bytes, set[int]] = {}
    counts: dict[bytes, int] = {}
    for i, (a, b) in enumerate(pairwise(units)):
        if b - a >= SHORTEST:
            key = corpus.word_ids[a:b].tobytes()
            parts.setdefault(key, set()).add(int(part_of[i]))
            counts[key] = counts.get(key, 0) + 1
    return sum(counts[key] for key, found in parts.items() if len(found) > 1)
