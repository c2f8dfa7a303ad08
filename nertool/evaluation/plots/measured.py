"""Plot a model's results on a labelled text: the confusion matrix of classes, and calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nertool.evaluation.comparison import Comparison
from nertool.evaluation.errors.kinds import NOTHING, confusion_matrix, findings_of
from nertool.evaluation.evaluate import correct_predictions
from nertool.evaluation.plots.figures import BLUE, GREY, new_figure, save
from nertool.evaluation.report.charts import calibration_bins


def confusion_figure(comparison: Comparison, path: Path) -> None:
    """Draw the confusion matrix: entities by gold class (rows) and predicted class (columns)."""
    labels = [*comparison.gold.label_names, NOTHING]
    counts = np.array(confusion_matrix(findings_of(comparison), comparison.gold.label_names))
    side = max(4.0, 1.6 + 0.62 * len(labels))
    figure = new_figure(side + 0.6, side)
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares[-1, -1] = 0.0
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(counts.tolist()):
        for j, n in enumerate(row):
            if (i, j) != (len(labels) - 1, len(labels) - 1):
                colour = "white" if shares[i, j] > 0.5 else "black"
                axes.text(j, i, f"{n:,}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="found", ylabel="gold")
    save(figure, path)


def calibration_figure(comparison: Comparison, path: Path) -> None:
    """Draw the share of correct entities against their mean probability, and a histogram of probabilities."""
    assert comparison.probabilities is not None
    p = comparison.probabilities
    bins = calibration_bins(p, correct_predictions(comparison))
    figure = new_figure(5.0, 5.0)
    axes, below = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    axes.plot([0, 100], [0, 100], "--", color=GREY, label="as it should be")
    axes.plot(100 * bins[:, 0], 100 * bins[:, 1], "o-", color=BLUE, label="the model")
    axes.set(ylabel="right, %", ylim=(0, 102), xlim=(0, 100))
    axes.legend()
    axes.grid(alpha=0.3)
    below.hist(100 * p, bins=np.linspace(0, 100, 21), color=BLUE)
    below.set(xlabel="probability of an entity, %", ylabel="entities")
    save(figure, path)
