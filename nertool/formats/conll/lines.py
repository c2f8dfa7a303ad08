"""What each line of a block of CoNLL columns is, found by its bytes.

Lines repeat: each distinct one is looked at once, and what a text's lines are is then an array.
"""

from __future__ import annotations

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
from nertool.kernels.lines import cut_rows

_REMEMBERED = 200_000  # lines whose reading is kept
_PIECE = 1 << 17  # bytes of lines that are looked up together: they stay in the processor's cache


class Lines(dict[bytes, int]):
    """What each distinct line is, found once: the number of its word in `words`, or a kind of rows.py.

    A line comes in UTF-8 as it stands, without its LF but with the CR that may come before it.
    """

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows
        self.words = Interner()
        self._table = LineTable()
        self._added = 0  # rows that are in the table alone

    def __missing__(self, line: bytes) -> int:
        self[line] = kind = self._kind(line.decode().removesuffix("\r"))
        return kind

    def _kind(self, line: str) -> int:
        fields = read_line(line, self.rows)
        return fields if isinstance(fields, int) else self.words[fields[self.rows.column]]

    @property
    def full(self) -> bool:
        """Whether so many lines are known that it is time to begin anew."""
        return len(self) + self._added > _REMEMBERED

    def kinds(self, block: Block, source: str) -> tuple[Kinds, Bytes]:
        """Return what each line of a block is, (n,) int32, and the text's bytes, an LF at its end.
        Errors: CorpusError with the number of the first faulty line, and those of the others of the block."""
        text = _bytes_of(block)
        found: list[Kinds] = []
        faults: list[tuple[int, str]] = []
        first, start = block.first, 0
        while start < len(
            text
        ):  # a few lines at a time: what is new in them is known from there on
            end = text.find(b"\n", start + _PIECE) + 1 or len(text)
            piece = text[start:end]
            kinds, unknown = self._table.look_up(np.frombuffer(piece, dtype=np.uint8))
            if len(unknown):
                self._look_at(piece, unknown, kinds, first, faults)
            found.append(kinds)
            first, start = first + len(kinds), end
        if faults:
            raise CorpusError(faults_told(faults, source))
        kinds = np.concatenate(found) if found else np.empty(0, dtype=np.int32)
        return kinds, np.frombuffer(text, dtype=np.uint8)

    def _look_at(
        self,
        text: bytes,
        unknown: Offsets,
        kinds: Kinds,
        first: int,
        faults: list[tuple[int, str]],
    ) -> None:
        """Write what the lines are that the table lacks, (line, start, end) each, and add them to it; faults:
        takes those that are no rows."""
        raw = np.frombuffer(text, dtype=np.uint8)
        bounds = self._cut(raw, unknown)
        words, number_of = self.words, self.words.setdefault
        once: dict[bytes, int] = {}
        firsts: list[int] = []  # where in `unknown` each different line stands first
        of_lines: list[int] = []
        for number, ((i, start, end), (a, b)) in enumerate(
            zip(unknown.tolist(), bounds, strict=True)
        ):
            line = text[start:end]
            kind = once.get(line)
            if kind is None:
                try:
                    kind = self[line] if a < 0 else number_of(text[a:b].decode(), len(words))
                except FaultyLine as fault:
                    faults.append((first + i, fault.what))
                    of_lines.append(PASSED)
                    continue
                once[line] = kind
                firsts.append(number)
                self._added += a >= 0
            of_lines.append(kind)
        kinds[unknown[:, 0]] = of_lines
        if firsts:
            lines, starts, ends = unknown[firsts].T
            self._table.add(raw, starts, ends, kinds[lines])

    def _cut(self, raw: Bytes, unknown: Offsets) -> list[list[int]]:
        """Return where the words of plain rows begin and end, [start, end] each; start −1 for other lines."""
        layout, comment = self.rows.layout, self.rows.comment
        bounds = None
        if len(layout.delimiter) == 1 and (not comment or comment[0] == "#"):
            bounds = cut_rows(raw, unknown, self.rows.column, layout.width, layout.delimiter)
        return [[-1, -1]] * len(unknown) if bounds is None else bounds.tolist()

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


def _bytes_of(block: Block) -> bytes:
    """Return a block's text in UTF-8, an LF at its end."""
    return (block.text if block.ended else block.text + "\n").encode()
