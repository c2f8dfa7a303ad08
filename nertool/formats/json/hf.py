"""Hugging Face's token classification: one sentence per line, with tokens and their tags.

```
{"id": "0", "tokens": ["Ada", "met", "me"], "ner_tags": ["B-PER", "O", "O"]}
```

The tags may also be numbers. The option --tag-names lists their names.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from nertool.corpus.annotated import RecordView, views, with_records
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT, GOLD
from nertool.corpus.schemes import TagSpans, tag_names, tags_of
from nertool.formats.base import Pieces, Writing, tags_in
from nertool.formats.head import Head
from nertool.formats.json import jsonl
from nertool.formats.json.text import dump
from nertool.formats.writable import check_labels


def detect(head: Head) -> str | None:
    """Never recognise a file: such files are detected and read as JSON lines."""
    return None


read = jsonl.read


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one sentence per line, with tokens and their tags by name."""
    for row, _ in sentence_rows(pieces, writing, ledger):
        yield dump(row) + "\n"


def sentence_rows(
    pieces: Pieces, writing: Writing, ledger: Ledger
) -> Iterator[tuple[dict[str, Any], RecordView]]:
    """Yield (row, record) for each sentence. The row has the fields, tokens, and tags by name.

    A record without a word becomes one sentence without tokens.
    """
    number = -1  # the document's number, used if its records have no field `document`
    for piece in pieces:
        check_labels(piece, writing.scheme)
        corpus = with_records(piece.corpus, writing.by_sentence)
        tags = tags_in(piece, writing.scheme, ledger)
        before = None
        for view in views(piece._replace(corpus=corpus)):
            number += view.document != before
            before = view.document
            given = view.fields.get(DOCUMENT)
            number = given if type(given) is int and given > number else number
            single = len(view.sentences) == 1 and corpus.documents == len(corpus.records.texts)  # type: ignore[union-attr]
            view, gold = with_gold_tags(view, writing.scheme, corpus.source, ledger)
            for start, end in view.sentences or [(0, 0)]:
                value = dict(view.fields)
                if not single:
                    value.setdefault(DOCUMENT, number)
                if gold is not None:
                    value[GOLD] = gold[start:end]
                value["tokens"] = view.words[start:end]
                value["ner_tags"] = tags[view.first + start : view.first + end]
                yield value, view


def with_gold_tags(
    view: RecordView, scheme: str, source: str, ledger: Ledger
) -> tuple[RecordView, list[Any] | None]:
    """Return a record, and its field `gold` as one tag for each token, or None if it has no such field.

    Labels other than flat entities of whole tokens are left out and counted.
    """
    if view.fields.get(GOLD) is None:
        return view, None
    gold = _gold_tags(view, scheme)
    if gold is None:
        place = f"{source}, record {view.number}"
        ledger.leave_out(place, f"values of the field {GOLD}", dump(view.fields[GOLD]))
        view = view._replace(fields={k: v for k, v in view.fields.items() if k != GOLD})
    return view, gold


def _gold_tags(view: RecordView, scheme: str) -> list[Any] | None:
    """Return the field `gold` as one tag for each token.

    None if it holds neither tags nor flat entities of whole tokens.
    """
    gold = view.fields.get(GOLD)
    if not isinstance(gold, list):
        return None
    if len(gold) == len(view.words) and all(isinstance(tag, str | int) for tag in gold):
        return gold
    firsts = {start: i for i, (start, _) in enumerate(view.places)}
    lasts = {end: i + 1 for i, (_, end) in enumerate(view.places)}
    spans = []
    for entry in gold:
        if isinstance(entry, list) and len(entry) == 3:
            start, end, label = entry
        elif isinstance(entry, dict):
            start, end, label = (entry.get(key) for key in ("start", "end", "label"))
        else:
            return None
        if start not in firsts or end not in lasts or not isinstance(label, str):
            return None
        spans.append(Span(firsts[start], lasts[end], label))
    spans.sort()
    if any(a.end > b.start for a, b in pairwise(spans)) or any(a >= b for a, b, _ in spans):
        return None
    labels = list(dict.fromkeys(span.label for span in spans))
    columns = np.array([(a, b, labels.index(c)) for a, b, c in spans], dtype=np.int64).reshape(
        -1, 3
    )
    flat = TagSpans(columns[:, 0], columns[:, 1], columns[:, 2].astype(np.int32), labels)
    starts = np.array([*(a for a, _ in view.sentences), len(view.words)], dtype=np.int64)
    names = tag_names(labels, scheme)
    return [names[i] for i in tags_of(flat, starts, names, scheme).tolist()]
