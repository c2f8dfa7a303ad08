"""Options and small functions that several commands share."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.streams import tell
from nertool.cli.common.verbosity import is_quiet
from nertool.files.limits import MAX_WORKERS

if TYPE_CHECKING:
    from nertool.config.records import Config

# The largest numbers on the command line, each far above what is useful. A larger one is a typing error. It
# is refused at once, and not after an hour or when memory is used up.
MAX_SEED = 2**64  # as in a config
MAX_LINE = 10**12
MAX_WORDS = 10**9

ConfigPath = Annotated[
    Path,
    typer.Argument(metavar="CONFIG", help="A YAML config; configs/reference.yaml has every key."),
]
ModelPath = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="A model folder, a run folder (its best model is used), or a model in one file (.nertool).",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a config key, such as training.alpha=0.1 (repeatable). "
        "Relative paths start from the working folder.",
    ),
]
RunDir = Annotated[
    Path | None, typer.Option(help="The run folder [default: runs/NAME, after the config].")
]
Seed = Annotated[int | None, typer.Option(min=0, max=MAX_SEED, help="Shorthand for --set seed=N.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MAX_WORKERS,
        help="The number of networks to train in parallel, if there are several [default: the number "
        "of cores].",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def check_choice(option: str, value: str | None, known: tuple[str, ...]) -> None:
    """Refuse an invalid value of an option as wrong usage."""
    if value is not None and value not in known:
        from nertool.errors import did_you_mean

        raise typer.BadParameter(
            f"{option}: found {value}, expected one of {', '.join(known)}{did_you_mean(value, known)}"
        )


def one_blas_thread() -> None:
    """Limit numpy, which is imported later, to one thread.

    The matrices are so small that a second thread would only wait.
    """
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def note(line: str) -> None:
    """Print a note, which is not data, on stderr; a leading LF gives a blank line first.

    With --quiet only lines that begin with "warning:" are printed.
    """
    if is_quiet() and not line.lower().startswith("warning:"):
        return
    if line.startswith("\n"):
        tell("")
        line = line[1:]
    tell(line)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON, on stdout."""
    text = json.dumps(value, ensure_ascii=False)
    print(text.encode("utf-8", "backslashreplace").decode())  # a path may not be UTF-8


def read_config(path: Path, overrides: list[str] | None, seed: int | None) -> Config:
    """Read the config with its overrides. An invalid override is wrong usage, an invalid file is bad
    input."""
    from nertool.config.file import load_config
    from nertool.errors import OverrideError

    settings = [*(overrides or []), *([] if seed is None else [f"seed={seed}"])]
    try:
        return load_config(path, settings)
    except OverrideError as error:
        raise typer.BadParameter(str(error)) from None


def run_folder(config_path: Path, run_dir: Path | None) -> Path:
    """Return the run folder: the requested one, or runs/ and the name of the config or the text.

    For a pattern such as train/*.conll the name is that of its folder.
    """
    if run_dir:
        return run_dir
    plain = [part for part in config_path.absolute().parts if not set(part) & set("*?[")]
    return Path("runs") / Path(plain[-1]).stem
