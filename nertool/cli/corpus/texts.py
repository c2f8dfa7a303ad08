"""The labelled texts that `corpus check` and `corpus stats` are given: files, or a config's parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.options import note, read_config

if TYPE_CHECKING:
    from nertool.corpus.ledger import Ledger
    from nertool.corpus.part import CorpusPart
    from nertool.corpus.record import Reading

Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE|CONFIG",
        help="Labelled texts, the one to learn from first; or a config, for its train, dev and test.",
    ),
]


def read_parts(
    inputs: list[Path], format_name: str, reading: Reading, ledger: Ledger
) -> tuple[list[CorpusPart], Path | None]:
    """Read the texts, or a config's parts; return them, and the config's vectors."""
    from nertool.doctor.check import parts_of
    from nertool.formats.labelled import read_labelled, reading_of

    reading = replace(reading, needs_labels=True)
    paths, vectors = [(str(path), path) for path in inputs], None
    configs = [path for path in inputs if path.suffix in (".yaml", ".yml")]
    if configs:
        if len(inputs) > 1:
            raise typer.BadParameter(
                f"{configs[0]}: a config names all texts itself: give it alone"
            )
        columns = (reading.token_column, reading.tag_column, reading.delimiter, reading.comment)
        others = (format_name, reading.tag_names, reading.text_field)
        if (columns, others) != ((None, None, None, ""), ("auto", (), "text")):
            raise typer.BadParameter(
                "--from, --token-column, --tag-column, --delimiter, --comment, --tag-names, --text-field: "
                "a config says how its texts are read: leave them out"
            )
        config = read_config(inputs[0], None, None)
        settings, vectors = config.corpus, config.vectors.path
        named = (("train", settings.train), ("dev", settings.dev), ("test", settings.test))
        paths = [(name, path) for name, path in named if path is not None]
        if not paths:
            raise typer.BadParameter(f"{inputs[0]}: names no corpus.train, nothing to look at")
        format_name = settings.format
        reading = replace(
            reading_of(settings),
            misaligned=reading.misaligned,
            language=reading.language,
            pass_over_faulty=reading.pass_over_faulty or settings.on_error == "skip",
        )
    short = [Path(name).name for name, _ in paths]
    if len(set(short)) == len(short):
        paths = [(name, path) for name, (_, path) in zip(short, paths, strict=True)]
    corpora = [
        (name, read_labelled(path, format_name, reading, ledger, note)) for name, path in paths
    ]
    return parts_of(corpora), vectors
