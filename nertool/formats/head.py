"""The first bytes of an input, from which its format is detected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from nertool.corpus.blocks import is_blank
from nertool.corpus.record import Reading
from nertool.files.packed import SUFFIXES


class Head(NamedTuple):
    """The beginning of an input.

    raw: the first bytes. whole: whether these are all bytes of the input. text: the bytes decoded as UTF-8,
    without a byte-order mark. Invalid bytes are replaced here; the format's reader reports their line.
    lines: the complete lines, without line ends. reading: the options of reading.
    ending: the file extension in lower case, without that of a compressed file. "" if there is none.
    """

    raw: bytes
    whole: bool
    text: str
    lines: Sequence[str]
    reading: Reading = Reading()
    ending: str = ""

    @property
    def rows(self) -> list[str]:
        """The lines that are neither blank nor begin with #."""
        return [line for line in self.lines if not line.startswith("#") and not is_blank(line)]

    @property
    def begin(self) -> str:
        """The text without leading whitespace."""
        return self.text.lstrip()


def head_of(raw: bytes, whole: bool, reading: Reading = Reading(), source: str = "") -> Head:  # noqa: B008
    """Make a Head. raw: the input's first bytes. whole: whether these are all. source: the input's name."""
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if len(lines) > 1 and (not whole or not lines[-1]):
        lines.pop()  # an incomplete line, or the empty string after the last line end
    return Head(raw, whole, text, lines, reading, ending_of(source))


def ending_of(name: str) -> str:
    """Return a file extension in lower case, without that of a compressed file: .conll for x.conll.gz."""
    path = PurePath(name.lower())
    return path.with_suffix("").suffix if path.suffix in SUFFIXES else path.suffix
