"""`nertool predict`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.catalogue import FORMATS, INPUT_FORMATS, SCHEMES, names_of
from nertool.cli.account import ReportPath, account
from nertool.cli.options import (
    Column,
    Language,
    ModelPath,
    TextField,
    check_choice,
    column_of,
    note,
)
from nertool.files.safe import open_binary_output, open_output

if TYPE_CHECKING:
    from nertool.corpus.ledger import Ledger
    from nertool.model.model import Model
    from nertool.predict.places import Input
    from nertool.predict.request import Tagging
    from nertool.predict.workers import Workers

# Folders are not written yet.
OUTPUTS = names_of([known for known in FORMATS if known.writes and known.container != "folder"])
ON_ERROR = ("fail", "report", "skip")


def predict(
    model: ModelPath,
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Texts to tag: files, patterns, folders (with --out-dir); - for stdin.",
            metavar="FILE",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write [default: stdout]")
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option(
            help="Write a file for each input, in folders like the inputs'; those there are left alone."
        ),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--from",
            "--format",
            help="The inputs' format; auto: as they look. raw: running text; lines: a text a line; "
            "text: a sentence a line, words divided by blanks.",
            metavar="|".join(INPUT_FORMATS),
        ),
    ] = "auto",
    to: Annotated[
        str | None,
        typer.Option(
            help="The output's format; conll: a column of tags; inline: [Ada Lovelace](PER) "
            "[default: as it came, marked inline if it was plain text]",
            metavar="|".join(OUTPUTS),
        ),
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(
            help="The tags' scheme [default: the training text's]", metavar="|".join(SCHEMES)
        ),
    ] = None,
    replace_tags: Annotated[
        bool, typer.Option("--replace", help="Replace the column of tags, not add one (conll).")
    ] = False,
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities", help="Say how sure each entity is, where the format has a place."
        ),
    ] = False,
    min_probability: Annotated[
        str | None,
        typer.Option(
            metavar="P|CLASS=P,…",
            help="Leave out entities less sure than this: 0.5, or PER=0.6,LOC=0.4 by class.",
        ),
    ] = None,
    n_best: Annotated[
        int, typer.Option(min=1, help="The K likeliest readings of each sentence (JSON).")
    ] = 1,
    marginals: Annotated[
        bool, typer.Option("--marginals", help="Each word's distribution over the tags (JSON).")
    ] = False,
    exact: Annotated[
        bool, typer.Option("--tokens", help="The places of words and sentences, too (JSON).")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that tag a long text side by side [default: the machine's cores]",
            show_default=False,
        ),
    ] = None,
    on_error: Annotated[
        str,
        typer.Option(
            metavar="|".join(ON_ERROR),
            help="At input that can't be read: stop; go on, and exit 1 in the end; go on, and exit 0.",
        ),
    ] = "fail",
    token_column: Column = None,
    tag_column: Column = None,
    text_field: TextField = "text",
    language: Language = "en",
    report: ReportPath = None,
) -> None:
    """Tag text in any format: columns get one more, plain text its entities marked, JSON its entities."""
    check_choice("--format", form, INPUT_FORMATS)
    check_choice("--to", to, OUTPUTS)
    check_choice("--scheme", scheme, SCHEMES)
    check_choice("--on-error", on_error, ON_ERROR)
    least = _least(min_probability)
    if output is not None and out_dir is not None:
        raise typer.BadParameter("--output is for one file, --out-dir for many: give one of them")
    if to == "parquet" and out_dir is None and (output is None or str(output) == "-"):
        raise typer.BadParameter("--to parquet: needs -o, or --out-dir")
    json_like = to in (None, "jsonl", "json", "parquet")
    if (n_best > 1 or marginals) and not json_like:
        raise typer.BadParameter(
            f"--n-best, --marginals: {to} has no place for them; try --to jsonl"
        )

    # Said before numpy is loaded: the products here are small, and a second thread would only wait.
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

    from nertool.corpus.record import Reading
    from nertool.errors import did_you_mean
    from nertool.model.storage import load_model
    from nertool.predict.places import expand
    from nertool.predict.request import Tagging
    from nertool.predict.workers import Workers, usable_cores
    from nertool.tagging.annotate import Details
    from nertool.tagging.compiled import CompiledTagger

    detailed = n_best > 1 or marginals
    always = to in ("jsonl", "json", "spans", "html", "parquet", "label-studio")
    tagging = Tagging(
        form=form,
        to="jsonl" if detailed and to is None else to,
        scheme=scheme,
        replace_tags=replace_tags,
        details=Details(probabilities or always, least, n_best, marginals),
        reading=Reading(
            token_column=column_of(token_column),
            tag_column=column_of(tag_column),
            text_field=text_field,
            language=language,
            pass_over_faulty=on_error != "fail",
        ),
        exact=exact,
        source=len(inputs) > 1 and out_dir is None,
    )
    loaded = load_model(model)
    for name in least:
        if name and name not in loaded.labels:
            raise typer.BadParameter(
                f"--min-probability: the model knows no class {name}"
                f"{did_you_mean(name, loaded.labels) or '; it knows ' + ', '.join(loaded.labels)}"
            )
    entries = expand(inputs, folders=out_dir is not None, brat=form == "brat")
    assemble_windows = Workers(CompiledTagger(loaded), workers or usable_cores())
    texts = [entry.path for entry in entries]
    with account(report, *texts, output) as ledger, assemble_windows as pool:
        if out_dir is not None:
            _into_folder(loaded, entries, out_dir, tagging, on_error, ledger, pool)
        elif to == "parquet":
            _to_parquet(loaded, entries, output, tagging, ledger, pool)
        else:
            _into_one(loaded, entries, output, tagging, on_error, ledger, pool)
    if on_error == "report" and ledger.refused:
        raise typer.Exit(1)


def _least(text: str | None) -> dict[str, float]:
    """Read --min-probability: a number for all classes, or numbers for some."""
    least = {}
    for entry in text.split(",") if text else ():
        name, equals, number = entry.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1 or (equals and not name):
            raise typer.BadParameter(
                f"--min-probability: found {entry}, expected a number from 0 to 1, or CLASS=number"
            )
        least[name.strip()] = value
    return least


def _into_one(
    model: Model,
    entries: list[Input],
    output: Path | None,
    tagging: Tagging,
    on_error: str,
    ledger: Ledger,
    workers: Workers,
) -> None:
    """Write all inputs' tagged texts, one after another."""
    import tempfile

    from nertool.errors import CorpusError
    from nertool.predict.pipeline import tag_input

    with open_output(output) as out:
        piece = ""
        for entry in entries:
            if piece and not piece.endswith("\n"):
                piece = "\n"  # the file before ended within a line: this one begins another
                out.write(piece)
            pieces = tag_input(model, entry.path, tagging, ledger, note, workers)
            if on_error == "fail":
                for piece in pieces:
                    out.write(piece)
                continue
            # Held back until it is whole: of a file that can't be read, nothing is written.
            with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as aside:
                try:
                    last = piece
                    for last in pieces:
                        aside.write(last)
                except (CorpusError, OSError) as error:
                    _refuse(entry.path, error, ledger)
                    continue
                aside.seek(0)
                while chunk := aside.read(1 << 20):
                    out.write(chunk)
                piece = last


def _into_folder(
    model: Model,
    entries: list[Input],
    out_dir: Path,
    tagging: Tagging,
    on_error: str,
    ledger: Ledger,
    workers: Workers,
) -> None:
    """Write each input's tagged text to its place in a folder; what is there already is left alone."""
    from nertool.errors import CorpusError
    from nertool.formats.tables.parquet import write_rows
    from nertool.predict.pipeline import parquet_rows, tag_input
    from nertool.predict.places import check_places, output_path

    places = [output_path(out_dir, entry, tagging.to) for entry in entries]
    check_places(places, entries)
    done = [place.exists() for place in places]
    if any(done):
        note(f"{out_dir}: {sum(done):,} of {len(done):,} files are there already, and left alone")
    for entry, place, finished in zip(entries, places, done, strict=True):
        if finished:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            if tagging.to == "parquet":
                with open_binary_output(place) as stream:
                    rows: Any = parquet_rows(model, entry.path, tagging, ledger, note, workers)
                    write_rows(rows, stream)
                continue
            with open_output(place) as out:
                for piece in tag_input(model, entry.path, tagging, ledger, note, workers):
                    out.write(piece)
        except (CorpusError, OSError) as error:
            if on_error == "fail":
                raise
            _refuse(entry.path, error, ledger)


def _to_parquet(
    model: Model,
    entries: list[Input],
    output: Path | None,
    tagging: Tagging,
    ledger: Ledger,
    workers: Workers,
) -> None:
    from nertool.formats.tables.parquet import write_rows
    from nertool.predict.pipeline import parquet_rows

    with open_binary_output(output) as stream:
        write_rows(
            (
                row
                for entry in entries
                for row in parquet_rows(model, entry.path, tagging, ledger, note, workers)
            ),
            stream,
        )


def _refuse(path: Path, error: Exception, ledger: Ledger) -> None:
    """Enter a file that could not be read, and say why at once."""
    ledger.refuse(str(path), "files that could not be read", str(error))
    note(f"left out: {' '.join(str(error).split())}")
