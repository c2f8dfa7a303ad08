"""Folders that are replaced whole or not at all, and the lock of a folder that one process writes to."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nertool.errors import BusyError, CorpusError
from nertool.files.output import current_umask, naming, naming_writes
from nertool.files.unfinished import forget, new_folder

try:
    import fcntl
except ImportError:  # not a POSIX system: there is no lock
    fcntl = None  # type: ignore[assignment]

_LONGEST = 100  # bytes of a folder's name that the name of its successor begins with


def free_folder(path: Path) -> None:
    """Make sure that a folder can be made at a path, or is empty. Errors: CorpusError."""
    if os.path.lexists(path) and (not path.is_dir() or any(path.iterdir())):
        raise CorpusError(
            f"{path}: already there, expected a new or empty folder; choose another name"
        )


def _begin_of_name(path: Path) -> str:
    """Return what the names of unfinished folders for a path begin with, before .new- and .old."""
    return "." + os.fsdecode(os.fsencode(path.name)[:_LONGEST])


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a folder to write into; when all went well, put it at `path` in place of what was there.

    Readers find the old folder or the new one, both whole: the two change places in one step where the
    system can do that (Linux, macOS). Errors: OutputError for what can't be written.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = new_folder(path.parent, f"{_begin_of_name(path)}.new-")
    try:
        with naming(path):
            os.chmod(aside, 0o777 & ~current_umask())
        with naming_writes(path):
            yield aside
        with naming(path):
            for file in aside.rglob("*"):
                if file.is_file():
                    flush_to_disk(file)
            put_in_place(aside, path)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        forget(aside)
        raise
    forget(aside)


def put_in_place(aside: Path, path: Path) -> None:
    """Rename a folder to `path`; what was there is removed."""
    if not os.path.lexists(path):
        aside.rename(path)
    elif exchange(aside, path):
        shutil.rmtree(aside, ignore_errors=True)  # it has the old folder's content now
    else:
        old = path.with_name(f"{_begin_of_name(path)}.old")
        shutil.rmtree(old, ignore_errors=True)
        path.rename(old)
        aside.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    with suppress(OSError):  # not every file system can flush a folder
        _flush_folder(path.parent)


def exchange(one: Path, other: Path) -> bool:
    """Let two paths change places in one step; False where the system or the file system can't."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            swap, at, flag = library.renamex_np, (), 2  # RENAME_SWAP
        else:
            swap, at, flag = library.renameat2, (-100,), 2  # AT_FDCWD, RENAME_EXCHANGE
    except (OSError, AttributeError, TypeError):
        return False
    parts: list[int | bytes] = [*at, os.fsencode(one), *at, os.fsencode(other), flag]
    done: int = swap(*parts)
    return done == 0


def present(path: Path) -> Path:
    """Return where a folder's content is to be read: `path`, or what a replacement, ended between its
    two renames, left aside. Nothing is changed: another process may be between the two."""
    old = path.with_name(f"{_begin_of_name(path)}.old")
    return old if old.is_dir() and not path.exists() else path


def clear_unfinished(folder: Path) -> None:
    """Remove from a folder what replacements of folders in it, ended before their end, left aside.

    For a process that holds the folder's lock.
    """
    for old in folder.glob(".*.old"):
        path = old.with_name(old.name[1:].removesuffix(".old"))
        if old.is_dir() and not path.exists():
            old.rename(path)
    for pattern in (".*.new-*", ".*.old", ".*.new"):
        for left in folder.glob(pattern):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold a folder's lock, making the folder if there is none: no two processes write to it at a time.

    The lock is the operating system's own (flock), and ends with the process, however it ends. wait:
    seconds to wait for one that another process holds. Errors: BusyError.
    """
    made = [path for path in (folder, *folder.absolute().parents) if not path.exists()]
    descriptor = _lock_of(folder, wait)
    try:
        yield
    finally:
        for path in made:  # of work that failed early nothing is left, not even its folder
            with suppress(OSError):
                path.rmdir()
        os.close(descriptor)


def _lock_of(folder: Path, wait: float) -> int:
    """Return a file descriptor that holds a folder's lock."""
    while True:
        with naming(folder):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY)
        try:
            _lock(descriptor, folder, wait)
            # Whoever held it before may have removed the folder again.
            if folder.exists() and os.path.samestat(os.fstat(descriptor), folder.stat()):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, folder: Path, wait: float) -> None:
    if fcntl is None:
        return
    import time

    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                return  # a file system without locks, such as some networks'
        if time.monotonic() >= end:
            raise BusyError(
                f"{folder}: another process is writing to it; wait until it has ended, or choose "
                "another --run-dir"
            )
        time.sleep(0.05)


def flush_to_disk(path: Path) -> None:
    """Make sure that a file's content is on the disk, not in memory alone."""
    _flush(path)


def _flush_folder(path: Path) -> None:
    """Make sure that a folder's list of names is on the disk."""
    _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
