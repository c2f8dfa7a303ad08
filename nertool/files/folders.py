"""Replace folders atomically, and lock a folder so that only one process writes to it."""

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

_LONGEST = 100  # bytes of a folder's name that the name of its unfinished replacement begins with


def free_folder(path: Path) -> None:
    """Check that a path does not exist, or is an empty folder. Errors: CorpusError."""
    if os.path.lexists(path) and (not path.is_dir() or any(path.iterdir())):
        raise CorpusError(
            f"{path}: already there, expected a new or empty folder; choose another name"
        )


def _begin_of_name(path: Path) -> str:
    """Return the beginning of the names of unfinished folders for a path, before .new- and .old."""
    return "." + os.fsdecode(os.fsencode(path.name)[:_LONGEST])


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a folder to write into. If no error occurs, it replaces the folder at `path`.

    Readers find either the old folder or the new one, both complete. On Linux and macOS the two are exchanged
    in one step. Errors: OutputError.
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
    """Rename a folder to `path`, and remove the folder that was there."""
    if not os.path.lexists(path):
        aside.rename(path)
    elif exchange(aside, path):
        shutil.rmtree(aside, ignore_errors=True)  # it now has the content of the old folder
    else:
        old = path.with_name(f"{_begin_of_name(path)}.old")
        shutil.rmtree(old, ignore_errors=True)
        path.rename(old)
        aside.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    with suppress(OSError):  # not every file system can flush a folder
        _flush_folder(path.parent)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step. Return False if the system or the file system can't do that."""
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
    """Return the path from which to read a folder.

    This is `path`, or the old folder, if a replacement ended between its two renames. Nothing is changed,
    since another process may be between the two renames.
    """
    old = path.with_name(f"{_begin_of_name(path)}.old")
    return old if old.is_dir() and not path.exists() else path


def clear_unfinished(folder: Path) -> None:
    """Clean up after interrupted replacements of the folders in `folder`.

    Only for a process that holds the folder's lock. An old folder whose path is missing is renamed back.
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
    """Hold the lock of a folder, so that only one process writes to it. The folder is created if necessary.

    The lock is one of the operating system (flock), which ends with the process even if that is killed.
    wait: seconds to wait for a lock that another process holds. Errors: BusyError.
    """
    made = [path for path in (folder, *folder.absolute().parents) if not path.exists()]
    descriptor = _lock_of(folder, wait)
    try:
        yield
    finally:
        for path in made:  # after an early failure, remove the empty folders that were created here
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
            # The previous holder of the lock may have removed the folder.
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
                return  # a file system without locks, such as some network file systems
        if time.monotonic() >= end:
            raise BusyError(
                f"{folder}: another process is writing to it; wait until it has ended, or choose "
                "another --run-dir"
            )
        time.sleep(0.05)


def flush_to_disk(path: Path) -> None:
    """Flush a file's content to the disk (fsync)."""
    _flush(path)


def _flush_folder(path: Path) -> None:
    """Flush a folder's list of names to the disk (fsync)."""
    _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
