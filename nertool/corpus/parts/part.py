"""One part of the labelled text (train, dev or test), with its words numbered alike in all parts."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus, Interner
from nertool.corpus.schemes import TagSpans


class CorpusPart(NamedTuple):
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
        """Return where a sentence begins, as file:line."""
        return self.corpus.place(int(self.corpus.sentence_starts[sentence]))

    def surface(self, start: int, end: int) -> str:
        """Return the tokens from start up to, not including, end, with spaces between."""
        return " ".join(self.corpus.words[i] for i in self.corpus.word_ids[start:end])
