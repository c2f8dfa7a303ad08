"""Write annotated texts in any format to a stream of text, a stream of bytes, or a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nertool.catalogue import Format
from nertool.corpus.ledger import Ledger
from nertool.errors import CorpusError
from nertool.files.folders import free_folder, replacing_folder
from nertool.files.output import open_binary_output, open_output
from nertool.formats.base import Pieces, Writing
from nertool.formats.losses import counted_losses
from nertool.formats.registry import module_of


def write_output(
    to: Format, pieces: Pieces, writing: Writing, ledger: Ledger, output: Path | None
) -> None:
    """Write pieces to a file or a new folder. None and `-` are standard output.

    What the format can't hold is counted. The path appears only when everything is written. Errors:
    CorpusError for a format that can't be written to standard output, and for a folder that is not empty.
    """
    write = module_of(to).write
    pieces = counted_losses(pieces, to, writing, ledger)
    if to.container != "text" and (output is None or str(output) == "-"):
        kind = "a folder" if to.container == "folder" else "a file"
        raise CorpusError(
            f"{to.name} is written into {kind}, not to standard output; name it by -o"
        )
    if to.container == "text":
        with open_output(output) as out:
            out.writelines(write(pieces, writing, ledger))
    elif to.container == "binary":
        with open_binary_output(output) as stream:
            write(pieces, writing, ledger, stream)
    else:
        assert output is not None
        free_folder(output)
        with replacing_folder(output) as folder:
            write(pieces, writing, ledger, folder)


def written(to: Format, pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Yield pieces as text, for a format whose container is text. What it can't hold is counted."""
    texts: Iterator[str] = module_of(to).write(
        counted_losses(pieces, to, writing, ledger), writing, ledger
    )
    return texts
