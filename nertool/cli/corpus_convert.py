"""`nertool corpus convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nertool.catalogue import LABELLED_OUTPUTS, SCHEMES
from nertool.cli.account import ReportPath, account
from nertool.cli.options import (
    Column,
    FromFormat,
    Language,
    Misaligned,
    TagNames,
    TextField,
    check_choice,
    note,
    reading_as,
)
from nertool.files.safe import open_output, replacing_folder


def convert(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Labelled texts, or brat's folders; - for stdin."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write [default: stdout]; a folder for brat"),
    ] = None,
    form: FromFormat = "auto",
    to: Annotated[
        str, typer.Option(metavar="|".join(LABELLED_OUTPUTS), help="The output's format.")
    ] = "conll",
    scheme: Annotated[
        str, typer.Option(metavar="|".join(SCHEMES), help="The scheme of the output's tags.")
    ] = "iob2",
    misaligned: Misaligned = "error",
    part: Annotated[
        str | None,
        typer.Option(help="Only documents whose header says so, such as part: train (inline)."),
    ] = None,
    by_sentence: Annotated[
        bool | None,
        typer.Option(
            "--by-sentence/--by-document",
            help="A record a sentence or a document, for texts that are in no records "
            "[default: documents, if there are several]",
        ),
    ] = None,
    bare: Annotated[
        bool,
        typer.Option(
            "--bare", help="Words and tags alone: no other columns or comments (conll to conll)."
        ),
    ] = False,
    exact: Annotated[
        bool,
        typer.Option(
            "--tokens/--no-tokens", help="Keep the places of tokens and sentences in JSON."
        ),
    ] = True,
    token_column: Column = None,
    tag_column: Column = None,
    delimiter: Annotated[
        str | None,
        typer.Option(
            help="What divides the columns: tab, space, comma, or itself [default: found]"
        ),
    ] = None,
    comment: Annotated[
        str, typer.Option(help="Lines that start with this are no data, such as '# ' (conll).")
    ] = "",
    tag_names: TagNames = None,
    text_field: TextField = "text",
    language: Language = "en",
    report: ReportPath = None,
) -> None:
    """Convert labelled text between all formats, and between tag schemes; nothing is lost without a word."""
    check_choice("--to", to, LABELLED_OUTPUTS)
    check_choice("--scheme", scheme, SCHEMES)
    if part is not None and form not in ("inline", "auto"):
        raise typer.BadParameter("--part: only inline documents have headers; give --from inline")
    if to in ("brat", "parquet") and (output is None or str(output) == "-"):
        raise typer.BadParameter(
            f"--to {to}: needs -o, {'a new folder' if to == 'brat' else 'a file'}"
        )
    reading = reading_as(
        form, token_column, tag_column, tag_names, misaligned, language,
        delimiter=delimiter, comment=comment, part=part, text_field=text_field,
    )  # fmt: skip

    from nertool.files.safe import free_folder, open_binary_output
    from nertool.formats.base import Writing
    from nertool.formats.convert import annotated, convert_texts, parquet_rows
    from nertool.formats.standoff.brat import write_brat
    from nertool.formats.tables.parquet import write_parquet

    writing = Writing(scheme, by_sentence, exact)
    with account(report, *inputs, output) as ledger:
        pieces = annotated(inputs, form, to, reading, ledger, note)
        if to == "brat":
            assert output is not None
            free_folder(output)
            with replacing_folder(output) as folder:
                number = write_brat(pieces, folder, ledger)
            note(f"{output}: {number:,} pairs of .txt and .ann")
        elif to == "parquet":
            assert output is not None
            with open_binary_output(output) as stream:
                write_parquet(parquet_rows(pieces, writing), stream)
        else:
            with open_output(output) as out:
                out.writelines(
                    convert_texts(inputs, form, to, reading, writing, bare, ledger, note)
                )
