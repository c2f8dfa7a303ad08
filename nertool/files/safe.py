"""Files as the user names them, for reading."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from nertool.errors import CorpusError, did_you_mean
from nertool.files.packed import readable


@contextmanager
def open_input(path: Path) -> Iterator[tuple[BinaryIO, str]]:
    """Open a file, or standard input for `-`, unpacked if it is packed; gives the stream and its name
    for messages. Errors: CorpusError for a file that isn't there, or a packed one that is damaged."""
    if str(path) == "-":
        with readable(sys.stdin.buffer, "<stdin>") as stream:
            yield stream, "<stdin>"
        return
    try:
        file = open(path, "rb")  # noqa: SIM115  # closed below
    except FileNotFoundError:
        near = did_you_mean(path.name, [sibling.name for sibling in path.parent.glob("*")])
        raise CorpusError(f"{path}: no such file, expected a text to read{near}") from None
    except IsADirectoryError:
        raise CorpusError(f"{path}: found a folder, expected a file") from None
    with file, readable(file, str(path)) as stream:
        yield stream, str(path)


def need_regular(path: Path, why: str = "it is read twice") -> None:
    """Refuse a named pipe, a device or a socket where a file is needed. Errors: CorpusError.

    A path with nothing there passes: whoever reads it says more about that.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise CorpusError(
            f"{path}: found a pipe or a device, expected a regular file, for {why}; write it to a file first"
        )
