"""`nertool predict`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from nertool.cli.options import SCHEMES, ModelPath, check_choice, note
from nertool.files import open_input, open_output

INPUTS = ("auto", "conll", "text")
OUTPUTS = ("conll", "inline")


def predict(
    model: ModelPath,
    inputs: Annotated[
        list[Path], typer.Argument(help="Texts to tag; - for stdin.", metavar="FILE")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write [default: stdout]")
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="conll: a token a line, in columns; text: a sentence a line, words divided by blanks.",
            metavar="|".join(INPUTS),
        ),
    ] = "auto",
    to: Annotated[
        str | None,
        typer.Option(
            help="conll: a column of tags; inline: [Ada Lovelace](PER) "
            "[default: conll for conll, inline for text]",
            metavar="|".join(OUTPUTS),
        ),
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(
            help="The tags' scheme [default: the training text's]", metavar="|".join(SCHEMES)
        ),
    ] = None,
    token_column: Annotated[
        int | None,
        typer.Option(help="The words' column, from 0 [default: as the model was trained]"),
    ] = None,
) -> None:
    """Tag text: CoNLL lines get one more column, plain sentences get their entities marked."""
    check_choice("--format", form, INPUTS)
    check_choice("--to", to, OUTPUTS)
    check_choice("--scheme", scheme, SCHEMES)

    # Said before numpy is loaded: the products here are small, and a second thread would only wait.
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

    from nertool.tagging.compiled import CompiledTagger
    from nertool.tagging.storage import load_model
    from nertool.tagging.stream import tag_stream

    tagger = CompiledTagger(load_model(model))
    piece = ""
    with open_output(output) as out:
        for path in inputs:
            if piece and not piece.endswith("\n"):
                piece = "\n"  # the file before ended within a line: this one begins another
                out.write(piece)
            with open_input(path) as (stream, source):
                for piece in tag_stream(
                    tagger, stream, source, form, to, scheme, token_column, note
                ):
                    out.write(piece)
