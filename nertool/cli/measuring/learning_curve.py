"""`nertool learning-curve`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import AsJson, Overrides, Seed, Workers, cores, note, print_json
from nertool.cli.common.reading_options import as_overrides, with_reading_options
from nertool.cli.common.train_options import (
    Budget,
    Dev,
    Request,
    Sources,
    VectorsFile,
    is_text,
    read_request,
    texts_of,
)

if TYPE_CHECKING:
    from nertool.evaluation.powerlaw import Forecast
    from nertool.formats.labelled import ReadingOptions
    from nertool.training.experiments.learning_curve import Point

WORTH = 0.005  # the gain in F1 that makes doubling the labels worth it


@with_reading_options(misaligned="the config's")
def learning_curve(
    sources: Sources,
    options: ReadingOptions,
    overrides: Overrides = None,
    dev: Dev = None,
    vectors: VectorsFile = None,
    sizes: Annotated[
        int,
        typer.Option(
            min=3,
            max=10,
            help="The number of sizes of training text. Each is twice the one before.",
        ),
    ] = 5,
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="The number of trainings for each size.")
    ] = 3,
    budget: Budget = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw the curve: .png, .svg or .pdf (needs the extra plot)."
        ),
    ] = None,
    seed: Seed = None,
    workers: Workers = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Estimate whether more labels would help: F1 on dev against the size of the training text.

    One network is trained on each size with each seed. A power law is fitted to the means. It predicts F1 for
    two and four times the labels, with an interval.

    Examples:
        nertool learning-curve train.conll --dev dev.conll
        nertool learning-curve config.yaml --seeds 5 --plot curve.svg
    """
    said = [*(overrides or ()), *as_overrides(options)]
    budget = budget or ("30s" if is_text(sources[0]) else None)
    settings = read_request(Request(tuple(sources), said, seed, dev or (), vectors, budget))

    import numpy as np

    from nertool.evaluation.plots.figures import check_figure
    from nertool.evaluation.powerlaw import forecasts
    from nertool.training.experiments import learning_curve as curves

    if plot is not None:
        check_figure(plot, "--plot")
    with account(report, *sources, *texts_of(settings), plot) as ledger:
        train, dev_part = curves.curve_parts(settings, note, ledger)
        points = curves.learning_curve(
            settings, train, dev_part, curves.shares_of(sizes), seeds, workers or cores(), note
        )
    groups = list(curves.by_share(points))
    n = np.array([float(np.mean([p.sentences for p in own])) for own in groups])
    f1 = np.array([[p.f1 for p in own] for own in groups]).T
    found = forecasts(n, f1, [2 * n[-1], 4 * n[-1]], settings.seed)
    answer = verdict(float(f1[:, -1].mean()), found[0])
    if plot is not None:
        from nertool.evaluation.plots.curves import learning_curve_figure

        learning_curve_figure(n, f1, found, plot)
        note(f"drawn: {plot}")
    if as_json:
        print_json(as_dict(points, found, answer))
    else:
        _show(groups, found, answer)


def as_dict(points: list[Point], found: list[Forecast], said: str) -> dict[str, Any]:
    """Return the results for JSON."""
    return {
        "points": [asdict(point) for point in points],
        "forecasts": [asdict(one) for one in found],
        "verdict": said,
    }


def verdict(now: float, twice: Forecast) -> str:
    """Say in a sentence whether more labels would help, judged by the interval of the gain."""
    gains = f"F1 would go from {100 * now:.1f} to about {100 * twice.f1:.1f} with twice the labels"
    interval = f"90 % interval {100 * twice.low:.1f} to {100 * twice.high:.1f}"
    if twice.low - now >= WORTH:
        start = "More labels would help"
    elif twice.high - now < WORTH:
        start = "More labels would hardly help"
    else:
        start = "These trainings do not show whether more labels would help; try more --seeds"
    return f"{start}: {gains} ({interval})."


def _show(groups: list[list[Point]], found: list[Forecast], said: str) -> None:
    from statistics import mean, stdev

    print("sentences  entities      F1     ±  trainings")
    for own in groups:
        f1 = [100 * point.f1 for point in own]
        spread = f"{stdev(f1):.2f}" if len(f1) > 1 else ""
        print(
            f"{mean(p.sentences for p in own):9,.0f}  {mean(p.entities for p in own):8,.0f}  "
            f"{mean(f1):6.2f}  {spread:>4}  {len(own):9}"
        )
    for one in found:
        print(
            f"{one.size:9,.0f}  {'':8}  {100 * one.f1:6.2f}  expected, 90 % interval {100 * one.low:.1f} to "
            f"{100 * one.high:.1f}"
        )
    print(f"\n{said}")
