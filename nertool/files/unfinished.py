"""Record unfinished files and folders before they are created, and remove them when the process ends.

Code that writes removes what it could not finish. But a signal can arrive after a folder was created, and
before the `try` that would remove it. Therefore the path is recorded before the folder is created.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

_unfinished: dict[Path, int] = {}  # path → id of the process that writes to it


def new_folder(parent: Path, prefix: str) -> Path:
    """Create a folder that only its owner can access, and record it as unfinished. Errors: OSError."""
    while True:
        path = _noted(parent, prefix)
        try:
            path.mkdir(0o700)
        except FileExistsError:
            forget(path)
        else:
            return path


def new_file(parent: Path, prefix: str) -> tuple[int, Path]:
    """Create a file that only its owner can access, and record it as unfinished.

    Returns its descriptor and its path. Errors: OSError.
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
    """Delete the record of a path, because its file or folder is finished or removed."""
    _unfinished.pop(path, None)


@atexit.register
def remove_unfinished() -> None:
    """Remove all files and folders that this process has recorded and not finished."""
    for path, process in list(_unfinished.items()):
        if process != os.getpid():  # a forked process inherits its parent's records
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
        forget(path)
