"""`nertool plot`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import check_choice, note
from nertool.cli.common.reading_options import with_reading_options

if TYPE_CHECKING:
    from nertool.evaluation.comparison import Comparison
    from nertool.formats.labelled import ReadingOptions

KINDS = ("png", "svg", "pdf")


@with_reading_options(misaligned="the config's")
def plot(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder of nertool train.")],
    options: ReadingOptions,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="The folder for the plots [default: RUN/plots]"
        ),
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Labelled text to measure on [default: the run's dev part]"
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", metavar="|".join(KINDS), help="The file format of the plots.")
    ] = "png",
    report: ReportPath = None,
) -> None:
    """Draw a run: loss and F1 by epoch, confusions, calibration, and the vectors before and after training.

    nertool learning-curve --plot draws F1 against the amount of text.

    Examples:
        nertool plot runs/quickstart
        nertool plot runs/quickstart --kind svg -o pictures
    """
    check_choice("--kind", kind, KINDS)

    from nertool.errors import ModelError
    from nertool.evaluation.inputs import evaluate_model
    from nertool.evaluation.plots.figures import check_matplotlib
    from nertool.model.load import load_model

    if not run.is_dir():
        raise ModelError(f"{run}: found no run folder, expected one that nertool train wrote")
    check_matplotlib("plot")
    model = load_model(run)
    measured = text or model.config.corpus.dev
    evaluated = None
    if measured is not None:
        # Read before anything is drawn: if the text can't be read, no file is left behind.
        measured_files = (measured,) if isinstance(measured, Path) else measured
        with account(report, *measured_files) as ledger:
            evaluated = evaluate_model(run, [measured], options, ledger, note)
    folder = output or run / "plots"
    folder.mkdir(parents=True, exist_ok=True)

    from nertool.evaluation.plots.curves import epochs_figure
    from nertool.evaluation.plots.vectors import vectors_figure
    from nertool.evaluation.report.page import read_log

    def path(name: str) -> Path:
        return folder / f"{name}.{kind}"

    log = read_log(run)
    if log:
        epochs_figure(log, path("epochs"))
        note(f"loss and F1 on dev by epoch: {path('epochs')}")
    else:
        note(f"{run}: no log of a single network: epochs are not drawn")
    if evaluated is None:
        note(
            "no dev part: confusions and calibration are not drawn; --text FILE names a labelled text"
        )
    else:
        _measured(evaluated.comparison, path("confusion"), path("calibration"))
    if vectors_figure(model.members[0], path("vectors")):
        note(f"vectors before and after training: {path('vectors')}")
    else:
        note("no word's vector was changed by training: vectors are not drawn")


def _measured(comparison: Comparison, confusion: Path, calibration: Path) -> None:
    """Draw the plots that need a labelled text."""
    from nertool.evaluation.plots.measured import calibration_figure, confusion_figure

    confusion_figure(comparison, confusion)
    note(f"gold classes against what was found: {confusion}")
    calibration_figure(comparison, calibration)
    note(f"are the probabilities right? {calibration}")
