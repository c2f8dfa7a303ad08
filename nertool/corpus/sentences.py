"""Split running text into sentences, by the rules of sentencex (about 300 languages)."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cache
from itertools import accumulate

from nertool.corpus.invisible import visible

_FIRST = 1 << 14  # characters at a time: the splitter's time grows faster than linearly
_LARGEST = 1 << 20  # characters: a longer sentence is cut at a blank

# Two kinds of characters make the splitter fail: blanks beyond ASCII before an initial (a bug in its
# computation of byte offsets), and lone surrogates. They are replaced, one character for another.
_BLANKS = {ord(blank): " " for blank in "\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000"}
_BLANKS |= dict.fromkeys(range(0x2000, 0x200B), " ")
_ODD = re.compile("[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]")
_HALF = re.compile("[\ud800-\udfff]")
# For the splitter, a line is blank only if it is empty.
_BLANK_LINES = re.compile(r"(?<=\n)\s+(?=\n)")


def sentence_bounds(text: str, language: str = "en") -> list[int]:
    """Return the character at which each of n sentences starts, and the length of the text: n + 1 numbers.

    text[bounds[i]:bounds[i + 1]] is a sentence with the blanks around it. A blank line, which may have white
    space, ends a sentence; a single line end does not. Invisible characters have no influence.
    """
    seen, runs = visible(text)
    bounds = _bounds(seen, language)
    if not runs:
        return bounds
    places = [place for place, _ in runs]
    lengths = [0, *accumulate(len(run) for _, run in runs)]
    moved = [0]
    for bound in bounds[1:-1]:
        # Invisible characters at a bound go to the next sentence if a blank precedes them, else to this one.
        find = bisect_left if seen[bound - 1].isspace() else bisect_right
        moved.append(bound + lengths[find(places, bound)])
    return [*moved, len(text)]


def _bounds(text: str, language: str) -> list[int]:
    bounds = [0]
    start, size = 0, _FIRST
    while start < len(text):
        piece = text[start : start + size]
        lengths = _lengths(piece, language)
        if start + size < len(text):
            # The last sentence may continue after this piece, so the next piece starts with it.
            if len(lengths) == 1 and size < _LARGEST:
                size *= 2
                continue
            if len(lengths) == 1:
                lengths = [_last_blank(piece)]
            else:
                lengths.pop()
        for length in lengths:
            start += length
            bounds.append(start)
        size = _FIRST
    if len(bounds) == 1:
        bounds.append(len(text))
    return bounds


def _last_blank(piece: str) -> int:
    """Return where to cut a piece without a sentence end: after its last blank, or at its end."""
    blank = max(piece.rfind(" "), piece.rfind("\n"), piece.rfind("\t"))
    return blank + 1 if blank > 0 else len(piece)


def _lengths(text: str, language: str) -> list[int]:
    """Return the length of each sentence of a text with the blanks after it. Their sum is the text's length.

    The splitter works on about 10 KB at a time, and loses the blank line at which it cuts a longer text. So
    each sentence is searched for, and blanks that were lost belong to the sentence before them.
    """
    seen = text
    if not text.isascii() and _ODD.search(text):
        seen = _HALF.sub("\ufffd", text.translate(_BLANKS))
    seen = _BLANK_LINES.sub(lambda blanks: "\n" * len(blanks[0]), seen)
    starts, at = [], 0
    for part in _splitter()(language, seen):
        at = max(at, seen.find(part, at))
        starts.append(at)
        at += len(part)
    ends = [*starts[1:], len(text)]
    return [end - start for start, end in zip([0, *starts[1:]], ends, strict=False)]


@cache
def _splitter():  # type: ignore[no-untyped-def]
    from sentencex import segment  # loaded when first needed: most commands don't use it

    return segment
