"""Which column holds the words and which the tags, found from a file's first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from nertool.corpus.blocks import is_blank
from nertool.corpus.record import Reading
from nertool.corpus.schemes import split_tag
from nertool.errors import CorpusError, did_you_mean
from nertool.formats.conll.parse import Columns
from nertool.formats.conll.rows import Layout, find_layout, is_document_start

_WORD_NAMES = ("token", "word", "form", "tokens", "words", "text")
_TAG_NAMES = ("tag", "ner", "ner_tag", "ner_tags", "label", "entity", "bio", "iob")
_SENTENCE_NAMES = ("sentence #", "sentence", "sentence_id", "sent_id", "sentence_idx")
_DELIMITERS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|"}
_NUMBER = re.compile(r"\d+\Z")


def looks_like_tag(field: str) -> bool:
    """Tell whether a column's entry is a tag without any doubt: O, or a prefix with a label."""
    return field == "O" or (split_tag(field)[1] != field and field.partition("-")[0] in "BIESLUM")


def find_columns(head: Sequence[str], reading: Reading, source: str) -> tuple[Columns, str]:
    """Find the layout of CoNLL columns, and say in words what is not as usual ("" if all is).

    Usual are a word first and its tag last, divided by tabs or spaces. Also known: a header that
    names the columns, rows numbered from 1 in each sentence (GermEval: the first of two columns of
    tags is taken), comments that start with #, and tables divided by commas. What reading sets is
    not looked for. Errors: CorpusError for a name that no column has.
    """
    delimiter = _DELIMITERS.get(reading.delimiter or "", reading.delimiter)
    lines = [line for line in head if not (reading.comment and line.startswith(reading.comment))]
    rows_of = [line for line in lines if not is_blank(line) and not is_document_start(line)]
    if delimiter is None:
        delimiter = _delimiter(rows_of)
    layout = _layout(rows_of, delimiter)
    if layout is None:
        return Columns(comment=reading.comment, hash_comments=True), ""
    rows = [fields for line in rows_of if len(fields := layout.split(line)) == layout.width]
    notes: list[str] = []
    columns = Columns(comment=reading.comment, hash_comments=True, layout=layout)

    names = [field.strip().lower() for field in rows[0]] if rows else []
    asked = [c for c in (reading.token_column, reading.tag_column) if isinstance(c, str)]
    if asked or _is_header(names, rows[1:]):
        first = next(
            i
            for i, line in enumerate(head, 1)
            if not is_blank(line) and layout.split(line) == rows[0]
        )
        columns = replace(
            columns,
            header=first,
            token=_named(reading.token_column, names, _WORD_NAMES, source),
            tag=_named(reading.tag_column, names, _TAG_NAMES, source),
            sentence=next((names.index(n) for n in _SENTENCE_NAMES if n in names), None),
        )
        notes.append(f"a header in line {first}")
        return columns, "; ".join(notes)
    token = reading.token_column
    tag = reading.tag_column
    if token is None and tag is None and layout.width > 2 and _numbered(head, layout):
        tags = [c for c in range(2, layout.width) if all(looks_like_tag(r[c]) for r in rows)]
        columns = replace(
            columns, token=1, tag=tags[0] if tags else -1, comment=reading.comment or "#"
        )
        notes.append("numbered rows")
        if len(tags) > 1:
            notes.append(f"the first of {len(tags)} columns of tags")
    else:
        columns = replace(
            columns,
            token=token if isinstance(token, int) else 0,
            tag=tag if isinstance(tag, int) else -1,
        )
    if any(line.startswith("#") and len(layout.split(line)) != layout.width for line in rows_of):
        notes.append("lines that start with # and have another width: taken for comments")
    return columns, "; ".join(notes)


def _delimiter(lines: Sequence[str]) -> str:
    if any("\t" in line for line in lines):
        return "\t"
    return "," if divided_by_commas(lines) else " "


def divided_by_commas(lines: Sequence[str]) -> bool:
    """Tell whether lines are a table divided by commas, with tags in it; its first may be a header."""
    if len(lines) < 2 or "," not in lines[0]:
        return False
    rows = [Layout(",", 0).split(line) for line in lines]
    width = len(rows[0])
    return all(len(row) == width for row in rows) and any(
        all(looks_like_tag(row[c].strip()) for row in rows[1:]) for c in range(width)
    )


def _layout(lines: Sequence[str], delimiter: str) -> Layout | None:
    """Take the commonest width; of comments' lines only if there are no others."""
    plain = [line for line in lines if not line.startswith("#")] or list(lines)
    if not plain:
        return None
    split = Layout(delimiter, 0).split
    if len({len(split(line)) for line in lines}) == 1:
        return Layout(delimiter, len(split(lines[0])))
    found = find_layout(plain)
    if found is not None and found.delimiter == delimiter:
        return found
    return Layout(delimiter, Counter(len(split(line)) for line in plain).most_common(1)[0][0])


def _is_header(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    if not rows or not any(n in names for n in _WORD_NAMES):
        return False
    tag = next((names.index(n) for n in _TAG_NAMES if n in names), None)
    return tag is not None and all(looks_like_tag(row[tag].strip()) for row in rows)


def _named(asked: int | str | None, names: Sequence[str], usual: Sequence[str], source: str) -> int:
    if isinstance(asked, int):
        return asked
    if asked is None:
        return next(
            (names.index(n) for n in usual if n in names), 0 if usual is _WORD_NAMES else -1
        )
    if asked.lower() not in names:
        raise CorpusError(
            f'{source}: found the columns {", ".join(names)}, expected one named "{asked}"'
            f"{did_you_mean(asked.lower(), names)}"
        )
    return names.index(asked.lower())


def _numbered(head: Sequence[str], layout: Layout) -> bool:
    """Tell whether the rows of each sentence are numbered from 1."""
    expected = 1
    seen = False
    for line in head:
        if is_blank(line) or is_document_start(line):
            expected = 1
            continue
        fields = layout.split(line)
        if line.startswith("#") and len(fields) != layout.width:
            continue
        if line.startswith("#") or not _NUMBER.match(fields[0]) or int(fields[0]) != expected:
            # A comment as wide as the rows, as GermEval's may be, stands before row 1.
            if line.startswith("#") and expected == 1:
                continue
            return False
        expected += 1
        seen = True
    return seen
