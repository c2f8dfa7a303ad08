"""Helpers for the tests of evaluation: random entities, and entities written by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from nertool.corpus.columnar import Corpus, Interner
from nertool.corpus.schemes import TagSpans

Rows = list[tuple[int, int, str]]


def spans(rows: Rows) -> TagSpans:
    """Return spans from (start, end, label) rows."""
    names = sorted({label for _, _, label in rows})
    starts, ends, labels = (
        np.array([row[i] if i < 2 else names.index(row[2]) for row in rows], dtype=np.int64)
        for i in range(3)
    )
    return TagSpans(starts, ends, labels.astype(np.int32), names)


@st.composite
def disjoint(draw: st.DrawFn, tokens: int = 12, labels: str = "XYZ") -> Rows:
    """Draw the entities of one side: in order, without overlaps, of any length."""
    cuts = sorted(draw(st.sets(st.integers(0, tokens), max_size=8)))
    pieces = list(pairwise(cuts))
    kept = draw(st.lists(st.booleans(), min_size=len(pieces), max_size=len(pieces)))
    names = draw(st.lists(st.sampled_from(labels), min_size=len(pieces), max_size=len(pieces)))
    return [(a, b, n) for (a, b), keep, n in zip(pieces, kept, names, strict=True) if keep]


def corpus_of(*documents: list[str], source: str = "x") -> Corpus:
    """Make a corpus of documents of sentences, each written as "word/TAG word/TAG".

    Each token has its own line, with an empty line between sentences.
    """
    word, tag = Interner(), Interner()
    ids, tags, lines, starts, document_starts, line = [], [], [], [0], [0], 0
    for document in documents:
        for sentence in document:
            for item in sentence.split():
                form, _, name = item.rpartition("/")
                ids.append(word[form])
                tags.append(tag[name])
                line += 1
                lines.append(line)
            line += 1
            starts.append(len(ids))
        document_starts.append(len(starts) - 1)
    return Corpus(
        source=source,
        words=list(word),
        word_ids=np.array(ids, dtype=np.int32),
        tags=list(tag),
        tag_ids=np.array(tags, dtype=np.int32),
        sentence_starts=np.array(starts, dtype=np.int64),
        document_starts=np.array(document_starts, dtype=np.int64),
        line_numbers=np.array(lines, dtype=np.int32),
    )
