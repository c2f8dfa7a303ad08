"""Prodigy's and spaCy's JSON lines: a text with its tokens and spans.

```
{"text": "Ada met me.", "spans": [{"start": 0, "end": 3, "label": "PER", "token_start": 0,
 "token_end": 0}], "tokens": [{"text": "Ada", "start": 0, "end": 3, "id": 0, "ws": true}, …]}
```

`token_end` is the entity's last token, not the one after it. `ws` says whether a space follows a token. As in
spaCy, a line end is a token of its own, so that the text can be built from the tokens.
"""

from __future__ import annotations

from collections.abc import Iterator

from nertool.corpus.ledger import Ledger
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json import jsonl
from nertool.formats.json.text import dump
from nertool.formats.spacy.tokens import first_tokens, spacy_tokens


def detect(head: Head) -> str | None:
    """Never recognise a file: such files are detected and read as JSON lines."""
    return None


read = jsonl.read


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one object per line, with spans and tokens, as Prodigy and spaCy's tools read them."""
    for view in record_views(pieces, writing):
        cut = spacy_tokens(view.text, view.places)
        tokens = [
            {"text": view.text[start:end], "start": start, "end": end, "id": i, "ws": blank}
            for i, (start, end, blank) in enumerate(cut.tokens)
        ]
        spans = [
            {
                "start": entity.start,
                "end": entity.end,
                "token_start": cut.numbers[entity.token_start],
                "token_end": cut.numbers[entity.token_end - 1],  # in Prodigy, the last token
                "label": entity.label,
            }
            for entity in view.entities
        ]
        value = {**view.fields, "text": view.text, "tokens": tokens, "spans": spans}
        if writing.exact:
            value["sentences"] = first_tokens(cut, view.sentences)
        yield dump(value) + "\n"
