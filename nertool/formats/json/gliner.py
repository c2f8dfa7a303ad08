"""GLiNER's training data: a list of sentences, each with its tokens, and entities by token numbers.

```
[{"tokenized_text": ["Ada", "Lovelace", "met", "me"], "ner": [[0, 1, "person"]]}]
```

The second number is the entity's last token, not the one after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nertool.corpus.annotated import views, with_records
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT, GOLD
from nertool.formats.base import Pieces, Writing
from nertool.formats.head import Head
from nertool.formats.json import json_list
from nertool.formats.json.hf import with_gold_tags
from nertool.formats.json.text import json_list as as_list

read = json_list.read


def detect(head: Head) -> str | None:
    """Never recognise a file: such files are detected and read as JSON lists."""
    return None


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one object for each sentence."""

    def sentences() -> Iterator[dict[str, Any]]:
        number = -1  # the document's number, used if its records have no field `document`
        for piece in pieces:
            corpus = with_records(piece.corpus, writing.by_sentence)
            single = corpus.documents == len(corpus.records.texts)  # type: ignore[union-attr]
            before = None
            for view in views(piece._replace(corpus=corpus)):
                number += view.document != before
                before = view.document
                given = view.fields.get(DOCUMENT)
                number = given if type(given) is int and given > number else number
                own: dict[str, Any] = {}
                if DOCUMENT not in view.fields and (not single or len(view.sentences) > 1):
                    own[DOCUMENT] = number
                view, gold = with_gold_tags(view, writing.scheme, corpus.source, ledger)
                for start, end in view.sentences or [(0, 0)]:
                    if gold is not None:
                        own[GOLD] = gold[start:end]
                    ner = [
                        [e.token_start - start, e.token_end - 1 - start, e.label]
                        for e in view.entities
                        if start <= e.token_start < end
                    ]
                    words = view.words[start:end]
                    yield {**view.fields, **own, "tokenized_text": words, "ner": ner}

    yield from as_list(sentences())
