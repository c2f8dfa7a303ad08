"""Running text → sentences, by the rules of sentencex (about 300 languages)."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cache
from itertools import accumulate

from nertool.corpus.invisible import visible

_FIRST = 1 << 14  # characters at a time: the splitter's time grows faster than its text
_LARGEST = 1 << 20  # a sentence may be so long before it is cut at a blank

# What the splitter stumbles over is replaced, character for character, before it sees the text: blanks
# beyond ASCII before an initial (a slip in its arithmetic of bytes), and halves of surrogate pairs.
_BLANKS = {ord(blank): " " for blank in "\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000"}
_BLANKS |= dict.fromkeys(range(0x2000, 0x200B), " ")
_ODD = re.compile("[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]")
_HALF = re.compile("[\ud800-\udfff]")


def sentence_bounds(text: str, language: str = "en") -> list[int]:
    """Return where each sentence starts, from 0, and the text's end: n + 1 places for n sentences.

    What lies between two places is a sentence with the blanks around it. A blank line ends a
    sentence, a single line end does not. Invisible characters change nothing.
    """
    seen, runs = visible(text)
    bounds = _bounds(seen, language)
    if not runs:
        return bounds
    places = [place for place, _ in runs]
    lengths = [0, *accumulate(len(run) for _, run in runs)]
    moved = [0]
    for bound in bounds[1:-1]:
        # Those at a bound begin the next sentence if a blank stands before them, else they end this one.
        find = bisect_left if seen[bound - 1].isspace() else bisect_right
        moved.append(bound + lengths[find(places, bound)])
    return [*moved, len(text)]


def _bounds(text: str, language: str) -> list[int]:
    bounds = [0]
    start, size = 0, _FIRST
    while start < len(text):
        piece = text[start : start + size]
        lengths = [len(sentence) for sentence in _segment(piece, language)]
        if start + size < len(text):
            # The last one may go on behind the piece: it begins the next piece.
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
    """Return where a piece without an end of sentence is cut: after its last blank, if it has one."""
    blank = max(piece.rfind(" "), piece.rfind("\n"), piece.rfind("\t"))
    return blank + 1 if blank > 0 else len(piece)


def _segment(text: str, language: str) -> list[str]:
    seen = text
    if not text.isascii() and _ODD.search(text):
        seen = _HALF.sub("\ufffd", text.translate(_BLANKS))
    parts: list[str] = _splitter()(language, seen)
    return parts


@cache
def _splitter():  # type: ignore[no-untyped-def]
    from sentencex import segment  # loaded when first needed: most commands do without

    return segment
