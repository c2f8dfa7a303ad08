"""A reader of WebAnno TSV 3.2 and later, as strict as INCEpTION's own.

It is written from the format's description and from the behaviour of that reader, and shares nothing with
nertool's. Positions decide, words in rows are ignored, and a line in the wrong order is an error.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ESCAPED = re.compile(r"\\([\x00-\x07\x0e-\x1ftnfrb\\])")
_NAMES = {"t": "\t", "n": "\n", "f": "\f", "r": "\r", "b": "\b"}
_VALUE = re.compile(r"\\(->|[\\\[\]|_;tn*])")


class Document(NamedTuple):
    """A text; sentences and tokens as their words; entities as text and label each."""

    text: str
    sentences: list[str]
    tokens: list[str]
    entities: list[tuple[str, str]]
    begins: list[int]


def document_of(content: str, feature: str = "value") -> Document:
    """Read a file. Errors: AssertionError for input that the importer refuses."""
    lines = re.split(r"\r\n|\r|\n", content)
    assert lines.pop() == "", "the last line has no end"
    assert re.fullmatch(r"#FORMAT=WebAnno TSV 3\.[23]", lines[0])
    columns: list[str] = []
    at = 1
    while lines[at].startswith("#T_SP="):
        name, *features = lines[at].removeprefix("#T_SP=").split("|")
        assert name
        columns += features
        at += 1
    assert lines[at : at + 2] == ["", ""], "two empty lines end the header"
    units = b""  # the text in UTF-16, two bytes per unit
    sentences: list[tuple[int, int]] = []
    tokens: list[tuple[int, int]] = []
    spans: dict[str, list] = {}
    state, held, number = "between", "", 0
    for line in [*lines[at + 2 :], None]:
        before = state
        if before in ("between", "head") and line is not None and line.startswith("#"):
            state = "head"
            assert line.startswith("#Text="), line
            held += (
                _ESCAPED.sub(lambda m: _NAMES.get(m[1], m[1]), line.removeprefix("#Text=")) + "\n"
            )
            continue
        if not line:
            assert before == "token", f"an empty line, or the end, after {before}"
            sentences[-1] = (sentences[-1][0], len(units) // 2 - 1)
            state = "between"
            continue
        assert before in ("head", "token"), line
        cells = line.split("\t")
        assert len(cells) >= 3 + len(columns)
        begin, end = map(int, cells[1].split("-"))
        if before == "head":
            if len(units) // 2 > begin:
                assert len(units) // 2 == begin + 1, "the sentence begins in the one before"
                units = units[:-2]
            units += " ".encode("utf-16-le") * (begin - len(units) // 2)
            units += held.encode("utf-16-le", "surrogatepass")
            sentences.append((begin, -1))
            held = ""
        assert end <= len(units) // 2
        number = 1 if before == "head" else number + 1
        assert cells[0] == f"{len(sentences)}-{number}"
        tokens.append((begin, end))
        state = "token"
        cell = cells[3 + columns.index(feature)]
        assert "|" not in re.sub(r"\\.", "", cell), "no annotation of ours is stacked"
        if cell == "_":
            continue
        parts = re.fullmatch(r"(.*)\[(\d+)\]", cell, re.DOTALL)
        assert parts is not None
        value, key = parts.groups()
        label = _VALUE.sub(lambda m: {"t": "\t", "n": "\n"}.get(m[1], m[1]), value)
        span = spans.setdefault(key, [begin, end, label])
        assert span[2] == label
        span[1] = end

    def covered(begin: int, end: int) -> str:
        return units[2 * begin : 2 * end].decode("utf-16-le", "surrogatepass")

    return Document(
        covered(0, len(units) // 2),
        [covered(*place) for place in sentences],
        [covered(*place) for place in tokens],
        [(covered(begin, end), label) for begin, end, label in spans.values()],
        [begin for begin, _ in tokens],
    )
