"""Convert JSON records of other tools to the keys that objects.py reads.

| tool | record | end of an entity |
|---|---|---|
| spaCy's training lists | `[text, {"entities": [[0, 3, "PER"]]}]`, `[text, [[0, 3, "PER"]]]` | half-open |
| GLiNER | `{"tokenized_text": ["Ada", …], "ner": [[0, 0, "PER"]]}` | the last token |
| dataturks | `{"content": …, "annotation": [{"label": …, "points": [{…}]}]}` | the last character |
| LightTag | `{"content": …, "annotations": [{"start": 0, "end": 3, "tag": "PER"}]}` | half-open |
| Ground Truth | `{"source": …, "JOB": {"annotations": {"entities": [{"startOffset": 0, …}]}}}` | half-open |
| UBIAI | `{"document": …, "tokens": [{"start": 0, "end": 3, "entityLabel": "PER"}]}` | half-open |
| Argilla | `{"text": …, "label.responses": [[{"start": 0, "end": 3, "label": "PER"}]], …}` | half-open |
| Argilla's to_json | `{"fields": {"text": …}, "responses": {"label": [{"value": […]}]}}` | half-open |
| spaCy's Doc.to_json | `{"text": …, "ents": [{"start": 0, "end": 3, "label": "PER"}]}` | half-open |
"""

from __future__ import annotations

from typing import Any

from nertool.errors import CorpusError
from nertool.formats.json.entries import is_entry
from nertool.formats.spacy.tokens import from_doc, is_doc


def in_usual_keys(value: Any, place: str) -> Any:
    """Convert a record of one of these tools to the usual keys. Any other value is returned unchanged.

    Errors: CorpusError for a record of one of these tools that is not valid.
    """
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        if isinstance(value[1], dict):
            return {"text": value[0], **value[1]}
        return {"text": value[0], "entities": value[1]}
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("tokenized_text"), list):
        return _gliner(value, place)
    if isinstance(value.get("content"), str) and "text" not in value:
        return _dataturks(value, place) if "annotation" in value else _light_tag(value)
    if isinstance(value.get("example"), dict) and "content" in value["example"]:
        return _light_tag(
            {**value["example"], **{k: v for k, v in value.items() if k != "example"}}
        )
    if isinstance(value.get("source"), str) and (found := _ground_truth(value)) is not None:
        return found
    if isinstance(value.get("document"), str) and _are_ubiai_s(value.get("tokens"), value):
        return _ubiai(value)
    if is_doc(value):
        return from_doc(value)
    return value


def of_argilla(value: Any, text_field: str) -> Any:
    """Convert a record of Argilla to the usual keys. Any other value is returned unchanged.

    The entities are those of the first submitted response of an annotator. A record without such a response
    has no labels: suggestions don't count, because they come from a model. All of them are kept in the fields
    responses and suggestions.
    """
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("fields"), dict) and isinstance(value.get("responses"), dict):
        return _of_argilla_json(value, text_field)
    asked = [k for k in value if k.endswith(".responses") and f"{k}.users" in value]
    suggested = [k for k in value if k.endswith(".suggestion") and f"{k}.agent" in value]
    if not asked and not suggested:
        return value
    given: list[tuple[str, Any]] = []
    for key in asked:
        values, said = value[key] or [], value.get(f"{key}.status") or []
        for i, entry in enumerate(values if isinstance(values, list) else []):
            if said[i : i + 1] in ([], [None], ["submitted"]):
                given.append((key.removesuffix(".responses"), entry))
    suggestions = {key.removesuffix(".suggestion"): value[key] for key in suggested}
    responses = {key.removesuffix(".responses"): value[key] for key in asked}
    rest = {k: v for k, v in value.items() if k not in (*asked, *suggested)}
    record = {**rest, "responses": responses, "suggestions": suggestions}
    return _with_response(record, given, suggestions)


def _of_argilla_json(value: dict[str, Any], text_field: str) -> dict[str, Any]:
    fields = value["fields"]
    texts = [key for key, entry in fields.items() if isinstance(entry, str)]
    key = texts[0] if len(texts) == 1 else text_field
    given = [
        (name, answer.get("value"))
        for name, answers in value["responses"].items()
        for answer in (answers if isinstance(answers, list) else ())
        if isinstance(answer, dict) and value.get("status") != "pending"
    ]
    suggestions = {
        name: entry.get("value") if isinstance(entry, dict) else entry
        for name, entry in (value.get("suggestions") or {}).items()
    }
    rest = {k: v for k, v in {**value, **fields}.items() if k not in ("fields", key)}
    return _with_response({**rest, text_field: fields.get(key)}, given, suggestions)


def _with_response(
    value: dict[str, Any], given: list[tuple[str, Any]], suggestions: dict[str, Any]
) -> dict[str, Any]:
    """Set a record's entities to the first response to the question that asks for spans.

    This question is the one whose answers hold spans. If all lists are empty, it is the only one with lists.
    The record is unchanged if there is no such question, or more than one.
    """
    lists = [(name, entry) for name, entry in given if isinstance(entry, list)]
    spans = {name for name, entry in [*lists, *suggestions.items()] if _are_spans(entry)}
    spans = spans or {name for name, _ in lists}
    found = [entry for name, entry in lists if name in spans]
    return {**value, "entities": found[0]} if len(spans) == 1 and found else value


def _are_spans(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_entry, value))


def _gliner(value: dict[str, Any], place: str) -> dict[str, Any]:
    words = value["tokenized_text"]
    rest = {k: v for k, v in value.items() if k not in ("tokenized_text", "ner")}
    spans = value.get("ner")
    if spans is None:
        return {**rest, "tokens": words}
    tags = ["O"] * len(words)
    for span in spans if isinstance(spans, list) else [spans]:
        whole = isinstance(span, list) and len(span) == 3 and isinstance(span[2], str)
        if not whole or type(span[0]) is not int or type(span[1]) is not int:
            raise CorpusError(f'{place}: ner: found {span!r:.60}, expected [first, last, "LABEL"]')
        first, last, label = span
        if not 0 <= first <= last < len(words):
            raise CorpusError(
                f"{place}: ner: found an entity from token {first} to {last}, expected tokens from 0 to "
                f"{len(words) - 1}"
            )
        if any(tag != "O" for tag in tags[first : last + 1]):
            raise CorpusError(
                f"{place}: ner: found an entity from token {first} to {last} that overlaps another, "
                "expected flat entities; leave one of them out"
            )
        tags[first : last + 1] = [f"B-{label}", *[f"I-{label}"] * (last - first)]
    return {**rest, "tokens": words, "ner_tags": tags}


def _dataturks(value: dict[str, Any], place: str) -> dict[str, Any]:
    rest = {k: v for k, v in value.items() if k not in ("content", "annotation")}
    entries = value["annotation"]
    if entries is None:
        return {**rest, "text": value["content"]}
    entities = []
    for entry in entries if isinstance(entries, list) else [entries]:
        points = entry.get("points") if isinstance(entry, dict) else None
        if not isinstance(points, list):
            raise CorpusError(
                f'{place}: annotation: found {entry!r:.60}, expected "label" and "points"'
            )
        for point in points:
            if type(point.get("end")) is not int:
                raise CorpusError(
                    f'{place}: annotation: found {point!r:.60}, expected "start" and "end"'
                )
            # The end is usually the entity's last character. The point's text shows if it is not.
            end, own = point["end"] + 1, point.get("text")
            if isinstance(own, str) and value["content"][point["start"] : end - 1] == own:
                end -= 1
            entities.append({"start": point["start"], "end": end, "label": entry.get("label")})
    return {**rest, "text": value["content"], "entities": entities}


def _ground_truth(value: dict[str, Any]) -> dict[str, Any] | None:
    """Convert a row of a manifest of Amazon's Ground Truth, which has its labels under the job's name.

    None for a row without labels.
    """
    for key, entry in value.items():
        own = entry.get("annotations") if isinstance(entry, dict) else None
        if isinstance(own, dict) and isinstance(own.get("entities"), list):
            rest = {k: v for k, v in value.items() if k not in ("source", key)}
            return {**rest, "text": value["source"], "entities": own["entities"]}
    return None


def _are_ubiai_s(tokens: Any, value: dict[str, Any]) -> bool:
    """Tell whether `tokens` holds entities, as in UBIAI's documents, and not the words of a text.

    With words, `document` is the name of the text's document. An empty list beside tags holds no words.
    """
    if not isinstance(tokens, list):
        return False
    tagged = any(key in value for key in ("ner_tags", "tags", "labels", "ner"))
    return all(isinstance(entry, dict) for entry in tokens) and bool(tokens or not tagged)


def _ubiai(value: dict[str, Any]) -> dict[str, Any]:
    """Convert a document of UBIAI, where `tokens` holds the entities."""
    rest = {k: v for k, v in value.items() if k not in ("document", "tokens")}
    entities = [
        {k: e[k] for k in ("start", "end", "text") if k in e} | {"label": e.get("entityLabel")}
        if isinstance(e, dict)
        else e
        for e in value["tokens"]
    ]
    return {**rest, "text": value["document"], "entities": entities}


def _light_tag(value: dict[str, Any]) -> dict[str, Any]:
    rest = {k: v for k, v in value.items() if k not in ("content", "annotations")}
    entries = value.get("annotations")
    if not isinstance(entries, list):
        return {**rest, "text": value["content"]}
    entities = [
        {"start": e.get("start"), "end": e.get("end"), "label": e.get("tag", e.get("label"))}
        if isinstance(e, dict)
        else e
        for e in entries
    ]
    return {**rest, "text": value["content"], "entities": entities}
