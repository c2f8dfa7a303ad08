"""What each line of CoNLL columns is: a word's, a break between sentences, a document's mark.

Lines repeat: each distinct one is looked at once, and what a text's lines are is then an array.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.blocks import Block, is_blank
from nertool.corpus.columnar import Interner, Offsets
from nertool.errors import CorpusError
from nertool.formats.conll.linetable import Bytes, LineTable, line_bounds
from nertool.formats.conll.parse import DOCUMENT_START, Layout, is_document_start, is_hash_comment

# What a line is that holds no word: a document's mark may have columns like the others, or not.
BREAK, DOCUMENT, MARK, PASSED = -1, -2, -3, -4
_REMEMBERED = 200_000  # lines whose reading is kept
_PIECE = 1 << 17  # bytes of lines that are looked up together: they stay in the processor's cache

Kinds = NDArray[np.int32]


class Rows(NamedTuple):
    """How a text's rows are read: their layout, the words' column from 0, how comments start (empty:
    there are none), and whether a line that starts with # and is not as wide as the others is one."""

    layout: Layout
    column: int
    comment: str = ""
    hash_comments: bool = False


class Lines(dict[bytes, int]):
    """What each distinct line is, found once: its word's place in `words`, or one of the above.

    A line comes in UTF-8 as it stands, without its LF but with the CR that may come before it.
    """

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows
        self.words = Interner()
        self._table = LineTable()

    def __missing__(self, line: bytes) -> int:
        self[line] = kind = self._kind(line.decode().removesuffix("\r"))
        return kind

    def _kind(self, line: str) -> int:
        layout, column, comment, hash_comments = self.rows
        if is_blank(line):
            return BREAK
        if is_document_start(line):
            # With as many columns as the rest it gets one more, too; alone it stays alone.
            return DOCUMENT if len(layout.split(line)) == layout.width > 1 else MARK
        if comment and line.startswith(comment):
            return PASSED
        fields = layout.split(line)
        if hash_comments and is_hash_comment(line, len(fields), layout.width):
            return PASSED
        if len(fields) != layout.width:
            raise FaultyLine(
                f"found {len(fields)} columns, expected {layout.width} as in the lines before; "
                "mend the line, or use --format text if this is no CoNLL file",
            )
        word = fields[column]
        if not word or word.isspace():
            raise FaultyLine("found an empty word, expected a token; mend the line")
        return self.words[word]

    @property
    def full(self) -> bool:
        """Whether so many lines are known that it is time to begin anew."""
        return len(self) > _REMEMBERED

    def kinds(self, block: Block, source: str) -> tuple[Kinds, Bytes]:
        """Return what each line of a block is, (n,) int32, and the text's bytes, an LF at its end.
        Errors: CorpusError with the line's number."""
        text = _bytes_of(block)
        found: list[Kinds] = []
        first, start = block.first, 0
        while start < len(
            text
        ):  # a few lines at a time: what is new in them is known from there on
            end = text.find(b"\n", start + _PIECE) + 1 or len(text)
            piece = text[start:end]
            kinds, unknown = self._table.look_up(np.frombuffer(piece, dtype=np.uint8))
            if len(unknown):
                self._look_at(piece, unknown, kinds, source, first)
            found.append(kinds)
            first, start = first + len(kinds), end
        kinds = np.concatenate(found) if found else np.empty(0, dtype=np.int32)
        return kinds, np.frombuffer(text, dtype=np.uint8)

    def _look_at(
        self, text: bytes, unknown: Offsets, kinds: Kinds, source: str, first: int
    ) -> None:
        """Write what the lines are that the table lacks, (line, start, end) each, and add them to it."""
        once: dict[bytes, int] = {}
        firsts: list[int] = []  # where in `unknown` each different line stands first
        of_lines: list[int] = []
        for number, (i, start, end) in enumerate(unknown.tolist()):
            line = text[start:end]
            kind = once.get(line)
            if kind is None:
                try:
                    kind = once[line] = self[line]
                except FaultyLine as fault:
                    raise CorpusError(f"{source}:{first + i}: {fault.what}") from None
                firsts.append(number)
            of_lines.append(kind)
        kinds[unknown[:, 0]] = of_lines
        lines, starts, ends = unknown[firsts].T
        self._table.add(np.frombuffer(text, dtype=np.uint8), starts, ends, kinds[lines])

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


class FaultyLine(Exception):
    """A line that can't be read; where it stands is known to whoever holds the text."""

    def __init__(self, what: str) -> None:
        self.what = what


def starts_of(kinds: Kinds) -> tuple[Offsets, Offsets]:
    """Return where sentences (in tokens) and documents (in sentences) start, and their ends, from what
    each line is."""
    is_token = kinds >= 0
    marks = (kinds == DOCUMENT) | (kinds == MARK)
    breaks = np.cumsum((kinds == BREAK) | marks)[is_token]
    sentence_starts = np.append(np.flatnonzero(np.diff(breaks, prepend=-1)), len(breaks))
    documents = np.cumsum(marks)[is_token][sentence_starts[:-1]]  # of each sentence
    document_starts = np.append(np.flatnonzero(np.diff(documents, prepend=-1)), len(documents))
    return sentence_starts, document_starts
