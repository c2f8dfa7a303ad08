"""Choose a probability threshold for each class that gives the best F1, or a wanted precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.evaluation.comparison import Comparison
from nertool.evaluation.evaluate import correct_predictions
from nertool.evaluation.measures import Ratios, ratios


@dataclass(frozen=True)
class Threshold:
    """The threshold of a class, and its measures before and after entities below it are left out.

    reached: whether the wanted precision is reached. If not, the threshold is the one with the highest
    precision.
    """

    threshold: float
    before: Ratios
    after: Ratios
    reached: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary for JSON."""
        return {
            "threshold": self.threshold,
            "before": vars(self.before),
            "after": vars(self.after),
            "reached": self.reached,
        }


def best_threshold(
    p: NDArray[np.float64], correct: NDArray[np.bool_], gold: int, precision: float | None = None
) -> Threshold:
    """Choose the threshold of one class.

    p (n,): the probabilities of the predicted entities. correct (n,): whether each is correct. gold: the
    number of gold entities. precision: None to maximise F1; otherwise recall is maximised under the condition
    that precision is at least this value. The threshold is halfway between the last probability kept and the
    first one left out.
    """
    before = ratios(int(correct.sum()), gold, len(p))
    if not len(p):
        return Threshold(0.0, before, before, precision is None)
    order = np.argsort(-p, kind="stable")
    ranked, right = p[order], np.cumsum(correct[order])
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(p) - 1)  # last of each group of equal p
    n, c = ends + 1, right[ends]
    shares = c / n
    if precision is None:
        value = 2 * c / (n + gold) if gold else -n.astype(float)
        # Of equally good thresholds, the one that keeps the most entities.
        best = int(len(value) - 1 - np.argmax(value[::-1]))
        reached = True
    else:
        good = np.flatnonzero(shares >= precision)
        reached = len(good) > 0
        best = int(good[-1]) if reached else int(len(shares) - 1 - np.argmax(shares[::-1]))
    kept = int(n[best])
    least = 0.0 if kept == len(p) else float((ranked[kept - 1] + ranked[kept]) / 2)
    return Threshold(least, before, ratios(int(c[best]), gold, kept), reached)


def tune_thresholds(comparison: Comparison, precision: float | None = None) -> dict[str, Threshold]:
    """Choose the threshold of every class. comparison.probabilities must not be None."""
    assert comparison.probabilities is not None
    correct = correct_predictions(comparison)
    gold, predicted = comparison.gold, comparison.predicted
    out = {}
    for k, label in enumerate(gold.label_names):
        own = predicted.labels == k
        out[label] = best_threshold(
            comparison.probabilities[own], correct[own], int((gold.labels == k).sum()), precision
        )
    return out


def thresholds_table(found: dict[str, Threshold]) -> str:
    """Format thresholds, with the measures before and after in percent, as a table with a row per class."""
    from nertool.evaluation.tables import percent

    width = max((len(label) for label in found), default=0)
    lines = [f"{'':{width}} threshold  precision            recall               F1"]
    for label, row in found.items():
        cells = "  ".join(
            f"{percent(getattr(row.before, name), 7)} → {percent(getattr(row.after, name), 6).strip():>6}"
            for name in ("precision", "recall", "f1")
        )
        lines.append(f"{label:{width}} {row.threshold:9.3f}  {cells}")
    return "\n".join(lines)
