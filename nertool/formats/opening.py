"""Open an input: look at its first bytes to find the format, and lose none of them."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO, NamedTuple

from nertool.catalogue import ALIASES, UNLABELLED
from nertool.formats.detect import HEAD_BYTES, detect


class Opened(NamedTuple):
    """An input whose format is known. head: its first lines; why: what showed the format, if it was found."""

    stream: BinaryIO
    form: str
    why: str | None
    head: list[str]


class Rewound:
    """A stream that gives back first what was read from it already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = BytesIO(head), stream

    def read(self, size: int = -1) -> bytes:
        head = self._head.read(size)
        if size < 0:
            return head + self._stream.read()
        return head + self._stream.read(size - len(head)) if len(head) < size else head


def open_format(stream: BinaryIO, form: str, comment: str = "") -> Opened:
    """Look at a stream's first bytes, and find its format if form is auto; nothing is lost from it."""
    head = b""
    while len(head) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(head))):
        head += piece
    rewound: BinaryIO = Rewound(head, stream)  # type: ignore[assignment]
    whole = len(head) < HEAD_BYTES
    why = None
    if form == "auto":
        form, why = detect(head, whole, comment)
    lines = head.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")
    if len(lines) > 1 and (not whole or not lines[-1]):
        lines.pop()
    return Opened(
        rewound, ALIASES.get(form, form), why, [line.removesuffix("\r") for line in lines]
    )


def labels_needed(opened: Opened) -> Opened:
    """Take for columns what looks like plain text, so that what is wrong with them is named."""
    return opened._replace(form="conll", why=None) if opened.form in UNLABELLED else opened
