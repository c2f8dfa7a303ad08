"""Choose the texts whose labels would teach most: uncertain, full of entities, and unlike each other.

A text's score is the sum of the entropies of its tokens' tags over the square root of its length. Entropy is
high where the model hesitates between entities, so that the sum grows with the number of doubtful entities
(Settles and Craven 2008: sequence entropy); the root is a compromise between a text's use and what reading
it costs, which grows with its length.

Texts that ask the same question teach less than the sum of both. So the second step takes texts one by one,
and what a text gains is the doubt about its words that those taken before have not covered (a submodular
function of the words: Wei, Iyer and Bilmes 2015):

    gain(x | taken) = Σ over words w of x  F [ln(1 + (D + H) / F) − ln(1 + D / F)] / √tokens(x)

H is the entropy on w in x, D its sum over the texts taken, and F a tenth of its sum over all texts: a word
that is often in doubt is worth asking about several times, and worth more than one that occurs once. This
step looks at a shortlist of the texts with the highest scores alone, so that memory and time stay bounded;
the first step is linear in the text.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from math import log1p, sqrt
from typing import NamedTuple

import numpy as np

from nertool.corpus.annotated import Annotated
from nertool.suggest.texts import record_of

LEAST_DOUBT = 0.01  # nats: words about which the model is surer than this ask no question
SHARE = 0.1  # of the doubt about a word; once so much is covered, asking again gains half as much
FEWEST, TIMES, MOST_MORE = 2_000, 20, 50_000  # the length of the shortlist for n texts


class Candidate(NamedTuple):
    """A text of the shortlist. score: as above. order: its number in the input. doubts: the entropy
    of each doubtful word in lower case, summed over its occurrences. tokens: its length."""

    score: float
    order: int
    doubts: dict[str, float]
    tokens: int
    piece: Annotated


def shortlist_length(n: int) -> int:
    """Return how many texts the second step looks at to choose n."""
    return n + max(FEWEST, min((TIMES - 1) * n, MOST_MORE))


class Shortlist:
    """The texts with the highest scores so far, each text once: at most `length`.

    seen, total: how many texts were offered, and the sum of their scores. skipped: texts to pass over, such
    as those that are labelled already; passed: how many were.
    """

    def __init__(self, length: int, skipped: frozenset[str] = frozenset()) -> None:
        self.length, self.skipped = length, skipped
        self.seen = self.passed = self.repeated = 0
        self.total = 0.0
        self._heap: list[tuple[float, int, str]] = []
        self._kept: dict[str, Candidate] = {}

    def add(self, piece: Annotated) -> None:
        """Offer a piece's records; its extras have each sentence's entropies. Texts without a token are
        passed over."""
        corpus = piece.corpus
        assert corpus.records is not None
        H = np.concatenate([np.zeros(0), *(x["entropy"] for x in piece.extras or ())])
        starts = corpus.sentence_starts[corpus.records.starts]
        lengths = np.diff(starts)
        sums = np.diff(np.concatenate([[0.0], np.cumsum(H, dtype=np.float64)])[starts])
        scores = sums / np.sqrt(np.maximum(lengths, 1))
        words = corpus.words
        for i in np.flatnonzero(lengths).tolist():
            score = round(float(scores[i]), 9)  # a cumulative sum has errors of rounding
            full = len(self._heap) >= self.length
            if not self.skipped and full and score <= self._heap[0][0]:
                self._count(score)
                continue
            a, b = int(starts[i]), int(starts[i + 1])
            own = [words[w] for w in corpus.word_ids[a:b].tolist()]
            key = text_key(own)
            if key in self.skipped:
                self.passed += 1
                continue
            self._count(score)
            if key in self._kept:
                self.repeated += 1
            elif not full or score > self._heap[0][0]:
                doubts: dict[str, float] = {}
                for word, h in zip(own, H[a:b].tolist(), strict=True):
                    if h >= LEAST_DOUBT:
                        doubts[word.lower()] = doubts.get(word.lower(), 0.0) + h
                kept = Candidate(score, self.seen, doubts, b - a, record_of(piece, i))
                self._keep(key, kept)

    def _count(self, score: float) -> None:
        self.seen += 1
        self.total += score

    def _keep(self, key: str, candidate: Candidate) -> None:
        self._kept[key] = candidate
        # Of equals the text that comes first stays.
        entry = (candidate.score, -candidate.order, key)
        if len(self._heap) < self.length:
            heapq.heappush(self._heap, entry)
        else:
            del self._kept[heapq.heapreplace(self._heap, entry)[2]]

    def candidates(self) -> list[Candidate]:
        """Return the texts, the highest score first."""
        return sorted(self._kept.values(), key=lambda c: (-c.score, c.order))


def text_key(words: Iterable[str]) -> str:
    """Return what tells one text from another: its words."""
    return "\0".join(words)


def diverse(candidates: Iterable[Candidate], n: int) -> list[Candidate]:
    """Take n texts one by one, each the one that gains most beside those taken before.

    A gain can only fall as more texts are taken, so that a text whose old gain is not the highest needn't be
    looked at (lazy evaluation: Minoux 1978).
    """
    candidates = list(candidates)
    enough: dict[str, float] = {}
    for candidate in candidates:
        for word, h in candidate.doubts.items():
            enough[word] = enough.get(word, 0.0) + SHARE * h
    covered: dict[str, float] = {}

    def gain(candidate: Candidate) -> float:
        total = 0.0
        for word, h in candidate.doubts.items():
            F, before = enough[word], covered.get(word, 0.0)
            total += F * (log1p((before + h) / F) - log1p(before / F))
        return total / sqrt(candidate.tokens)

    heap = [(-gain(c), c.order, c) for c in candidates]
    heapq.heapify(heap)
    taken: list[Candidate] = []
    while heap and len(taken) < n:
        _, order, candidate = heap[0]
        now = (-gain(candidate), order, candidate)
        if len(heap) > 1 and now[:2] > min(entry[:2] for entry in heap[1:3]):
            heapq.heapreplace(heap, now)
            continue
        heapq.heappop(heap)
        taken.append(candidate)
        for word, h in candidate.doubts.items():
            covered[word] = covered.get(word, 0.0) + h
    return taken
