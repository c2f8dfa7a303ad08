"""Classify a line of CoNLL columns: a token's row, a blank line, a document mark, or a comment.

This is the only definition. parse.py uses it to read corpora, and lines.py to read blocks for tagging.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.blocks import is_blank
from nertool.corpus.columnar import Offsets
from nertool.corpus.ledger import counted

DOCUMENT_START = "-DOCSTART-"

# The kinds of lines without a token: BREAK is a blank line. DOCUMENT is a document mark with as many columns
# as the rows, and MARK one with another number. PASSED is a comment.
BREAK, DOCUMENT, MARK, PASSED = -1, -2, -3, -4

Kinds = NDArray[np.int32]  # of each line: one of the above, or the number of its row or word

_NAMED = {"\t": "tabs", " ": "spaces", ",": "commas", ";": "semicolons", "|": "bars"}
_SHOWN = 20  # the maximum number of faulty rows that a message lists
_HASH = re.compile(r"#\s+\w+\s*=\s")
# Any delimiter of columns may follow; a table with commas or semicolons may quote its cells.
_MARK = re.compile(rf'{DOCUMENT_START}(?=[\s,;|]|\Z)|"{DOCUMENT_START}"(?=[,;]|\Z)')
_CELLS = (",", ";", "|")  # delimiters that are not whitespace
QUOTED = (",", ";")  # delimiters of tables whose cells may be quoted


def sign_name(sign: str) -> str:
    """Name a delimiter in words."""
    if sign.isspace() and sign not in _NAMED and len(sign) == 1:
        return f"{unicodedata.name(sign, 'blank').lower()}s (U+{ord(sign):04X})"
    return _NAMED.get(sign, repr(sign))


@dataclass(frozen=True)
class Layout:
    """The delimiter of a file's columns, and how many there are."""

    delimiter: str
    width: int

    def split(self, line: str) -> list[str]:
        """Split a line into its columns. Several spaces are one delimiter; each tab is one."""
        if self.delimiter == " ":
            fields = line.split(" ")
            return [field for field in fields if field] if "" in fields else fields
        if self.delimiter in QUOTED and line.count('"') % 2 == 0 < line.count('"'):
            try:
                return next(csv.reader([line], delimiter=self.delimiter), [""])  # quoted cells
            except csv.Error:  # a bare CR inside, or a cell beyond the size limit of csv
                return line.split(self.delimiter)
        return line.split() if self.is_blank else line.split(self.delimiter)

    @property
    def is_blank(self) -> bool:
        """Whether the delimiter is unusual whitespace, such as the no-break space.

        If so, any whitespace separates columns, and several such characters are one delimiter."""
        return self.delimiter.isspace() and self.delimiter not in " \t\n"

    def __str__(self) -> str:
        return f"{self.width} column{'s' * (self.width != 1)}" + (
            f" separated by {sign_name(self.delimiter)}" * (self.width > 1)
        )


class Rows(NamedTuple):
    """How the rows of a text are read.

    column: the column of the words, from 0. comment: how comments begin; empty if there are none.
    hash_comments: whether a line that starts with # may be a comment (see is_hash_comment).
    """

    layout: Layout
    column: int
    comment: str = ""
    hash_comments: bool = False


class FaultyLine(Exception):
    """A line that is not a valid row. The caller knows its position and adds it to the message."""

    def __init__(self, what: str) -> None:
        self.what = what


def faults_told(faults: Sequence[tuple[int, str]], source: str) -> str:
    """Return a message with the first fault, and the line numbers of the first 20.

    faults: (line number, description) of each fault.
    """
    line, what = faults[0]
    if len(faults) > 1:
        shown = ", ".join(str(number) for number, _ in faults[:_SHOWN])
        more = ", …" * (len(faults) > _SHOWN)
        what += f"; {len(faults):,} faulty rows in all, in lines {shown}{more}"
        what += " (--on-error skip, or corpus.on_error, leaves out their sentences)"
    return f"{source}:{line}: {what}"


def read_line(line: str, rows: Rows) -> int | list[str]:
    """Return a row's columns, or the kind of a line without a token: BREAK, DOCUMENT, MARK or PASSED.

    line: without its line end. Errors: FaultyLine for a wrong number of columns, and for an empty word.
    """
    layout, column, comment, hash_comments = rows
    if is_blank(line):
        return BREAK
    if is_document_start(line):
        return DOCUMENT if len(layout.split(line)) == layout.width > 1 else MARK
    if comment and line.startswith(comment):
        return PASSED
    if layout.delimiter in _CELLS and not line.strip(layout.delimiter):
        return BREAK  # tables separate sentences by a row of empty cells
    fields = layout.split(line)
    if len(fields) > layout.width and not any(fields[layout.width :]):
        del fields[layout.width :]  # tabs at the end of a line do not add columns
    if hash_comments and is_hash_comment(line, fields, layout):
        return PASSED
    if len(fields) != layout.width:
        raise FaultyLine(
            f"found {counted(len(fields), 'columns')}, expected {layout.width} as in most lines; "
            "correct the line (a blank in a word? a missing tag?)"
        )
    word = fields[column]
    if not word or word.isspace():
        raise FaultyLine("found an empty word, expected a token; correct the line")
    return fields


def is_document_start(line: str) -> bool:
    """Tell whether a line begins a document: its first column is -DOCSTART-, or it is `#begin document`, as
    in CoNLL-2012."""
    if line.startswith("#"):
        return line.startswith("#begin document")
    return line[:1] in ("-", '"') and _MARK.match(line) is not None


def is_hash_comment(line: str, fields: list[str], layout: Layout) -> bool:
    """Tell whether a line that starts with # is a comment.

    It is if it has another number of columns than the rows, if it contains tabs while spaces separate the
    columns, or if it has the form `# key = value`.
    """
    if line[0] != "#":
        return False
    tabs = layout.delimiter == " " and "\t" in line
    return len(fields) != layout.width or (layout.width > 1 and (tabs or bool(_HASH.match(line))))


def find_layout(lines: Iterable[str], comment: str = "") -> Layout | None:
    """Find the delimiter and the number of columns that most of the first lines have.

    Lines that begin with # count only if there are no others. None if no line has a token.
    """
    tokens = [
        line
        for line in lines
        if not is_blank(line)
        and not is_document_start(line)
        and not (comment and line.startswith(comment))
    ]
    tokens = [line for line in tokens if not line.startswith("#")] or tokens
    if not tokens:
        return None
    delimiter = "\t" if 2 * sum("\t" in line for line in tokens) >= len(tokens) else " "
    return Layout(delimiter, usual_width(tokens, delimiter))


def usual_width(lines: Sequence[str], delimiter: str) -> int:
    """Return how many columns most lines have. Last columns that are empty in all lines do not count."""
    split = Layout(delimiter, 0).split
    rows = [split(line) for line in lines]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    usual = [row for row in rows if len(row) == width]
    while width > 1 and not any(row[width - 1] for row in usual):
        width -= 1
    return width


def starts_of(kinds: Kinds) -> tuple[Offsets, Offsets]:
    """Return sentence_starts (S+1,) in tokens and document_starts (D+1,) in sentences, from the kind of each
    line. The last entry of each array is the total."""
    other = np.flatnonzero(kinds < 0)  # few lines: only these are used below
    own, N = kinds[other], len(kinds) - len(other)
    before = other - np.arange(len(other))  # the number of tokens before each
    within = (before > 0) & (before < N)
    marks = ((own == DOCUMENT) | (own == MARK)) & within
    breaks = marks | ((own == BREAK) & within)
    first = np.zeros(int(N > 0), dtype=np.int64)
    sentence_starts = np.concatenate([first, _distinct(before[breaks]), [N]])
    of_marks = np.searchsorted(sentence_starts, _distinct(before[marks]))
    document_starts = np.concatenate([first, of_marks, [len(sentence_starts) - 1]])
    return sentence_starts, document_starts


def _distinct(ascending: Offsets) -> Offsets:
    """Return the distinct values of an ascending array of numbers from 1."""
    return ascending[np.diff(ascending, prepend=0) > 0]
