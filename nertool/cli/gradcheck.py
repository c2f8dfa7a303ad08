"""`nertool gradcheck`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.options import AsJson, Overrides, Seed, note, print_json, read_config

if TYPE_CHECKING:
    from nertool.training.verify import Verdict


def gradcheck(
    path: Annotated[
        Path,
        typer.Argument(metavar="CONFIG|MODEL", help="A YAML config, or a model or run folder."),
    ],
    overrides: Overrides = None,
    seed: Seed = None,
    windows: Annotated[int, typer.Option(min=1, help="Windows in the batch that is checked.")] = 40,
    samples: Annotated[int, typer.Option(min=1, help="Coordinates checked in each block.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Compare every hand-written gradient with central differences, in 64-bit floats.

    A config is checked on its own training text, for every activation and loss; a model as it
    was trained, on windows of its own vocabulary. Exit 1 if a gradient is wrong.
    """
    if path.is_dir():
        if overrides:
            raise typer.BadParameter(
                "--set changes a config, and a model has its own: leave it out"
            )

        from nertool.tagging.storage import load_model
        from nertool.training.verify import verify_model

        verdicts = verify_model(load_model(path), seed or 0, windows, samples)
    else:
        settings = read_config(path, overrides, seed)

        from nertool.training.verify import verify_config

        verdicts = verify_config(settings, windows, samples, note)

    passed = all(verdict.passed for verdict in verdicts)
    if as_json:
        print_json({"passed": passed, "checks": [verdict.as_dict() for verdict in verdicts]})
    else:
        _show(verdicts, passed)
    if not passed:
        raise typer.Exit(1)


def _show(verdicts: list[Verdict], passed: bool) -> None:
    """Print a row for each activation and loss, a column for each block of parameters."""
    from nertool.network.gradcheck import EPS, TOLERANCE

    blocks = list(dict.fromkeys(check.block for verdict in verdicts for check in verdict.checks))
    print("Relative error ‖a − n‖ / (‖a‖ + ‖n‖) of each block's gradient by hand, a, against the")
    print(f"central difference n = (J(θ + ε) − J(θ − ε)) / 2ε, with ε = {EPS:g}, in float64:\n")
    width = max(10, *(1 + len(block) for block in blocks))
    print(f"{'f':10} {'output':9}" + "".join(f"{block:>{width}}" for block in blocks))
    for verdict in verdicts:
        errors = {check.block: check for check in verdict.checks}
        cells = "".join(
            f"{errors[b].error:{width}.1e}" if b in errors else f"{'frozen':>{width}}"
            for b in blocks
        )
        mark = f" ← {verdict.network}" if verdict.network else ""
        if verdict.own and not all(other.own for other in verdicts):
            mark = " ← this one's own"
        print(f"{verdict.activation:10} {verdict.output:9}{cells}{mark}")
        for check in verdict.checks:
            if not check.passed:
                at = ", ".join(map(str, check.worst))
                print(f"  FAILED: {check.block}: {check.error:.1e}; worst at {check.block}[{at}]")
    kinks = sum(check.kinks for verdict in verdicts for check in verdict.checks)
    compared = sum(check.coordinates for verdict in verdicts for check in verdict.checks)
    left_out = f"; {kinks} at a kink of f left out" if kinks else ""
    print(
        f"\n{'passed' if passed else 'FAILED'}: {compared:,} coordinates compared{left_out}; ",
        end="",
    )
    print(f"every block must be within {TOLERANCE:g}")
