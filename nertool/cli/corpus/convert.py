"""`nertool corpus convert`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.catalogue import NER_KEYS, OUTPUT_FORMATS, SCHEMES, find_format, format_of_ending
from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.boundary import if_interrupted
from nertool.cli.common.options import (
    check_choice,
    note,
)
from nertool.cli.common.predict_options import NerKey
from nertool.cli.common.reading_options import with_reading_options

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions


@with_reading_options()
def convert(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Labelled texts, or brat folders; - for stdin."),
    ],
    options: ReadingOptions,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write; for brat, a folder [default: standard output].",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(OUTPUT_FORMATS),
            help="The output's format [default: from the file ending of -o, otherwise conll].",
        ),
    ] = None,
    scheme: Annotated[
        str, typer.Option(metavar="|".join(SCHEMES), help="The scheme of the output's tags.")
    ] = "iob2",
    part: Annotated[
        str | None,
        typer.Option(help="Convert only the documents whose header names this part (inline)."),
    ] = None,
    by_sentence: Annotated[
        bool | None,
        typer.Option(
            "--by-sentence/--by-document",
            help="Write a record for each sentence, or for each document, if the input has no records "
            "[default: documents, if there are several]",
        ),
    ] = None,
    bare: Annotated[
        bool,
        typer.Option(
            "--bare",
            help="Write only words and tags: no other columns, no comments (conll to conll).",
        ),
    ] = False,
    exact: Annotated[
        bool,
        typer.Option(
            "--tokens/--no-tokens", help="Write the positions of tokens and sentences into JSON."
        ),
    ] = True,
    ner_key: NerKey = None,
    report: ReportPath = None,
) -> None:
    """Convert labelled text between formats and tag schemes.

    What the output's format cannot hold is counted and reported.

    Examples:
        nertool corpus convert export.json --from label-studio -o train.conll
        nertool corpus convert train.conll --scheme bioes -o bioes.conll
        nertool corpus convert brat-folder --to jsonl --misaligned snap -o train.jsonl
    """
    check_choice("--to", to, OUTPUT_FORMATS)
    check_choice("--ner-key", ner_key, NER_KEYS)
    if to is None:
        meant = format_of_ending(output.suffix) if output is not None else None
        to = "conll" if meant is None else meant.name
    check_choice("--scheme", scheme, SCHEMES)
    if part is not None and options.format_name not in ("inline", "auto"):
        raise typer.BadParameter("--part: only inline documents have headers; give --from inline")
    container = find_format(to).container
    if container != "text" and (output is None or str(output) == "-"):
        what = "a new folder" if container == "folder" else "a file"
        raise typer.BadParameter(f"--to {to}: needs -o, {what}")
    from nertool.corpus.record import Reading
    from nertool.formats.base import Writing
    from nertool.formats.convert import convert as convert_texts

    reading, format_name = options.reading(Reading(part=part)), options.format_name
    writing = Writing(scheme, by_sentence, exact, ner_key=ner_key or "")
    shown = "what standard output got is not the whole result"
    if output is not None and str(output) != "-":
        shown = f"{output} was not written"
    with (
        if_interrupted(lambda: f"{shown}; give the command again"),
        account(report, *inputs, output) as ledger,
    ):
        convert_texts(inputs, format_name, to, reading, writing, bare, output, ledger, note)
    if container == "folder":
        note(f"{output}: {_files(output):,} files")


def _files(folder: Path | None) -> int:
    return sum(path.is_file() for path in folder.rglob("*")) if folder else 0
