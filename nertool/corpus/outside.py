"""Recognise other words for O, the tag of tokens in no entity, such as OTHER, None, NIL and N/A."""

from __future__ import annotations

import unicodedata

from nertool.corpus.invisible import without_invisible

# In lower case. A word of _MAYBE may be a class if O is among the tags, too.
_SURE = {
    "o", "out", "outside", "none", "nil", "null", "nan", "n/a", "#n/a", "<na>", "other_o", "-o-", "no-entity",
    "no_entity", "noentity", "no entity", "not-entity", "non-entity", "no-tag", "no_tag", "notag", "oov",
    "empty", "blank", "untagged", "unlabeled", "unlabelled", "nothing",
}  # fmt: skip
_MAYBE = {
    "other", "others", "na", "no", "neg", "negative", "background", "bg", "x", "word", "token", "text",
    "false", "irrelevant", "undefined", "unknown", "default", "normal", "common",
}  # fmt: skip
_LOOK_ALIKE = str.maketrans("ОоΟο", "OoOo")  # Cyrillic and Greek letters that look like O


def is_no_entity(tag: str) -> bool:
    """Tell whether a tag is another word for O, also if O is among the tags."""
    return _plain(tag) in _SURE


def may_be_no_entity(tag: str) -> bool:
    """Tell whether a tag may be another word for O in a text whose tags don't include O."""
    plain = _plain(tag)
    return plain in _SURE or plain in _MAYBE


def _plain(tag: str) -> str:
    """Normalise a tag: lower case, without quotes, blanks and invisible characters around it.

    Cyrillic and Greek letters that look like O become O.
    """
    if tag.isascii():
        return tag.strip("\"'` ").lower()
    composed = unicodedata.normalize("NFKC", without_invisible(tag)).translate(_LOOK_ALIKE)
    return composed.strip("\"'` ").lower()
