r"""Inline annotation: a sentence a line, entities as [Ada Lovelace](PER).

A bracket or backslash of the text itself is written with a backslash before it: \[ \] \\.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nertool.corpus.columnar import Span

_ESCAPES = str.maketrans({"[": r"\[", "]": r"\]", "\\": r"\\"})


def mark_inline(text: str, spans: Iterable[Span]) -> str:
    """Mark entities in a text; spans count characters, and stand in order."""
    out = []
    at = 0
    for start, end, label in spans:
        out.append(text[at:start].translate(_ESCAPES))
        out.append(f"[{text[start:end].translate(_ESCAPES)}]({label})")
        at = end
    out.append(text[at:].translate(_ESCAPES))
    return "".join(out)


def to_inline(words: Sequence[str], spans: Iterable[Span]) -> str:
    """Write a sentence's words with blanks between and its entities marked; spans count words."""
    ends = [0]
    for word in words:
        ends.append(ends[-1] + len(word) + 1)
    in_text = [Span(ends[start], ends[end] - 1, label) for start, end, label in spans]
    return mark_inline(" ".join(words), in_text)
