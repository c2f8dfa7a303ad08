"""Hugging Face's token classification: a sentence a line, with tokens and their tags.

```
{"id": "0", "tokens": ["Ada", "met", "me"], "ner_tags": ["B-PER", "O", "O"]}
```

The tags may be numbers, whose names --tag-names lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nertool.corpus.annotated import RecordView, views, with_records
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT
from nertool.formats.base import Pieces, Writing, tags_in
from nertool.formats.head import Head
from nertool.formats.json import jsonl
from nertool.formats.json.objects import dump
from nertool.formats.writable import check_labels


def detect(head: Head) -> str | None:
    """Recognise nothing: what is in such a file is read as JSON lines of any kind."""
    return None


read = jsonl.read


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write a sentence a line: tokens, and their tags by name."""
    for row, _ in sentence_rows(pieces, writing, ledger):
        yield dump(row) + "\n"


def sentence_rows(
    pieces: Pieces, writing: Writing, ledger: Ledger
) -> Iterator[tuple[dict[str, Any], RecordView]]:
    """Yield each sentence's fields, tokens and tags by name, and the record that it is of. A record without
    a word is one sentence without a token."""
    document = -1
    for piece in pieces:
        check_labels(piece, writing.scheme)
        corpus = with_records(piece.corpus, writing.by_sentence)
        tags = tags_in(piece, writing.scheme, ledger)
        before = None
        for view in views(piece._replace(corpus=corpus)):
            document += view.document != before
            before = view.document
            single = len(view.sentences) == 1 and corpus.documents == len(corpus.records.texts)  # type: ignore[union-attr]
            for start, end in view.sentences or [(0, 0)]:
                value = dict(view.fields)
                if not single:
                    value.setdefault(DOCUMENT, document)
                value["tokens"] = view.words[start:end]
                value["ner_tags"] = tags[view.first + start : view.first + end]
                yield value, view
