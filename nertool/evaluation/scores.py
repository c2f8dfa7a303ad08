"""Entity precision, recall and F1, and token accuracy, exactly as conlleval computes them.

An entity is correct only if its first token, its last token and its class are all correct (Tjong Kim Sang and
De Meulder 2003). Entities are read from the tags by conlleval's rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, Interner, Offsets
from nertool.corpus.schemes import TagSpans, spans_of, split_tag, tag_names, tags_of


@dataclass(frozen=True)
class Counts:
    """The number of correct, gold and predicted entities."""

    correct: int = 0
    gold: int = 0
    predicted: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.correct + other.correct, self.gold + other.gold, self.predicted + other.predicted
        )

    @property
    def precision(self) -> float | None:
        """The share of predicted entities that are correct; None if nothing was predicted."""
        return self.correct / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """The share of gold entities that were found; None if there is no gold entity."""
        return self.correct / self.gold if self.gold else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall, 2·correct / (gold + predicted); None if it is 0 / 0."""
        total = self.gold + self.predicted
        return 2 * self.correct / total if total else None


@dataclass(frozen=True)
class Scores:
    """The counts of each class in `types`, and the numbers of tokens and of tokens with the gold tag."""

    types: dict[str, Counts]
    tokens: int
    correct_tokens: int
    sentences: int

    @property
    def overall(self) -> Counts:
        """The counts of all classes together."""
        return sum(self.types.values(), Counts())

    @property
    def accuracy(self) -> float | None:
        """The share of tokens with the correct tag; None for a text without tokens."""
        return self.correct_tokens / self.tokens if self.tokens else None

    @property
    def f1(self) -> float:
        """The overall F1 as a number for comparisons: 0 if it is undefined."""
        return self.overall.f1 or 0.0


def score_tags(
    gold_ids: Ids,
    gold_tags: Sequence[str],
    predicted_ids: Ids,
    predicted_tags: Sequence[str],
    sentence_starts: Offsets,
) -> Scores:
    """Compare predicted tags with gold tags (N,), token by token and entity by entity.

    Both should be in the same scheme, since accuracy compares tags. I-PER and a bare PER count as the same
    tag, and so do E- in BIOES and L- in BILOU.
    """
    gold = spans_of(gold_ids, gold_tags, sentence_starts)
    predicted = spans_of(predicted_ids, predicted_tags, sentence_starts)
    return Scores(
        types=count_spans(gold, predicted),
        tokens=len(gold_ids),
        correct_tokens=int(same_tags(gold_ids, gold_tags, predicted_ids, predicted_tags).sum()),
        sentences=len(sentence_starts) - 1,
    )


def same_tags(
    gold_ids: Ids, gold_tags: Sequence[str], predicted_ids: Ids, predicted_tags: Sequence[str]
) -> NDArray[np.bool_]:
    """Mark the tokens (N,) with the same tag on both sides. Tags such as E-PER and L-PER are the same."""
    number = Interner()
    gold, predicted = (
        np.array([number["-".join(split_tag(tag))] for tag in tags] or [-1])
        for tags in (gold_tags, predicted_tags)
    )
    return np.asarray(gold[gold_ids] == predicted[predicted_ids])


def count_spans(gold: TagSpans, predicted: TagSpans) -> dict[str, Counts]:
    """Count entities by class. An entity is correct if start, end and class are the same on both sides."""
    names = sorted({*gold.label_names, *predicted.label_names})
    number = {name: i for i, name in enumerate(names)}
    rows = []
    for spans in (gold, predicted):
        labels = np.array([number[name] for name in spans.label_names] or [-1])[spans.labels]
        rows.append((spans.starts, spans.ends, labels))
    # No side has an entity twice. So two equal neighbours after sorting are one from each side.
    both = [np.concatenate(columns) for columns in zip(*rows, strict=True)]
    order = np.lexsort(both[::-1])
    alike = np.all([column[order][1:] == column[order][:-1] for column in both], axis=0)
    correct, g, p = (
        np.bincount(labels, minlength=len(names)).tolist()
        for labels in (both[2][order][1:][alike], rows[0][2], rows[1][2])
    )
    return {name: Counts(correct[i], g[i], p[i]) for i, name in enumerate(names) if g[i] or p[i]}


def score_predictions(
    tag_ids: Ids,
    tags: Sequence[str],
    gold_ids: Ids,
    gold_tags: Sequence[str],
    scheme: str,
    sentence_starts: Offsets,
) -> Scores:
    """Compare the network's tags with gold tags, after converting them to the gold tags' scheme."""
    spans = spans_of(tag_ids, tags, sentence_starts)
    written_as = tag_names(spans.label_names, scheme)
    written = tags_of(spans, sentence_starts, written_as, scheme)
    return score_tags(gold_ids, gold_tags, written, written_as, sentence_starts)
