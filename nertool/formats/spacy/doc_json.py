"""spaCy's documents in JSON, one per line, as Doc.to_json returns and Doc.from_json reads them.

```
{"text": "Ada met me.", "ents": [{"start": 0, "end": 3, "label": "PER"}],
 "tokens": [{"id": 0, "start": 0, "end": 3}, {"id": 1, "start": 4, "end": 7}, …]}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from nertool.corpus.annotated import RecordView
from nertool.corpus.ledger import Ledger
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json import jsonl
from nertool.formats.json.text import dump
from nertool.formats.spacy.tokens import SPACY, SpacyTokens, first_tokens, spacy_tokens


def detect(head: Head) -> str | None:
    """Never recognise a file: such files are detected and read as JSON lines."""
    return None


read = jsonl.read


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one document per line, with its other annotation from the input."""
    for view in record_views(pieces, writing):
        yield dump(_doc(view)) + "\n"


def _doc(view: RecordView) -> dict[str, Any]:
    cut = spacy_tokens(view.text, view.places)
    kept = kept_of(view, cut)
    fields = {k: v for k, v in view.fields.items() if k != SPACY}
    tokens = kept.get("tokens") or [
        {"id": i, "start": start, "end": end} for i, (start, end, _) in enumerate(cut.tokens)
    ]
    ents = [{"start": e.start, "end": e.end, "label": e.label} for e in view.entities]
    firsts = first_tokens(cut, view.sentences)
    pairs = pairwise([*firsts, len(cut.tokens)])
    sents = [{"start": cut.tokens[a][0], "end": cut.tokens[b - 1][1]} for a, b in pairs]
    other = {k: v for k, v in kept.items() if k != "tokens"}
    return {
        **fields, "text": view.text, "ents": ents, "sents": sents, **other, "tokens": tokens
    }  # fmt: skip


def kept_of(view: RecordView, cut: SpacyTokens) -> dict[str, Any]:
    """Return a document's other annotation from the input. That of tokens is dropped if the tokens differ."""
    kept = view.fields.get(SPACY)
    if not isinstance(kept, dict):
        return {}
    tokens = kept.get("tokens")
    if isinstance(tokens, list):
        places = [(t.get("start"), t.get("end")) if isinstance(t, dict) else None for t in tokens]
        if places != [(start, end) for start, end, _ in cut.tokens]:
            return {k: v for k, v in kept.items() if k != "tokens"}
    return kept
