"""Corpora out, in every format: each writer turns annotated pieces into pieces of text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nertool.corpus.annotated import Annotated, RecordView, views, with_records
from nertool.corpus.columnar import Corpus, Span
from nertool.corpus.conll import conll_delimiter, corpus_to_conll
from nertool.corpus.inline import mark_inline
from nertool.corpus.jsonobjects import DOCUMENT
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import TagSpans, spans_of, tag_names, tags_of


@dataclass(frozen=True)
class Writing:
    """How labelled text is written. by_sentence: a record a sentence, where a corpus has no records;
    None for documents if there are several. exact: tokens and sentences stand in JSON, too, so that
    they needn't be found again. source: each record says which input it is from.
    marks: whether documents have a head in text (conll, inline), None for if there are several."""

    scheme: str = "iob2"
    by_sentence: bool | None = None
    exact: bool = True
    source: bool = False
    marks: bool | None = None


Pieces = Iterable[Annotated]
Writer = Callable[[Pieces, Writing, Ledger], Iterator[str]]


class OutputFormat(NamedTuple):
    """write: None for what is no stream of text. keeps: of text (the input's own), fields, documents."""

    write: Writer
    keeps: frozenset[str]


_HALF = re.compile("[\ud800-\udfff]")


def dump(value: Any) -> str:
    """Write a value as JSON that UTF-8 can hold: only halves of surrogate pairs are escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isascii() else _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _views(pieces: Pieces, writing: Writing, tokens: bool = True) -> Iterator[RecordView]:
    for piece in pieces:
        corpus = with_records(piece.corpus, writing.by_sentence)
        for view in views(piece._replace(corpus=corpus), tokens):
            if writing.source:
                view = view._replace(fields={"source": corpus.source, **view.fields})
            yield view


def entity_objects(view: RecordView) -> list[dict[str, Any]]:
    """Return a record's entities, ready for JSON: places in characters and in tokens, half-open."""
    return [
        {
            "start": entity.start,
            "end": entity.end,
            "label": entity.label,
            "text": view.text[entity.start : entity.end],
            "token_start": entity.token_start,
            "token_end": entity.token_end,
        }
        | ({} if entity.probability is None else {"probability": round(entity.probability, 6)})
        for entity in view.entities
    ]


def plain_object(view: RecordView, exact: bool = True) -> dict[str, Any]:
    """Return a record as one JSON object: its fields, text and entities, and its tokens' places."""
    value = {**view.fields, "text": view.text, "entities": entity_objects(view)}
    if exact:
        value["tokens"] = [list(place) for place in view.places]
        value["sentences"] = [start for start, _ in view.sentences]
    for extra in view.extras:
        for key, entry in extra.items():
            value.setdefault(key, []).append(entry)
    return value


def write_jsonl(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    for view in _views(pieces, writing, tokens=writing.exact):
        yield dump(plain_object(view, writing.exact)) + "\n"


def write_json(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    records = _views(pieces, writing, tokens=writing.exact)
    yield from _list(plain_object(view, writing.exact) for view in records)


def _list(values: Iterable[Any]) -> Iterator[str]:
    before = "["
    for value in values:
        yield f"{before}\n{dump(value)}"
        before = ","
    yield "\n]\n" if before == "," else "[]\n"


def write_doccano(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    for view in _views(pieces, writing):
        labels = [[entity.start, entity.end, entity.label] for entity in view.entities]
        yield dump({**view.fields, "text": view.text, "label": labels}) + "\n"


def write_spacy(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write what Prodigy and spaCy's tools read: spans and tokens with their places."""
    for view in _views(pieces, writing):
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


def write_hf(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write a sentence a line: tokens, and their tags by name."""
    document = -1
    for piece in pieces:
        corpus = with_records(piece.corpus, writing.by_sentence)
        tags = tags_in(piece, writing.scheme, ledger)
        before = None
        for view in views(piece._replace(corpus=corpus)):
            document += view.document != before
            before = view.document
            single = len(view.sentences) == 1 and corpus.documents == len(corpus.records.texts)  # type: ignore[union-attr]
            for start, end in view.sentences:
                value = dict(view.fields)
                if not single:
                    value.setdefault(DOCUMENT, document)
                value["tokens"] = view.words[start:end]
                value["ner_tags"] = tags[view.first + start : view.first + end]
                yield dump(value) + "\n"


def write_label_studio(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    def task(view: RecordView) -> dict[str, Any]:
        results = [
            {
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "value": {
                    "start": entity.start,
                    "end": entity.end,
                    "text": view.text[entity.start : entity.end],
                    "labels": [entity.label],
                },
            }
            | ({} if entity.probability is None else {"score": round(entity.probability, 6)})
            for entity in view.entities
        ]
        data = {k: v for k, v in view.fields.items() if k != "id"} | {"text": view.text}
        value: dict[str, Any] = {"data": data, "annotations": [{"result": results}]}
        return {"id": view.fields["id"], **value} if "id" in view.fields else value

    yield from _list(task(view) for view in _views(pieces, writing))


def write_inline(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write a sentence a line, with the blanks that the text has between its words.

    A text with several documents gets a header for each.
    """
    number = 0
    for piece in pieces:
        corpus = with_records(piece.corpus, by_sentence=False)
        headed = corpus.documents > 1 if writing.marks is None else writing.marks
        before = None
        for view in views(piece._replace(corpus=corpus)):
            if view.document != before and headed:
                name = view.fields.get("id", f"{number:04}")
                yield f"{chr(10) if number else ''}# id: {' '.join(str(name).split())}\n"
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
                # Blanks within a line stay; a line end within a sentence can't.
                text = "".join(" " if c in "\r\n\v\f\x85\u2028\u2029" else c for c in text)
                yield mark_inline(text, marks) + "\n"


def write_conll(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    for piece in pieces:
        corpus = piece.corpus
        names = tag_names(piece.spans.label_names, writing.scheme)
        _count_merged(piece, names, writing.scheme, ledger)
        tag_ids = tags_of(piece.spans, corpus.sentence_starts, names, writing.scheme)
        if piece.probabilities is not None:
            delimiter = conll_delimiter(corpus)
            sure = token_probabilities(piece)
            names = [f"{names[i]}{delimiter}{p}" for i, p in zip(tag_ids, sure, strict=True)]
            tag_ids = np.arange(len(names), dtype=np.int32)
        yield from corpus_to_conll(corpus, names, tag_ids, writing.marks)


def token_probabilities(piece: Annotated) -> list[str]:
    """Return for each token the probability of the entity that it belongs to, _ for none."""
    out = ["_"] * piece.corpus.tokens
    assert piece.probabilities is not None
    columns = (piece.spans.starts, piece.spans.ends, piece.probabilities)
    for start, end, p in zip(*(column.tolist() for column in columns), strict=True):
        out[start:end] = [f"{p:.6f}"] * (end - start)
    return out


def write_conllu(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    for piece in pieces:
        corpus = with_records(piece.corpus, by_sentence=False)
        tags = tags_in(piece, writing.scheme, ledger)
        before = None
        for view in views(piece._replace(corpus=corpus)):
            if view.document != before:
                yield "# newdoc\n"
                before = view.document
            for key, entry in view.fields.items():
                if isinstance(entry, str | int | float) and "\n" not in str(entry):
                    yield f"# {key} = {entry}\n"
            for start, end in view.sentences:
                rows = []
                for i in range(start, end):
                    tag = tags[view.first + i]
                    misc = [] if tag == "O" else [f"NER={tag}"]
                    if i + 1 < end and view.places[i][1] == view.places[i + 1][0]:
                        misc.append("SpaceAfter=No")
                    cells = (str(i - start + 1), view.words[i], *"_" * 7, "|".join(misc) or "_")
                    rows.append("\t".join(cells) + "\n")
                yield "".join(rows) + "\n"


def write_spans(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write a row an entity: source, record, start, end, label, probability, text; divided by tabs.

    Places count characters from the start of the source's text where it is running text, else
    from the start of the record's.
    """
    yield "source\trecord\tstart\tend\tlabel\tprobability\ttext\n"
    for piece in pieces:
        corpus = with_records(piece.corpus, writing.by_sentence)
        for view in views(piece._replace(corpus=corpus), tokens=False):
            offset = view.fields.get("offset", 0)
            base = offset if isinstance(offset, int) else 0
            name = view.fields.get("id", view.number)
            for e in view.entities:
                p = "" if e.probability is None else f"{e.probability:.6f}"
                cells = (corpus.source, name, base + e.start, base + e.end, e.label, p)
                text = " ".join(view.text[e.start : e.end].split())
                yield "\t".join(" ".join(str(cell).split()) for cell in cells) + f"\t{text}\n"


def tags_in(piece: Annotated, scheme: str, ledger: Ledger) -> list[str]:
    """Return each token's tag in a scheme."""
    names = tag_names(piece.spans.label_names, scheme)
    _count_merged(piece, names, scheme, ledger)
    ids = tags_of(piece.spans, piece.corpus.sentence_starts, names, scheme)
    return [names[i] for i in ids.tolist()]


def _count_merged(piece: Annotated, names: list[str], scheme: str, ledger: Ledger) -> None:
    """Count the entities that run into a neighbour of their class, in a scheme that can't part them."""
    if scheme != "io":
        return
    corpus: Corpus = piece.corpus
    spans: TagSpans = piece.spans
    again = spans_of(
        tags_of(spans, corpus.sentence_starts, names, scheme), names, corpus.sentence_starts
    )
    kept = set(again.starts.tolist())
    for start in spans.starts.tolist():
        if start not in kept:
            ledger.alter(corpus.place(start), "entities run into a neighbour of their class in io")


_ALL = frozenset({"text", "fields", "documents"})
WRITERS: dict[str, OutputFormat] = {
    "conll": OutputFormat(write_conll, frozenset({"documents"})),
    "conllu": OutputFormat(write_conllu, _ALL),
    "jsonl": OutputFormat(write_jsonl, _ALL),
    "json": OutputFormat(write_json, _ALL),
    "doccano": OutputFormat(write_doccano, _ALL),
    "spacy": OutputFormat(write_spacy, _ALL),
    "hf": OutputFormat(write_hf, frozenset({"fields", "documents"})),
    "label-studio": OutputFormat(write_label_studio, _ALL),
    "inline": OutputFormat(write_inline, frozenset({"documents"})),
    "spans": OutputFormat(write_spans, frozenset()),
}


def left_out(corpus: Corpus, to: str) -> list[str]:
    """Say what of a corpus an output format has no place for."""
    keeps = WRITERS[to].keeps if to in WRITERS else _ALL
    out = []
    records = corpus.records
    if records is not None:
        names = dict.fromkeys(key for fields in records.fields for key in fields)
        if names and "fields" not in keeps and to != "spans":
            out.append(f"the fields {', '.join(list(names)[:8])}")
        gaps = records.token_starts[1:] - records.token_ends[:-1]
        inside = np.ones(len(gaps), dtype=bool)
        inside[corpus.sentence_starts[1:-1] - 1] = False
        odd = int((gaps[inside] != 1).sum())
        if odd and "text" not in keeps and to in ("conll", "hf"):
            out.append("the text's own spacing")
        empty = sum(a == b for a, b in zip(records.starts, records.starts[1:], strict=False))
        if empty and to in ("conll", "inline", "hf", "conllu"):
            out.append(f"{empty:,} records without a word")
    return out
