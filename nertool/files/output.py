"""Write output to files or stdout, where every failure is an OutputError with the output's name.

So a full disk is never reported as an unreadable input. A file gets its name only when it is complete.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from nertool.errors import OutputError
from nertool.files.packed import packing
from nertool.files.unfinished import forget, new_file

_ASIDE = (
    ".nertool-"  # prefix of the names of unfinished files; short, also if the output's name is long
)
STDOUT = "standard output"


def advice(error: OSError) -> str:
    """Return advice for a message about an error of the operating system; "" if there is none."""
    return {
        errno.EACCES: "; check the permissions, or choose another path",
        errno.EEXIST: "; choose another path",
        errno.EROFS: "; choose a path that can be written to",
        errno.ENOSPC: "; free some space, or choose another path",
        errno.EDQUOT: "; free some space, or choose another path",
        errno.ENOTDIR: "; a part of the path is a file, not a folder",
        errno.ENAMETOOLONG: "; choose a shorter name",
        errno.ELOOP: "; a link in the path leads back to itself",
    }.get(error.errno or 0, "")


def output_error(error: OSError, name: str) -> OutputError:
    """Return the OutputError for an output that can't be written."""
    if error.errno == errno.EBADF:
        return OutputError(f"{name}: closed, nothing can be written to it; leave out `>&-`")
    return OutputError(f"{name}: {error.strerror or error}{advice(error)}")


@contextmanager
def naming(name: object) -> Iterator[None]:
    """Turn an error of the operating system into an OutputError with the output's name.

    A BrokenPipeError passes: a reader that closes the pipe is no fault.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise output_error(error, str(name)) from None
    except RuntimeError as error:  # Path.resolve, of a link that leads back to itself
        if "loop" not in str(error).lower():
            raise
        raise output_error(OSError(errno.ELOOP, os.strerror(errno.ELOOP)), str(name)) from None


# Errors that nearly always come from writing, if errors of reading are already converted by the reader.
_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO}


@contextmanager
def naming_writes(name: object) -> Iterator[None]:
    """Like `naming`, but only for errors of writing, such as a full disk. For code that also reads."""
    try:
        yield
    except OSError as error:
        if error.errno not in _WRITING:
            raise
        raise output_error(error, str(name)) from None


class OutputFile(io.FileIO):
    """A file to write to, whose errors are OutputErrors. name: the output's name in messages."""

    def __init__(
        self, file: str | int | Path, name: object, closefd: bool = True, mode: str = "w"
    ) -> None:
        super().__init__(file, mode, closefd)
        self._shown = str(name)

    def write(self, data: Any, /) -> int:
        """Write data, waiting while a non-blocking pipe is full. Errors: OutputError."""
        with naming(self._shown):
            while (count := super().write(data)) is None:
                select.select([], [self], [])
            return count

    def close(self) -> None:
        """Close the file. Some file systems report a full disk only now. Errors: OutputError."""
        with naming(self._shown):
            super().close()


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Yield a text stream to write to: stdout, or a file that gets its name only when it is complete.

    The bytes are the same on every system: UTF-8, and line ends are not converted. Errors: OutputError.
    """
    with open_binary_output(path) as plain, packing(plain, path) as raw:
        out = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=False)
        try:
            yield out
            out.flush()
        finally:
            # After an error, the rest of the buffer is not written. The owner of `raw` closes it.
            with suppress(ValueError, OSError, OutputError):
                out.detach()


@contextmanager
def open_binary_output(path: Path | None) -> Iterator[BinaryIO]:
    """Yield a binary stream to write to, like open_output."""
    if path is None or str(path) == "-":
        sys.stdout.flush()
        with _stream(sys.stdout.fileno(), STDOUT, closefd=False) as out:
            yield out
        return
    with naming(path):
        if path.is_dir():
            raise OSError(errno.EISDIR, "found a folder, expected a file to write to")
        replaced = not path.exists() or path.is_file()
        parent = path.parent
        if not parent.is_dir():
            raise OutputError(f"{parent}: no such folder, expected one to write to")
    if not replaced:  # /dev/null or a named pipe: write to it, don't replace it
        with naming(path):
            out = _stream(path, path)
        with out:
            yield out
        return
    with naming(path):
        target = path.resolve()  # replace the target of a link, not the link
        descriptor, aside = new_file(target.parent, _ASIDE)
    try:
        with _stream(descriptor, path) as out:
            yield out
            out.flush()
            with naming(path):
                os.fsync(descriptor)
        with naming(path):
            os.chmod(aside, 0o666 & ~current_umask())
            os.replace(aside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        forget(aside)
        raise
    forget(aside)


def _stream(file: int | Path, name: object, closefd: bool = True) -> BinaryIO:
    return cast(BinaryIO, io.BufferedWriter(OutputFile(file, name, closefd), 1 << 16))


@contextmanager
def scratch_folder(prefix: str = "nertool-") -> Iterator[Path]:
    """Yield a temporary folder, which is removed at the end.

    Errors: OutputError that names the system's temporary folder, also if the disk becomes full inside the
    `with`.
    """
    with naming_writes(_scratch_name()), ExitStack() as stack:
        with naming(_scratch_name()):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix))
        yield Path(folder)


@contextmanager
def scratch_file() -> Iterator[BinaryIO]:
    """Yield a temporary file without a name, to write and read. Errors: OutputError, as in scratch_folder."""
    with naming(_scratch_name()):
        descriptor, path = tempfile.mkstemp(prefix=_ASIDE)
    try:
        os.unlink(path)
    except OSError:  # a system where an open file can't be removed
        remaining: str | None = path
    else:
        remaining = None
    file = io.BufferedRandom(OutputFile(descriptor, _scratch_name(), mode="r+"))
    try:
        yield file
    finally:
        with suppress(OutputError):  # after an error, the rest of the buffer is not needed
            file.close()
        if remaining is not None:
            os.unlink(remaining)


def _scratch_name() -> str:
    try:
        return f"the temporary folder {tempfile.gettempdir()} (TMPDIR names another)"
    except FileNotFoundError:
        return "the temporary folder (TMPDIR names one)"


def copy_tree(source: Path, target: Path, name: object) -> None:
    """Copy a folder of data files. name: the name of the copy in messages. Errors: OutputError."""
    with naming(name):
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.rglob("*")):
            copy = target / path.relative_to(source)
            if "__pycache__" in path.parts:
                continue
            if path.is_dir():
                copy.mkdir(exist_ok=True)
            else:
                copy.write_bytes(path.read_bytes())


def current_umask() -> int:
    """Return the process's umask: the permissions that new files don't get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
