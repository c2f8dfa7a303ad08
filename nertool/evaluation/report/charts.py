"""Compute the charts of the report: precision–recall curves, calibration, and the curves of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.evaluation.comparison import Comparison
from nertool.evaluation.evaluate import correct_predictions

Floats = NDArray[np.float64]

BINS = 10  # bins of a calibration chart
WIDTH, HEIGHT = 300, 200  # size of a chart's area in SVG units


@dataclass(frozen=True)
class Line:
    """A line of a chart.

    points (n, 2): x and y in 0 … 1. classes: CSS classes. says: a description for screen readers.
    """

    name: str
    points: Floats
    classes: str = ""
    says: str = ""

    @property
    def path(self) -> str:
        """The points as the attribute of an SVG polyline."""
        x, y = self.points[:, 0] * WIDTH, (1 - self.points[:, 1]) * HEIGHT
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))

    @property
    def dots(self) -> list[tuple[str, str]]:
        """The points in SVG units."""
        return [(f"{WIDTH * a:.1f}", f"{HEIGHT * (1 - b):.1f}") for a, b in self.points.tolist()]


def precision_recall(p: Floats, correct: NDArray[np.bool_], gold: int) -> tuple[Floats, Floats]:
    """Return recall and precision as the threshold falls from the highest to the lowest probability.

    p (n,): the probabilities of the predicted entities. correct (n,): whether each is correct. gold: the
    number of gold entities. There is one point for each distinct probability.
    """
    order = np.argsort(-p, kind="stable")
    right = np.cumsum(correct[order])
    last = np.append(np.diff(p[order]) != 0, True) if len(p) else np.zeros(0, dtype=bool)
    n = np.arange(1, len(p) + 1)
    return right[last] / max(gold, 1), right[last] / n[last]


def calibration_bins(p: Floats, correct: NDArray[np.bool_], bins: int = BINS) -> Floats:
    """Return a row for each non-empty bin of equal width: mean probability, share of correct entities,
    number of entities."""
    which = np.minimum((p * bins).astype(np.int64), bins - 1)
    n = np.bincount(which, minlength=bins)
    filled = n > 0
    sums = [np.bincount(which, weights, bins)[filled] for weights in (p, correct.astype(float))]
    return np.column_stack([sums[0] / n[filled], sums[1] / n[filled], n[filled]])


def class_charts(comparison: Comparison, classes: dict[str, str]) -> list[dict[str, Any]]:
    """Return the precision–recall and calibration charts of all classes together and of each class.

    Returns [] if there are no probabilities.
    """
    if comparison.probabilities is None:
        return []
    p, correct = comparison.probabilities, correct_predictions(comparison)
    gold, predicted = comparison.gold, comparison.predicted
    out = []
    for k, label in enumerate(["", *gold.label_names]):
        own = np.ones(len(p), dtype=bool) if not label else predicted.labels == k - 1
        wanted = len(gold) if not label else int((gold.labels == k - 1).sum())
        if not own.any() or not wanted:
            continue
        recall, precision = precision_recall(p[own], correct[own], wanted)
        bins = calibration_bins(p[own], correct[own])
        name, css = label or "all classes", classes.get(label, "")
        out.append(
            {
                "name": name,
                "classes": css,
                "curve": Line(
                    name,
                    np.column_stack([recall, precision]),
                    css,
                    f"precision {100 * precision[-1]:.1f} % at recall {100 * recall[-1]:.1f} %, over all "
                    f"probabilities; {100 * precision[0]:.1f} % at recall {100 * recall[0]:.1f} %",
                ),
                "bins": Line(name, bins[:, :2], css, _bins_in_words(bins)),
                "table": bins.tolist(),
            }
        )
    return out


def _bins_in_words(bins: Floats) -> str:
    rows = [f"{100 * a:.0f} % said, {100 * b:.0f} % right" for a, b, _ in bins.tolist()]
    return "; ".join(rows)


def run_curves(log: Sequence[dict[str, Any]]) -> list[Line]:
    """Return the loss, divided by its highest value, and dev F1 by epoch, from a run's log."""
    epochs = np.array([record["epoch"] for record in log], dtype=np.float64)
    if not len(epochs):
        return []
    span = max(float(epochs[-1] - epochs[0]), 1.0)
    x = (epochs - epochs[0]) / span
    losses = np.array([record["loss"] for record in log], dtype=np.float64)
    top = max(float(losses.max()), 1e-12)
    out = [
        Line(
            "loss J",
            np.column_stack([x, losses / top]),
            "loss",
            f"from {losses[0]:.4f} to {losses[-1]:.4f}; the highest is {top:.4f}",
        )
    ]
    known = [
        i for i, record in enumerate(log) if record.get("dev") and record["dev"]["f1"] is not None
    ]
    if known:
        f1 = np.array([log[i]["dev"]["f1"] for i in known])
        best = int(f1.argmax())
        out.append(
            Line(
                "dev F1",
                np.column_stack([x[known], f1]),
                "f1",
                f"highest {100 * f1[best]:.2f} in epoch {epochs[known[best]]:.0f}",
            )
        )
    return out
