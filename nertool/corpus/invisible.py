"""Invisible characters, and the normal form under which a word is looked up.

Invisible are soft hyphens, zero-width spaces and joiners, byte-order marks, direction marks and variation
selectors. Unicode calls them default-ignorable (DerivedCoreProperties.txt, Default_Ignorable_Code_Point).
They stay in the text. Every lookup ignores them, and treats composed and decomposed letters alike (NFC).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# Unicode 16's Default_Ignorable_Code_Point; Python's unicodedata lacks the property.
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_RUN = re.compile(f"[{IGNORABLE}]+")

# Characters that begin an embedding, an override or an isolate belong to the text that follows.
OPENING = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


def normal_form(word: str) -> str:
    """Return the form in which a word is looked up: without invisible characters, and composed (NFC).

    A word that consists of invisible characters alone is returned unchanged.

    >>> normal_form("Zu\\u0308\\u00adrich")
    'Zürich'
    """
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", without_invisible(word) or word)


def normal_forms(words: Sequence[str]) -> Sequence[str]:
    """Return the normal form of each word. Words in ASCII are returned unchanged, without a loop."""
    return words if "".join(words).isascii() else [normal_form(word) for word in words]


def without_invisible(text: str) -> str:
    """Return a text without its invisible characters."""
    return _RUN.sub("", text)


def is_blank_text(text: str) -> bool:
    """Tell whether a text is empty, or consists of white space and invisible characters alone."""
    return not text or text.isspace() or not (text.isascii() or without_invisible(text).strip())


def visible(text: str) -> tuple[str, list[tuple[int, str]]]:
    """Remove invisible characters; return the visible text, and each run removed with its position in it.

    >>> visible("a\\u00adb\\u200b")
    ('ab', [(1, '\\xad'), (2, '\\u200b')])
    """
    if text.isascii():
        return text, []
    runs = []
    removed = 0
    for match in _RUN.finditer(text):
        runs.append((match.start() - removed, match[0]))
        removed += len(match[0])
    return (_RUN.sub("", text), runs) if runs else (text, [])
