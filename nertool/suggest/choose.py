"""Choose the texts to label next: the model is uncertain about them, and they differ from each other.

The first step gives each text a score: the sum of the entropies of its tokens' tags, divided by the square
root of its length. Entropy is high where the model is uncertain about entities, so the sum grows with their
number (sequence entropy: Settles and Craven 2008). The square root is a compromise between the value of a
text and the cost of labelling it, which grows with its length.

Two texts with the same uncertain words are worth less than the sum of their scores. So the second step
chooses texts one by one. The gain of a text is the entropy on its words that the texts chosen before have not
covered (a submodular function of the words: Wei, Iyer and Bilmes 2015):

    gain(x | taken) = Σ over words w of x  F [ln(1 + (D + H) / F) − ln(1 + D / F)] / √tokens(x)

H is the entropy on w in x, D its sum over the texts chosen so far, and F a tenth of its sum over all texts. A
word that is often uncertain is worth labelling several times, and worth more than a word that occurs once.
The first step is linear in the text. The second one uses only a shortlist of the texts with the highest
scores, so that its memory and time are bounded.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from math import log1p, sqrt
from typing import NamedTuple

import numpy as np

from nertool.corpus.annotated import Annotated
from nertool.suggest.texts import record_of

LEAST_DOUBT = 0.01  # nats; words with less entropy count as certain
SHARE = 0.1  # of the entropy on a word; once this share is covered, the marginal gain is halved
FEWEST, TIMES, MOST_MORE = 2_000, 20, 50_000  # the length of the shortlist for n texts


class Candidate(NamedTuple):
    """A text of the shortlist.

    score: as described above. order: the number of the text in the input. doubts: uncertain word in lower
    case → its entropy, summed over its occurrences in the text. tokens: the length of the text.
    """

    score: float
    order: int
    doubts: dict[str, float]
    tokens: int
    piece: Annotated


def shortlist_length(n: int) -> int:
    """Return the number of texts from which the second step chooses n."""
    return n + max(FEWEST, min((TIMES - 1) * n, MOST_MORE))


class Shortlist:
    """The texts with the highest scores so far, at most `length`, without duplicates.

    seen, total: the number of texts added, and the sum of their scores. skipped: the keys of texts to skip,
    such as those that are labelled already. passed: the number of texts skipped.
    """

    def __init__(self, length: int, skipped: frozenset[str] = frozenset()) -> None:
        self.length, self.skipped = length, skipped
        self.seen = self.passed = self.repeated = 0
        self.total = 0.0
        self._heap: list[tuple[float, int, str]] = []
        self._kept: dict[str, Candidate] = {}

    def add(self, piece: Annotated) -> None:
        """Add the records of a piece as texts. Its extras contain the entropies of each sentence.

        Texts without tokens are ignored.
        """
        corpus = piece.corpus
        assert corpus.records is not None
        H = np.concatenate([np.zeros(0), *(x["entropy"] for x in piece.extras or ())])
        starts = corpus.sentence_starts[corpus.records.starts]
        lengths = np.diff(starts)
        sums = np.diff(np.concatenate([[0.0], np.cumsum(H, dtype=np.float64)])[starts])
        scores = sums / np.sqrt(np.maximum(lengths, 1))
        words = corpus.words
        for i in np.flatnonzero(lengths).tolist():
            score = round(float(scores[i]), 9)  # the cumulative sum has rounding errors
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
        # Of texts with equal scores, the first one stays.
        entry = (candidate.score, -candidate.order, key)
        if len(self._heap) < self.length:
            heapq.heappush(self._heap, entry)
        else:
            del self._kept[heapq.heapreplace(self._heap, entry)[2]]

    def candidates(self) -> list[Candidate]:
        """Return the texts, the highest score first."""
        return sorted(self._kept.values(), key=lambda c: (-c.score, c.order))


def text_key(words: Iterable[str]) -> str:
    """Return a key of a text, made of its words. Texts with the same words have the same key."""
    return "\0".join(words)


def diverse(candidates: Iterable[Candidate], n: int) -> list[Candidate]:
    """Choose n texts greedily: each time the text with the highest gain, given those chosen before.

    A gain never grows as more texts are chosen. So only the text with the highest old gain is evaluated again
    (lazy evaluation: Minoux 1978).
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
