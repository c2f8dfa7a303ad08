"""Read text in blocks of whole lines, which are decoded and split at once: faster than line by line."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

import numpy as np

from nertool.files.encodings import not_utf8

BLOCK_BYTES = 1 << 19
_BEFORE_GROWTH = 4  # blocks of one size; fewer would leave some worker processes idle
_MARK = "\ufeff"


class Block(NamedTuple):
    """Some lines of a text.

    first: the number of the first line, from 1. mark: the input had a byte-order mark before the text; `text`
    does not contain it.
    """

    text: str
    first: int
    mark: bool = False

    @property
    def lines(self) -> list[str]:
        """The lines without their LF; a CR before it stays. Each access splits the text again."""
        lines = self.text.split("\n")
        if self.ended:
            lines.pop()
        return lines

    @property
    def ends(self) -> int:
        """The number of LFs. numpy counts them many times as fast as str.count."""
        raw = np.frombuffer(self.text.encode(), dtype=np.uint8)
        return int(np.count_nonzero(raw == ord("\n")))

    @property
    def ended(self) -> bool:
        """Whether the last line, too, ends with an LF."""
        return self.text.endswith("\n") or not self.text

    def joined(self, lines: Iterator[str]) -> str:
        """Join lines that replace the block's own; a final LF and a byte-order mark stay as in the block."""
        return self.marked("\n".join(lines) + ("\n" if self.text.endswith("\n") else ""))

    def marked(self, text: str) -> str:
        """Return a text that replaces the block's own, after the byte-order mark if the block has one."""
        return _MARK + text if self.mark else text

    def split(self, at: int) -> tuple[Block, Block]:
        """Split the block before the character `at`, which must begin a line."""
        before = self._replace(text=self.text[:at])
        return before, Block(self.text[at:], self.first + before.ends)


def read_blocks(
    stream: BinaryIO,
    source: str,
    size: int = BLOCK_BYTES,
    largest: int = 0,
    before_growth: int = _BEFORE_GROWTH,
) -> Iterator[Block]:
    """Yield a stream's lines in blocks of about `size` bytes.

    After every `before_growth` blocks the size doubles, up to `largest` bytes.

    Errors: CorpusError for bytes that are not UTF-8, naming the line.
    """
    first = 1
    pieces: list[bytes] = []  # the pieces of an unfinished line
    of_size = 0
    while piece := stream.read(size):
        of_size += 1
        if of_size == before_growth:
            size, of_size = max(size, min(largest, 2 * size)), 0
        cut = piece.rfind(b"\n") + 1
        pieces.append(piece[:cut] if cut else piece)
        if not cut:
            continue
        block = _decode(b"".join(pieces), first, source)
        pieces = [piece[cut:]]
        yield block
        first += block.ends
    if any(pieces):
        yield _decode(b"".join(pieces), first, source)


def decode_lines(stream: BinaryIO, source: str) -> Iterator[str]:
    """Iterate over a stream's lines, without line ends (LF or CRLF) and without a byte-order mark.

    Errors: CorpusError for bytes that are not UTF-8, naming the line.
    """
    return chain.from_iterable(map(_without_returns, read_blocks(stream, source)))


def _without_returns(block: Block) -> list[str]:
    lines = block.lines
    return [line.removesuffix("\r") for line in lines] if "\r" in block.text else lines


def _decode(raw: bytes, first: int, source: str) -> Block:
    mark = first == 1 and raw.startswith(codecs.BOM_UTF8)
    if mark:
        raw = raw[len(codecs.BOM_UTF8) :]
    try:
        return Block(raw.decode("utf-8"), first, mark)
    except UnicodeDecodeError as error:
        line = first + raw.count(b"\n", 0, error.start)
        raise not_utf8(f"{source}:{line}", error) from None


def regrouped(blocks: Iterator[Block], cut: Callable[[Block], int]) -> Iterator[Block]:
    """Regroup a text's blocks, so that each ends where `cut` allows it.

    cut: returns the last character of a block at which it may be split, or 0 if there is none. This character
    must begin a line, and the lines after it must not depend on those before it.

    After a block without a cut, the next search waits until the text held has doubled. So a text without any
    cut is searched a few times, not once for each block.
    """
    held: list[Block] = []
    size = looked_at = 0
    for block in blocks:
        held.append(block)
        size += len(block.text)
        if size < 2 * looked_at:
            continue
        whole = _joined(held)
        end = cut(whole)
        if end:
            whole, rest = whole.split(end)
            yield whole
            held, size, looked_at = [rest], len(rest.text), 0
        else:
            held, looked_at = [whole], size
    if held:
        whole = _joined(held)
        end = cut(whole) if size > looked_at else 0
        if end:
            whole, rest = whole.split(end)
            yield whole
            whole = rest
        if whole.text or whole.mark:
            yield whole


def _joined(blocks: list[Block]) -> Block:
    """Join consecutive blocks into one."""
    text = blocks[0].text if len(blocks) == 1 else "".join(block.text for block in blocks)
    return blocks[0]._replace(text=text)


def after_last_sentence(block: Block) -> int:
    """Return the character at which the line after a block's last blank line starts; 0 if none is blank."""
    text = block.text
    end = text.rfind("\n\n") + 2
    if end >= 2:
        return end
    end = len(text)
    if not text.endswith("\n"):
        end = text.rfind("\n") + 1
    while end:
        start = text.rfind("\n", 0, end - 1) + 1
        if is_blank(text[start:end]):
            return end
        end = start
    return 0


def whole_sentences(blocks: Iterator[Block]) -> Iterator[Block]:
    """Regroup blocks so that each ends with a blank line, and no sentence is in two blocks."""
    return regrouped(blocks, after_last_sentence)


def is_blank(line: str) -> bool:
    """Tell whether a line is empty, or white space alone."""
    return not line or line.isspace()
