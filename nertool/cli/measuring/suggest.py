"""`nertool suggest`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.catalogue import OUTPUT_FORMATS, SCHEMES
from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import ModelPath, check_choice, note
from nertool.cli.common.predict_options import Inputs, Output, PredictWorkers, Scheme, To
from nertool.cli.common.reading_options import with_reading_options

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions

UNITS = ("record", "sentence")

By = Annotated[
    str,
    typer.Option(
        metavar="|".join(UNITS),
        help="The unit to choose. record: a record of the input (a JSON object, a line, a paragraph, a "
        "sentence of columns). sentence: each sentence of a record.",
    ),
]
Exclude = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Skip the texts of this file, such as the training text (repeatable).",
    ),
]


@with_reading_options(labelled=False)
def suggest(
    model: ModelPath,
    inputs: Inputs,
    options: ReadingOptions,
    n: Annotated[
        int, typer.Option("-n", min=1, max=10**9, help="The number of texts to choose.")
    ] = 100,
    output: Output = None,
    to: To = None,
    scheme: Scheme = None,
    by: By = "record",
    exclude: Exclude = None,
    workers: PredictWorkers = None,
    report: ReportPath = None,
) -> None:
    """Choose the texts that are most useful to label, and write them with the entities that the model finds.

    A text is worth labelling if the model is unsure of it, if it is rich in entities, and if it is unlike
    the texts that are already chosen. The most useful text comes first.

    Examples:
        nertool suggest runs/my unlabelled.txt -n 100 -o to-label.jsonl
        nertool suggest runs/my texts/ -n 100 --to label-studio -o tasks.json
    """
    check_choice("--to", to, OUTPUT_FORMATS)
    check_choice("--scheme", scheme, SCHEMES)
    check_choice("--by", by, UNITS)

    from nertool.corpus.record import Reading
    from nertool.model.load import load_model
    from nertool.predict.request import PredictRequest
    from nertool.predict.run import find_files
    from nertool.predict.workers import usable_cores
    from nertool.suggest.run import SuggestRequest
    from nertool.suggest.run import suggest as run

    asked = PredictRequest(
        inputs=tuple(inputs),
        output=output,
        format_name=options.format_name,
        to=to,
        scheme=scheme,
        reading=options.reading(Reading()),
        workers=workers or usable_cores(),
    )
    if problem := asked.misuse():
        raise typer.BadParameter(problem)
    loaded = load_model(model)
    files = find_files(asked, folders=True)
    # Texts from a folder, too, name the file that they come from.
    asked = replace(asked, inputs=tuple(str(entry.path) for entry in files.inputs) or asked.inputs)
    read = [file for entry in files.inputs for file in entry.files]
    with account(report, *read, *files.outputs) as ledger:
        run(
            loaded,
            SuggestRequest(asked, n, by == "sentence", exclude or ()),
            files.inputs,
            ledger,
            note,
        )
