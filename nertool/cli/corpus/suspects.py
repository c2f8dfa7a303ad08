"""`nertool corpus suspects`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    Overrides,
    Seed,
    Workers,
    cores,
    note,
    print_json,
)
from nertool.cli.common.reading_options import as_overrides, with_reading_options
from nertool.cli.common.train_options import Request, VectorsFile, is_text, read_request

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions

FEW = 20  # suspects that the terminal shows
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="CONFIG",
        help="The YAML config to train with [default: settings chosen from the text]",
    ),
]


@with_reading_options()
def suspects(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A labelled text in any format.")],
    options: ReadingOptions,
    config: ConfigOption = None,
    vectors: VectorsFile = None,
    overrides: Overrides = None,
    folds: Annotated[int, typer.Option(min=2, max=50, help="The number of parts (folds).")] = 5,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write all suspects as JSON lines."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write an HTML page with the 2,000 most likely suspects."
        ),
    ] = None,
    shown: Annotated[
        int, typer.Option("-n", min=1, max=1_000_000, help="The number of suspects to print.")
    ] = FEW,
    seed: Seed = None,
    workers: Workers = None,
    report: ReportPath = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the suspects as one JSON list.")
    ] = False,
) -> None:
    """List the labels that are probably wrong, most likely errors first, with the labels of a model.

    The text is split into parts. Each part is tagged by a model that was trained on the others, so
    that no model was trained on the labels that it checks.

    Examples:
        nertool corpus suspects train.conll -o suspects.jsonl
    """
    overrides = [*(overrides or ()), *as_overrides(options)]
    settings = training_settings(path, config, overrides, seed, vectors)

    from nertool.evaluation.inputs import read_text
    from nertool.evaluation.suspects import suspect_row, suspects_of
    from nertool.files.output import open_output
    from nertool.training.experiments.crossvalidation import crossvalidated

    with account(report, path, output, html) as ledger:
        corpus = read_text(path, settings.corpus, options, ledger, note)
        decoded, labels, tags = crossvalidated(settings, corpus, folds, workers or cores(), note)
        comparison, found = suspects_of(corpus, decoded, labels, tags, settings.decoding.scheme)
        rows = [suspect_row(comparison, suspect, i) for i, suspect in enumerate(found, 1)]
        if output is not None:
            with open_output(output) as out:
                out.writelines(_json_lines(rows))
            note(f"suspects: {len(rows):,} in {output}")
        if html is not None:
            from nertool.evaluation.report.suspects_page import suspects_page

            with open_output(html) as out:
                out.write(suspects_page(rows, f"Suspects in {corpus.source}"))
            note(f"suspects: page in {html}")
    if as_json:
        print_json(rows)
    else:
        _show(rows[:shown], len(rows))


def training_settings(
    path: Path,
    config: Path | None,
    overrides: list[str] | None,
    seed: int | None,
    vectors: Path | None,
) -> Any:
    """Return the config to train with, for one network: a file's, or the recipe's for the text."""
    if config is not None:
        return read_request(Request((config,), overrides or (), seed, vectors=vectors))
    if not is_text(path):
        raise typer.BadParameter(
            f"{path}: found a config, expected a labelled text; a config is given by --config",
            param_hint="FILE",
        )
    return read_request(Request((path,), overrides or (), seed, vectors=vectors, budget="30s"))


def _json_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _show(rows: list[dict[str, Any]], total: int) -> None:
    if not rows:
        print("No label contradicts the models.")
        return
    print(
        "Most likely errors first: probability of the model's label and of the gold label (gold in [ ], "
        "model in { })"
    )
    for row in rows:
        gold = f'{row["gold_label"]} "{row["gold"]}"' if row["gold"] else "no entity"
        model = f'{row["model_label"]} "{row["model"]}"' if row["model"] else "no entity"
        print(f"\n{row['rank']:3}. {row['place']}  gold {gold}, model {model}")
        print(f"     {row['p_model']:.2f} and {row['p_gold']:.2f}  {row['context']}")
    if total > len(rows):
        note(f"{total - len(rows):,} more; -n or -o FILE shows them")
