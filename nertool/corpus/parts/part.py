"""A part of the labelled text (train, dev or test). All parts share one numbering of words."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus, Interner
from nertool.corpus.schemes import TagSpans


class CorpusPart(NamedTuple):
    """A part of the labelled text, with its entities and tag scheme.

    ids (N,): the number of each token's word in `words`, which all parts share.
    """

    name: str
    corpus: Corpus
    spans: TagSpans
    scheme: str
    ids: NDArray[np.int64]
    words: Interner

    def sentence_keys(self) -> list[bytes]:
        """Return a key for each sentence. Sentences with the same words have the same key in all parts."""
        starts = self.corpus.sentence_starts.tolist()
        return [self.ids[a:b].tobytes() for a, b in pairwise(starts)]

    def sentence_place(self, sentence: int) -> str:
        """Return the position of a sentence's first token, as file:line."""
        return self.corpus.place(int(self.corpus.sentence_starts[sentence]))

    def surface(self, start: int, end: int) -> str:
        """Return the tokens from start up to, but not including, end, joined by spaces."""
        return " ".join(self.corpus.words[i] for i in self.corpus.word_ids[start:end])
