"""Files as the user names them, and nothing half-written: what is written takes its name once it is whole."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from nertool.errors import CorpusError, did_you_mean
from nertool.files.packed import packing, readable


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


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Give a stream of text to write to: stdout, or a file that takes its name only once it is whole.

    The same bytes on every system: UTF-8, and line ends as they are written.
    """
    with open_binary_output(path) as plain, packing(plain, path) as raw:
        out = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=False)
        try:
            yield out
            out.flush()
        finally:
            # What an error left in the buffer is not written; the stream below is closed by its owner.
            with suppress(ValueError, OSError):
                out.detach()


@contextmanager
def open_binary_output(path: Path | None) -> Iterator[BinaryIO]:
    """Give a stream of bytes to write to, as open_output."""
    if path is None or str(path) == "-":
        with open(sys.stdout.fileno(), "wb", closefd=False) as out:
            yield out
        return
    if path.is_dir():
        raise IsADirectoryError(None, "found a folder, expected a file to write to", str(path))
    if path.exists() and not path.is_file():  # /dev/null, a named pipe: written to, never replaced
        with open(path, "wb") as out:
            yield out
        return
    if not path.parent.is_dir():
        raise FileNotFoundError(None, "no such folder, expected one to write to", str(path.parent))
    path = path.resolve()  # what a link points to is replaced, not the link
    descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(descriptor)
        os.chmod(aside, 0o666 & ~current_umask())
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


def free_folder(path: Path) -> None:
    """Make sure that a folder can be made at a path, or is empty. Errors: CorpusError."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CorpusError(
            f"{path}: already there, expected a new or empty folder; choose another name"
        )


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a folder to write into; when all went well, put it at `path` in place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.new-", dir=path.parent))
    try:
        os.chmod(aside, 0o777 & ~current_umask())
        yield aside
        for file in aside.rglob("*"):
            if file.is_file():
                flush_to_disk(file)
        old = path.with_name(f".{path.name}.old")
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
            path.rename(old)
        aside.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def restore_interrupted(path: Path) -> None:
    """Put back the folder that a replacement, ended between its two renames, left aside."""
    old = path.with_name(f".{path.name}.old")
    if old.is_dir() and not path.exists():
        old.rename(path)


def flush_to_disk(path: Path) -> None:
    """Wait until a file's or a folder's contents are on the disk. Errors: OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def current_umask() -> int:
    """Return the process's umask."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
