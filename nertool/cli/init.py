"""`nertool init`: the sample configs and data, laid into a new folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from nertool.cli.options import note


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new folder.")],
) -> None:
    """Lay the sample configs and data into a new folder, ready to train and to change."""
    from nertool.errors import NertoolError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NertoolError(
            f"{folder}: already there, expected a new or empty folder; choose another name"
        )
    source = sample_dir()
    for name in ("configs", "data"):
        shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    note(f"{folder}: sample configs and data are ready. Next:")
    note(f"  cd {folder}")
    note("  nertool train configs/quickstart.yaml")


def sample_dir() -> Path:
    """Return the folder with configs/ and data/: beside the code in a wheel, above it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "sample"
    return installed if installed.is_dir() else package.parent
