"""The formats' functions, bound to the records of catalogue.py when a format is first used.

A format's module has those of these functions that its record promises:

| container | function | what it does |
|---|---|---|
| text, binary | `detect(head) -> str or None` | says what shows that an input is of this format |
| folder | `detect_path(path) -> str or None` | the same, from a path |
| text, binary | `read(stream, source, reading, ledger)` | yields records |
| folder | `read(path, source, reading, ledger)` | yields records |
| text | `write(pieces, writing, ledger)` | yields pieces of text |
| binary | `write(pieces, writing, ledger, stream)` | writes to a stream of bytes |
| folder | `write(pieces, writing, ledger, folder)` | writes into a new folder |
| text | `read_whole(stream, source)` | optional: yields records that, put together, are the input's text |
| text | `write_whole(pieces, writing, ledger)` | optional: yields those texts with entities marked in them |

CoNLL columns alone are read without records, since they are many and are laid out flat already:
their module has `read_corpus(opened, reading, ledger, report)` in place of `read`.
"""

from __future__ import annotations

import importlib
from typing import Any

from nertool.catalogue import FORMATS, Format, Formats, find_format
from nertool.errors import CorpusError
from nertool.formats.base import Writer


def module_of(known: Format) -> Any:
    """Import the module that has a format's functions."""
    return importlib.import_module(f"nertool.formats.{known.module}")


def text_writer(name: str, formats: Formats = FORMATS) -> Writer:
    """Return the function that writes a format which is a stream of text."""
    known = find_format(name, formats)
    assert known.writes, name
    assert known.container == "text", name
    writer: Writer = module_of(known).write
    return writer


def read_format(name: str, formats: Formats = FORMATS) -> Format:
    """Return the format of that name, which must be one that is read. Errors: CorpusError."""
    known = find_format(name, formats)
    if not known.reads:
        raise CorpusError(f"{name}: found a format that is only written, expected one that is read")
    return known
