"""Options and small habits that several commands share."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TextIO

import typer

if TYPE_CHECKING:
    from nertool.config import Config

ConfigPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="A YAML config; see configs/ for every key.")
]
ModelPath = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A model folder, or a run folder (its best model).")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a config key, such as training.alpha=0.1 (repeatable). "
        "Relative paths are taken from the working folder.",
    ),
]
RunDir = Annotated[
    Path | None, typer.Option(help="The run folder [default: runs/ and the config's name]")
]
Seed = Annotated[int | None, typer.Option(min=0, help="Shorthand for --set seed=N.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def note(line: str) -> None:
    """Tell the user something that is not data: on stderr."""
    print(line, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False))


def read_config(path: Path, overrides: list[str] | None, seed: int | None) -> Config:
    """Read the config with its overrides; a faulty override is misuse, a faulty file is bad input."""
    from nertool.config import load_config
    from nertool.errors import OverrideError

    settings = [*(overrides or []), *([] if seed is None else [f"seed={seed}"])]
    try:
        return load_config(path, settings)
    except OverrideError as error:
        raise typer.BadParameter(str(error)) from None


def run_folder(config_path: Path, run_dir: Path | None) -> Path:
    return run_dir or Path("runs") / config_path.stem


@contextmanager
def open_input(path: Path) -> Iterator[tuple[BinaryIO, str]]:
    """Open a file, or standard input for `-`; gives the stream and its name for messages."""
    from nertool.errors import CorpusError, did_you_mean

    if str(path) == "-":
        yield sys.stdin.buffer, "<stdin>"
        return
    try:
        stream = open(path, "rb")
    except FileNotFoundError:
        near = did_you_mean(path.name, [sibling.name for sibling in path.parent.glob("*")])
        raise CorpusError(f"{path}: no such file, expected a text to read{near}") from None
    except IsADirectoryError:
        raise CorpusError(f"{path}: found a folder, expected a file") from None
    with stream:
        yield stream, str(path)


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Give a stream to write to: stdout, or a file that takes its name only once it is whole."""
    if path is None or str(path) == "-":
        # The same bytes on every system: UTF-8, and line ends as they are written.
        out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False)
        with out:
            yield out
        return
    if path.is_dir():
        raise IsADirectoryError(None, "found a folder, expected a file to write to", str(path))
    if path.exists() and not path.is_file():  # /dev/null, a named pipe: written to, never replaced
        with open(path, "w", encoding="utf-8", newline="") as out:
            yield out
        return
    if not path.parent.is_dir():
        raise FileNotFoundError(None, "no such folder, expected one to write to", str(path.parent))
    path = path.resolve()  # what a link points to is replaced, not the link
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
