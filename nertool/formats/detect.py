"""Which format is this? Found from a file's first bytes, and said in words."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from nertool.corpus.blocks import is_blank
from nertool.corpus.tokens import tokenize
from nertool.formats.conll.conllu import WIDTH
from nertool.formats.conll.find import divided_by_commas, looks_like_tag
from nertool.formats.conll.parse import find_layout, is_document_start

HEAD_BYTES = 1 << 16
_ARRAY = re.compile(r"\[\s*[{\[\]]")
_MARKED = re.compile(r"(?<!\\)\[(?:[^\[\]\\]|\\.)+\]\([^()\s]+\)")
_STRAY = re.compile(r"(?<!\\)[\[\]]")
_CONLLU_ROW = re.compile(r"\d+(?:[-.]\d+)?\t")
_ENDS = ".!?…\"'”’)。！？"


def detect(head: bytes, whole: bool, comment: str = "") -> tuple[str, str]:
    """Return a format's name and what shows it. whole: the head is all that there is.

    Bytes that are not UTF-8 are no hindrance here: the format's reader names their line.
    """
    if head.startswith(b"PAR1"):
        return "parquet", "Parquet"
    text = head.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if len(lines) > 1 and (not whole or not lines[-1]):
        lines.pop()  # cut off somewhere, or nothing behind the last line's end
    begin = text.lstrip()
    if begin.startswith("{"):
        return _object(lines, begin, whole)
    if _ARRAY.match(begin):
        return _array(begin)
    return detect_lines(lines, comment)


def _object(lines: Sequence[str], begin: str, whole: bool) -> tuple[str, str]:
    first = next(line for line in lines if not is_blank(line))
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        # One object over several lines, if it is that; a line cut short is better named by its place.
        if whole and first.strip() in ("{", "{ "):
            return "json", "a JSON object"
        value = None
    return "jsonl", f"JSON lines{_keys(value)}"


def _array(begin: str) -> tuple[str, str]:
    # The first object is enough to tell, and may be all that the head holds.
    try:
        value = json.JSONDecoder().raw_decode(begin.lstrip("[ \t\r\n"))[0]
    except (ValueError, RecursionError):
        value = None
    task = isinstance(value, dict) and isinstance(value.get("data"), dict)
    if task or (value is None and re.search(r'"(annotations|completions|data)"\s*:', begin[:4096])):
        return "label-studio", "Label Studio's JSON"
    return "json", f"a JSON list{_keys(value)}"


def _keys(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return " with " + ", ".join(f'"{key}"' for key in list(value)[:6])


def detect_lines(lines: Sequence[str], comment: str = "") -> tuple[str, str]:
    """Tell columns, annotated sentences and plain text apart."""
    rows = [line for line in lines if line.startswith("#") is False and not is_blank(line)]
    if rows and all(line.count("\t") == WIDTH - 1 and _CONLLU_ROW.match(line) for line in rows):
        return "conllu", "CoNLL-U"
    found = columns_or_text(lines, comment)
    if found[0] == "conll":
        return found
    if looks_inline(lines):
        return "inline", "sentences with [words](LABEL)"
    if _is_cut(rows):
        return "text", "text, a sentence a line, words divided by blanks"
    several = len(rows) > 1 and not any(is_blank(line) for line in _inner(lines))
    ended = sum(line.rstrip()[-1:] in _ENDS for line in rows)
    if several and 2 * ended >= len(rows):
        return "lines", "texts, one a line"
    return "raw", "running text"


def columns_or_text(lines: Sequence[str], comment: str = "") -> tuple[str, str]:
    """Tell whether text is in CoNLL columns or in sentences; say what it was taken for."""
    if comment:
        lines = [line for line in lines if not line.startswith(comment)]
    if any(is_document_start(line) for line in lines):
        return "conll", "CoNLL columns (-DOCSTART-)"
    layout = find_layout(lines)
    if layout is None:
        return "text", "text, a sentence a line (there is none)"
    tokens = [line for line in lines if not is_blank(line)]
    plain = [line for line in tokens if not line.startswith("#")] or tokens
    widths = {len(layout.split(line)) for line in plain}
    width = len(layout.split(plain[0]))
    even = len(widths) == 1
    several = len(plain) > 1
    described = f"CoNLL columns ({width} column{'s' * (width != 1)})"
    if layout.delimiter == "\t" and even:
        return "conll", described
    if divided_by_commas(plain):
        return "conll", "CoNLL columns divided by commas"
    if even and several and width == 1 and len(tokens) == len(plain):
        return "conll", "CoNLL columns (a word a line)"
    tag_like = even and all(looks_like_tag(layout.split(line)[-1]) for line in plain)
    if even and width > 1 and (tag_like or (several and len(tokens) < len(lines))):
        return "conll", described
    # Rows that are ragged here and there, but end in tags: columns with a slip, better named than read
    # as text.
    tagged = sum(looks_like_tag(layout.split(line)[-1]) for line in plain)
    if several and len(widths) < 4 and 10 * tagged > 9 * len(plain):
        return "conll", described
    return "text", "text, a sentence a line, words divided by blanks"


def looks_inline(lines: Sequence[str]) -> bool:
    """Tell whether lines hold marked entities, and no bracket that belongs to none."""
    marked = False
    for line in lines:
        if line.startswith("# id:"):
            continue
        marked = marked or bool(_MARKED.search(line))
        if _STRAY.search(_MARKED.sub("", line).replace("\\\\", "")):
            return False
    return marked


def _is_cut(rows: Sequence[str]) -> bool:
    """Tell whether lines are words with blanks between already: cutting them anew changes next to none."""
    words = [word for line in rows[:200] for word in line.split()[:200]]
    changed = sum(len(tokenize(word)) != 1 for word in words)
    return 50 * changed <= len(words)


def _inner(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines between the first and the last that are not blank."""
    filled = [i for i, line in enumerate(lines) if not is_blank(line)]
    return lines[filled[0] : filled[-1]] if filled else []
