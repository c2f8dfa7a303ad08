"""Entities marked in a text that stays as it is: inline, or as a page of HTML."""

from __future__ import annotations

import html
from collections.abc import Iterator
from hashlib import blake2b

from nertool.corpus.annotated import views, with_records
from nertool.corpus.ledger import Ledger
from nertool.formats.base import Pieces, Writing

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Named entities</title>
<style>
:root { color-scheme: light dark; }
body { font: 1.05rem/1.9 Georgia, "Times New Roman", serif; max-width: 46rem; margin: 3rem auto;
  padding: 0 1.2rem; }
h2 { font: 600 .85rem/1.4 system-ui, sans-serif; opacity: .6; margin: 2.5rem 0 .4rem;
  overflow-wrap: anywhere; }
p { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 1rem; }
mark { color: inherit; background: hsl(var(--h) 75% 50% / .18); border-bottom: 2px solid
  hsl(var(--h) 65% 45%); border-radius: .25em .25em 0 0; padding: .1em .2em; }
mark::after { content: attr(data-label); font: 600 .62em/1 system-ui, sans-serif; letter-spacing: .04em;
  margin-left: .45em; vertical-align: .15em; color: hsl(var(--h) 60% 38%); }
@media (prefers-color-scheme: dark) { mark::after { color: hsl(var(--h) 70% 72%); } }
@media print { body { margin: 0; } }
</style>
</head>
<body>
"""
_HUES = {"PER": 265, "LOC": 150, "ORG": 25, "MISC": 205}


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one page that needs nothing else: no script, no font, no file; the text is escaped."""
    yield _HEAD
    source = None
    for piece in pieces:
        corpus = with_records(piece.corpus, by_sentence=False)
        if corpus.source != source:
            source = corpus.source
            yield f"<h2>{html.escape(source)}</h2>\n"
        for view in views(piece._replace(corpus=corpus), tokens=False):
            out = []
            at = 0
            for e in view.entities:
                out.append(html.escape(view.text[at : e.start]))
                sure = "" if e.probability is None else f" {100 * e.probability:.1f} %"
                label = html.escape(e.label)
                out.append(
                    f'<mark style="--h:{_hue(e.label)}" data-label="{label}" title="{label}{sure}">'
                    f"{html.escape(view.text[e.start : e.end])}</mark>"
                )
                at = e.end
            out.append(html.escape(view.text[at:]))
            name = view.fields.get("id")
            attribute = f' id="{html.escape(str(name))}"' if name is not None else ""
            yield f"<p{attribute}>{''.join(out)}</p>\n"
    yield "</body>\n</html>\n"


def _hue(label: str) -> int:
    """Return a class' colour: the same in every page."""
    digest = blake2b(label.encode("utf-8", "surrogatepass"), digest_size=2).digest()
    return _HUES.get(label, int.from_bytes(digest, "big") % 360)
