"""Hugging Face's token classification in Parquet: one sentence per row, with tokens and numbered tags.

| tokens | ner_tags |
|---|---|
| `["Ada", "met", "me"]` | `[1, 0, 0]` |

The names of the numbers are in the file's metadata, where the library `datasets` finds them.
"""

from __future__ import annotations

from typing import BinaryIO

from nertool.corpus.ledger import Ledger
from nertool.formats.base import Pieces, Writing
from nertool.formats.head import Head
from nertool.formats.tables import parquet


def detect(head: Head) -> str | None:
    """Never recognise a file: such files are detected and read as Parquet."""
    return None


read = parquet.read


def write(pieces: Pieces, writing: Writing, ledger: Ledger, stream: BinaryIO) -> None:
    """Write one sentence per row, with tokens and their tags as numbers."""
    parquet.write_table(pieces, writing, ledger, stream, in_tokens=lambda piece: True)
