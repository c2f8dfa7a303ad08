"""`nertool predict`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from nertool.cli.options import ModelPath, note, open_input

INPUTS = ("auto", "conll", "text")
OUTPUTS = ("conll", "inline")
SCHEMES = ("io", "iob1", "iob2", "bioes")


def predict(
    model: ModelPath,
    inputs: Annotated[
        list[Path], typer.Argument(help="Texts to tag; - for stdin.", metavar="FILE...")
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
    for name, value, known in (
        ("format", form, INPUTS),
        ("to", to, OUTPUTS),
        ("scheme", scheme, SCHEMES),
    ):
        if value is not None and value not in known:
            raise typer.BadParameter(f"--{name}: found {value}, expected one of {', '.join(known)}")

    from nertool.tagging.storage import load_model
    from nertool.tagging.stream import read_lines, tag_stream

    loaded = load_model(model)
    with _output(output) as out:
        for path in inputs:
            with open_input(path) as (stream, source):
                lines = read_lines(stream, source)
                for piece in tag_stream(
                    loaded, lines, source, form, to, scheme, token_column, note
                ):
                    out.write(piece)


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """Give a stream to write to: stdout, or a file that takes its name only once it is whole."""
    if path is None or str(path) == "-":
        # The same bytes on every system: UTF-8, and line ends as they are written.
        out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False)
        with out:
            yield out
        return
    if path.is_dir():
        raise IsADirectoryError(None, "found a folder, expected a file to write to", str(path))
    descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(descriptor)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(aside, 0o666 & ~mask)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
