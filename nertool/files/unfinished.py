"""Unfinished files and folders of this process: noted before they are made, so that none is left at its end.

Code that writes removes what it could not finish. A signal can arrive between two steps of that code: after
a folder was made, and before the statement that would remove it. The note is older than the folder.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

_unfinished: dict[Path, int] = {}  # path -> number of the process that writes to it


def new_folder(parent: Path, prefix: str) -> Path:
    """Make a folder for its owner alone, and note it as unfinished. Errors: OSError."""
    while True:
        path = _noted(parent, prefix)
        try:
            path.mkdir(0o700)
        except FileExistsError:
            forget(path)
        else:
            return path


def new_file(parent: Path, prefix: str) -> tuple[int, Path]:
    """Make a file for its owner alone, and note it as unfinished; return its descriptor and its path.

    Errors: OSError.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        path = _noted(parent, prefix)
        try:
            return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600), path
        except FileExistsError:
            forget(path)


def _noted(parent: Path, prefix: str) -> Path:
    path = parent.absolute() / f"{prefix}{secrets.token_hex(4)}"
    _unfinished[path] = os.getpid()
    return path


def forget(path: Path) -> None:
    """Take back the note of a path: what was there is finished, or removed."""
    _unfinished.pop(path, None)


@atexit.register
def remove_unfinished() -> None:
    """Remove what this process has noted and not finished."""
    for path, process in list(_unfinished.items()):
        if process != os.getpid():  # a forked process has its parent's notes
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
        forget(path)
