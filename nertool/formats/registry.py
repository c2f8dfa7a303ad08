"""Find the functions of a format: its module is imported when the format is first used.

The record of a format in catalogue.py decides which of these functions its module has:

| container | function | what it does |
|---|---|---|
| text, binary | `detect(head) -> str or None` | describes the format if the input has it; otherwise None |
| folder | `detect_path(path) -> str or None` | the same, for a path |
| text, binary | `read(stream, source, reading, ledger)` | yields records |
| folder | `read(path, source, reading, ledger)` | yields records |
| text | `write(pieces, writing, ledger)` | yields pieces of text |
| binary | `write(pieces, writing, ledger, stream)` | writes to a stream of bytes |
| folder | `write(pieces, writing, ledger, folder)` | writes into a new folder |
| text | `read_whole(stream, source)` | optional: yields records whose concatenated texts are the input |
| text | `write_whole(pieces, writing, ledger)` | optional: yields these texts with their entities marked |

CoNLL columns are the exception. They are read straight into a flat corpus, without records, for speed: see
formats/read.py and conll/parse.py. Their module has no `read`.
"""

from __future__ import annotations

import importlib
from typing import Any

from nertool.catalogue import FORMATS, Format, Formats, find_format
from nertool.errors import CorpusError
from nertool.formats.base import Writer


def module_of(known: Format) -> Any:
    """Import and return the module with a format's functions."""
    return importlib.import_module(f"nertool.formats.{known.module}")


def text_writer(name: str, formats: Formats = FORMATS) -> Writer:
    """Return the `write` function of a format whose container is text."""
    known = find_format(name, formats)
    assert known.writes, name
    assert known.container == "text", name
    writer: Writer = module_of(known).write
    return writer


def read_format(name: str, formats: Formats = FORMATS) -> Format:
    """Return the format with this name. Errors: CorpusError if it is unknown, or can only be written."""
    known = find_format(name, formats)
    if not known.reads:
        raise CorpusError(f"{name}: found a format that is only written, expected one that is read")
    return known
