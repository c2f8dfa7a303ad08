"""`nertool predict --engine spark`: each part of a Parquet input is tagged by a Spark task."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from nertool.api.tagger import PathLike, Thresholds, load
from nertool.catalogue import AUTO
from nertool.corpus.ledger import Ledger
from nertool.errors import TaggingError
from nertool.integrations.arrow import MOST_CHARACTERS, ColumnNames
from nertool.integrations.parts import Part, Plan, begin, finish, plan_parts, tag_part
from nertool.integrations.shipping import digest_of
from nertool.integrations.spark import (
    RowSettings,
    check_java,
    one_blas_thread,
    row_tagger,
    session_of,
    ship_model,
    spark_error,
)
from nertool.predict.request import PredictRequest


class SparkRequest(NamedTuple):
    """What to tag on Spark.

    inputs: Parquet files, folders of them, or URIs. output: a folder. master: the cluster's URL. The other
    fields are as in nertool.spark.tag.
    """

    model: PathLike
    inputs: tuple[str, ...]
    output: str
    master: str = "local[*]"
    text_col: str = "text"
    threshold: Thresholds = 0.0
    language: str = "en"
    max_characters: int = MOST_CHARACTERS


def places_of(request: PredictRequest) -> tuple[tuple[str, ...], str, str | None]:
    """Return the inputs and the output of a request for Spark, and a message if the request is invalid."""
    plain = PredictRequest()
    unfit = {
        "--out-dir": request.out_dir is not None,
        "--from": request.format_name not in (AUTO, "parquet"),
        "--to": request.to not in (None, "parquet"),
        "--scheme": request.scheme is not None,
        "--replace": request.replace_tags,
        "--n-best": request.details.n_best > 1,
        "--marginals": request.details.marginals,
        "--tokens": request.tokens,
        "--on-error": request.on_error != plain.on_error,
        "--token-column": request.reading.token_column is not None,
        "--tag-column": request.reading.tag_column is not None,
        "--rules": request.rules is not None,
    }
    found = [option for option, given in unfit.items() if given]
    inputs, output = request.inputs, request.output
    if found:
        return (
            inputs,
            "",
            f"{', '.join(found)}: not with --engine spark, which writes Parquet of entities",
        )
    if output is None and len(inputs) > 1 and "-" not in inputs:
        return inputs[:-1], inputs[-1], None
    if output is None or str(output) == "-" or "-" in inputs:
        problem = "--engine spark: expected Parquet files and an output: in.parquet out.parquet"
        return inputs, "", problem
    return inputs, str(output), None


def predict_on_spark(request: SparkRequest, ledger: Ledger, report: Callable[[str], None]) -> None:
    """Tag a Parquet input on Spark, part by part. Finished parts are kept.

    Errors: NertoolError, CorpusError for inputs and outputs; TaggingError for a job that failed.
    """
    if "://" not in request.output:  # the working folder of an executor is another one
        request = request._replace(output=os.path.abspath(request.output))
    names = ColumnNames(request.text_col)
    plan = plan_parts(request.inputs, names)
    load(request.model)  # fail here, before the job starts, if the model is invalid
    settings = {
        "model": digest_of(Path(request.model)),
        "text column": request.text_col,
        "thresholds": request.threshold,
        "language": request.language,
        "max characters": request.max_characters,
    }
    check_java()
    done = begin(request.output, plan, settings)
    if done is None:
        report(f"{request.output}: complete already, left unchanged")
        return
    if done:
        report(f"{request.output}: {len(done):,} of {len(plan.parts):,} parts are done, and kept")
    waiting = [part for part in plan.parts if part.name not in done]
    if waiting:
        done |= _run(request, names, plan, waiting)
    finish(request.output, plan)
    for part in plan.parts:
        _enter(done[part.name], part.path, ledger)
    ledger.read["parts"] += len(plan.parts)


def _run(
    request: SparkRequest, names: ColumnNames, plan: Plan, waiting: list[Part]
) -> dict[str, dict[str, int]]:
    """Run a task for each part; return each part's counts."""
    session = session_of(request.master)
    model = ship_model(session, request.model)
    rows = RowSettings(model, names, request.threshold, request.language, request.max_characters)
    run = partial(_tag_parts, waiting, plan.schema, request.output, rows)
    frame = session.range(0, len(waiting), 1, len(waiting))
    try:
        rows_of_parts = frame.mapInArrow(run, "part string, counts string").collect()
    except Exception as error:
        raise TaggingError(
            f"the job on {request.master} failed: {spark_error(error)}; parts that are done are in "
            f"{request.output}: run the command again to tag the rest"
        ) from None
    return {row.part: json.loads(row.counts) for row in rows_of_parts}


def _tag_parts(
    waiting: list[Part], schema: Any, output: str, rows: RowSettings, batches: Iterable[Any]
) -> Iterator[Any]:
    """Tag the parts whose numbers are in the batches. Runs in an executor."""
    import pyarrow

    with one_blas_thread():
        tagger = row_tagger(rows)
        for batch in batches:
            for i in batch.column(0).to_pylist():
                counts = tag_part(waiting[i], schema, output, tagger, rows.names)
                yield pyarrow.record_batch(
                    {"part": [waiting[i].name], "counts": [json.dumps(counts)]}
                )


def _enter(counts: dict[str, int], path: str, ledger: Ledger) -> None:
    """Add a part's counts to the ledger."""
    for what, number in counts.items():
        reason = what.removeprefix("quarantined: ")
        if reason == what:
            ledger.read["entities found" if what == "entities" else what] += number
        else:
            kind = f"rows put in quarantine: {reason}"
            ledger.refuse(path, kind, f"{number:,} rows")
            ledger.refused[kind] += number - 1
