"""A simple reader of CoNLL columns, as a peer's user would write it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def sentences(path: Path) -> Iterator[list[list[str]]]:
    """Yield each sentence as its lines' fields. Document marks end sentences, and are left out."""
    sentence: list[list[str]] = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = line.split()
            if fields and fields[0] != "-DOCSTART-":
                sentence.append(fields)
            elif sentence:
                yield sentence
                sentence = []
    if sentence:
        yield sentence


def as_iob2(tags: list[str]) -> list[str]:
    """Convert IOB1 tags, which CoNLL-2003 has, to IOB2, where an entity's first word has a B-."""
    before = ["O", *tags[:-1]]
    return [
        f"B-{tag[2:]}" if tag[:2] == "I-" and old[2:] != tag[2:] else tag
        for tag, old in zip(tags, before, strict=True)
    ]
