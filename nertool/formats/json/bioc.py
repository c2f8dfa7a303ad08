"""BioC in JSON: documents of passages, each with its text and annotations.

```
{"documents": [{"id": "d1", "passages": [{"offset": 0, "text": "Ada met me.", "annotations": [
    {"infons": {"type": "PER"}, "text": "Ada", "locations": [{"offset": 0, "length": 3}]}]}]}]}
```

Infons are strings. Beside a prediction, a passage's own labels are written as JSON in its infon `gold`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from nertool.corpus.annotated import documents_of_records, views, with_records
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import GOLD, Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing
from nertool.formats.head import Head
from nertool.formats.json.entries import spans_of_entries
from nertool.formats.json.json_list import load_json_list
from nertool.formats.json.text import dump

_DOCUMENT_END = '], "relations": []}'  # the package bioc refuses documents without relations


def detect(head: Head) -> str | None:
    """Recognise a JSON object or list with "passages"."""
    begin = head.begin
    if begin.startswith(("{", "[")) and re.search(r'"passages"\s*:\s*\[', begin):
        return "BioC JSON"
    return None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each passage, or each of its sentences, as a record. Those of a document form one document.

    reading.misaligned decides what happens to annotations in several parts, as for entities with a boundary
    inside a token. Errors: CorpusError with the document's number.
    """
    yield from records_of_documents(_documents(stream, source), source, reading, ledger)


def _documents(stream: BinaryIO, source: str) -> Iterator[Any]:
    for value in load_json_list(stream, source):
        documents = value.get("documents", [value]) if isinstance(value, dict) else [value]
        yield from documents if isinstance(documents, list) else [documents]


def records_of_documents(
    documents: Iterable[Any], source: str, reading: Reading, ledger: Ledger
) -> Iterator[Record]:
    """Yield the records of documents that have the keys of BioC JSON. See read."""
    for number, document in enumerate(documents, 1):
        place = f"{source}:#{number}"
        try:
            records = list(_of_document(document, number, place, reading, ledger))
        except CorpusError as fault:
            pass_over(fault, place, reading.pass_over_faulty, ledger)
            continue
        yield from records


def _of_document(
    document: Any, number: int, place: str, reading: Reading, ledger: Ledger
) -> Iterator[Record]:
    passages = document.get("passages") if isinstance(document, dict) else None
    if not isinstance(passages, list):
        raise CorpusError(f'{place}: found a document without "passages", expected BioC')
    goes_on = False
    for passage in passages:
        for part in _parts(passage, place, len(passages) == 1):
            yield _record(part, document, number, goes_on, place, reading, ledger)
            goes_on = True


def _parts(passage: Any, place: str, alone: bool) -> list[dict[str, Any]]:
    """Return the parts of a passage that become records: the passage itself, or its sentences.

    A passage with a text gets the annotations of its sentences. alone: whether it is the document's only
    passage, which may be empty.
    """
    sentences = passage.get("sentences") if isinstance(passage, dict) else None
    if isinstance(passage, dict) and isinstance(passage.get("text"), str) and passage["text"]:
        own = passage.get("annotations")
        of_sentences = [
            entry
            for sentence in (sentences if isinstance(sentences, list) else [])
            if isinstance(sentence, dict)
            for entry in sentence.get("annotations") or ()
        ]
        return [
            {**passage, "annotations": [*(own or ()), *of_sentences]} if of_sentences else passage
        ]
    if isinstance(passage, dict) and passage.get("text") == "" and not sentences:
        return [passage] if alone else []
    if isinstance(sentences, list) and all(
        isinstance(s, dict) and isinstance(s.get("text"), str) for s in sentences
    ):
        return sentences
    raise CorpusError(f'{place}: found a passage without "text", expected BioC')


def _record(
    part: dict[str, Any],
    document: dict[str, Any],
    number: int,
    goes_on: bool,
    place: str,
    reading: Reading,
    ledger: Ledger,
) -> Record:
    base, text = part.get("offset", 0), part["text"]
    entries = part.get("annotations")
    spans: list[Span] | None = None
    if reading.with_labels and isinstance(entries, list):
        found: list[dict[str, Any]] = []
        for entry in entries:
            locations = entry.get("locations") or [{}]
            if len(locations) > 1 and reading.misaligned == "drop":
                ledger.refuse(place, "entities in several parts", str(entry.get("text", "")))
                continue
            if len(locations) > 1 and reading.misaligned == "error":
                raise CorpusError(
                    f"{place}: found an entity in {len(locations)} parts, expected one part; misaligned: "
                    "snap takes all from the first to the last, drop leaves it out"
                )
            try:
                start = min(at["offset"] for at in locations) - base
                end = max(at["offset"] + at["length"] for at in locations) - base
            except (KeyError, TypeError):
                raise CorpusError(
                    f'{place}: found an annotation without "locations", expected offset and length'
                ) from None
            plain = {"start": start, "end": end, "label": entry.get("infons", {}).get("type")}
            if len(locations) == 1:
                plain["text"] = entry.get("text")
            else:
                ledger.alter(
                    place, "entities in several parts, merged into one", str(entry.get("text"))
                )
            found.append(plain)
        spans = spans_of_entries(found, text, f"{place}: annotations", place, reading, ledger)
    fields = {"id": document["id"]} if "id" in document else {}
    gold = _gold(part.get("infons"))
    if gold is not None:
        fields[GOLD] = gold
    return Record(text, number, spans, fields=fields, goes_on=goes_on, place=place)


def _gold(infons: Any) -> list[Any] | None:
    """Return the labels in the infon `gold`. None if there is no such infon, or if it is not a JSON list."""
    raw = infons.get(GOLD) if isinstance(infons, dict) else None
    try:
        gold = json.loads(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
    return gold if isinstance(gold, list) else None


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one collection. Each record is a passage of its document."""
    yield '{"source": "nertool", "date": "", "key": "", "infons": {}, "documents": ['
    between, at, number = "\n", 0, -1
    for piece in pieces:
        corpus = with_records(piece.corpus, by_sentence=False)
        texts = Counter(documents_of_records(corpus).tolist())
        before, opened = None, False
        for view in views(piece._replace(corpus=corpus), tokens=False):
            number += 1
            if view.document != before:
                yield _DOCUMENT_END * opened + between
                given = view.fields.get("id")
                name = dump(str(number if given is None else given))
                yield f'{{"id": {name}, "infons": {{}}, "passages": ['
                before, opened, at, between = view.document, True, 0, ",\n"
            else:
                yield ",\n"
            if texts[view.document] > 1 and not view.text:
                ledger.leave_out(f"{corpus.source}, record {view.number}", "texts without a word")
            annotations = [
                {
                    "id": str(i),
                    "infons": {"type": e.label},
                    "text": view.text[e.start : e.end],
                    "locations": [{"offset": at + e.start, "length": e.end - e.start}],
                }
                for i, e in enumerate(view.entities, 1)
            ]
            infons = {GOLD: dump(view.fields[GOLD])} if view.fields.get(GOLD) is not None else {}
            passage = {
                "offset": at,
                "infons": infons,
                "text": view.text,
                "annotations": annotations,
            }
            yield dump({**passage, "sentences": [], "relations": []})
            at += len(view.text) + 1
        yield _DOCUMENT_END * opened
    yield '\n], "relations": []}\n'
