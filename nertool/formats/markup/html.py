"""An HTML page that shows the texts with their entities marked."""

from __future__ import annotations

from collections.abc import Iterator

from nertool.corpus.annotated import Entity, views, with_records
from nertool.corpus.columnar import Interner
from nertool.corpus.ledger import Ledger
from nertool.formats.base import Pieces, Writing
from nertool.pages.page import around, escaped
from nertool.pages.palette import class_name


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one self-contained page: it loads no script, font or file. The text is escaped.

    Labels get their colours in the order of their first occurrence.
    """
    before, after = around("Named entities")
    yield before
    source = None
    labels = Interner()
    for piece in pieces:
        corpus = with_records(piece.corpus, by_sentence=False)
        if corpus.source != source:
            source = corpus.source
            yield f"<h2>{escaped(source)}</h2>\n"
        for view in views(piece._replace(corpus=corpus), tokens=False):
            out = []
            at = 0
            for e in view.entities:
                out.append(escaped(view.text[at : e.start]))
                out.append(_marked(view.text[e.start : e.end], e, labels))
                at = e.end
            out.append(escaped(view.text[at:]))
            name = view.fields.get("id")
            attribute = f' id="{escaped(str(name))}"' if name is not None else ""
            yield f"<p{attribute}>{''.join(out)}</p>\n"
    yield after


def _marked(text: str, entity: Entity, labels: Interner) -> str:
    """Return the HTML of an entity: its text, followed by its label and its probability if it has one.

    The style sheet draws the label, so that text copied from the page does not contain it.
    """
    number = labels[entity.label]
    sure = "" if entity.probability is None else f" {100 * entity.probability:.0f} %"
    return (
        f'<span class="{class_name(number)}"><span class="entity">{escaped(text)}</span>'
        f'<span class="label" data-label="{escaped(entity.label)}{sure}"></span></span>'
    )
