"""`nertool init`: the sample configs and data in a new folder, or a config for a labelled text."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.options import Overrides, note
from nertool.cli.common.reading_options import as_overrides, with_reading_options
from nertool.cli.common.train_options import Budget, Dev, Request, VectorsFile, read_request

if TYPE_CHECKING:
    from nertool.config.records import Config
    from nertool.formats.labelled import ReadingOptions


@with_reading_options("format_name")
def init(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="The new folder; with --text, the config file to write [default: NAME.yaml, after the "
            "text].",
        ),
    ] = None,
    texts: Annotated[
        list[Path] | None,
        typer.Option(
            "--text",
            "--from",
            metavar="FILE",
            help="Write the config that nertool train TEXT uses, each key with a comment: a file, a folder "
            "or a pattern (repeatable).",
        ),
    ] = None,
    *,
    options: ReadingOptions,
    dev: Dev = None,
    vectors: VectorsFile = None,
    budget: Budget = None,
    overrides: Overrides = None,
) -> None:
    """Write the sample configs and data into a new folder, or a config for your own text.

    Examples:
        nertool init my-project
        nertool init my.yaml --text train.conll --dev dev.conll
    """
    if texts:
        said = [*(overrides or ()), *as_overrides(options)]
        request = Request(tuple(texts), said, None, dev or (), vectors, budget)
        _write_config(path or Path(f"{texts[0].stem}.yaml"), request)
        return
    if path is None:
        raise typer.BadParameter("expected the name of a new folder, or --text FILE")
    if dev or vectors or budget or overrides or as_overrides(options):
        raise typer.BadParameter("all options but --help are for --text FILE")
    _write_sample(path)


def _write_config(path: Path, request: Request) -> None:
    """Write the config that a text's recipe makes."""
    from nertool.config.reference import config_yaml
    from nertool.errors import NertoolError
    from nertool.files.output import open_output

    if path.suffix.lower() not in (".yaml", ".yml"):
        raise typer.BadParameter(f"{path}: expected a name that ends in .yaml")
    if path.exists():
        raise NertoolError(f"{path}: already there, expected a new file; choose another name")
    config = _relative(replace(read_request(request), recipe="plain", budget="2m"), path.parent)
    heading = [
        f"What nertool train {shlex.join(map(str, request.sources))} uses. docs/config.md has every key.",
    ]
    with open_output(path) as out:
        out.write(config_yaml(config, heading))
    note(f"{path}: the config is ready. Next:")
    note(f"  nertool train {shlex.quote(str(path))}")


def _relative(config: Config, folder: Path) -> Config:
    """Write the paths of a config as seen from the folder of its file."""

    def seen(path: Path | None) -> Path | None:
        return path and Path(os.path.relpath(path, folder))

    def all_seen(paths: tuple[Path, ...] | None) -> tuple[Path, ...] | None:
        return paths and tuple(Path(os.path.relpath(path, folder)) for path in paths)

    corpus, vectors = config.corpus, config.vectors
    return replace(
        config,
        corpus=replace(
            corpus,
            train=all_seen(corpus.train),
            dev=all_seen(corpus.dev),
            test=all_seen(corpus.test),
        ),
        vectors=replace(
            vectors,
            path=seen(vectors.path),
            more=all_seen(vectors.more),
            raw_text=all_seen(vectors.raw_text),
        ),
    )


def _write_sample(folder: Path) -> None:
    """Copy the sample's configs and data."""
    from nertool.files.folders import free_folder, replacing_folder
    from nertool.files.output import copy_tree

    free_folder(folder)
    source, parts = sample_dir(), ("configs", "data")
    if folder.exists():  # an empty folder stays the same one: it may be the working folder
        with (
            replacing_folder(folder / parts[0]) as first,
            replacing_folder(folder / parts[1]) as second,
        ):
            for name, aside in zip(parts, (first, second), strict=True):
                copy_tree(source / name, aside, folder)
    else:
        with replacing_folder(folder) as aside:
            for name in parts:
                copy_tree(source / name, aside / name, folder)
    note(f"{folder}: sample configs and data are ready. Next:")
    if folder.resolve() != Path.cwd():
        note(f"  cd {shlex.quote(str(folder))}")
    note("  nertool train configs/quickstart.yaml")


def sample_dir() -> Path:
    """Return the folder with configs/ and data/: beside the code in a wheel, above it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "sample"
    return installed if installed.is_dir() else package.parent
