"""doccano's JSON lines: a text and its labels as [start, end, label].

```
{"id": 3, "text": "Ada met me in London.", "label": [[0, 3, "PER"], [14, 20, "LOC"]]}
```
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
    """Write a record a line."""
    for view in record_views(pieces, writing):
        labels = [[entity.start, entity.end, entity.label] for entity in view.entities]
        yield dump({**view.fields, "text": view.text, "label": labels}) + "\n"
