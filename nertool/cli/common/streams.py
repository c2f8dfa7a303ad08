"""Standard input, output and error: always open, checked for write errors, and safe for terminals."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from nertool.cli.common.verbosity import RED, YELLOW, coloured
from nertool.errors import printable, without_controls
from nertool.files.output import STDOUT, OutputFile


def tell(line: str) -> None:
    """Print one line on stderr.

    Everything that nertool prints there goes through here. Control characters and line ends in the line are
    shown as escapes.
    """
    shown = printable(line)
    for start, colour in (("nertool: warning:", YELLOW), ("WARNING:", YELLOW), ("nertool:", RED)):
        if shown.startswith(start):
            shown = coloured(start, colour, sys.stderr) + shown[len(start) :]
            break
    print(shown, file=sys.stderr, flush=True)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Run a command with three standard streams, even if the process was started without them.

    A closed stream is opened on the null device, so that no other file gets its number and no note is written
    into data. Standard input and output are opened so that using them still fails: a lost result must not
    look like success. A failed write to stdout raises OutputError.
    """
    before = sys.stdin, sys.stdout, sys.stderr
    for number, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        _open_if_closed(number, mode)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    if sys.stdout is not None:
        sys.stdout.flush()
    checked = _checked(sys.stdout)
    sys.stdout = checked
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        _discard(checked)


def _checked(stdout: TextIO | None) -> TextIO:
    """Return a text stream to file descriptor 1 whose failed writes raise OutputError."""
    raw: Any = OutputFile(1, STDOUT, closefd=False)
    line_by_line = stdout is not None and stdout.isatty()
    encoding = (stdout.encoding if stdout is not None else None) or "utf-8"
    errors = stdout.errors if stdout is not None else None
    kind = _Terminal if line_by_line else io.TextIOWrapper
    return kind(
        io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=line_by_line
    )


# nertool itself writes only colours and bold text. Code 8 would hide text.
_COLOUR = re.compile("(\x1b\\[(?:[0-79]|[1-9][0-9])(?:;(?:[0-79]|[1-9][0-9]))*m)")


class _Terminal(io.TextIOWrapper):
    """A text stream for a terminal. Control characters in labels and texts are shown, not executed."""

    def write(self, text: str, /) -> int:
        """Write a text with control characters as escapes, except for colours."""
        pieces = _COLOUR.split(text)
        pieces[::2] = map(without_controls, pieces[::2])
        # After a lone carriage return, later text would overwrite what is shown.
        return super().write(re.sub("\r(?!\n)", r"\\r", "".join(pieces)))


def _open_if_closed(number: int, mode: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        descriptor = os.open(os.devnull, mode)
        if descriptor != number:
            os.dup2(descriptor, number)
            os.close(descriptor)


def _discard(stream: TextIO) -> None:
    """Detach a stream without writing what an error left in its buffer."""
    try:
        cast(io.TextIOWrapper, stream).detach().detach()  # type: ignore[attr-defined]
    except Exception:
        # The rest can't be written, and must not be written when the process ends.
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, 1)
        os.close(descriptor)
