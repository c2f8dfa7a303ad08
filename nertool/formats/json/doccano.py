"""doccano's JSON lines: a text and its labels as [start, end, label].

```
{"id": 3, "text": "Ada met me in London.", "label": [[0, 3, "PER"], [14, 20, "LOC"]]}
```

In a project with relations, entities are objects with ids, to which the relations refer. A project with
classes of texts has `cats`, and `entities` instead of `label`. A record is written in the form in which it
was read:

```
{"id": 3, "text": "Ada met me.", "entities": [{"id": 11, "label": "PER", "start_offset": 0, "end_offset": 3}],
 "relations": []}
```

doccano reads a file as a table. A missing field, and null in a field of numbers, become NaN there. doccano's
database refuses NaN, and with it the whole file. So all records are written with the same fields. A missing
value is null, or an empty string in a field of numbers. A record without `document` gets a number of its own
if other records have one.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.annotated import RecordView
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT, GOLD
from nertool.files.output import scratch_file
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json import jsonl
from nertool.formats.json.objects import DOCCANO, is_doccano
from nertool.formats.json.text import dump


def detect(head: Head) -> str | None:
    """Never recognise a file: such files are detected and read as JSON lines."""
    return None


read = jsonl.read


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one record per line, all with the same fields.

    A temporary file holds the records until all fields are known. Relations of entities that are not in the
    output are left out and counted. Numbers that were null are counted, too.
    """
    fields = _Fields()
    with scratch_file() as file:
        for number, view in enumerate(record_views(pieces, writing), 1):
            value = _object(view, number, ledger)
            fields.add(value)
            file.write(f"{dump(value)}\n".encode())
        file.seek(0)
        yield from fields.filled_in(file, ledger)


class _Fields:
    """Collects which fields the records of a file have, and which fields hold numbers."""

    def __init__(self) -> None:
        self._records = 0
        self._present: Counter[str] = Counter()  # for each field, how many records have it
        self._empty: set[str] = set()  # fields that are null in some record
        self._numeric: set[str] = set()
        self._documents = 0  # the highest document number

    def add(self, value: dict[str, Any]) -> None:
        """Register a record's fields."""
        self._records += 1
        self._present.update(value.keys())
        for key, entry in value.items():
            if entry is None or (isinstance(entry, float) and not math.isfinite(entry)):
                self._empty.add(key)
            elif isinstance(entry, int | float) and not isinstance(entry, bool):
                self._numeric.add(key)
        if type(value.get(DOCUMENT)) is int:
            self._documents = max(self._documents, value[DOCUMENT])

    def filled_in(self, file: BinaryIO, ledger: Ledger) -> Iterator[str]:
        """Yield the lines of a file, with missing fields added to each record."""
        uneven = any(count < self._records for count in self._present.values())
        if not uneven and self._empty.isdisjoint(self._numeric):
            for line in file:
                yield line.decode()
            return
        fillers = {key: "" if key in self._numeric else None for key in self._present}
        for number, line in enumerate(file, 1):
            value = json.loads(line)
            for key, filler in fillers.items():
                if value.get(key) is not None:
                    continue
                if key == DOCUMENT and filler == "":
                    self._documents += 1
                    value[key] = self._documents
                    continue
                if key in value and filler == "":
                    what = 'null among numbers, written as "" (doccano refuses it otherwise)'
                    ledger.alter(f"record {number}", what, key)
                value[key] = filler
            yield dump(value) + "\n"


def _object(view: RecordView, number: int, ledger: Ledger) -> dict[str, Any]:
    fields = {key: value for key, value in view.fields.items() if key != DOCCANO}
    own = view.fields.get(DOCCANO)
    ((key, before),) = own.items() if isinstance(own, dict) and len(own) == 1 else (("", None),)
    if before is None and is_doccano(fields.get(GOLD)):
        key, before = "entities", fields[GOLD]
    relations = fields.get("relations")
    if before is None and not isinstance(relations, list):
        labels = [[entity.start, entity.end, entity.label] for entity in view.entities]
        name = "entities" if isinstance(fields.get("cats"), list) else "label"
        return {**fields, "text": view.text, name: labels}
    entities = _entities(view, before or [])
    if isinstance(relations, list):
        ids = {entity["id"] for entity in entities}
        kept = [relation for relation in relations if _ends(relation) <= ids]
        what = "relations of entities that are not in the output"
        ledger.leave_out(f"record {number}", what, number=len(relations) - len(kept))
        fields["relations"] = kept
    return {**fields, "text": view.text, key or "entities": entities}


def _entities(view: RecordView, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a record's entities as objects. An entity at the offsets of one in the input keeps its id."""
    free = {(entry["start_offset"], entry["end_offset"]): entry for entry in reversed(before)}
    used = [entry["id"] for entry in before if type(entry.get("id")) is int]
    following = max(used, default=0) + 1
    entities = []
    for entity in view.entities:
        same = free.get((entity.start, entity.end), {})
        if "id" not in same:
            same = {"id": following, **same}
            following += 1
        places = {"start_offset": entity.start, "end_offset": entity.end}
        entities.append({**same, "label": entity.label, **places})
    return entities


def _ends(relation: Any) -> set[Any]:
    """Return the ids of the entities that a relation connects."""
    keys = ("from_id", "to_id")
    if not isinstance(relation, dict):
        return set()
    return {relation[key] for key in keys if isinstance(relation.get(key), int | str)}
