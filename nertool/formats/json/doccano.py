"""doccano's JSON lines: a text and its labels as [start, end, label]."""

from __future__ import annotations

from collections.abc import Iterator

from nertool.corpus.ledger import Ledger
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.json.objects import dump


def write_doccano(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    for view in record_views(pieces, writing):
        labels = [[entity.start, entity.end, entity.label] for entity in view.entities]
        yield dump({**view.fields, "text": view.text, "label": labels}) + "\n"
