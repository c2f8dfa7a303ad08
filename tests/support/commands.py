"""Run the command line in the tests' own process, which saves the start of another one."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest


def run_main(
    patch: pytest.MonkeyPatch,
    arguments: Sequence[str | Path],
    stdin: str | bytes = b"",
    cwd: Path | None = None,
) -> int:
    """Run a command as `nertool ARGUMENTS` does; return its exit code."""
    from nertool.cli import main

    given = stdin.encode() if isinstance(stdin, str) else stdin
    patch.setattr(sys, "argv", ["nertool", *map(str, arguments)])
    patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
    patch.setattr(sys, "excepthook", sys.excepthook)  # typer sets its own
    patch.setattr(sys, "unraisablehook", sys.unraisablehook)  # and the command line sets this one
    patch.setenv("COLUMNS", os.environ.get("COLUMNS", "100"))
    if cwd is not None:
        patch.chdir(cwd)
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
