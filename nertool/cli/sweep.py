"""`nertool sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.boundary import if_interrupted
from nertool.cli.common.options import (
    AsJson,
    ConfigPath,
    Overrides,
    Workers,
    cores,
    note,
    print_json,
)
from nertool.cli.common.reading_options import as_overrides, with_reading_options

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions
    from nertool.training.sweep import Summary


@with_reading_options(misaligned="the config's")
def sweep(
    config: ConfigPath,
    options: ReadingOptions,
    overrides: Overrides = None,
    tries: Annotated[
        list[str] | None,
        typer.Option(
            "--try",
            metavar="KEY=VALUE",
            help="Try a setting (repeatable): all values of a key, with all those of the others.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Seeds for each setting.")] = 3,
    run_dir: Annotated[
        Path | None, typer.Option(help="Keep the runs in this folder [default: they are not kept]")
    ] = None,
    workers: Workers = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Train with several seeds and settings, and compare them on dev: mean and spread of F1.

    Differences smaller than the spread are noise.

    Examples:
        nertool sweep config.yaml --seeds 5
        nertool sweep config.yaml --try network.hidden=64 --try network.hidden=128 --json
    """
    from nertool.errors import OverrideError
    from nertool.files.output import scratch_folder
    from nertool.training.sweep import plan, run_sweep, summaries

    said = [*(overrides or ()), *as_overrides(options)]
    with (
        if_interrupted(lambda: _kept(run_dir)),
        account(report, config) as ledger,
        scratch_folder() as aside,
    ):
        try:
            trials = plan(config, said, tries or [], seeds, run_dir or aside)
        except OverrideError as error:
            raise typer.BadParameter(str(error)) from None
        outcomes = []
        for outcome in run_sweep(config, said, trials, workers or cores(), ledger):
            outcomes.append(outcome)
            note(
                f"{len(outcomes)}/{len(trials)}  {' '.join(outcome.trial.variant) or 'as it is'}  "
                f"seed {outcome.trial.seed}: dev F1 {100 * outcome.f1:.2f}, {outcome.seconds:.1f} s"
            )
    order = {trial: i for i, trial in enumerate(trials)}
    outcomes.sort(key=lambda outcome: order[outcome.trial])
    results = summaries(outcomes)
    if as_json:
        print_json(
            [
                {
                    "variant": summary.variant,
                    "f1": summary.f1,
                    "deviation": summary.deviation,
                    "seeds": [o.f1 for o in outcomes if o.trial.variant == summary.variant],
                    "seconds": round(summary.seconds, 2),
                }
                for summary in results
            ]
        )
    else:
        _show(results)


def _kept(run_dir: Path | None) -> str:
    """Say what is there when a sweep is ended early."""
    if run_dir is None:
        return "no trial was kept; give the command again, with --run-dir to keep finished trials"
    return f"finished trials are in {run_dir}; give the command again with another --run-dir"


def _show(results: list[Summary]) -> None:
    names = [" ".join(summary.variant) or "as it is" for summary in results]
    width = max(len(name) for name in names)
    print(f"{'':{width}}  dev F1     ±  seeds  seconds")
    for name, summary in zip(names, results, strict=True):
        spread = "" if summary.deviation is None else f"{100 * summary.deviation:.2f}"
        print(
            f"{name:{width}}  {100 * summary.f1:6.2f}  {spread:>4}  {summary.seeds:5}  "
            f"{summary.seconds:7.1f}"
        )
