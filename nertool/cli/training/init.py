"""`nertool init`: the sample configs and data in a new folder, or a config for a labelled text."""

from __future__ import annotations

import os
import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.options import Overrides, Seed, note, run_folder
from nertool.cli.common.reading_options import as_overrides, with_reading_options
from nertool.cli.common.train_options import (
    Budget,
    Dev,
    RawText,
    Refit,
    Request,
    VectorsFile,
    read_request,
)

if TYPE_CHECKING:
    from nertool.config.records import Config
    from nertool.formats.labelled import ReadingOptions


@with_reading_options(from_is_format=False)
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
            help="Write the config that nertool train would use for this labelled text, with a comment "
            "for each key: a file, a folder or a pattern (repeatable).",
        ),
    ] = None,
    *,
    options: ReadingOptions,
    dev: Dev = None,
    vectors: VectorsFile = None,
    raw_text: RawText = None,
    budget: Budget = None,
    refit: Refit = False,
    overrides: Overrides = None,
    seed: Seed = None,
) -> None:
    """Write the sample configs and data into a new folder, or a config for your own text.

    Examples:
        nertool init my-project
        nertool init my.yaml --text train.conll --dev dev.conll
    """
    said = [*(overrides or ()), *as_overrides(options)]
    sources = tuple(texts or ())
    request = Request(
        sources, said, seed, dev or (), vectors, budget, refit, raw_text=raw_text or ()
    )
    if sources:
        _write_config(path or Path(f"{run_folder(sources[0], None).name}.yaml"), request)
        return
    if path is None:
        raise typer.BadParameter("expected the name of a new folder, or --text FILE")
    if request.overrides or request.options():
        raise typer.BadParameter("all options but --help are for --text FILE")
    _write_sample(path)


def _write_config(path: Path, request: Request) -> None:
    """Write the config that the recipe chooses for a text."""
    from nertool.config.reference import config_yaml
    from nertool.errors import NertoolError
    from nertool.files.output import open_output

    if path.suffix.lower() not in (".yaml", ".yml"):
        raise typer.BadParameter(f"{path}: expected a name that ends in .yaml")
    if path.exists():
        raise NertoolError(f"{path}: already there, expected a new file; choose another name")
    config = _relative(read_request(request), path.parent)
    said = f"What {request.command('train', None)} uses. docs/config.md has every key."
    heading = textwrap.wrap(said, 100, break_long_words=False, break_on_hyphens=False)
    with open_output(path) as out:
        out.write(config_yaml(config, heading))
    note(f"{path}: the config is ready. Next:")
    note(f"  nertool train {shlex.quote(str(path))}")


def _relative(config: Config, folder: Path) -> Config:
    """Return a config with paths relative to the folder of its file."""
    from nertool.config.paths import with_paths

    return with_paths(config, lambda path: Path(os.path.relpath(path, folder)))


def _write_sample(folder: Path) -> None:
    """Copy the sample's configs and data."""
    from nertool.files.folders import free_folder, replacing_folder
    from nertool.files.output import copy_tree

    free_folder(folder)
    source, parts = sample_dir(), ("configs", "data")
    if folder.exists():  # an empty folder is kept, since it may be the working folder
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
    """Return the folder with configs/ and data/: next to the code in a wheel, above it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "sample"
    return installed if installed.is_dir() else package.parent
