"""Precision, recall and F1 in five modes, which differ in what counts as a correct entity.

| mode | a predicted entity is correct if it has |
|---|---|
| conlleval | the same first token, last token and class (the CoNLL shared tasks) |
| strict | the same; errors are divided into incorrect, missed and spurious |
| exact-boundary | the same first and last token, with any class |
| partial | the same first and last token; an overlap counts one half; with any class |
| type | an overlap, and the same class |

The last four are those of SemEval-2013, task 9.1 (Segura-Bedmar et al. 2013). Each gold entity is matched
with at most one predicted entity, and each predicted one with at most one gold entity (see matching.py). So
strict has the same precision, recall and F1 as conlleval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.schemes import TagSpans
from nertool.evaluation.matching import Pairs, best_matching, overlapping_pairs

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ratios:
    """Precision, recall and F1. An undefined one is None."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Marks:
    """The credit of each entity in one mode.

    gold (n,), predicted (m,) float64: 1 for correct, 0.5 for partly correct, 0 for wrong. correct, incorrect,
    partial, missed, spurious: SemEval's counts of matched pairs, and of entities without a partner.
    """

    mode: str
    gold: Floats
    predicted: Floats
    correct: int
    incorrect: int
    partial: int
    missed: int
    spurious: int


def ratios(right: float, gold: float, predicted: float) -> Ratios:
    """Return the measures for these numbers of correct, gold and predicted entities.

    Precision is undefined if nothing was predicted, recall if there is no gold entity, F1 if both hold.
    """
    total = gold + predicted
    return Ratios(
        right / predicted if predicted else None,
        right / gold if gold else None,
        2 * right / total if total else None,
    )


def marks_of(mode: str, gold: TagSpans, predicted: TagSpans) -> Marks:
    """Match the entities, and return their credit in a mode of catalogue.MODES.

    Both sides must have the same label_names.
    """
    pairs = overlapping_pairs(gold, predicted)
    chosen = best_matching(pairs, label_first=mode == "type")
    credit, partial = _credit(mode, chosen)
    on_gold, on_predicted = np.zeros(len(gold)), np.zeros(len(predicted))
    on_gold[chosen.gold] = credit
    on_predicted[chosen.predicted] = credit
    correct, halves = int((credit == 1).sum()), int(partial.sum())
    return Marks(
        mode=mode,
        gold=on_gold,
        predicted=on_predicted,
        correct=correct,
        incorrect=len(chosen.gold) - correct - halves,
        partial=halves,
        missed=len(gold) - len(chosen.gold),
        spurious=len(predicted) - len(chosen.gold),
    )


def _credit(mode: str, pairs: Pairs) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the credit of each pair in a mode, (n,), and which pairs are partly correct, (n,) bool."""
    none = np.zeros(len(pairs.gold), dtype=bool)
    if mode == "partial":
        return np.where(pairs.same_bounds, 1.0, 0.5), ~pairs.same_bounds
    if mode == "type":
        return pairs.same_label.astype(float), none
    if mode == "exact-boundary":
        return pairs.same_bounds.astype(float), none
    return (pairs.same_bounds & pairs.same_label).astype(float), none


def overall(marks: Marks) -> Ratios:
    """Return the micro average, in which every entity has the same weight."""
    return ratios(float(marks.gold.sum()), len(marks.gold), len(marks.predicted))


def by_class(marks: Marks, gold: TagSpans, predicted: TagSpans) -> dict[str, Ratios]:
    """Return the measures of each class: recall over its gold entities, precision over its predicted ones.

    F1 is the harmonic mean of the two. If the mode compares classes, this equals 2·correct / (gold +
    predicted), since both count the same correct entities.
    """
    K = len(gold.label_names)
    right_gold = np.bincount(gold.labels, marks.gold, K)
    right_predicted = np.bincount(predicted.labels, marks.predicted, K)
    n, m = np.bincount(gold.labels, minlength=K), np.bincount(predicted.labels, minlength=K)
    out = {}
    for k, name in enumerate(gold.label_names):
        if not n[k] and not m[k]:
            continue
        precision = float(right_predicted[k] / m[k]) if m[k] else None
        recall = float(right_gold[k] / n[k]) if n[k] else None
        total = (precision or 0.0) + (recall or 0.0)
        f1 = 2 * (precision or 0.0) * (recall or 0.0) / total if total else 0.0
        out[name] = Ratios(precision, recall, f1)
    return out


def macro(classes: dict[str, Ratios]) -> Ratios:
    """Return the macro average: for each measure, the mean over the classes for which it is defined."""

    def mean(name: str) -> float | None:
        known = [x for r in classes.values() if (x := getattr(r, name)) is not None]
        return sum(known) / len(known) if known else None

    return Ratios(mean("precision"), mean("recall"), mean("f1"))


def mode_as_dict(mode: str, gold: TagSpans, predicted: TagSpans) -> dict[str, Any]:
    """Return the measures of a mode for JSON: micro average, macro average, counts, and each class."""
    marks = marks_of(mode, gold, predicted)
    classes = by_class(marks, gold, predicted)
    support = np.bincount(gold.labels, minlength=len(gold.label_names))
    number = {name: i for i, name in enumerate(gold.label_names)}
    return {
        **vars(overall(marks)),
        "support": len(gold),
        "macro": vars(macro(classes)),
        "counts": {
            name: getattr(marks, name)
            for name in ("correct", "incorrect", "partial", "missed", "spurious")
        },
        "types": {
            name: {**vars(found), "support": int(support[number[name]])}
            for name, found in classes.items()
        },
    }
