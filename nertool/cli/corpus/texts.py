"""The labelled texts of `corpus check` and `corpus stats`: files, or the parts of a config."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.options import note, read_config
from nertool.cli.common.reading_options import as_overrides

if TYPE_CHECKING:
    from nertool.corpus.ledger import Ledger
    from nertool.corpus.parts.part import CorpusPart
    from nertool.formats.labelled import ReadingOptions

Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE|CONFIG",
        help="Labelled texts (files, folders or quoted patterns), the training text first. Or a "
        "config, for its train, dev and test.",
    ),
]


def read_parts(
    inputs: list[Path], options: ReadingOptions, ledger: Ledger
) -> tuple[list[CorpusPart], Path | None]:
    """Read the texts, or a config's parts. Return them, and the config's file of vectors.

    By default, entities that are not whole tokens are left out, and counted.
    """
    from nertool.corpus.record import Reading
    from nertool.doctor.check import parts_of
    from nertool.formats.labelled import read_labelled, reading_of

    usual, format_name = Reading(needs_labels=True), options.format_name
    paths: list[tuple[str, Path | tuple[Path, ...]]] = [(str(path), path) for path in inputs]
    vectors = None
    configs = [path for path in inputs if path.suffix in (".yaml", ".yml")]
    if configs:
        if len(inputs) > 1:
            raise typer.BadParameter(f"{configs[0]}: a config names all its texts; give it alone")
        config = read_config(inputs[0], as_overrides(options), None)
        settings, vectors = config.corpus, config.vectors.path
        named = (("train", settings.train), ("dev", settings.dev), ("test", settings.test))
        paths = [(name, own) for name, own in named if own is not None]
        if not paths:
            raise typer.BadParameter(f"{inputs[0]}: names no corpus.train, nothing to look at")
        usual, format_name = reading_of(settings), settings.format
    reading = options.reading(replace(usual, misaligned="drop"))
    short = [Path(name).name for name, _ in paths]
    if len(set(short)) == len(short):
        paths = [(name, path) for name, (_, path) in zip(short, paths, strict=True)]
    corpora = [
        (name, read_labelled(path, format_name, reading, ledger, note)) for name, path in paths
    ]
    return parts_of(corpora), vectors
