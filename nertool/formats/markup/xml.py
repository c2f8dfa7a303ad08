"""Entities as XML elements: MUC's <ENAMEX TYPE="PERSON">, GATE's inline <Person>, or any <PER>.

```
<doc id="a01">
<s><ENAMEX TYPE="PER">Ada Lovelace</ENAMEX> met me in <ENAMEX TYPE="LOC">London</ENAMEX>.</s>
</doc>
```

The class is the attribute TYPE (or type, class, label, category, classname), or else the element's name.
Elements such as doc, text, p and s are the structure of the text. A file need not be a complete XML document.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.annotated import views, with_records
from nertool.corpus.blocks import decode_lines
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing
from nertool.formats.foreign import foreign_document
from nertool.formats.head import Head
from nertool.formats.writable import held_id

_ATTRIBUTE = r"""[\w.:-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>=/]+)"""
_TAG = re.compile(rf"<(/?)([A-Za-z][\w.:-]*)((?:\s+{_ATTRIBUTE})*)\s*(/?)>")
_OPENED = re.compile(r"<\?|<!--|<!DOCTYPE")
_CLOSED = {
    "<?": "?>",
    "<!--": "-->",
    "<!DOCTYPE": ">",
}  # each opening with its end; what lies between them is ignored
_PAIR = re.compile(r"""([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>=/]+))""")
_CLASS = ("type", "class", "label", "category", "classname")
_DOCUMENT = {"doc", "document", "docs", "documents", "corpus", "root", "xml", "article"}
_SENTENCE = {"s", "sent", "sentence"}
_STRUCTURE = _DOCUMENT | {
    "text", "body", "head", "headline", "hl", "title", "p", "par", "paragraph", "s", "sent", "sentence",
    "docid", "docno", "date_time", "dateline", "slug", "trailer", "preamble", "nwords", "storyid", "dd",
    "so", "in", "txt", "header", "section", "textwithnodes",
}  # fmt: skip
_HTML = {
    "html",
    "div",
    "span",
    "a",
    "br",
    "table",
    "tr",
    "td",
    "ul",
    "li",
    "script",
    "b",
    "i",
    "img",
}
_NOT_IN_ID = re.compile(r"[\t\r\n]+")
_GAP = re.compile(r"\n[ \t\r]*\n\s*")
_STRIPPED = re.compile(r"\S(?:.*\S)?", re.DOTALL)


def detect(head: Head) -> str | None:
    """Recognise elements that contain words. HTML and XML of other programs' schemas are excluded."""
    text = _without_passed(head.text)
    names = {match[2].lower() for match in _TAG.finditer(text)}
    if not names - _STRUCTURE or names & _HTML or foreign_document(head.text):
        return None
    for match in _TAG.finditer(text):
        name = match[2]
        if not match[1] and not match[4] and name.lower() not in _STRUCTURE:
            closing = text.find(f"</{name}>", match.end())
            inner = text[match.end() : closing].partition("<")[0]
            if match.end() < closing < match.end() + 500 and inner.strip():
                return f"entities in XML elements, such as <{name}{match[3][:30]}>"
    return None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each paragraph, or each element p and s, as a record. Those of a doc form one document.

    Nested entities are left out and counted. Errors: CorpusError with file:line for an element that is not
    closed, or closed without being open.
    """
    text = "\n".join(decode_lines(stream, source))
    text = _without_passed(text)
    parts: list[str] = []
    spans: list[Span] = []
    opened: list[tuple[str, str, int, int]] = []  # name, class, start in the text, line
    at, length, line, first = 0, 0, 1, 1
    fields: dict[str, Any] = {}
    goes_on = False
    name = closing = ""

    def flush() -> Iterator[Record]:
        nonlocal parts, spans, length, goes_on, first
        text = "".join(parts)
        own = name.lower() in _SENTENCE and bool(closing)
        for record in _paragraphs(text, spans, first, fields, own):
            yield record._replace(goes_on=goes_on, sentences=[0] if own else None)
            goes_on = True
        parts, spans, length, first = [], [], 0, line

    for match in _TAG.finditer(text):
        piece = html.unescape(text[at : match.start()])
        parts.append(piece)
        length += len(piece)
        line += text.count("\n", at, match.start())
        at = match.end()
        closing, name, attributes, empty = match.groups()
        if name.lower() in _STRUCTURE:
            if opened:
                raise CorpusError(
                    f"{source}:{line}: found <{closing}{name}> within <{opened[-1][0]}> of line "
                    f"{opened[-1][3]}, which is not closed; correct the line"
                )
            yield from flush()
            if name.lower() in _DOCUMENT:
                goes_on = False
                named = _attributes(attributes)
                fields = {"id": named["id"]} if "id" in named and not closing else {}
        elif closing:
            if not opened or opened[-1][0] != name:
                raise CorpusError(
                    f"{source}:{line}: found </{name}>, expected "
                    + (f"</{opened[-1][0]}>" if opened else "an element that is open")
                    + "; correct the line"
                )
            _, label, start, opened_at = opened.pop()
            if opened:
                ledger.refuse(f"{source}:{opened_at}", "entities within others", label)
            elif length > start:
                spans.append(Span(start, length, label))
        elif not empty:
            named = _attributes(attributes)
            label = next((named[key] for key in _CLASS if named.get(key)), name)
            opened.append((name, label, length, line))
    if opened:
        raise CorpusError(
            f"{source}:{opened[-1][3]}: found <{opened[-1][0]}> that is not closed; correct the line"
        )
    parts.append(html.unescape(text[at:]))
    yield from flush()


def _without_passed(text: str) -> str:
    """Remove comments and declarations. Line ends in them are kept, so that line numbers stay right."""
    kept: list[str] = []
    at = 0
    unclosed: set[str] = set()  # openings that are not closed in the rest of the text
    for opening in _OPENED.finditer(text):
        sign = opening[0]
        if opening.start() < at or sign in unclosed:
            continue
        end = text.find(_CLOSED[sign], opening.end())
        if end < 0:
            unclosed.add(sign)
            continue
        kept.append(text[at : opening.start()])
        at = end + len(_CLOSED[sign])
        kept.append("\n" * text.count("\n", opening.start(), at))
    return "".join([*kept, text[at:]])


def _attributes(text: str) -> dict[str, str]:
    """Return an element's attributes, with their names in lower case."""
    return {name.lower(): html.unescape(a or b or c) for name, a, b, c in _PAIR.findall(text)}


def _paragraphs(
    text: str, spans: list[Span], line: int, fields: dict[str, Any], whole: bool = False
) -> Iterator[Record]:
    """Split a text at blank lines, except within entities. whole: don't split at all."""
    at = counted = 0
    following = 0  # the first entity that does not belong to an earlier paragraph
    for gap in [*(() if whole else _GAP.finditer(text)), None]:
        end = gap.start() if gap else len(text)
        if gap:
            # Entities are in order and do not overlap.
            inside = bisect_right(spans, gap.start(), key=lambda span: span.end)
            if inside < len(spans) and spans[inside].start < gap.end():
                continue
        inner = _STRIPPED.search(text, at, end)
        if inner:
            a, b = inner.span()
            own = []
            while following < len(spans) and spans[following].start < b:
                start, stop, label = spans[following]
                if a < stop:
                    own.append(Span(max(start, a) - a, min(stop, b) - a, label))
                following += 1
            line += text.count("\n", counted, a)
            counted = a
            yield Record(inner[0], line, own, fields=fields, lined=True)
        at = gap.end() if gap else end


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write each document as a <doc> with an <s> for each sentence, and entities as <ENAMEX TYPE="…">."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<corpus>\n'
    for piece in pieces:
        corpus = with_records(piece.corpus, by_sentence=False)
        before, opened = None, False
        for view in views(piece._replace(corpus=corpus)):
            if view.document != before:
                where = f"{corpus.source}, record {view.number}"
                name = html.escape(held_id(view.fields.get("id"), _NOT_IN_ID, " ", where, ledger))
                yield "</doc>\n" * opened + (f'<doc id="{name}">\n' if name else "<doc>\n")
                before, opened = view.document, True
            at = 0
            for start, end in view.sentences:
                place, last = view.places[start][0], view.places[end - 1][1]
                out = ["<s>"]
                while at < len(view.entities) and view.entities[at].token_start < end:
                    e = view.entities[at]
                    out.append(_escaped(view.text[place : e.start]))
                    out.append(f'<ENAMEX TYPE="{html.escape(e.label)}">')
                    out.append(_escaped(view.text[e.start : e.end]) + "</ENAMEX>")
                    place, at = e.end, at + 1
                out.append(_escaped(view.text[place:last]) + "</s>\n")
                yield "".join(out)
        yield "</doc>\n" * opened
    yield "</corpus>\n"


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("\r", "&#13;")
