"""Text read in blocks of whole lines: one decoding and one split for a megabyte, not one for a line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from nertool.errors import CorpusError

BLOCK_BYTES = 1 << 20


class Block(NamedTuple):
    """lines without their LF (a CR before it stays); first: the number of the first, from 1.

    ended: an LF follows the last line, too. mark: the text starts with a byte-order mark.
    returns: some line ends with a CR.
    """

    lines: list[str]
    first: int
    ended: bool = True
    mark: bool = False
    returns: bool = False

    def joined(self, lines: Iterator[str]) -> str:
        """Return lines in place of these, ended alike."""
        return ("\ufeff" if self.mark else "") + "\n".join(lines) + ("\n" if self.ended else "")


def read_blocks(stream: BinaryIO, source: str) -> Iterator[Block]:
    """Yield a stream's lines in blocks of about BLOCK_BYTES.

    Errors: CorpusError for bytes that are not UTF-8, naming the line.
    """
    first = 1
    rest = b""
    while piece := stream.read(BLOCK_BYTES):
        cut = piece.rfind(b"\n") + 1
        if not cut:
            rest += piece
            continue
        block = _decode(rest + piece[:cut], first, source, ended=True)
        rest = piece[cut:]
        yield block
        first += len(block.lines)
    if rest:
        yield _decode(rest, first, source, ended=False)


def _decode(raw: bytes, first: int, source: str, ended: bool) -> Block:
    mark = first == 1 and raw.startswith(codecs.BOM_UTF8)
    if mark:
        raw = raw[len(codecs.BOM_UTF8) :]
    try:
        lines = raw.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        line = first + raw.count(b"\n", 0, error.start)
        raise CorpusError(
            f"{source}:{line}: found the byte 0x{raw[error.start]:02x}, expected UTF-8 text; "
            "convert the file, for example with: iconv -f latin1 -t utf-8"
        ) from None
    if ended:
        lines.pop()
    return Block(lines, first, ended, mark, b"\r" in raw)


def whole_sentences(blocks: Iterator[Block]) -> Iterator[Block]:
    """Cut blocks anew, so that each ends with a blank line: no sentence lies in two."""
    lines: list[str] = []
    first, mark, ended, returns = 1, False, True, False
    for block in blocks:
        if not lines:
            first, mark, returns = block.first, block.mark, False
        lines += block.lines
        ended = block.ended
        returns |= block.returns
        cut = next((i for i in range(len(lines), 0, -1) if is_blank(lines[i - 1])), 0)
        if cut:
            yield Block(lines[:cut], first, ended or cut < len(lines), mark, returns)
            lines = lines[cut:]
            first, mark = first + cut, False
    if lines:
        yield Block(lines, first, ended, mark, returns)


def is_blank(line: str) -> bool:
    return not line or line.isspace()
