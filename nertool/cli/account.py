"""The account that a command gives of its input: its end on stderr, each case in a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.options import note
from nertool.files import open_output

if TYPE_CHECKING:
    from nertool.corpus.ledger import Ledger

ReportPath = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Write each case of data altered or refused here: file:line, what, and which.",
    ),
]


@contextmanager
def account(report: Path | None) -> Iterator[Ledger]:
    """Give a ledger to the work inside; when that went well, sum it up on stderr."""
    from nertool.corpus.ledger import Ledger

    if report is None:
        ledger = Ledger()
        yield ledger
    else:
        with open_output(report) as out:
            ledger = Ledger(lambda line: out.writelines((line, "\n")))
            yield ledger
    for line in ledger.lines() if ledger.read else ():  # a stage that was done before reads nothing
        note(line)
    if report is None and (ledger.altered or ledger.refused):
        note("--report FILE lists each case")
