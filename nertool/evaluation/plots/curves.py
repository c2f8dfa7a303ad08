"""Plot a learning curve, and the epochs of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.evaluation.plots.figures import BLUE, GREY, RED, new_figure, save
from nertool.evaluation.powerlaw import Forecast

Floats = NDArray[np.float64]
LINES = ("loss", "F1 on dev")


def learning_curve_figure(n: Floats, f1: Floats, found: Sequence[Forecast], path: Path) -> None:
    """Draw F1 (R, S) of R trainings at the sizes n (S,), their means, and the forecasts for larger sizes."""
    figure = new_figure()
    axes = figure.add_subplot()
    means = 100 * f1.mean(axis=0)
    axes.plot(np.tile(n, len(f1)), 100 * f1.ravel(), ".", color=GREY, label="a training")
    axes.plot(n, means, "o-", color=BLUE, label="mean")
    sizes = [n[-1], *(one.size for one in found)]
    axes.plot(sizes, [means[-1], *(100 * one.f1 for one in found)], "--", color=RED)
    ends = np.array([[one.f1 - one.low, one.high - one.f1] for one in found]).T
    axes.errorbar(
        [one.size for one in found],
        [100 * one.f1 for one in found],
        100 * ends,
        fmt="D",
        color=RED,
        capsize=4,
        label="expected, 90 % interval",
    )
    ticks = [*n, *(one.size for one in found)]
    axes.set(xlabel="sentences with labels", ylabel="F1 on dev, %", xscale="log")
    axes.set_xticks(ticks, [f"{size:,.0f}" for size in ticks], rotation=30)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, path)


def epochs_figure(log: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the loss, and F1 on dev, by epoch. A run of several networks has a line for each network."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure()
    axes = figure.add_subplot()
    right = axes.twinx()
    networks: dict[str, list[dict[str, Any]]] = {}
    for record in log:
        networks.setdefault(str(record.get("network", "")), []).append(record)
    for i, own in enumerate(networks.values()):
        epochs = [record["epoch"] for record in own]
        axes.plot(
            epochs,
            [r["loss"] for r in own],
            "--",
            color=RED,
            alpha=0.8,
            label="" if i else LINES[0],
        )
        f1 = [_dev_f1(record) for record in own]
        if any(value is not None for value in f1):
            shown = [np.nan if value is None else 100 * value for value in f1]
            right.plot(epochs, shown, "o-", color=BLUE, ms=3, label="" if i else LINES[1])
    axes.set(xlabel="epoch", ylabel="loss J (dashed)")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set_ylabel("F1 on dev, %")
    lines = [line for line in [*axes.get_lines(), *right.get_lines()] if line.get_label() in LINES]
    axes.legend(lines, [str(line.get_label()) for line in lines], loc="center right")
    axes.grid(alpha=0.3)
    save(figure, path)


def _dev_f1(record: dict[str, Any]) -> float | None:
    dev = record.get("dev")
    return dev.get("f1") if isinstance(dev, dict) else None
