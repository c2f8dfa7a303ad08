"""Tags in brackets, as in CoNLL-2012 and OntoNotes: (PERSON* opens an entity, *) closes it, * continues."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nertool.corpus.columnar import Ids, Interner, Offsets
from nertool.corpus.schemes import OUTSIDE

_TAG = re.compile(r"(?:\([^()*\s]+)*\*\)*|\([^()*\s]+\)")
_LABEL = re.compile(r"\(([^()*\s]+)")


def is_bracketed(field: str) -> bool:
    """Tell whether a cell is a tag in brackets: (PER*, *, *) or (PER)."""
    return bool(_TAG.fullmatch(field))


def labels_in(field: str) -> list[str]:
    """Return the labels that a tag in brackets opens."""
    return _LABEL.findall(field)


def tags_of_brackets(
    tags: Sequence[str], tag_ids: Ids, sentence_starts: Offsets
) -> tuple[list[str], Ids]:
    """Convert tags in brackets to IOB2. Returns the distinct tags, and each token's number among them (N,).

    Of nested entities, the outermost is used. An entity that is not closed ends with its sentence.
    """
    names: Interner = Interner()
    out = np.full(len(tag_ids), names[OUTSIDE], dtype=np.int32)
    first_tokens = set(sentence_starts.tolist())
    opened = [labels_in(tag) for tag in tags]
    closed = [tag.count(")") for tag in tags]
    depth, label = 0, ""
    for i, tag in enumerate(tag_ids.tolist()):
        if i in first_tokens:
            depth = 0
        if depth:
            out[i] = names[f"I-{label}"]
        elif opened[tag]:
            label = opened[tag][0]
            out[i] = names[f"B-{label}"]
        depth = max(0, depth + len(opened[tag]) - closed[tag])
    return list(names), out
