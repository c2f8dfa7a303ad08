"""One odd file, and what must become of it in every command that reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

Content = str | bytes | Mapping[str, str | bytes]


class Odd(NamedTuple):
    """A file, or a folder of files by name, and what becomes of it.

    expected: the number of entities by class; or what the refusal of commands that need labels says.
    predict: what its refusal says; empty: it tags the same words as the others read, and not as plain text.
    tagged: where the others refuse, how many words `predict` tags; 0: it must refuse as
    they do; -1: any number; -2: none.
    options: for all commands.
    """

    name: str
    content: Content
    expected: Mapping[str, int] | str
    predict: str = ""
    tagged: int = 0
    options: tuple[str, ...] = ()


COLUMNS = "Ada\tB-PER\nmet\tO\nme\tO\n\nBob\tB-PER\nleft\tO\nParis\tB-LOC\n\n"
TEXT = "Ada met me in London."
ALL = {"PER": 2, "LOC": 1}


def columns(old: str, new: str, text: str = COLUMNS) -> str:
    """Return the usual columns with something replaced."""
    assert old in text
    return text.replace(old, new)


def rows(row: str, text: str = COLUMNS) -> str:
    """Return the usual columns, each row made anew from its word {w} and tag {t}."""
    made = (
        row.format(w=line.split("\t")[0], t=line.split("\t")[1]) if line else ""
        for line in text.split("\n")
    )
    return "\n".join(made)


def lines(*values: object) -> str:
    """Return JSON lines."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def record(entities: object, text: str = TEXT) -> str:
    """Return a good record of one entity, and a second one with these entities."""
    return lines(
        {"text": "Cy ran.", "entities": [[0, 2, "PER"]]}, {"text": text, "entities": entities}
    )


def written(odd: Odd, folder: Path) -> Path:
    """Write a case's file or folder; return its path."""
    path = folder / odd.name
    if isinstance(odd.content, str | bytes):
        path.write_bytes(odd.content.encode() if isinstance(odd.content, str) else odd.content)
        return path
    for name, content in odd.content.items():
        path.mkdir(exist_ok=True)
        (path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return path
