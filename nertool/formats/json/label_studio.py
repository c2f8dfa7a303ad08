"""Label Studio's JSON export: a list of tasks, each with its annotators' results.

```
[{"id": 7, "data": {"text": "Ada met me in London."}, "annotations": [{"result": [
    {"type": "labels", "value": {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}}]}]}]
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any, BinaryIO

from nertool.corpus.annotated import RecordView
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import DOCUMENT, Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json.entries import spans_of_entries
from nertool.formats.json.json_list import first_of_list, is_list, load_json_list
from nertool.formats.json.text import json_list

# The keys of a task besides its data.
_TASK_KEYS = {
    "id", "annotations", "completions", "predictions", "drafts", "meta", "created_at", "updated_at",
    "inner_id", "project", "updated_by", "comment_authors", "total_annotations", "total_predictions",
    "cancelled_annotations", "comment_count", "unresolved_comment_count", "last_comment_updated_at",
    "file_upload", "allow_skip", "overlap", "is_labeled", "agreement",
}  # fmt: skip


OWN = "label_studio"  # the field with what a task needs to be written again (see _own_names)


def detect(head: Head) -> str | None:
    """Recognise a list of tasks, each an object with "data"."""
    if not is_list(head):
        return None
    task = first_of_list(head)
    if isinstance(task, dict) and isinstance(task.get("data"), dict):
        return "Label Studio's JSON"
    # The first task may be longer than the head.
    cut = task is None and re.search(r'"(annotations|completions|data)"\s*:', head.begin[:4096])
    return "Label Studio's JSON" if cut else None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each task's text with the spans of its first annotation that was not cancelled.

    Further annotations, and results that are not spans, are counted as refused. Errors: CorpusError with the
    number of the task in the file, from 1.
    """
    before: Any = None  # the document of the previous task
    for number, task in enumerate(load_json_list(stream, source), 1):
        place = f"{source}:#{number}"
        try:
            record = _record(task, number, place, reading, ledger)
        except CorpusError as fault:
            pass_over(fault, place, reading.pass_over_faulty, ledger)
            continue
        document = record.fields.get(DOCUMENT)
        known = document is not None and document != ""
        yield record._replace(goes_on=known and document == before)
        before = document


def _record(task: Any, number: int, place: str, reading: Reading, ledger: Ledger) -> Record:
    data = task.get("data") if isinstance(task, dict) else None
    text = _text_of(data, reading.text_field)
    if not isinstance(data, dict) or text is None:
        raise CorpusError(
            f'{place}: found no text, expected a task with "data": {{"{reading.text_field}": "…"}}; '
            "say which field it is by --text-field"
        )
    key = next(k for k, v in data.items() if v == text)
    read = ("data", "annotations", "completions") if reading.labelled else ("data",)
    fields = {k: v for k, v in task.items() if k not in read}
    fields |= {k: v for k, v in data.items() if k != key}
    versions = task.get("annotations", task.get("completions"))
    if versions is not None and not isinstance(versions, list):
        raise CorpusError(f'{place}: found "annotations" that are no list, expected a list of them')
    own = _own_names(key, versions, reading.labelled)
    if own:
        fields[OWN] = own
    spans = _spans(versions, text, place, reading, ledger) if reading.labelled else None
    return Record(text, number, spans, fields=fields, place=place)


def _own_names(key: str, versions: Any, labelled: bool) -> dict[str, Any]:
    """Return what is needed to write a task again.

    This is the key of the text in its data, if it is not `text`, and everything except the entities of the
    annotation that is read.
    """
    own: dict[str, Any] = {} if key == "text" else {"text": key}
    done = [v for v in versions or () if isinstance(v, dict) and not v.get("was_cancelled")]
    if labelled and done:
        from_name, to_name = _names_in(done)
        rest = {k: v for k, v in done[0].items() if k != "result"}
        if rest or (from_name, to_name) != ("label", "text"):
            own["annotation"] = {**rest, "from_name": from_name, "to_name": to_name}
    return own


def _text_of(data: Any, wanted: str) -> str | None:
    """Return the task's text: the field with the wanted name, or else the only string. None without one."""
    if not isinstance(data, dict):
        return None
    if isinstance(data.get(wanted), str):
        return str(data[wanted])
    strings = [value for value in data.values() if isinstance(value, str)]
    return strings[0] if len(strings) == 1 else None


def _spans(
    versions: list[Any] | None, text: str, place: str, reading: Reading, ledger: Ledger
) -> list[Span] | None:
    """Return the spans of the first annotation that was not cancelled, or None if there is none."""
    done = [v for v in versions or () if isinstance(v, dict) and not v.get("was_cancelled")]
    if not done:
        return None
    for _ in done[1:]:
        ledger.refuse(place, "further annotations of one task (the first is used)")
    values: list[dict[str, Any]] = []
    results = done[0].get("result")
    for result in results if isinstance(results, list) else []:
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(value, dict) or "start" not in value or not value.get("labels"):
            kind = str(result.get("type", "")) if isinstance(result, dict) else ""
            ledger.refuse(place, "results that label no span", kind)
            continue
        values.append(value)
    return spans_of_entries(values, text, f"{place}: result", place, reading, ledger)


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write a list of tasks.

    Predicted entities become a prediction beside the task's own annotations. Others become its annotation.
    """
    numbers = count(1)
    tasks = (_task(view, next(numbers)) for view in record_views(pieces, writing, tokens=False))
    yield from json_list(tasks)


def _task(view: RecordView, number: int) -> dict[str, Any]:
    kept = {key: value for key, value in view.fields.items() if key in _TASK_KEYS}
    data = {key: value for key, value in view.fields.items() if key not in (*_TASK_KEYS, OWN)}
    own = view.fields.get(OWN)
    own = own if isinstance(own, dict) else {}
    annotation = own["annotation"] if isinstance(own.get("annotation"), dict) else {}
    from_name, to_name = _names_in(kept.get("annotations"))
    from_name = annotation.get("from_name", from_name)
    to_name = annotation.get("to_name", to_name)
    results = [
        {
            "id": f"nertool-{number}-{i}",
            "from_name": from_name,
            "to_name": to_name,
            "type": "labels",
            "value": {
                "start": entity.start,
                "end": entity.end,
                "text": view.text[entity.start : entity.end],
                "labels": [entity.label],
            },
        }
        | ({} if entity.probability is None else {"score": round(entity.probability, 6)})
        for i, entity in enumerate(view.entities, 1)
    ]
    task: dict[str, Any] = {
        "id": number,
        **kept,
        "data": {**data, str(own.get("text", "text")): view.text},
    }
    if view.predicted:
        sure = [entity.probability for entity in view.entities if entity.probability is not None]
        score = round(sum(sure) / len(sure), 6) if sure else 1.0
        prediction = {"model_version": "nertool", "score": score, "result": results}
        task["annotations"] = kept.get("annotations") or []
        task["predictions"] = [*(kept.get("predictions") or []), prediction]
    else:
        rest = {k: v for k, v in annotation.items() if k not in ("from_name", "to_name")}
        task["annotations"] = [{**rest, "result": results}]
    return task


def _names_in(annotations: Any) -> tuple[str, str]:
    """Return the names of the controls of labels and text (from_name, to_name) in a task's annotations."""
    for annotation in annotations if isinstance(annotations, list) else ():
        for result in annotation.get("result") or ():
            if isinstance(result, dict) and "from_name" in result and "to_name" in result:
                return result["from_name"], result["to_name"]
    return "label", "text"
