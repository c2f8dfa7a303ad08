"""`nertool evaluate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nertool.catalogue import INPUT_FORMATS, MISALIGNED
from nertool.cli.account import ReportPath, account
from nertool.cli.options import (
    AsJson,
    Column,
    FromFormat,
    ModelPath,
    check_choice,
    column_of,
    note,
    print_json,
)


def evaluate(
    model: ModelPath,
    corpus: Annotated[
        Path,
        typer.Argument(metavar="CORPUS", help="A labelled text in any format; - for stdin."),
    ],
    form: FromFormat = "auto",
    token_column: Column = None,
    tag_column: Column = None,
    misaligned: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(MISALIGNED), help="As in corpus convert [default: the config's]"
        ),
    ] = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Tag a labelled text, and compare: precision, recall, F1 and accuracy, as conlleval counts them."""
    check_choice("--from", form, INPUT_FORMATS)
    check_choice("--misaligned", misaligned, MISALIGNED)

    from nertool.corpus.schemes import keep_labels
    from nertool.evaluation.evaluate import evaluate_with_calibration
    from nertool.evaluation.report import as_dict, as_table
    from nertool.formats.labelled import read_labelled, reading_of
    from nertool.model.calibrate import describe
    from nertool.model.storage import load_model

    loaded = load_model(model)
    settings = loaded.config.corpus
    reading = reading_of(settings)
    if token_column is not None:
        reading = replace(reading, token_column=column_of(token_column))
    if tag_column is not None:
        reading = replace(reading, tag_column=column_of(tag_column))
    if misaligned is not None:
        reading = replace(reading, misaligned=misaligned)
    with account(report, corpus) as ledger:
        labelled = read_labelled(corpus, form, reading, ledger, note)
        if settings.labels:
            labelled = keep_labels(labelled, settings.labels, note)
        scores, sure = evaluate_with_calibration(loaded, labelled, note)
        measures = {**as_dict(scores), "calibration": sure}
        if as_json:
            print_json(measures)
        else:
            print(as_table(measures))
            note(describe(sure))
