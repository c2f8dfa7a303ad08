"""What a check of a corpus finds, and the parts that it looks at."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus, Interner
from nertool.corpus.schemes import TagSpans

EXAMPLES = 1000  # places that a finding names at most


class Finding(NamedTuple):
    """kind: which check; serious: likely a fault, and what --strict fails by; cases: how many.

    message: what was found, and what to do about it. places: where, up to EXAMPLES of them.
    """

    kind: str
    serious: bool
    message: str
    cases: int = 1
    places: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "places": list(self.places)}


class Part(NamedTuple):
    """A file of the corpus, with its entities and scheme. ids (N,): its words, numbered
    alike in all parts."""

    name: str
    corpus: Corpus
    spans: TagSpans
    scheme: str
    ids: NDArray[np.int64]
    words: Interner

    def sentence_keys(self) -> list[bytes]:
        """Return a key for each sentence: the same if its words are the same, in any part."""
        starts = self.corpus.sentence_starts.tolist()
        return [self.ids[a:b].tobytes() for a, b in pairwise(starts)]

    def sentence_place(self, sentence: int) -> str:
        return self.corpus.place(int(self.corpus.sentence_starts[sentence]))

    def surface(self, start: int, end: int) -> str:
        return " ".join(self.corpus.words[i] for i in self.corpus.word_ids[start:end])


def some(places: Iterable[str]) -> tuple[str, ...]:
    """Return the first places, EXAMPLES at most."""
    return tuple(place for place, _ in zip(places, range(EXAMPLES), strict=False))
