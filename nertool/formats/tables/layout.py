"""Detect which columns of a table hold the texts and their labels, from its header and its first rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from nertool.errors import CorpusError
from nertool.formats.conll.find import looks_like_tag, tag_share
from nertool.formats.head import Head
from nertool.formats.json.parse import is_entry_list, parsed

LABELS = ("label", "labels", "entities", "spans", "annotations", "tokens", "ner_tags", "tags", "ner", "tag",
          "word_labels")  # fmt: skip
TEXTS = (
    "text", "sentence", "sentences", "content", "tweet", "body", "message", "document", "review", "comment",
    "abstract", "utterance", "query", "question", "post", "full_text", "raw_text", "article", "input",
    "title", "description", "headline", "note", "snippet", "phrase",
)  # fmt: skip
SIGNS = ",;\t|"
SEPARATOR = re.compile(r"sep=(.)\r?(?:\n|\Z)")  # Excel's first line, which names the delimiter
_NAME = re.compile(r"[^\W\d][\w .#:()-]{0,40}\Z")
_ROWS = 50
_MOST = 0.9


class Table(NamedTuple):
    """The layout of a table.

    sign: the delimiter. names: the names of the columns; known ones are in lower case, as in LABELS. text:
    the column of the texts, None for a table of tokens. tags: the column with one tag for each word of a
    text, or None. fault: why the table can't be read, or None.
    """

    sign: str
    names: list[str]
    text: str | None
    tags: str | None = None
    fault: str | None = None


def find_table(head: Head) -> Table | None:
    """Detect the columns of a table of texts. None for other inputs, such as a table of one word per row."""
    first = next((line for line in head.lines if line.strip()), "")
    named = SEPARATOR.match(first)
    for sign in (named[1],) if named else SIGNS:
        if named is None and sign not in first and head.ending != ".csv":
            continue
        lines = (
            f"{line}\n" for line in head.lines if line.strip() and not (named and line is first)
        )
        try:
            rows = list(islice(csv.reader(lines, delimiter=sign), _ROWS))
        except csv.Error:  # a bare CR in a cell that is not quoted if this is the delimiter
            continue
        if not head.whole and len(rows) < _ROWS and (len(rows) > 1 or "\n" not in head.text):
            rows = rows[
                :-1
            ]  # the last row may be incomplete; keep a header whose first row is longer than the head
        table = _of_rows(sign, rows, head) if rows else None
        if table is not None:
            return table
    return None


def _of_rows(sign: str, rows: list[list[str]], head: Head) -> Table | None:
    names = usual_names(rows[0], head.reading.text_field)
    even = [row for row in rows[1:] if len(row) == len(names)]
    listed = any(
        name in LABELS and _hold_lists([row[i] for row in even]) for i, name in enumerate(names)
    )
    if not listed and any(_is_tags(row[0]) and " " not in row[0] for row in even if row):
        return None
    if len(names) < 2:
        return _single(sign, names, rows[1:], head)
    if len(rows) > 1 and 2 * len(even) < len(rows) - 1:
        return None
    cells = {name: [row[i] for row in even] for i, name in enumerate(names)}
    if head.ending not in (".csv", ".tsv") and not {n.lower() for n in names} & {*TEXTS, *LABELS}:
        return None
    if not all(_NAME.match(name) for name in names) or _is_row(names, cells):
        return _without_header(sign, rows, head)
    if fault := _of_entities(names, cells):
        return Table(sign, names, None, None, fault)
    wanted = head.reading.text_field
    # The column that the user names as the texts may hold words such as O.
    labels = [n for n in names if n != wanted and _are_labels(n, cells[n])]
    tags = next((n for n in labels if _are_tags(cells[n])), None)
    spans = any(is_entry_list(cell) for row in even for cell in row)
    if "tokens" in names and {"ner_tags", "tags"} & set(names):
        return Table(sign, names, None)
    if wanted in names:
        # A table with one word per row, whose header calls the words "text", is in CoNLL columns.
        single = any(name in LABELS for name in names) and not labels and not spans
        if single and not _texts(cells[wanted]) and wanted == "text" and even:
            return None
        return Table(sign, names, wanted, tags)
    texts = [n for n in names if n not in labels and _texts(cells[n]) and not _are_lists(cells[n])]
    known = [name for name in texts if name.lower() in TEXTS]
    found = known if len(known) == 1 else texts
    if wanted != "text" and (found or labels):
        shown = ", ".join(names[:8])
        return Table(sign, names, None, None, f"found a table with the columns {shown}, expected one "
                     f'named "{wanted}"; name the column of the texts by --text-field')  # fmt: skip
    if len(found) == 1:
        return Table(sign, names, found[0], tags)
    if found or ((labels or spans) and not texts):
        short = [name for name in names if name.lower() in TEXTS and name not in labels]
        if not found and len(short) == 1:
            return Table(sign, names, short[0], tags)
        shown = ", ".join(names[:8])
        return Table(sign, names, None, None, f"found a table with the columns {shown}, expected one "
                     f"of texts; name it by --text-field (corpus.text_field)")  # fmt: skip
    return None


def _single(sign: str, names: list[str], rows: list[list[str]], head: Head) -> Table | None:
    """Return a table of one column. Only its name and the file extension .csv distinguish it from lines of
    text."""
    if head.ending != ".csv" or sign != "," or not names:
        return None
    if names[0].lower() in TEXTS or names[0] == head.reading.text_field:
        even = all(len(row) in (0, 1) for row in rows)
        return Table(sign, names, names[0]) if even else None
    return None


def _is_row(names: Sequence[str], cells: dict[str, list[str]]) -> bool:
    """Tell whether the first row is not a header but data.

    It is if it holds tags, a sentence in a column of texts, or a cell that occurs again in its column.
    """
    known = any(name.lower() in (*TEXTS, *LABELS) for name in names)
    return not known and any(
        _is_tags(name) or name in cells[name] or (len(name.split()) > 2 and _texts(cells[name]))
        for name in names
    )


def _without_header(sign: str, rows: list[list[str]], head: Head) -> Table | None:
    """Return a faulty table, without a header, if the rows hold texts."""
    width = len(rows[0])
    even = [row for row in rows if len(row) == width]
    alike = len(even) == len(rows) and (sign == "\t" or head.ending in (".csv", ".tsv"))
    if not alike or not any(_texts([row[i] for row in even]) for i in range(width)):
        return None
    if any(tag_share([row[i].strip() for row in even]) >= _MOST for i in range(width)):
        return None
    what = (
        f"found a table of {width} columns without a header, expected a first row that names them, text "
        "among them; add one, or take its lines as texts by --format lines"
    )
    return Table(sign, [], None, None, what)


_PLACES = (("start", "begin", "begin offset", "start_offset", "start_char", "beginoffset"),
           ("end", "end offset", "end_offset", "end_char", "endoffset"),
           ("label", "type", "class", "entity", "tag", "category"))  # fmt: skip


def _of_entities(names: list[str], cells: dict[str, list[str]]) -> str | None:
    """Return the fault of a table whose rows are entities with their offsets, or None for another table."""
    lower = {name.lower(): name for name in names}
    found = [next((lower[n] for n in known if n in lower), None) for known in _PLACES]
    if None in found:
        return None
    if not all(cell.strip().isdigit() for name in found[:2] for cell in cells[str(name)]):
        return None
    comprehend = {"file", "line"} <= set(lower)
    whose = ", as Amazon Comprehend has them" if comprehend else ""
    return (
        f"found a table with a row for each entity ({', '.join(names[:8])}){whose}, expected one with a row "
        "for each text and its entities in a cell; put each text and its entities together"
    )


def usual_names(row: Sequence[str], text_field: str) -> list[str]:
    """Return a header's names without surrounding whitespace, the known ones in lower case.

    An empty first name, as pandas writes for its index, becomes "index".
    """
    names = [name.strip() for name in row]
    if text_field not in names:
        names = [name.lower() if name.lower() in (*LABELS, "text") else name for name in names]
    return ["index", *names[1:]] if names and not names[0] else names


def tags_in_cell(cell: str) -> list[Any]:
    """Return the entries of a cell of tags: a list, or words separated by whitespace or commas."""
    value = parsed(cell)
    return value if isinstance(value, list) else cell.replace(",", " ").split()


def _is_tags(cell: str) -> bool:
    """Tell whether a cell certainly holds tags, and nothing else."""
    try:
        tags = tags_in_cell(cell)
    except CorpusError:
        return False
    return bool(tags) and all(isinstance(tag, str) and looks_like_tag(tag) for tag in tags)


def _are_tags(cells: Sequence[str]) -> bool:
    """Tell whether nearly all cells of a column hold tags, and some cell several of them."""
    filled = [cell for cell in cells if cell.strip()]
    alike = [cell for cell in filled if _is_tags(cell)]
    several = any(len(tags_in_cell(cell)) > 1 for cell in alike)
    return several and len(alike) >= _MOST * len(filled)


def _are_labels(name: str, cells: Sequence[str]) -> bool:
    return (name in LABELS and _hold_lists(cells)) or _are_tags(cells)


def _hold_lists(cells: Sequence[str]) -> bool:
    """Tell whether all filled cells of a column are lists or objects, and at least one is filled."""
    return _are_lists(cells) and any(cell.strip() for cell in cells)


def _are_lists(cells: Sequence[str]) -> bool:
    return all(cell.lstrip().startswith(("[", "{")) for cell in cells if cell.strip())


_NUMBERED = re.compile(r"\w+[\s:_#.-]*\d[\d.]*\Z")


def _texts(cells: Sequence[str]) -> bool:
    """Tell whether most cells of a column are texts of several words."""
    filled = [cell for cell in cells if cell.strip()]
    texts = [c for c in filled if len(c.split()) > 1 and not _NUMBERED.match(c.strip())]
    return bool(filled) and 2 * len(texts) >= len(filled)
