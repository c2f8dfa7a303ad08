r"""Inline annotation: one sentence per line, entities as [Ada Lovelace](PER).

```
# id: a01  part: train
[Ada Lovelace](PER) met me in [London](LOC) .
```

A bracket or backslash of the text itself is escaped with a backslash: \[ \] \\. So is the # of a sentence
that begins like a header. A header line `# id: name  part: train` begins a document. Two spaces separate its
fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from nertool.corpus.annotated import views, with_records
from nertool.corpus.blocks import decode_lines
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing
from nertool.formats.head import Head
from nertool.formats.writable import held_id, with_labels

_PIECE = re.compile(
    r"(?P<escaped>\\[\[\]\\#])"
    r"|\[(?P<text>(?:[^\[\]\\]|\\[\[\]\\])+)\]\((?P<label>[^()\s]+)\)"
    r"|(?P<stray>[\[\]\\])"
)
_HEADER = "# id:"
_NOT_IN_LABEL = re.compile(r"[()\s]+")
_NOT_IN_ID = re.compile(r"\s{2,}|[^\S ]")
_LINE = re.compile(r"[^\r\n]+")
_LINE_END = re.compile("[\r\n\v\f\x85\u2028\u2029]")
_MARKED = re.compile(r"(?<!\\)\[(?:[^\[\]\\]|\\.)+\]\(([^()\s]+)\)")
_LINK = re.compile(
    r"(?i)^(?:[a-z]+://|mailto:|www\.|#|\.{0,2}/)|\.(?:md|html?|png|jpe?g|svg|gif|pdf|rst|txt)(?:#.*)?$"
)
# Lines above lists of sentences in the files of Rasa and Snips.
_LISTS = re.compile(
    r"(?m)^(?:## (?:intent|synonym|lookup|regex):|[^\S\n]*(?:- )?(?:examples|utterances|nlu):)"
)
_STRAY = re.compile(r"(?<!\\)[\[\]]")


def detect(head: Head) -> str | None:
    """Recognise lines with marked entities. All brackets must belong to an entity."""
    if _LISTS.search(head.text):
        return None
    marked = False
    for line in head.lines:
        if line.startswith(_HEADER):
            continue
        found = _MARKED.findall(line)
        if any(_LINK.search(label) for label in found):
            return None  # links in Markdown
        marked = marked or bool(found)
        if _STRAY.search(_MARKED.sub("", line).replace("\\\\", "")):
            return None
    return "sentences with [words](LABEL)" if marked else None


def mark_inline(text: str, spans: Iterable[Span]) -> str:
    """Mark entities in a text. spans: in characters and in order."""
    odd = "[" in text or "]" in text or "\\" in text
    out: list[str] = []
    at = 0
    for start, end, label in spans:
        before, inside = text[at:start], text[start:end]
        if odd:
            before, inside = _escaped(before), _escaped(inside)
        out += (before, "[", inside, "](", label, ")")
        at = end
    out.append(_escaped(text[at:]) if odd else text[at:])
    return "".join(out)


def _escaped(text: str) -> str:
    # Ten times as fast as str.translate, which handles each character separately.
    return text.replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]")


def to_inline(words: Sequence[str], spans: Iterable[Span]) -> str:
    """Join a sentence's words with spaces, and mark its entities. spans: in words."""
    ends = [0]
    for word in words:
        ends.append(ends[-1] + len(word) + 1)
    in_text = [Span(ends[start], ends[end] - 1, label) for start, end, label in spans]
    return mark_inline(" ".join(words), in_text)


def from_inline(line: str, place: str) -> tuple[str, list[Span]]:
    """Return the plain text of a line, and its entities in characters of this text.

    Errors: CorpusError at `place` for a bracket that neither belongs to an entity nor is escaped.
    """
    text: list[str] = []
    spans = []
    at = length = 0
    for match in _PIECE.finditer(line):
        before = line[at : match.start()]
        at = match.end()
        if match["stray"]:
            raise CorpusError(
                f'{place}: found a lone "{match["stray"]}" in column {match.start() + 1}, expected '
                f"[words](LABEL); write \\{match['stray']} if it belongs to the text"
            )
        piece = match["escaped"][1:] if match["escaped"] else re.sub(r"\\(.)", r"\1", match["text"])
        start = length + len(before)
        length = start + len(piece)
        if match["label"]:
            spans.append(Span(start, length, match["label"]))
        text += (before, piece)
    return "".join([*text, line[at:]]), spans


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each document as a record. Its text has the same lines, without the marks.

    reading.part: yield only the documents whose header names this part. Errors: CorpusError with file:line
    for a stray bracket.
    """
    part = reading.part
    fields: dict[str, Any] = {}
    texts: list[str] = []
    spans: list[Span] = []
    sentences: list[int] = []
    first, length, wanted = 1, 0, part is None
    for number, line in enumerate(decode_lines(stream, source), 1):
        if line.startswith(_HEADER):
            if sentences:
                yield _document(texts, first, spans, sentences, fields)
            fields = dict(document_fields(line))
            texts, spans, sentences, first, length = [], [], [], number + 1, 0
            wanted = part is None or fields.get("part") == part
            continue
        if not wanted:
            continue
        place = f"{source}:{number}"
        try:
            text, found = from_inline(line, place)
        except CorpusError as fault:
            pass_over(fault, place, reading.pass_over_faulty, ledger, "lines that can't be read")
            text, found = "", []
        if text and not text.isspace():
            sentences.append(length if sentences else 0)
        spans += [Span(length + start, length + end, label) for start, end, label in found]
        texts.append(text)
        length += len(text) + 1
    if sentences:
        yield _document(texts, first, spans, sentences, fields)


def _document(
    texts: list[str], first: int, spans: list[Span], sentences: list[int], fields: dict[str, Any]
) -> Record:
    return Record("\n".join(texts), first, spans, sentences=sentences, fields=fields, lined=True)


def document_fields(header: str) -> dict[str, str]:
    """Read a document's header line: `# id: a01  part: train` gives {"id": "a01", "part": "train"}."""
    pairs = (
        entry.partition(":") for entry in re.split(r"\s{2,}", header.removeprefix("#").strip())
    )
    return {key.strip(): value.strip() for key, _, value in pairs}


def write_whole(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write the unchanged texts of the records one after another, with their entities marked."""
    for given in pieces:
        piece = with_labels(given, _NOT_IN_LABEL, ledger)
        for view in views(piece, tokens=False):
            marks: list[Span] = []
            for e in view.entities:
                # A mark must not hold a line end: each line's part of the entity gets a mark of its own.
                parts = _LINE.finditer(view.text, e.start, e.end)
                marks += [Span(*part.span(), e.label) for part in parts if not part[0].isspace()]
            if len(marks) > len(view.entities):
                place = f"{piece.corpus.source}, record {view.number}"
                ledger.alter(place, "texts with entities over a line's end, marked in parts")
            yield mark_inline(view.text, marks)


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one sentence per line, with the whitespace of the text between its words.

    Unless writing.marks says otherwise, documents get a header if they have an id, or if there are several.
    """
    number = 0
    for given in pieces:
        piece = with_labels(given, _NOT_IN_LABEL, ledger)
        corpus = with_records(piece.corpus, by_sentence=False)
        records = corpus.records
        assert records is not None
        headed = writing.marks
        if headed is None:
            named = any(fields.get("id") is not None for fields in records.fields)
            headed = corpus.documents > 1 or (named and not records.numbered)
        before = None
        for view in views(piece._replace(corpus=corpus)):
            if view.document != before and headed:
                place = f"{corpus.source}, record {view.number}"
                name = held_id(view.fields.get("id"), _NOT_IN_ID, " ", place, ledger)
                part = view.fields.get("part")
                shown = f"  part: {part}" if part in ("train", "dev", "test") else ""
                yield f"{chr(10) if number else ''}# id: {name or f'{number:04}'}{shown}\n"
                number += 1
            before = view.document
            at = 0
            for start, end in view.sentences:
                first, last = view.places[start][0], view.places[end - 1][1]
                marks = []
                while at < len(view.entities) and view.entities[at].token_start < end:
                    e = view.entities[at]
                    marks.append(Span(e.start - first, e.end - first, e.label))
                    at += 1
                text = view.text[first:last]
                # Whitespace within a line is kept, but a sentence can't contain a line end.
                if _LINE_END.search(text):
                    place = f"{corpus.source}, record {view.number}"
                    ledger.alter(place, "line ends within a sentence, written as blanks", text)
                    text = _LINE_END.sub(" ", text)
                line = mark_inline(text, marks)
                yield ("\\" if line.startswith(_HEADER) else "") + line + "\n"
