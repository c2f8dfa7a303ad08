"""`nertool evaluate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.catalogue import MODES, UNITS
from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    AsJson,
    check_choice,
    note,
    print_json,
)
from nertool.cli.common.reading_options import column_of, with_reading_options

if TYPE_CHECKING:
    from nertool.evaluation.comparison import Comparison
    from nertool.evaluation.errors.details import Details
    from nertool.evaluation.inputs import Evaluated
    from nertool.formats.labelled import ReadingOptions


@with_reading_options(misaligned="the config's")
def evaluate(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL", help="A model folder, or a run folder (its best model is used)."
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Labelled texts in any format; - for stdin."),
    ] = None,
    *,
    options: ReadingOptions,
    gold: Annotated[
        Path | None,
        typer.Option(
            "--gold",
            metavar="FILE",
            help="Without a model: the labelled text to compare --predicted with. Without --predicted, "
            "the last two columns of this file are the gold and the predicted tags.",
        ),
    ] = None,
    predicted: Annotated[
        Path | None,
        typer.Option(
            "--predicted",
            metavar="FILE",
            help="The same text with the labels that a tool predicted.",
        ),
    ] = None,
    predicted_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="The column of the predicted tags: its number or name [default: the last]",
        ),
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            metavar="|".join(MODES),
            help="What counts as right: conlleval, or a measure of SemEval-2013.",
        ),
    ] = "conlleval",
    all_modes: Annotated[
        bool,
        typer.Option(
            "--all-modes",
            help="Show all modes side by side, with the phrases on which they differ.",
        ),
    ] = False,
    intervals: Annotated[
        bool,
        typer.Option(
            "--intervals", help="Add 95 % confidence intervals, by bootstrap over documents."
        ),
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="|".join(UNITS),
            help="What --intervals resamples [default: document if there are at least 20, otherwise "
            "sentence]",
        ),
    ] = None,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune-thresholds",
            help="Find for each class the probability threshold with the best F1 on FILE, which should "
            "be dev text, and store it in the model for predict --min-probability tuned.",
        ),
    ] = False,
    precision: Annotated[
        float | None,
        typer.Option(
            "--precision",
            metavar="P",
            min=0,
            max=1,
            help="With --tune-thresholds: find the threshold that reaches this precision in each "
            "class, instead of the best F1.",
        ),
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option(
            "--errors",
            metavar="FILE",
            help="Write each error to this file, with its place, kind, probability and sentence: JSON "
            "lines if the name ends in .jsonl, otherwise a tab-separated table. Also print the most "
            "frequent confusions, and the measures by length, frequency and more.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write a report as one self-contained page: measures with intervals, charts, and the "
            "text with gold and predicted entities, to filter, search and sort.",
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            metavar="FILE",
            help="The training text, to distinguish seen from unseen entities [default: the model's]",
        ),
    ] = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Measure precision, recall and F1 on labelled text: of a model, or of any tool's predictions.

    nertool evaluate MODEL FILE… tags the files, and compares the result with their labels. nertool evaluate
    --gold FILE --predicted FILE compares two labelled files.

    Examples:
        nertool evaluate runs/my test.conll
        nertool evaluate runs/my test.conll --errors errors.tsv --html report.html
        nertool evaluate runs/my dev.conll --tune-thresholds --precision 0.95
        nertool evaluate --gold test.conll --predicted other-tool.conll
    """
    check_choice("--mode", mode, MODES)
    check_choice("--by", by, UNITS)
    paths = _paths(model, files, gold, predicted)

    from nertool.evaluation.intervals import intervals_as_dict

    options = replace(options, predicted_column=column_of(predicted_column))
    if tune and model is None:
        raise typer.BadParameter("--tune-thresholds: needs MODEL, which keeps them")
    if precision is not None and not tune:
        raise typer.BadParameter("--precision: goes with --tune-thresholds")
    written = [path for path in (errors, html) if path is not None]
    for path in written:
        if path in (*paths, report) or written.count(path) > 1:
            raise typer.BadParameter(f"{path} is read or written already: choose another name")
    with account(report, *paths, *written) as ledger:
        evaluated = _evaluated(model, files, gold, predicted, options, ledger, bool(written))
        measures = _measures(evaluated, MODES if all_modes else (mode,))
        if intervals or html is not None:
            measures["intervals"] = intervals_as_dict(evaluated.comparison, mode, by)
        details = _details(evaluated, train, ledger) if written else None
        if details is not None:
            measures |= details.as_dict()
            _write(details, measures, model, errors, html)
        if tune and model is not None:
            measures["thresholds"] = _tuned(evaluated, model, precision, quiet=as_json)
        if as_json:
            print_json(measures)
        else:
            _show(evaluated, measures, all_modes, details if errors else None)


def _paths(
    model: Path | None, files: list[Path] | None, gold: Path | None, predicted: Path | None
) -> list[Path]:
    """Return the files to read, or refuse a command line that fits neither way to evaluate."""
    if gold is None:
        if predicted is not None:
            raise typer.BadParameter("--predicted: needs --gold FILE, to compare with")
        if model is None or not files:
            raise typer.BadParameter("expected MODEL and FILE, or --gold FILE and --predicted FILE")
        return files
    if model is not None:
        raise typer.BadParameter(
            f"found {model} beside --gold, expected MODEL and FILE, or --gold FILE and --predicted "
            "FILE"
        )
    if str(gold) == "-" and str(predicted or "-") == "-":
        raise typer.BadParameter(
            "--gold -: standard input would be read twice; give the file's name"
        )
    if predicted is None:
        from nertool.files.safe import need_regular

        need_regular(gold, why="both columns are read from it")
    return [gold, *([predicted] if predicted else [])]


def _evaluated(
    model: Path | None,
    files: list[Path] | None,
    gold: Path | None,
    predicted: Path | None,
    options: ReadingOptions,
    ledger: Any,
    gold_probabilities: bool,
) -> Evaluated:
    from nertool.evaluation.inputs import evaluate_files, evaluate_model

    if gold is not None:
        return evaluate_files(gold, predicted, options, ledger, note)
    assert model is not None
    assert files is not None
    return evaluate_model(model, files, options, ledger, note, gold_probabilities)


def _details(evaluated: Evaluated, train: Path | None, ledger: Any) -> Details:
    from nertool.evaluation.errors.details import details_of
    from nertool.evaluation.errors.seen import read_training_text

    seen = read_training_text(train, evaluated.model, ledger, note)
    return details_of(evaluated.comparison, seen, evaluated.model)


def _write(
    details: Details,
    measures: dict[str, Any],
    model: Path | None,
    errors: Path | None,
    html: Path | None,
) -> None:
    """Write the errors and the report, if requested."""
    from nertool.evaluation.errors.table import as_jsonl, as_tsv
    from nertool.files.output import open_output

    if errors is not None:
        write = as_jsonl if errors.name.endswith(".jsonl") else as_tsv
        with open_output(errors) as out:
            out.writelines(write(details.error_rows()))
        note(f"errors: {len(details.errors):,} in {errors}")
    if html is not None:
        from nertool.evaluation.report.page import read_log, report_page

        source = details.comparison.corpus.source
        title = f"{model} on {source}" if model else f"Predictions for {source}"
        with open_output(html) as out:
            out.write(report_page(measures, details, title, read_log(model) if model else []))
        note(f"report: in {html}")


def _tuned(
    evaluated: Evaluated, model: Path, precision: float | None, quiet: bool
) -> dict[str, Any]:
    """Find the thresholds, store them in the model, and print them unless quiet."""
    from nertool.evaluation.thresholds import thresholds_table, tune_thresholds
    from nertool.model.thresholds import keep_thresholds

    found = tune_thresholds(evaluated.comparison, precision)
    kept = {
        "labels": {label: row.threshold for label, row in found.items()},
        "precision": precision,
        "source": evaluated.comparison.corpus.source,
    }
    keep_thresholds(model, kept)
    for label, row in found.items():
        if not row.reached:
            note(
                f"{label}: no threshold gives a precision of {precision}; kept the most precise one"
            )
    if not quiet:
        print(f"{thresholds_table(found)}\n")
    note(f"thresholds: stored in {model}; use them by predict --min-probability tuned")
    return {label: row.as_dict() for label, row in found.items()}


def _measures(evaluated: Evaluated, modes: tuple[str, ...]) -> dict[str, Any]:
    """Return the measures for JSON, with those of the first mode at the top level."""
    from nertool.evaluation.measures import mode_as_dict
    from nertool.evaluation.tables import as_dict

    comparison = evaluated.comparison
    measures = as_dict(comparison.scores)
    if modes != ("conlleval",):
        found = {mode: mode_as_dict(mode, comparison.gold, comparison.predicted) for mode in modes}
        measures |= {"mode": modes[0], **found[modes[0]]}
        if len(modes) > 1:
            measures["modes"] = found
    if evaluated.calibration is not None:
        measures["calibration"] = evaluated.calibration
    if evaluated.model is not None:
        from nertool.evaluation.evaluate import coverage_of

        covered = coverage_of(evaluated.model, comparison.corpus)
        for own in covered:
            note(f"vectors: {own}")
        if covered:
            measures["coverage"] = [own.by_step() for own in covered]
    return measures


def _show(
    evaluated: Evaluated, measures: dict[str, Any], all_modes: bool, details: Details | None
) -> None:
    from nertool.evaluation.tables import as_intervals_table, as_modes_table, as_table
    from nertool.model.calibrate import describe

    print(as_table(measures))
    if "intervals" in measures:
        print(f"\n{as_intervals_table(measures)}")
    if all_modes:
        print(f"\n{as_modes_table(measures['modes'])}")
        _show_differences(evaluated.comparison)
    if details is not None:
        print(details.as_text())
    if evaluated.calibration is not None:
        note(describe(evaluated.calibration))


def _show_differences(comparison: Comparison) -> None:
    """Print the phrases that are correct in one mode and wrong in conlleval's."""
    from nertool.evaluation.errors.kinds import differences

    for mode, count, phrases in differences(comparison):
        print(f"\n{mode}: {count:,} that conlleval counts as wrong")
        for phrase in phrases:
            print(f"  {phrase}")
