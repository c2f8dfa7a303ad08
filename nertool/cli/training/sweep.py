"""`nertool sweep`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.boundary import if_interrupted
from nertool.cli.common.options import (
    AsJson,
    Overrides,
    Workers,
    cores,
    note,
    print_json,
)
from nertool.cli.common.reading_options import as_overrides, with_reading_options

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions
    from nertool.training.experiments.sweep import Summary, Trial


@with_reading_options(misaligned="the config's")
def sweep(
    configs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CONFIG...",
            help="A YAML config, or several to compare; configs/reference.yaml has every key.",
        ),
    ],
    options: ReadingOptions,
    overrides: Overrides = None,
    tries: Annotated[
        list[str] | None,
        typer.Option(
            "--try",
            metavar="KEY=A,B",
            help="Values of a key to try (repeatable). All combinations with the values of other keys "
            "are trained. A comma inside [brackets] or 'quotes' does not separate values.",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="The number of seeds for each setting.")
    ] = 3,
    run_dir: Annotated[
        Path | None,
        typer.Option(help="Keep the run folders in this folder [default: they are not kept]"),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Search for about this long, such as 90s, 10m or 2h. The results of earlier trials "
            "decide which settings to try next, among the values of --try or a default set. Needs the "
            "extra sweep.",
        ),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Store the trials of --budget in this file, or continue those in it [default: "
            "runs/NAME-sweep.db]",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write the best config that --budget finds [default: runs/NAME-best.yaml]",
        ),
    ] = None,
    workers: Workers = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Train with several configs, settings and seeds, and compare them on dev: mean and spread of F1.

    Differences smaller than the spread are noise. The test part is never read.

    Examples:
        nertool sweep config.yaml --seeds 5
        nertool sweep small.yaml large.yaml --seeds 5
        nertool sweep config.yaml --try network.hidden=64,128 --try training.alpha=0.05,0.1 --json
        nertool sweep config.yaml --budget 10m -o best.yaml
    """
    if len(set(configs)) < len(configs):
        raise typer.BadParameter("CONFIG: found the same file twice, expected different ones")
    if budget is not None:
        if len(configs) > 1:
            raise typer.BadParameter(
                "--budget: searches around one config, found several; leave --budget out to compare them"
            )
        if run_dir is not None:
            raise typer.BadParameter(
                "--run-dir: with --budget no runs are kept; leave one of them out"
            )
        _search(
            configs[0],
            overrides or [],
            tries or [],
            seeds,
            budget,
            study,
            output,
            workers,
            report,
            as_json,
        )
        return
    if study is not None or output is not None:
        raise typer.BadParameter("--study, --output: they belong to --budget")
    from nertool.errors import OverrideError
    from nertool.files.output import scratch_folder
    from nertool.training.experiments.sweep import dev_parts, plan, run_sweep, summaries

    said = [*(overrides or ()), *as_overrides(options)]
    several = len(configs) > 1
    with (
        if_interrupted(lambda: _kept(run_dir)),
        account(report, *configs) as ledger,
        scratch_folder() as aside,
    ):
        try:
            trials = plan(configs, said, tries or [], seeds, run_dir or aside)
        except OverrideError as error:
            raise typer.BadParameter(str(error)) from None
        parts = dev_parts(trials, said)
        if len(parts) > 1:
            named = ", ".join(f"{text} ({config})" for text, config in parts.items())
            note(f"warning: F1 is measured on different texts, and can't be compared: {named}")
        outcomes = []
        for outcome in run_sweep(said, trials, workers or cores(), ledger):
            outcomes.append(outcome)
            note(
                f"{len(outcomes)}/{len(trials)}  {_name(outcome.trial, several)}  "
                f"seed {outcome.trial.seed}: dev F1 {100 * outcome.f1:.2f}, {outcome.seconds:.1f} s"
            )
    order = {trial: i for i, trial in enumerate(trials)}
    outcomes.sort(key=lambda outcome: order[outcome.trial])
    results = summaries(outcomes)
    best = max(results, key=lambda summary: summary.f1)
    if as_json:
        print_json(
            [
                {
                    "config": str(summary.config),
                    "variant": summary.variant,
                    "f1": summary.f1,
                    "deviation": summary.deviation,
                    "seeds": [
                        o.f1
                        for o in outcomes
                        if (o.trial.config, o.trial.variant) == (summary.config, summary.variant)
                    ],
                    "seconds": round(summary.seconds, 2),
                    "best": summary is best,
                }
                for summary in results
            ]
        )
    else:
        _show(results, several)


def _search(
    config: Path,
    overrides: list[str],
    tries: list[str],
    seeds: int,
    budget: str,
    study: Path | None,
    output: Path | None,
    workers: int | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Search within a budget, and write the best config."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}[smh]", budget):
        raise typer.BadParameter(
            f"--budget: found {budget}, expected a time such as 90s, 10m or 2h"
        )

    from nertool.errors import OverrideError
    from nertool.training.effort import seconds_of
    from nertool.training.experiments.search import Base, described, search, space_of, write_winner

    study = study or Path("runs") / f"{config.stem}-sweep.db"
    output = output or Path("runs") / f"{config.stem}-best.yaml"
    output.parent.mkdir(parents=True, exist_ok=True)
    base = Base(config, tuple(overrides))
    with (
        if_interrupted(lambda: f"trials are stored in {study}; the same command continues them"),
        account(report, config, study, output) as ledger,
    ):
        try:
            found = search(
                base,
                space_of(tries),
                seconds_of(budget),
                seeds,
                study,
                workers or cores(),
                note,
                ledger,
            )
        except OverrideError as error:
            raise typer.BadParameter(str(error)) from None
        write_winner(base, found, output)
    if as_json:
        print_json(
            {
                "trials": found.trials,
                "stopped": found.stopped,
                "best_f1": found.best_f1,
                "settings": list(found.winner.settings),
                "f1": list(found.winner.f1),
                "f1_before": list(found.before.f1),
                "config": str(output),
            }
        )
        return
    print(
        f"{found.trials} trials, {found.stopped} of them stopped early; dev F1 with {seeds} fresh seeds:"
    )
    print(f"  as it was  {described(found.before)}")
    print(f"  best found {described(found.winner)}")
    for setting in found.winner.settings:
        print(f"    {setting}")
    spread = max(found.winner.deviation or 0.0, found.before.deviation or 0.0)
    if found.winner.mean - found.before.mean <= spread:
        print("The difference is within the spread: the config as it was may be as good.")
    note(f"written: {output}")


def _kept(run_dir: Path | None) -> str:
    """Describe what is kept when a sweep is ended early."""
    if run_dir is None:
        return "no trial was kept; give the command again, with --run-dir to keep finished trials"
    return f"finished trials are in {run_dir}; give the command again with another --run-dir"


def _name(of: Summary | Trial, several: bool) -> str:
    """Return the name of a trial: its settings, and its config if there are several."""
    settings = " ".join(of.variant)
    if several:
        return f"{of.config} {settings}".rstrip()
    return settings or "as it is"


def _show(results: list[Summary], several: bool) -> None:
    """Print the table and the best trial."""
    names = [_name(summary, several) for summary in results]
    width = max(len(name) for name in names)
    print(f"{'':{width}}  dev F1     ±  seeds  seconds")
    for name, summary in zip(names, results, strict=True):
        spread = "" if summary.deviation is None else f"{100 * summary.deviation:.2f}"
        print(
            f"{name:{width}}  {100 * summary.f1:6.2f}  {spread:>4}  {summary.seeds:5}  "
            f"{summary.seconds:7.1f}"
        )
    if len(results) > 1:
        print(f"\n{verdict(results, names)}")


def verdict(results: list[Summary], names: list[str]) -> str:
    """Say which trial is best, and whether its lead over the next one exceeds the spread of the seeds."""
    ranked = sorted(zip(results, names, strict=True), key=lambda one: -one[0].f1)
    (best, name), (second, other) = ranked[:2]
    gain = 100 * (best.f1 - second.f1)
    if best.deviation is None or second.deviation is None:
        return f"Best: {name}. With one seed each this may be chance: try --seeds 3."
    spread = 100 * max(best.deviation, second.deviation)
    if gain <= spread:
        return (
            f"Best: {name}. But {other} is only {gain:.2f} lower, within the spread of the seeds "
            f"({spread:.2f}): it may be as good."
        )
    return f"Best: {name}, {gain:.2f} above {other}; the spread of the seeds is {spread:.2f}."
