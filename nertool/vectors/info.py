"""Describe a file of word vectors: size, spelling, norms, and its coverage of a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.invisible import normal_form
from nertool.vectors.findings import (
    FREQUENT,
    findings,
    in_range,
    is_lower_case,
    norms_of,
    share_with_capitals,
)
from nertool.vectors.lookup import SPELLINGS, STEPS, SUBWORDS, Vocabulary
from nertool.vectors.subwords import Subwords

_POOR = 0.8  # share of tokens with a vector below which reasons are reported


def describe(words: Sequence[str], matrix: NDArray[np.float32]) -> dict[str, Any]:
    """Return a description for JSON of V words and their vectors (V, d).

    case: "lower" if (nearly) all frequent words are in lower case, else "mixed". norms: the smallest, the
    median and the largest Euclidean length. findings: unusual properties (findings.py).
    """
    norms = norms_of(matrix)
    digits = [word for word in words[:FREQUENT] if any(map(str.isdigit, word))]
    return {
        "words": len(words),
        "width": int(matrix.shape[1]),
        "case": "lower" if is_lower_case(words) else "mixed",
        "share_with_capitals": round(share_with_capitals(words), 4),
        "words_with_digits": len(digits),
        "norms": {
            "least": round(float(norms.min(initial=np.inf)), 4) if len(norms) else None,
            "median": round(float(np.median(norms)), 4) if len(norms) else None,
            "largest": round(float(norms.max(initial=0.0)), 4) if len(norms) else None,
        },
        "findings": [asdict(finding) for finding in findings(words, matrix)],
    }


class Known(NamedTuple):
    """How many tokens of a text have a vector.

    steps: the number of tokens found at each step of the lookup. tokens: the number of all tokens. unknown:
    the word types without a vector, with their counts, the most frequent first. more: the number of unknown
    tokens that each unused step would find.
    """

    steps: dict[str, int]
    tokens: int
    unknown: list[tuple[str, int]]
    more: Mapping[str, int] = MappingProxyType({})

    @property
    def share(self) -> float | None:
        """The share of tokens that have a vector; None for a text without tokens."""
        return sum(self.steps.values()) / self.tokens if self.tokens else None


def known_words(
    vocabulary: Mapping[str, int],
    counts: Mapping[str, int],
    steps: Collection[str] = SPELLINGS,
    subwords: Subwords | None = None,
) -> Known:
    """Look up every word type of a text in a vocabulary (word → row), and count the tokens found.

    counts: word type → number of tokens. steps: the steps of the lookup that are used. subwords: the rows of
    parts of words, if any.
    """
    found = dict.fromkeys(STEPS, 0)
    more: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    known, all_steps = Vocabulary(vocabulary, steps), Vocabulary(vocabulary, STEPS)
    for word, count in counts.items():
        step = _step(known, word, subwords if SUBWORDS in steps else None)
        if step is not None:
            found[step] += count
            continue
        unknown[word] += count
        if (step := _step(all_steps, word, subwords)) is not None:
            more[step] += count
    return Known(found, sum(counts.values()), unknown.most_common(), dict(more))


def _step(known: Vocabulary, word: str, subwords: Subwords | None) -> str | None:
    found = known.find(word)
    if found is None:
        composed = subwords is not None and subwords.compose([normal_form(word)])[1][0]
        return SUBWORDS if composed else None
    return found[0]


def reasons(known: Known, described: Mapping[str, Any]) -> list[str]:
    """Return likely reasons why many words of a text have no vector; [] if coverage is good."""
    if known.share is None or known.share >= _POOR:
        return []
    out = []
    words = known.unknown[:200]
    total = max(1, sum(count for _, count in words))

    def share(matches: Iterable[int]) -> float:
        return sum(matches) / total

    if share(n for w, n in words if not w.isascii()) > 0.5:
        out.append(
            "most unknown words have letters beyond a to z: are these vectors for this language?"
        )
    if share(n for w, n in words if any(map(str.isdigit, w))) > 0.3:
        out.append("many unknown words hold digits: the file may write numbers in another way")
    if share(n for w, n in words if not any(map(str.isalnum, w))) > 0.3:
        out.append("many unknown tokens are punctuation: the file may have been made without it")
    if share(n for w, n in words if "_" in w or " " in w) > 0.3:
        out.append("many unknown tokens are phrases: the text and the file cut words differently")
    frequent = sum(n for w, n in known.unknown[:50] if w.isalpha() and w.islower())
    if frequent > 0.15 * known.tokens:
        shown = ", ".join(w for w, _ in known.unknown[:8])
        out.append(f"common words are unknown ({shown}): these vectors are for another language")
    if described["words"] < 5000:
        out.append(f"the file has only {described['words']:,} words")
    return out or ["no single reason: many rare words; larger vectors know more of them"]


def nearest(
    words: Sequence[str], matrix: NDArray[np.float32], word: str, count: int = 10
) -> list[tuple[str, float]] | None:
    """Return the `count` most similar words, each with its cosine to `word`; None for an unknown word."""
    found = Vocabulary({known: i for i, known in enumerate(words)}).find(word)
    if found is None:
        return None
    row = found[1]
    matrix = in_range(matrix)
    norms = np.linalg.norm(matrix, axis=1)
    cosines = (matrix @ matrix[row]) / np.maximum(norms * norms[row], 1e-12)
    cosines[row] = -np.inf
    best = np.argsort(-cosines, kind="stable")[:count]
    return [(words[i], round(float(cosines[i]), 4)) for i in best.tolist() if i != row]
