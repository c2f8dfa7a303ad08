"""From a word type to its row numbers: in the word vectors, the word features, the clusters and the memory.

The table of word vectors L has three special rows before those of the vocabulary:
0 for unknown words, 1 for the padding before a sentence, 2 for the padding after it.

A word that is not in the vocabulary may get a vector composed of its parts (vectors/subwords.py). Its row
number is then beyond the last row of L, and its vector is returned together with the row numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus
from nertool.corpus.invisible import normal_form, normal_forms
from nertool.files.wordlist import WordNumbers, Words, numbers_of
from nertool.inputs.features import PADDING, feature_columns, feature_ids
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.memory import UNMET
from nertool.vectors import clusters
from nertool.vectors.lookup import EXACT, SPELLINGS, STEPS, SUBWORDS, Vocabulary
from nertool.vectors.subwords import Composer

UNKNOWN, PAD_LEFT, PAD_RIGHT = 0, 1, 2
SPECIAL_ROWS = 3


class Encoded(NamedTuple):
    """The row numbers of n word types.

    ids (n, F) int32; composed (Q, v): the vectors of the word types whose row in L is beyond the last one,
    in order. Without a composer, Q is 0.
    """

    ids: NDArray[np.int32]
    composed: NDArray[np.float32]


class Encoder:
    """A map from word types to row numbers in the tables: L, each feature, the clusters and the memory."""

    def __init__(
        self,
        words: Sequence[str],
        features: Sequence[str],
        remembered: Sequence[str] | None = None,
        gazetteers: Gazetteers | None = None,
        steps: Collection[str] = SPELLINGS,
        composer: Composer | None = None,
        clusters: NDArray[np.uint16] | None = None,
    ) -> None:
        """Build an encoder.

        words: the vocabulary, in the order of L's rows after the special ones; features: names of word
        features; remembered: the word types of the memory's rows after its first, None if there is no memory;
        gazetteers: stored here for other code, since `encode` does not use them; steps: the steps of the
        lookup of a word's vector (vectors/lookup.py) to use; composer: composes vectors for words outside of
        the vocabulary; clusters (rows of L, COLUMNS): the clusters of each row (vectors/clusters.py), None
        if they are not a feature.
        """
        self.words = words
        self.features = list(features)
        self.remembered = remembered
        self.gazetteers = gazetteers
        self.rows = numbers_of(words, SPECIAL_ROWS)
        self.steps = frozenset(steps)
        self.composer = composer if SUBWORDS in self.steps else None
        self.clusters = clusters
        self._vocabulary = Vocabulary(self.rows, self.steps)
        self._memory: Mapping[str, int] | None = None
        if remembered is not None:
            # Word types with one normal form have the same numbers in the memory.
            self._memory = numbers_of(_as_words(_normal(remembered)), 1)

    def __reduce__(self) -> tuple[type[Encoder], tuple[Any, ...]]:
        """Pickle the constructor's arguments, without the tables that are built from them."""
        remembered = self.remembered
        if isinstance(remembered, list):
            remembered = Words(remembered)
        kept = (self.words, self.features, remembered, self.gazetteers)
        return Encoder, (*kept, sorted(self.steps), self.composer, self.clusters)

    def with_words(
        self,
        words: Sequence[str],
        composer: Composer | None = None,
        clusters: NDArray[np.uint16] | None = None,
    ) -> Encoder:
        """Return the same encoder with another vocabulary.

        clusters: the clusters of the new rows; composer: a new composer, by default the same one.
        """
        kept = (self.features, self.remembered, self.gazetteers, self.steps)
        return Encoder(words, *kept, composer or self.composer, clusters)

    @property
    def padding(self) -> NDArray[np.int32]:
        """The row numbers (2, F) of the paddings before and after a sentence."""
        beyond = [PADDING] * (sum(feature_columns(self.features)) - 1)
        beyond += [clusters.PADDING] * (0 if self.clusters is None else clusters.COLUMNS)
        beyond += [UNMET] * (self._memory is not None)
        return np.array([[PAD_LEFT, *beyond], [PAD_RIGHT, *beyond]], dtype=np.int32)

    def encode(self, words: Sequence[str]) -> Encoded:
        """Return the row numbers of word types, and the composed vectors.

        The columns are: the row in L, the numbers of each feature, the clusters, the row in the memory.
        """
        vectors, composed = self.vector_rows(words)
        normal = _normal(words)
        parts = [vectors[:, None], feature_ids(self.features, normal)]
        if self.clusters is not None:
            parts.append(self.clusters_of(vectors))
        if self._memory is not None:
            if isinstance(self._memory, WordNumbers):
                rows = self._memory.find(normal)
                found = np.where(rows < 0, np.int32(UNMET), rows)
            else:
                several = [self._memory.get(word, UNMET) for word in normal]
                found = np.array(several, dtype=np.int32)
            parts.append(found.reshape(-1, 1))
        return Encoded(np.concatenate(parts, axis=1), composed)

    def clusters_of(self, rows: NDArray[np.integer]) -> NDArray[np.int32]:
        """Return the clusters (n, COLUMNS) of rows (n,) of L.

        A row beyond the last one gets the clusters of the unknown word.
        """
        assert self.clusters is not None
        listed = np.where(rows < len(self.clusters), rows, UNKNOWN)
        return np.asarray(self.clusters[listed], dtype=np.int32)

    def _compose(self, words: Sequence[str], rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Compose vectors for unknown words, if possible, and return them.

        `rows` is changed in place: these words get row numbers beyond the last row of L.
        """
        if self.composer is None:
            return np.empty((0, 0), dtype=np.float32)
        unknown = np.flatnonzero(rows == UNKNOWN)
        vectors, known = self.composer.compose([normal_form(words[i]) for i in unknown.tolist()])
        rows[unknown[known]] = np.arange(len(self), len(self) + int(known.sum()))
        return vectors[known]

    def __len__(self) -> int:
        """Return the number of rows of L."""
        return SPECIAL_ROWS + len(self.words)

    def vector_rows(self, words: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return each word's row in L (n,), and the composed vectors (Q, v)."""
        rows = self._vocabulary.rows_of(words, UNKNOWN)
        return rows, self._compose(words, rows)

    def vector_row(self, word: str) -> int:
        """Return a word's row in L: the row of the first of its spellings that has one, or UNKNOWN.

        The spellings are tried in the order of vectors/lookup.py: as written, its normal form, lower case,
        title case, digits, then its parts. For a word with a composed vector, the result is UNKNOWN.
        """
        row = self.rows.get(word)
        return self.fallback_row(word) if row is None else row

    def fallback_row(self, word: str) -> int:
        """Return the row in L of a word that is not in the vocabulary as written."""
        found = self._vocabulary.find(word)
        return UNKNOWN if found is None else found[1]

    def step_of(self, word: str) -> str | None:
        """Return the name of the lookup step that finds a word's row; None for an unknown word."""
        return self.steps_of([word])[0]

    def steps_of(self, words: Sequence[str]) -> list[str | None]:
        """Return step_of for each of many words."""
        numbers, _ = self._vocabulary.find_many(words)
        steps = [STEPS[number] if number >= 0 else None for number in numbers.tolist()]
        if self.composer is not None:
            for i in np.flatnonzero(numbers < 0).tolist():
                if self.composer.knows(normal_form(words[i])):
                    steps[i] = SUBWORDS
        return steps


def _normal(words: Sequence[str]) -> Sequence[str]:
    """Return the normal form of each word. Words in ASCII bytes are returned unchanged."""
    return words if isinstance(words, Words) and words.is_ascii else normal_forms(words)


def _as_words(words: Sequence[str]) -> Sequence[str]:
    """Return words as bytes (Words), or unchanged if one of them contains a line break."""
    if isinstance(words, Words) or any("\n" in word for word in words):
        return words
    return Words(words)


@dataclass(frozen=True)
class Coverage:
    """How much of a text has word vectors.

    types, tokens: the numbers found as written, found after a fallback, and unknown; frequent_unknown: the
    most frequent unknown words, at most five; steps: the number of tokens that each step of the lookup found
    (vectors/lookup.py).
    """

    types: tuple[int, int, int]
    tokens: tuple[int, int, int]
    frequent_unknown: list[str]
    steps: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share of tokens that have a vector."""
        return 1.0 - self.tokens[2] / max(1, sum(self.tokens))

    def by_step(self) -> dict[str, int]:
        """Return the number of tokens that each step of the lookup found, and of the unknown ones."""
        return {**self.steps, "unknown": self.tokens[2]}

    def __str__(self) -> str:
        def part(counts: tuple[int, int, int], how: str = "") -> str:
            total = max(1, sum(counts))
            exact, fallback, unknown = (f"{100 * count / total:.1f} %" for count in counts)
            return f"{exact} as written, {fallback} after fallback{how}, {unknown} unknown"

        tokens, types = sum(self.tokens), sum(self.types)
        by_step = ", ".join(
            f"{step} {100 * count / tokens:.1f} %"
            for step, count in self.steps.items()
            if count and step != EXACT
        )
        how = f" ({by_step})" if by_step else ""
        return f"{tokens:,} tokens: {part(self.tokens, how)}; {types:,} types: {part(self.types)}"


def coverage(encoder: Encoder, corpus: Corpus) -> Coverage:
    """Count the types and tokens of a corpus that have a vector, and the steps that find it."""
    counts = np.bincount(corpus.word_ids, minlength=len(corpus.words))
    found = encoder.steps_of(corpus.words)
    exact = np.array([step == EXACT for step in found], dtype=bool)
    unknown = np.array([step is None for step in found], dtype=bool)
    kinds = (exact, ~exact & ~unknown, unknown)
    order = np.argsort(-counts * unknown, kind="stable")[: min(5, int(unknown.sum()))]
    steps = dict.fromkeys(STEPS, 0)
    for step, count in zip(found, counts.tolist(), strict=True):
        if step is not None:
            steps[step] += count
    return Coverage(
        types=tuple(int(kind.sum()) for kind in kinds),  # type: ignore[arg-type]
        tokens=tuple(int(counts[kind].sum()) for kind in kinds),  # type: ignore[arg-type]
        frequent_unknown=[corpus.words[i] for i in order],
        steps=steps,
    )
