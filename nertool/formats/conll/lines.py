"""What each line of a block of CoNLL columns is, found by its bytes.

Plain rows, which nearly all lines are, are read by a kernel (kernels/lines.c). All other lines, and without
the kernels all lines, are looked at one by one; since lines repeat, each distinct one once.
"""

from __future__ import annotations

from itertools import islice

import numpy as np

from nertool.corpus.blocks import Block
from nertool.corpus.columnar import Interner, Offsets
from nertool.errors import CorpusError
from nertool.formats.conll.linetable import Bytes, LineTable, line_bounds
from nertool.formats.conll.rows import (
    BREAK,
    DOCUMENT_START,
    PASSED,
    FaultyLine,
    Kinds,
    Rows,
    faults_told,
    read_line,
)
from nertool.kernels.library import compiled
from nertool.kernels.lines import RowReader
from nertool.kernels.words import WordSet

_REMEMBERED = 200_000  # lines whose reading is kept, of those that are looked at
_WORD_BYTES = 1 << 26  # of the words that are kept


class Lines(dict[bytes, int]):
    """What each distinct line is, found once: the number of its word, or a kind of rows.py.

    As a dictionary it holds the lines that were looked at one by one: a line is its bytes in UTF-8, without
    its LF but with the CR that may come before it.
    """

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows
        self._reader = _reader_of(rows)
        self._words = Interner()  # without the kernels

    def __missing__(self, line: bytes) -> int:
        self[line] = kind = self._kind(line.decode().removesuffix("\r"))
        return kind

    def _kind(self, line: str) -> int:
        fields = read_line(line, self.rows)
        if isinstance(fields, int):
            return fields
        word = fields[self.rows.column]
        if isinstance(self._reader, LineTable):
            return self._words[word]
        return int(self._reader.words.add(f"{word}\n".encode(), 1)[0])

    @property
    def word_set(self) -> WordSet | None:
        """The words as bytes; None without the kernels."""
        return None if isinstance(self._reader, LineTable) else self._reader.words

    def words_from(self, first: int) -> list[str]:
        """Return the words from a number on."""
        if isinstance(self._reader, LineTable):
            return list(islice(self._words, first, None))
        return self._reader.words.strings_from(first)

    @property
    def full(self) -> bool:
        """Whether so much is known that it is time to begin anew."""
        used = 0 if isinstance(self._reader, LineTable) else self._reader.words.used
        return len(self) > _REMEMBERED or used > _WORD_BYTES

    def kinds(self, block: Block, source: str) -> tuple[Kinds, Bytes]:
        """Return what each line of a block is, (n,) int32, and the text's bytes, an LF at its end.
        Errors: CorpusError with the number of the first faulty line, and those of the others of the block."""
        text = _bytes_of(block)
        raw = np.frombuffer(text, dtype=np.uint8)
        kinds = np.empty(np.count_nonzero(raw == ord("\n")), dtype=np.int32)
        faults: list[tuple[int, str]] = []
        at = line = 0
        while at < len(text):
            at, line, others = self._reader.read(text, at, line, kinds)
            if len(others):
                known = self._look_at(text, others, kinds, block.first, faults)
                self._reader.remember(text, known, kinds)
        if faults:
            raise CorpusError(faults_told(faults, source))
        return kinds, raw

    def _look_at(
        self,
        text: bytes,
        others: Offsets,
        kinds: Kinds,
        first: int,
        faults: list[tuple[int, str]],
    ) -> Offsets:
        """Write what the lines are that the reader does not know, (line, start, end) each; return these, each
        different one once. faults: takes those that are no rows. first: the number of the text's line 0."""
        once: dict[bytes, int] = {}
        firsts: list[int] = []  # where in `others` each different line stands first
        of_lines: list[int] = []
        for number, (i, start, end) in enumerate(others.tolist()):
            line = text[start:end]
            kind = once.get(line)
            if kind is None:
                try:
                    kind = self[line]
                except FaultyLine as fault:
                    faults.append((first + i, fault.what))
                    of_lines.append(PASSED)
                    continue
                once[line] = kind
                firsts.append(number)
            of_lines.append(kind)
        kinds[others[:, 0]] = of_lines
        known: Offsets = others[firsts]
        return known

    def outline(self, block: Block) -> tuple[Kinds, Offsets]:
        """Return what a block's lines are, but 0 for whatever word (n,), and where in the text's UTF-8
        each starts (n,): without cutting the text into lines, nearly all of which need no look."""
        text = _bytes_of(block)
        raw = np.frombuffer(text, dtype=np.uint8)
        starts, ends = line_bounds(raw)
        head = raw[starts]
        kinds = np.where(head == ord("\n"), BREAK, 0).astype(np.int32)
        # Whatever may begin a blank line, a mark or a comment; bytes from 0x80 on may be blanks, too.
        doubtful = np.zeros(256, dtype=bool)
        doubtful[: ord(" ") + 1] = True
        doubtful[
            list(b"\xc2\xe1\xe2\xe3#" + (DOCUMENT_START[0] + self.rows.comment[:1]).encode())
        ] = True
        doubtful[ord("\n")] = False
        for i in np.flatnonzero(doubtful[head]).tolist():
            line = text[starts[i] : ends[i]]
            try:
                kinds[i] = min(0, self[line])
            except FaultyLine:  # reading it will say so
                continue
        return kinds, starts


def _reader_of(rows: Rows) -> RowReader | LineTable:
    """Return what knows the lines: a table of those that were looked at, where there are no kernels."""
    layout = rows.layout
    if not compiled() or layout.delimiter not in (" ", "\t"):
        return LineTable()
    return RowReader(rows.column, layout.width, layout.delimiter, rows.comment)


def _bytes_of(block: Block) -> bytes:
    """Return a block's text in UTF-8, an LF at its end."""
    return (block.text if block.ended else block.text + "\n").encode()
