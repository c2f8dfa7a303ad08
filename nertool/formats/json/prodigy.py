"""Prodigy's and spaCy's JSON lines: a text with its tokens and spans.

```
{"text": "Ada met me.", "spans": [{"start": 0, "end": 3, "label": "PER", "token_start": 0,
 "token_end": 0}], "tokens": [{"text": "Ada", "start": 0, "end": 3, "id": 0, "ws": true}, …]}
```

`token_end` is the entity's last token: it is not half-open.
"""

from __future__ import annotations

from collections.abc import Iterator

from nertool.corpus.ledger import Ledger
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json import jsonl
from nertool.formats.json.objects import dump


def detect(head: Head) -> str | None:
    """Recognise nothing: what is in such a file is read as JSON lines of any kind."""
    return None


read = jsonl.read


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write what Prodigy and spaCy's tools read: spans and tokens with their places."""
    for view in record_views(pieces, writing):
        tokens = [
            {
                "text": word,
                "start": start,
                "end": end,
                "id": i,
                "ws": view.text[end : end + 1] == " ",
            }
            for i, (word, (start, end)) in enumerate(zip(view.words, view.places, strict=True))
        ]
        spans = [
            {
                "start": entity.start,
                "end": entity.end,
                "token_start": entity.token_start,
                "token_end": entity.token_end - 1,  # the last token: not half-open, in Prodigy
                "label": entity.label,
            }
            for entity in view.entities
        ]
        value = {**view.fields, "text": view.text, "tokens": tokens, "spans": spans}
        if writing.exact:
            value["sentences"] = [start for start, _ in view.sentences]
        yield dump(value) + "\n"
