"""Other words for O, the tag of tokens in no entity, as files have them: OTHER, None, NIL, N/A."""

from __future__ import annotations

import unicodedata

from nertool.corpus.invisible import without_invisible

# In small letters. The second kind may be a class where O is there, too.
_SURE = {
    "o", "out", "outside", "none", "nil", "null", "nan", "n/a", "#n/a", "<na>", "other_o", "-o-", "no-entity",
    "no_entity", "noentity", "no entity", "not-entity", "non-entity", "no-tag", "no_tag", "notag", "oov",
    "empty", "blank", "untagged", "unlabeled", "unlabelled", "nothing",
}  # fmt: skip
_MAYBE = {
    "other", "others", "na", "no", "neg", "negative", "background", "bg", "x", "word", "token", "text",
    "false", "irrelevant", "undefined", "unknown", "default", "normal", "common",
}  # fmt: skip
_LOOK_ALIKE = str.maketrans("ОоΟο", "OoOo")  # of the Cyrillic and the Greek alphabet


def is_no_entity(tag: str) -> bool:
    """Tell whether a tag is another word for O, whatever other tags there are."""
    return _plain(tag) in _SURE


def may_be_no_entity(tag: str) -> bool:
    """Tell whether a tag is another word for O where O itself is not among the tags."""
    plain = _plain(tag)
    return plain in _SURE or plain in _MAYBE


def _plain(tag: str) -> str:
    """Return a tag in small letters, without quotes, blanks and invisible characters; letters that look like
    Latin ones are these."""
    if tag.isascii():
        return tag.strip("\"'` ").lower()
    composed = unicodedata.normalize("NFKC", without_invisible(tag)).translate(_LOOK_ALIKE)
    return composed.strip("\"'` ").lower()
