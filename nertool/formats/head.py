"""The first bytes of an input, as formats look at them to recognise themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from nertool.corpus.blocks import is_blank
from nertool.corpus.record import Reading
from nertool.files.packed import SUFFIXES


class Head(NamedTuple):
    """raw: the first bytes; whole: there are no more. text: them in UTF-8, without a byte-order mark;
    other bytes are no hindrance here: the format's reader names their line. lines: those that are
    whole, without their ends. reading: how it is to be read. ending: of the file's name, in small letters
    and without that of a packed file; "" if there is none."""

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
        """The text from its first character that is no blank."""
        return self.text.lstrip()


def head_of(raw: bytes, whole: bool, reading: Reading = Reading(), source: str = "") -> Head:  # noqa: B008
    """Cut an input's first bytes into lines. whole: they are all that there is; source: its name."""
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if len(lines) > 1 and (not whole or not lines[-1]):
        lines.pop()  # cut off somewhere, or nothing behind the last line's end
    return Head(raw, whole, text, lines, reading, ending_of(source))


def ending_of(name: str) -> str:
    """Return the ending of a file's name in small letters, without that of a packed file: .conll of
    x.conll.gz."""
    path = PurePath(name.lower())
    return path.with_suffix("").suffix if path.suffix in SUFFIXES else path.suffix
