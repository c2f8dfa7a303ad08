"""Classify the lines of a block of CoNLL columns by their bytes.

A kernel (kernels/lines.c) reads plain rows, which are nearly all lines. Python reads the other lines one by
one, or all lines if the kernel can't read the columns. Since lines repeat, each distinct line is read only
once.
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

_REMEMBERED = 200_000  # the maximum number of lines in the cache
_WORD_BYTES = 1 << 26  # the maximum size of the words that are kept


class Lines(dict[bytes, int]):
    """Maps each distinct line to the number of its word, or to a kind of rows.py.

    The dictionary is a cache of the lines that Python has read. A key is a line's bytes in UTF-8, without
    the LF, but with a CR before it if there is one.
    """

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows
        self._reader = _reader_of(rows)
        self._words = Interner()  # used only with a LineTable

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
        """The words as bytes, or None if the kernel can't read the columns."""
        return None if isinstance(self._reader, LineTable) else self._reader.words

    def words_from(self, first: int) -> list[str]:
        """Return the words with the numbers `first` and higher."""
        if isinstance(self._reader, LineTable):
            return list(islice(self._words, first, None))
        return self._reader.words.strings_from(first)

    @property
    def full(self) -> bool:
        """Whether the caches have reached their maximum size, so that a new object should be made."""
        used = 0 if isinstance(self._reader, LineTable) else self._reader.words.used
        return len(self) > _REMEMBERED or used > _WORD_BYTES

    def kinds(self, block: Block, source: str) -> tuple[Kinds, Bytes]:
        """Return the kind of each line of a block, (n,) int32, and the text's bytes, with an LF at the end.

        Errors: CorpusError with the number of the first faulty line, and those of other ones in the block."""
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
        """Classify the lines that the reader does not know, and write their kinds.

        others (m, 3): (line, start, end) of each. Returns the distinct ones among them. faults: faulty lines
        are appended to it. first: the line number of the text's first line in the file."""
        once: dict[bytes, int] = {}
        firsts: list[int] = []  # the index in `others` where each distinct line first occurs
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
        """Return the kinds of a block's lines (n,), 0 for every row, and the byte where each starts (n,).

        This is fast, because only lines that may be something else than a row are read."""
        text = _bytes_of(block)
        raw = np.frombuffer(text, dtype=np.uint8)
        starts, ends = line_bounds(raw)
        head = raw[starts]
        kinds = np.where(head == ord("\n"), BREAK, 0).astype(np.int32)
        # The first bytes of lines that may be blank, a row of empty cells, a mark or a comment. Not all
        # whitespace is ASCII.
        doubtful = np.zeros(256, dtype=bool)
        doubtful[: ord(" ") + 1] = True
        doubtful[
            list(
                b'\xc2\xe1\xe2\xe3#"'
                + (DOCUMENT_START[0] + self.rows.comment[:1] + self.rows.layout.delimiter).encode()
            )
        ] = True
        doubtful[ord("\n")] = False
        for i in np.flatnonzero(doubtful[head]).tolist():
            line = text[starts[i] : ends[i]]
            try:
                kinds[i] = min(0, self[line])
            except FaultyLine:  # `kinds` reports it
                continue
        return kinds, starts


def _reader_of(rows: Rows) -> RowReader | LineTable:
    """Return the reader of known lines: a kernel's, or a LineTable if no kernel can read this layout."""
    layout = rows.layout
    if not compiled() or layout.delimiter not in (" ", "\t"):
        return LineTable()
    return RowReader(rows.column, layout.width, layout.delimiter, rows.comment)


def _bytes_of(block: Block) -> bytes:
    """Return a block's text in UTF-8, with an LF at its end."""
    return (block.text if block.ended else block.text + "\n").encode()
