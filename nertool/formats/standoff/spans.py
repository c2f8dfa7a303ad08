"""A table with one row for each entity, separated by tabs.

```
source<tab>record<tab>start<tab>end<tab>label<tab>probability<tab>text
a.txt<tab>0<tab>0<tab>12<tab>PER<tab>0.998012<tab>Ada Lovelace
```
"""

from __future__ import annotations

from collections.abc import Iterator

from nertool.corpus.annotated import views, with_records
from nertool.corpus.ledger import Ledger
from nertool.formats.base import Pieces, Writing


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one row for each entity: source, record, start, end, label, probability and text.

    Start and end count characters from the start of the file if the input is plain text (its records have a
    field `offset`), otherwise from the start of the record. A record without an id has its number in its
    file, from 0.
    """
    yield "source\trecord\tstart\tend\tlabel\tprobability\ttext\n"
    source, before = "", 0  # the number of records in the earlier pieces of this file
    for piece in pieces:
        corpus = with_records(piece.corpus, writing.by_sentence)
        assert corpus.records is not None
        if corpus.source != source:
            source, before = corpus.source, 0
        for view in views(piece._replace(corpus=corpus), tokens=False):
            offset = view.fields.get("offset", 0)
            base = offset if isinstance(offset, int) else 0
            name = view.fields.get("id", before + view.number)
            name = "" if name is None else name
            for e in view.entities:
                p = "" if e.probability is None else f"{e.probability:.6f}"
                cells = (corpus.source, name, base + e.start, base + e.end, e.label, p)
                text = " ".join(view.text[e.start : e.end].split())
                shown = [_quoted(" ".join(str(cell).split())) for cell in (*cells, text)]
                yield "\t".join(shown) + "\n"
        before += len(corpus.records.texts)


def _quoted(cell: str) -> str:
    """Quote a cell that contains a quotation mark, as readers of TSV expect."""
    return '"' + cell.replace('"', '""') + '"' if '"' in cell else cell
