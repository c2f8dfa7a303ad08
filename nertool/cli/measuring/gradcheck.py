"""`nertool gradcheck`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    AsJson,
    Overrides,
    Seed,
    note,
    one_blas_thread,
    print_json,
    read_config,
)
from nertool.cli.common.reading_options import as_overrides, with_reading_options
from nertool.errors import NertoolError, did_you_mean

if TYPE_CHECKING:
    from nertool.corpus.ledger import Ledger
    from nertool.formats.labelled import ReadingOptions
    from nertool.gradcheck.case import Case, Verdict
    from nertool.gradcheck.check import Ladders
    from nertool.gradcheck.mistakes import Mistake
from nertool.cli.measuring.gradcheck_tables import (
    show_blocks,
    show_jacobians,
    show_mistakes,
    show_others,
    show_sum,
)

Result = tuple[bool, list[dict[str, Any]]]  # (whether all passed, each result ready for JSON)


@with_reading_options(misaligned="the config's")
def gradcheck(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG|MODEL]", help="A YAML config, a model or a run folder."),
    ] = None,
    *,
    options: ReadingOptions,
    overrides: Overrides = None,
    seed: Seed = None,
    windows: Annotated[
        int,
        typer.Option(min=1, max=10_000, help="The number of windows in the batch that is checked."),
    ] = 24,
    samples: Annotated[
        int,
        typer.Option(
            min=1,
            max=1_000_000,
            help="The number of coordinates to check in each block of parameters.",
        ),
    ] = 60,
    mutate: Annotated[
        bool,
        typer.Option(
            "--mutate",
            help="Test the check: put known mistakes into the backward pass, one at a time. Each must "
            "be caught.",
        ),
    ] = False,
    jacobians: Annotated[
        bool,
        typer.Option(
            "--jacobians", help="Print each Jacobian of the mathematics, by hand and numerically."
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png", help="Draw the errors against ε (needs matplotlib: the extra plot)."
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write one self-contained HTML page: the errors, drawn against ε, and the mistakes.",
        ),
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Check the batch at which training stopped, as saved in the run folder.",
        ),
    ] = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Compare every hand-written gradient with central differences, the complex step and random directions,
    in 64-bit floats.

    A config is checked on its training text, with every activation and loss. A model is checked with its
    trained weights, on windows of its vocabulary. The exit code is 1 if a gradient is wrong.

    Examples:
        nertool gradcheck config.yaml
        nertool gradcheck runs/my --html gradients.html
        nertool gradcheck config.yaml --mutate
    """
    if (path is None) == (batch is None):
        raise typer.BadParameter("give either a CONFIG or MODEL, or --batch FILE")
    overrides = [*(overrides or ()), *as_overrides(options)]
    if overrides and (path is None or _is_model(path)):
        raise typer.BadParameter(
            "--set and options of reading change a config, and a model has its own: leave it out"
        )
    if report and (path is None or _is_model(path)):
        raise typer.BadParameter(
            "--report: an account is given of a config's training text: leave it out"
        )
    if mutate and jacobians:
        raise typer.BadParameter("--mutate and --jacobians are two checks: give one of them")
    if plot is not None and (mutate or jacobians):
        raise typer.BadParameter("--plot draws the errors of the gradients: leave it out")
    if html is not None and (mutate or jacobians or batch is not None):
        raise typer.BadParameter(
            "--html writes a page of all checks: leave out --mutate, --jacobians and --batch"
        )
    one_blas_thread()

    if plot is not None:
        from nertool.gradcheck.plot import check_plot

        check_plot(plot)
    result: dict[str, Any] = {}
    if batch is not None:
        cases, result["batch"] = _read_batch(batch, as_json)
        if result["batch"]["first_not_finite"]:
            if as_json:
                print_json({"passed": False, **result})
            raise typer.Exit(1)
    with account(report, path) as ledger:
        if path is not None:
            cases = _cases(path, overrides, seed, windows, mutate or jacobians, ledger)
        if jacobians:
            passed, result["jacobians"] = _check_jacobians(next(cases), as_json)
        elif mutate:
            passed, result["mistakes"] = _seed_mistakes(cases, samples, as_json)
        else:
            kept = list(cases) if html is not None else cases
            passed, result["checks"] = _check_gradients(kept, samples, plot, as_json)
            if html is not None:
                passed = _write_page(html, list(kept), samples) and passed
    if as_json:
        print_json({"passed": passed, **result})
    if not passed:
        raise typer.Exit(1)


def _check_jacobians(case: Case, as_json: bool) -> Result:
    from nertool.gradcheck.jacobians import cut_network, jacobians

    tables = jacobians(case.objective, cut_network(case.objective, case.parameters, case.batch))
    if not as_json:
        show_jacobians(tables, case.objective.activation)
    return all(table.passed for table in tables), [table.as_dict() for table in tables]


def _seed_mistakes(
    cases: Iterable[Case], samples: int, as_json: bool, mistakes: Sequence[Mistake] | None = None
) -> Result:
    from nertool.gradcheck.mistakes import MISTAKES
    from nertool.gradcheck.selfcheck import seed_mistakes

    found = [
        (case.network, seed_mistakes(case, samples, mistakes=mistakes or MISTAKES))
        for case in cases
    ]
    if not as_json:
        for network, caught in found:
            show_mistakes(caught, network)
    passed = all(c.caught or c.harmless for _, caught in found for c in caught)
    return passed, [
        {"network": network, **c.as_dict()} for network, caught in found for c in caught
    ]


def _check_gradients(
    cases: Iterable[Case],
    samples: int,
    plot: Path | None,
    as_json: bool,
    ladders: Ladders | None = None,
) -> Result:
    from nertool.gradcheck.case import check_case
    from nertool.gradcheck.check import STEPS

    verdicts: list[Verdict] = []
    for case in cases:
        verdict = check_case(case, samples, ladders or STEPS)
        verdicts.append(verdict)
        if not as_json and verdict.own:
            show_blocks(verdict)
        if plot is not None and len(verdicts) == 1:
            _plot(case, verdict, samples, plot)
    passed = all(verdict.passed for verdict in verdicts)
    if not as_json:
        show_others([verdict for verdict in verdicts if not verdict.own])
        show_sum(verdicts, passed)
    return passed, [verdict.as_dict() for verdict in verdicts]


def _is_model(path: Path) -> bool:
    """Tell whether a path is a model or run, not a config: a folder, or a file whose name ends in
    .nertool."""
    return path.is_dir() or path.suffix == ".nertool"


def _cases(
    path: Path,
    overrides: list[str] | None,
    seed: int | None,
    windows: int,
    own_alone: bool,
    ledger: Ledger,
) -> Iterator[Case]:
    if _is_model(path):
        from nertool.model.load import load_model
        from nertool.training.cases import cases_of_model

        return cases_of_model(load_model(path), seed or 0, windows)
    if not path.exists() and path.suffix not in (".yaml", ".yml"):
        near = did_you_mean(path.name, [sibling.name for sibling in path.parent.glob("*")])
        raise NertoolError(
            f"{path}: no such file or folder, expected a YAML config or a model{near}"
        )
    settings = read_config(path, overrides, seed)

    from nertool.training.cases import cases_of_config

    return cases_of_config(settings, windows, note, own_alone, ledger)


def _read_batch(path: Path, as_json: bool) -> tuple[Iterator[Case], dict[str, Any]]:
    """Read a batch that training stored, and find the first value that is not finite."""
    from nertool.gradcheck.audit import first_not_finite, load_snapshot, loss_of
    from nertool.gradcheck.case import case_of_snapshot, finite

    snapshot = load_snapshot(path)
    found = first_not_finite(snapshot)
    J, wide_J = loss_of(snapshot)
    if not as_json:
        where = ", ".join(f"{key} {value}" for key, value in snapshot.where.items())
        print(f"A batch of {len(snapshot.batch.windows)} windows ({where}).")
        print(f"J is {J:g}; computed in 64-bit floats it is {wide_J:g}.")
        print(f"The first value that is not finite: {found or 'none'}\n")
    return iter([case_of_snapshot(snapshot)]), {
        "where": snapshot.where,
        "J": finite(J),
        "J_in_float64": finite(wide_J),
        "first_not_finite": found,
    }


def _plot(case: Case, verdict: Verdict, samples: int, path: Path) -> None:
    from nertool.gradcheck.case import check_case
    from nertool.gradcheck.check import WIDE
    from nertool.gradcheck.plot import plot_ladders

    wide = check_case(case, min(samples, 10), WIDE)
    plot_ladders(wide.checks, f"gradient check: {verdict.activation}, {verdict.output}", path)
    note(f"error against ε: drawn in {path}")


def _write_page(path: Path, cases: Sequence[Case], samples: int) -> bool:
    """Write the page with all cases, and with the plots and mistakes of the first. Return whether all were
    caught."""
    from nertool.files.output import open_output
    from nertool.gradcheck.case import check_case
    from nertool.gradcheck.check import WIDE
    from nertool.gradcheck.report import page
    from nertool.gradcheck.selfcheck import seed_mistakes

    verdicts = [check_case(case, samples) for case in cases]
    wide = check_case(cases[0], min(samples, 10), WIDE)
    caught = seed_mistakes(cases[0], min(samples, 20))
    with open_output(path) as out:
        out.write(page(verdicts, wide, caught))
    note(f"gradient check: in {path}")
    return all(own.caught or own.harmless for own in caught)
