"""Guess the intended format of a text that no labelled format has recognised.

The guess rests on the file extension, on most of the lines, or on markup of another program. It prevents that
faulty or unsupported labelled text is taken for plain text.
"""

from __future__ import annotations

import json
import re

from nertool.catalogue import FORMATS, Format, find_format
from nertool.corpus.blocks import is_blank
from nertool.errors import CorpusError
from nertool.formats.conll.find import divided, holds_texts, looks_like_tag
from nertool.formats.foreign import unread_document, unread_markup
from nertool.formats.head import Head

_COLUMNS = (".conll", ".iob", ".iob2", ".bio", ".bioes", ".bilou", ".conll03", ".conll2003", ".ner", ".tok",
            ".esp", ".ned")  # fmt: skip
_PLAIN = ".txt"
_WIDEST = 8  # the maximum number of columns separated by spaces; more words are a sentence
_CELLS = 0.5  # text is taken for columns if this share of its rows ends with a tag


def meant(known: Format, why: str, head: Head, source: str) -> tuple[Format, str]:
    """Return the intended format of a text that was detected as plain text, and the reason in words.

    known, why: the detected format and its reason, which are returned if the text is indeed plain text.
    Errors: CorpusError for a text that is neither plain text nor in a format that is read.
    """
    if found := unread_document(head.text) or unread_markup(head.text, head.rows):
        raise CorpusError(
            f"{source}: found {found.what}, expected text or labelled text; {found.remedy} (--format raw "
            "takes the marks as text)"
        )
    if head.ending == ".conllu":
        return find_format("conllu"), "CoNLL-U, by its ending"
    if rows_of_columns(head, _CELLS):
        return find_format("conll"), "CoNLL columns, by most of its rows"
    if head.ending in _COLUMNS:
        if not head.rows or _short(head.rows):
            return find_format("conll"), "CoNLL columns, by its ending"
        raise CorpusError(
            f"{source}: found text that is not in columns, expected lines of a word and its tag, as its "
            "ending says; --format text takes its lines as sentences, --format raw as running text"
        )
    if _is_list_of_strings(head):
        raise CorpusError(
            f'{source}: found a JSON list of strings, expected objects such as {{"text": …}}; write each '
            "string as an object, or as a line of its own"
        )
    named = [f for f in FORMATS if head.ending in (f.ending, *f.other_endings) and f.labelled]
    if named and head.ending not in ("", _PLAIN) and not is_blank(head.text):
        usual = next((f for f in named if f.chosen_by_ending), named[0])
        what = "not JSON" if usual.module.startswith("json.") else f"not {usual.title}"
        raise CorpusError(
            f"{source}: found text that is {what}, unlike its ending; correct the file, or give its "
            "format by --format, such as --format raw for running text"
        )
    return known, why


def rows_of_columns(head: Head, share: float) -> bool:
    """Tell whether lines are columns, some of which may be faulty.

    They are if at least `share` of the rows end with a tag. Without enough tags, tables that are not
    separated by spaces need an equal number of columns in half of the rows, and no column of texts. Rows that
    are separated by spaces need an equal number of columns in 80 % of the rows, and blank lines between
    sentences.
    """
    rows = head.rows
    if len(rows) < 2:
        return False
    layout = divided(rows)
    if layout.width < 2:
        return False
    cut = [layout.split(row) for row in rows]
    if layout.delimiter == " " and max(map(len, cut)) > _WIDEST:
        return False
    tagged = sum(len(row) > 1 and is_tag_or_slip(row[-1]) for row in cut)
    if tagged >= share * len(rows):
        return True
    even = sum(len(row) == layout.width for row in cut)
    if layout.delimiter != " ":
        return 2 * even >= len(rows) and not holds_texts(cut, layout)
    blocks = _blocks(head)
    return even >= 0.8 * len(rows) and len(rows) >= 5 and 1 < blocks <= len(rows) / 2


def is_tag_or_slip(cell: str) -> bool:
    """Tell whether a cell is a tag, or B- or I- without a class."""
    return looks_like_tag(cell) or cell in ("B-", "I-")


def _blocks(head: Head) -> int:
    """Count the blocks of lines that blank lines separate."""
    filled = [not is_blank(line) for line in head.lines]
    return sum(now and not before for before, now in zip([False, *filled], filled, strict=False))


def _short(rows: list[str]) -> bool:
    """Tell whether most rows have at most three words."""
    return 2 * sum(len(row.split()) <= 3 for row in rows) > len(rows)


_STRING = re.compile(r'\[\s*"')


def _is_list_of_strings(head: Head) -> bool:
    if not head.whole or not _STRING.match(head.begin):
        return False
    try:
        return isinstance(json.loads(head.text), list)
    except (ValueError, RecursionError):
        return False
