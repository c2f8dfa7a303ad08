"""The account of a command's input: a summary on stderr, and each case in a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.streams import tell
from nertool.cli.common.verbosity import is_quiet
from nertool.files.output import open_output

if TYPE_CHECKING:
    from nertool.corpus.ledger import Ledger


ReportPath = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Write a list of the data that was altered, refused or left out: one line for each case, "
        "with its place.",
    ),
]


@contextmanager
def account(report: Path | None, *others: Path | None) -> Iterator[Ledger]:
    """Provide a ledger to the work inside. If the work succeeds, print a summary on stderr.

    With --quiet the summary is printed only if data was altered, refused or left out.

    others: the files that the work reads and writes; the report must not overwrite them.
    """
    from nertool.corpus.ledger import Ledger

    taken = {os.path.realpath(path) for path in others if path and str(path) != "-"}
    if report and os.path.realpath(report) in taken:
        raise typer.BadParameter(
            f"--report: {report} is read or written already: choose another name"
        )
    if report is None:
        ledger = Ledger()
        yield ledger
    else:
        with open_output(report) as out:
            ledger = Ledger(lambda line: out.writelines((line, "\n")))
            yield ledger
    changed = ledger.changed
    if is_quiet() and not changed:
        return
    for line in ledger.lines() if ledger.read else ():  # a stage that is already done reads nothing
        tell(line)
    if report is None and changed:
        tell("--report FILE lists each case")
