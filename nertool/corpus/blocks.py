"""Text read in blocks of whole lines: one decoding and one split for a megabyte, not one for a line."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

import numpy as np

from nertool.files.encodings import not_utf8

BLOCK_BYTES = 1 << 19
_BEFORE_GROWTH = 4  # blocks of one size: few would leave some processes without work
_MARK = "\ufeff"


class Block(NamedTuple):
    """Some lines of a text; first: the number of the first, from 1; mark: a byte-order mark stood
    before it, which is not part of `text`."""

    text: str
    first: int
    mark: bool = False

    @property
    def lines(self) -> list[str]:
        """The lines without their LF (a CR before it stays), cut anew at each call."""
        lines = self.text.split("\n")
        if self.ended:
            lines.pop()
        return lines

    @property
    def ends(self) -> int:
        """How many LFs there are: str.count stops at each, and takes many times as long."""
        raw = np.frombuffer(self.text.encode(), dtype=np.uint8)
        return int(np.count_nonzero(raw == ord("\n")))

    @property
    def ended(self) -> bool:
        """Whether an LF follows the last line, too."""
        return self.text.endswith("\n") or not self.text

    def joined(self, lines: Iterator[str]) -> str:
        """Return lines in place of these, ended alike."""
        return self.marked("\n".join(lines) + ("\n" if self.text.endswith("\n") else ""))

    def marked(self, text: str) -> str:
        """Return a text in place of this one, with the byte-order mark before it if there was one."""
        return _MARK + text if self.mark else text

    def split(self, at: int) -> tuple[Block, Block]:
        """Cut the block in two before the character `at`, which must begin a line."""
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

    In a long text blocks grow up to `largest` bytes: after `before_growth` of one size, the next are
    twice as large.

    Errors: CorpusError for bytes that are not UTF-8, naming the line.
    """
    first = 1
    pieces: list[bytes] = []  # of a line that is longer than a block
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
    """Return a stream's lines one by one, without their ends (LF or CRLF) and without a byte-order mark.

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
    """Cut blocks anew. cut: finds the character of a block before which nothing lies that the lines
    after it belong to (0: there is none), and which begins a line.

    Where there is no cut, the next is looked for once the text held has doubled: so a text without any is
    read a few times, not once for each of its blocks.
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
    """Return blocks that follow each other as one."""
    text = blocks[0].text if len(blocks) == 1 else "".join(block.text for block in blocks)
    return blocks[0]._replace(text=text)


def after_last_sentence(block: Block) -> int:
    """Return where the line after a block's last blank line starts; 0 if no line is blank."""
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
    """Cut blocks anew, so that each ends with a blank line: no sentence lies in two."""
    return regrouped(blocks, after_last_sentence)


def is_blank(line: str) -> bool:
    """Tell whether a line is empty, or nothing but white space."""
    return not line or line.isspace()
