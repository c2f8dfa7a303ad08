"""Replace and count, or refuse, what a format's grammar can't hold, so that every output can be read back."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np

from nertool.corpus.annotated import Annotated
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import TagSpans, checked_tag, split_tag, tag_names
from nertool.errors import CorpusError

LINE_SIGNS = re.compile(r"[\t\n\r]+")  # what separates columns and lines


def with_labels(piece: Annotated, forbidden: re.Pattern[str], ledger: Ledger) -> Annotated:
    """Replace forbidden characters in labels by "_", and count the changed entities.

    Errors: CorpusError if two labels would become equal.
    """
    spans = piece.spans
    names = [forbidden.sub("_", name) for name in spans.label_names]
    if names == spans.label_names:
        return piece
    if len(set(names)) < len(names):
        times = Counter(names)
        clash = next(name for name in names if times[name] > 1)
        raise CorpusError(
            f'{piece.corpus.source}: found several labels that the output would write as "{clash}", '
            "expected labels that stay apart without blanks and signs; rename them, or choose another "
            "format"
        )
    counts = np.bincount(spans.labels, minlength=len(names))
    present, firsts = np.unique(spans.labels, return_index=True)
    first = dict(zip(present.tolist(), firsts.tolist(), strict=True))
    changed = zip(spans.label_names, names, counts.tolist(), strict=True)
    for label, (old, new, n) in enumerate(changed):
        if old != new:
            place = (
                piece.corpus.place(int(spans.starts[first[label]])) if n else piece.corpus.source
            )
            for _ in range(n):
                ledger.alter(
                    place, "labels with signs that the format can't hold", f"{old} → {new}"
                )
    return piece._replace(spans=TagSpans(spans.starts, spans.ends, spans.labels, names))


def with_words(piece: Annotated, forbidden: re.Pattern[str], by: str, ledger: Ledger) -> Annotated:
    """Replace forbidden characters in words by the string `by`, and count the changed tokens.

    A word that would become empty becomes "_".
    """
    corpus = piece.corpus
    words = list(corpus.words)
    odd = [i for i, word in enumerate(words) if forbidden.search(word)]
    if not odd:
        return piece
    for i in odd:
        words[i] = forbidden.sub(by, words[i]).strip() or "_"
    for token in np.flatnonzero(np.isin(corpus.word_ids, odd)).tolist():
        number = corpus.word_ids[token]
        what = "words with tabs, line ends or signs that the format can't hold"
        ledger.alter(corpus.place(token), what, f"{corpus.words[number]!r} → {words[number]}")
    return piece._replace(corpus=replace(corpus, words=words))


def held_id(given: object, forbidden: re.Pattern[str], by: str, place: str, ledger: Ledger) -> str:
    """Return a record's id with forbidden characters replaced, or "" if it has none. A change is counted."""
    if given is None:
        return ""
    name = str(given)
    held = forbidden.sub(by, name).strip()
    if held != name:
        ledger.alter(place, "ids with signs that the format can't hold", f"{name} → {held}")
    return held


def check_labels(piece: Annotated, scheme: str) -> None:
    """Refuse labels that can't be part of a tag, such as "-": a reader takes the tag B-- for an error.

    Errors: CorpusError with the label.
    """
    names = piece.spans.label_names
    for label in names:
        for tag in tag_names([label], scheme)[1:]:
            try:
                checked_tag(tag)
                whole = split_tag(tag)[1] == label
            except CorpusError:
                whole = False
            if not whole:
                raise CorpusError(
                    f'{piece.corpus.source}: found the label "{label}", which a tag such as {tag} can\'t '
                    "hold, expected a label with a letter; rename it, or choose a format of spans (jsonl)"
                )
