"""`nertool predict`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from nertool.catalogue import NER_KEYS, OUTPUT_FORMATS, SCHEMES
from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.boundary import if_interrupted
from nertool.cli.common.options import ModelPath, check_choice, note, one_blas_thread
from nertool.cli.common.predict_options import (
    ENGINES,
    ON_ERROR,
    Engine,
    Inputs,
    Marginals,
    Master,
    MaxCharacters,
    MinProbability,
    NBest,
    NerKey,
    OnError,
    OutDir,
    Output,
    PredictWorkers,
    Probabilities,
    ReplaceTags,
    RulesFile,
    Scheme,
    To,
    Tokens,
)
from nertool.cli.common.reading_options import with_reading_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nertool.formats.labelled import ReadingOptions
    from nertool.model.model import Model
    from nertool.predict.request import PredictRequest

TUNED = "tuned"  # the value of --min-probability for the thresholds stored in the model


@with_reading_options("on_error", labelled=False)
def predict(
    model: ModelPath,
    inputs: Inputs,
    options: ReadingOptions,
    output: Output = None,
    out_dir: OutDir = None,
    to: To = None,
    scheme: Scheme = None,
    replace_tags: ReplaceTags = False,
    probabilities: Probabilities = False,
    min_probability: MinProbability = None,
    n_best: NBest = 1,
    marginals: Marginals = False,
    tokens: Tokens = False,
    ner_key: NerKey = None,
    rules: RulesFile = None,
    workers: PredictWorkers = None,
    on_error: OnError = "fail",
    report: ReportPath = None,
    engine: Engine = "local",
    master: Master = None,
    max_characters: MaxCharacters = None,
) -> None:
    """Tag text in any format.

    CoNLL columns get a column of tags, plain text gets marked entities, and JSON gets a list of entities.

    Examples:
        nertool predict runs/my text.txt -o tagged.txt
        echo "Ada Lovelace met Charles Babbage ." | nertool predict runs/my -
        nertool predict runs/my mails.jsonl --min-probability 0.5 -o tagged.jsonl
        nertool predict runs/my 'in/**/*.txt' --out-dir out --to jsonl
    """
    check_choice("--to", to, OUTPUT_FORMATS)
    check_choice("--scheme", scheme, SCHEMES)
    check_choice("--ner-key", ner_key, NER_KEYS)
    check_choice("--on-error", on_error, ON_ERROR)
    check_choice("--engine", engine, ENGINES)
    tuned = min_probability == TUNED
    thresholds = {} if tuned else _thresholds(min_probability)
    one_blas_thread()

    from nertool.corpus.record import Reading
    from nertool.predict.request import PredictRequest
    from nertool.predict.workers import usable_cores
    from nertool.tagging.annotate import Details

    request = PredictRequest(
        inputs=tuple(inputs),
        output=output,
        out_dir=out_dir,
        format_name=options.format_name,
        to=to,
        scheme=scheme,
        replace_tags=replace_tags,
        details=Details(probabilities, thresholds, n_best, marginals),
        reading=options.reading(Reading(pass_over_faulty=on_error != "fail")),
        tokens=tokens,
        on_error=on_error,
        workers=workers or usable_cores(),
        rules=rules,
        ner_key=ner_key or "",
    )
    if engine == "spark":
        _run_on_spark(model, request, report, tuned, master, max_characters, workers is not None)
        return
    for option, value in (("--master", master), ("--max-characters", max_characters)):
        if value is not None:
            raise typer.BadParameter(f"{option} is only for --engine spark")
    _run(model, request, report, tuned)


def _run_on_spark(
    model: Path,
    request: PredictRequest,
    report: Path | None,
    tuned: bool,
    master: str | None,
    max_characters: int | None,
    workers: bool,
) -> None:
    """Run the request on Spark."""
    from nertool.integrations.arrow import MOST_CHARACTERS
    from nertool.integrations.spark_parts import SparkRequest, places_of, predict_on_spark

    inputs, output, problem = places_of(request)
    if problem or workers:
        raise typer.BadParameter(
            problem or "--workers: with --engine spark, --master says how many"
        )
    request = _checked(model, request, tuned)[1]
    asked = SparkRequest(
        model,
        inputs,
        output,
        master or "local[*]",
        request.reading.text_field,
        dict(request.details.thresholds) or 0.0,
        request.reading.language,
        max_characters or MOST_CHARACTERS,
    )
    kept = f"the parts in {output} are complete; give the command again for the rest"
    with if_interrupted(lambda: kept), account(report) as ledger:
        predict_on_spark(asked, ledger, note)


def _run(model_path: Path, request: PredictRequest, report: Path | None, tuned: bool) -> None:
    """Load the model, and run the request. tuned: use the model's own thresholds."""
    from nertool.predict.run import find_files
    from nertool.predict.run import predict as run
    from nertool.processes import keep_freed_memory

    keep_freed_memory()
    problem = request.misuse()
    if problem:
        raise typer.BadParameter(problem)
    model, request = _checked(model_path, request, tuned)
    files = find_files(request)
    read = [file for entry in files.inputs for file in entry.files]
    with if_interrupted(lambda: _kept(request)), account(report, *read, *files.outputs) as ledger:
        run(model, request, files, ledger, note)
    if request.on_error == "report" and ledger.refused:
        raise typer.Exit(1)


def _kept(request: PredictRequest) -> str:
    """Describe what is left of the output when a run is ended early."""
    if request.out_dir is not None:
        return f"the files in {request.out_dir} are complete; give the command again for the other inputs"
    if request.output is not None and str(request.output) != "-":
        return f"{request.output} was not written; give the command again"
    return "what standard output got is not the whole result; give the command again"


def _checked(path: Path, request: PredictRequest, tuned: bool) -> tuple[Model, PredictRequest]:
    """Load the model, and check the thresholds' labels. Return the model and the request with its
    thresholds."""
    from nertool.model.load import load_model
    from nertool.model.thresholds import thresholds_of

    model = load_model(path)
    if tuned:
        details = replace(request.details, thresholds=thresholds_of(model, path))
        request = replace(request, details=details)
    _check_labels(request.details.thresholds, model.labels)
    return model, request


def _thresholds(text: str | None) -> dict[str, float]:
    """Parse --min-probability: one number for all labels (the key ""), or numbers by label."""
    thresholds = {}
    for entry in text.split(",") if text else ():
        name, equals, number = entry.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1 or (equals and not name):
            raise typer.BadParameter(
                f"--min-probability: found {entry}, expected a number from 0 to 1, LABEL=number, "
                f"or {TUNED}"
            )
        thresholds[name.strip()] = value
    return thresholds


def _check_labels(thresholds: Mapping[str, float], labels: list[str]) -> None:
    """Refuse thresholds for labels that the model does not have."""
    from nertool.errors import did_you_mean

    for name in thresholds:
        if name and name not in labels:
            raise typer.BadParameter(
                f"--min-probability: the model has no label {name}"
                f"{did_you_mean(name, labels) or '; it has ' + ', '.join(labels)}"
            )
