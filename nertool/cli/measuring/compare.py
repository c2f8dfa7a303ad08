"""`nertool compare`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.catalogue import MODES, UNITS
from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    MAX_SEED,
    AsJson,
    check_choice,
    note,
    print_json,
)
from nertool.cli.common.reading_options import with_reading_options

if TYPE_CHECKING:
    from nertool.evaluation.compare import DifferingSentence, PairedTest
    from nertool.formats.labelled import ReadingOptions

SHOWN = 10


@with_reading_options(misaligned="the config's")
def compare(
    a: Annotated[
        Path,
        typer.Argument(
            metavar="A", help="A model or run folder, or a file of predictions for the same text."
        ),
    ],
    b: Annotated[
        Path, typer.Argument(metavar="B", help="Another model, run or file of predictions.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A labelled text in any format.")],
    options: ReadingOptions,
    mode: Annotated[
        str, typer.Option(metavar="|".join(MODES), help="What counts as right.")
    ] = "conlleval",
    by: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(UNITS),
            help="The unit that is resampled and swapped [default: document if there are at least 20, "
            "otherwise sentence]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="The seed of the resampling.")] = 0,
    differences: Annotated[
        Path | None,
        typer.Option(
            "--differences",
            metavar="FILE",
            help="Write each sentence on which they differ to this file, as JSON lines.",
        ),
    ] = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Test whether B is better than A on a labelled text, or whether the difference may be chance.

    Prints the difference in F1 with its interval, the p-values of the paired bootstrap and of approximate
    randomisation, and the sentences on which the two differ.

    Examples:
        nertool compare runs/old runs/new test.conll
        nertool compare other-tool.conll runs/my test.conll --differences differences.jsonl
    """
    check_choice("--mode", mode, MODES)
    check_choice("--by", by, UNITS)
    if str(file) == "-":
        raise typer.BadParameter("FILE: the text is read twice, so it can't be -; give its name")

    from nertool.evaluation.compare import compare_systems, differing_sentences
    from nertool.evaluation.inputs import evaluate_files, evaluate_model
    from nertool.files.output import open_output
    from nertool.files.safe import need_regular
    from nertool.files.sealed_zip import is_zip

    need_regular(file, why="both sides read it")
    with account(report, file, *(p for p in (a, b) if p.is_file()), differences) as ledger:
        one, other = (
            (
                evaluate_files(file, side, options, ledger, note)
                if side.is_file() and not is_zip(side)  # a model in one file is a zip file
                else evaluate_model(side, [file], options, ledger, note)
            ).comparison
            for side in (a, b)
        )
        tests, unit, units = compare_systems(one, other, mode, by, seed)
        sentences = differing_sentences(one, other)
        if differences is not None:
            with open_output(differences) as out:
                out.writelines(_json_lines(sentences))
            note(f"differences: {len(sentences):,} sentences in {differences}")
    if as_json:
        print_json(_as_dict(tests, unit, units, len(sentences)))
    else:
        _show(tests, unit, units, sentences)


def _json_lines(sentences: list[DifferingSentence]) -> Iterator[str]:
    return (json.dumps(row.as_dict(), ensure_ascii=False) + "\n" for row in sentences)


def _as_dict(tests: dict[str, PairedTest], unit: str, units: int, sentences: int) -> dict[str, Any]:
    rows = {label: {**vars(test), "difference": test.difference} for label, test in tests.items()}
    return {
        **rows.pop(""),
        "unit": unit,
        "units": units,
        "differing_sentences": sentences,
        "types": rows,
    }


def _show(
    tests: dict[str, PairedTest], unit: str, units: int, sentences: list[DifferingSentence]
) -> None:
    from nertool.evaluation.compare import SAMPLES
    from nertool.evaluation.tables import interval, percent

    rows = [*((label, test) for label, test in tests.items() if label), ("overall", tests[""])]
    width = max(len(label) for label, _ in rows)
    print(f"{'':{width}}    F1 A    F1 B   B − A      95 % interval  p bootstrap  p randomisation")
    for label, test in rows:
        bounds = None if test.low is None or test.high is None else [test.low, test.high]
        ps = (test.p_bootstrap, test.p_randomisation)
        bootstrap, randomisation = ("–" if p is None else f"{p:.4f}" for p in ps)
        print(
            f"{label:{width}} {percent(test.a, 7)} {percent(test.b, 7)} {percent(test.difference, 7)} "
            f"{interval(bounds):>18}  {bootstrap:>11}  {randomisation:>15}"
        )
    print(
        f"{units:,} {unit}s, {SAMPLES:,} samples; a small p-value: such a difference would rarely arise by "
        "chance"
    )
    print(
        f"\n{len(sentences):,} sentences on which they differ"
        + (", the largest first" if sentences else "")
    )
    for row in sentences[:SHOWN]:
        print(f"\n{row.place}: {row.errors_a} wrong by A, {row.errors_b} by B")
        print(f"  {row.text}")
        for name, entities in (("gold", row.gold), ("A", row.a), ("B", row.b)):
            print(f"  {name:4} {' '.join(entities) or '–'}")
    if len(sentences) > SHOWN:
        note(f"--differences FILE lists all {len(sentences):,}")
