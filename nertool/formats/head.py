"""The first bytes of an input, as formats look at them to recognise themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nertool.corpus.blocks import is_blank

HEAD_BYTES = 1 << 16


class Head(NamedTuple):
    """raw: the first bytes; whole: there are no more. text: them in UTF-8, without a byte-order mark;
    other bytes are no hindrance here: the format's reader names their line. lines: those that are
    whole, without their ends. comment: what begins a line that is no data ("": nothing)."""

    raw: bytes
    whole: bool
    text: str
    lines: Sequence[str]
    comment: str = ""

    @property
    def rows(self) -> list[str]:
        """The lines that are neither blank nor begin with #."""
        return [line for line in self.lines if not line.startswith("#") and not is_blank(line)]

    @property
    def begin(self) -> str:
        """The text from its first character that is no blank."""
        return self.text.lstrip()


def head_of(raw: bytes, whole: bool, comment: str = "") -> Head:
    """Cut an input's first bytes into lines. whole: they are all that there is."""
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if len(lines) > 1 and (not whole or not lines[-1]):
        lines.pop()  # cut off somewhere, or nothing behind the last line's end
    return Head(raw, whole, text, lines, comment)
