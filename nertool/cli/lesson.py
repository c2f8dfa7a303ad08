"""`nertool lesson init` and `nertool lesson check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nertool.cli.common.options import MAX_SEED, AsJson, note, print_json


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder for the coursework.")],
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=MAX_SEED, help="The seed, which chooses the hidden mistake."
        ),
    ] = 1,
) -> None:
    """Write the coursework into a new folder: a backward pass to complete, and a hidden mistake to find.

    docs/lesson.md explains what you need to know.

    Examples:
        nertool lesson init coursework
    """
    from nertool.gradcheck.coursework import write_coursework

    for path in write_coursework(folder, seed):
        print(path)
    note(f"next: complete {folder / 'backward.py'}, then run: nertool lesson check {folder}")


def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the coursework.")],
    as_json: AsJson = False,
) -> None:
    """Grade the coursework with the gradient check, and give hints.

    The exit code is 1 if something is still wrong. The command runs the Python file DIR/backward.py: check
    only what you or your students wrote.

    Examples:
        nertool lesson check coursework
    """
    from nertool.gradcheck.coursework import check_coursework

    grades = check_coursework(folder)
    if as_json:
        passed = all(grade.passed for grade in grades)
        print_json({"passed": passed, "parts": [grade._asdict() for grade in grades]})
    else:
        for grade in grades:
            print(f"{grade.part}: {'passed' if grade.passed else 'not yet'}")
            for line in grade.lines:
                print(f"  {line}")
    if not all(grade.passed for grade in grades):
        raise typer.Exit(1)
