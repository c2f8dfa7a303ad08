"""Read JSON objects as records, with the keys of all common tools.

| tool | text | labels |
|---|---|---|
| plain, Label Studio's JSON-MIN | `text` | `entities` or `label`: `{"start", "end", "label" or "labels"}` |
| doccano | `text` | `label`, `labels` or `entities`: `[start, end, label]`, or start_offset, end_offset |
| spaCy, Prodigy | `text`, `tokens` with places | `spans`, `entities`; `answer`: accept, reject or ignore |
| Hugging Face | `tokens`: words | `ner_tags`, `tags` or `labels`: one per token, a name or a number |

All other keys are kept unchanged in the record's fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nertool.corpus.annotated import RecordView
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import DOCUMENT, GOLD, Reading, Record, joined
from nertool.errors import CorpusError, did_you_mean
from nertool.formats.conll.find import tag_share
from nertool.formats.foreign import foreign_json
from nertool.formats.json.dialects import in_usual_keys, of_argilla
from nertool.formats.json.entries import (
    described,
    is_absent,
    is_entry,
    kind_of,
    short,
    spans_of_entries,
)
from nertool.formats.json.parse import parsed
from nertool.formats.json.tokens import (
    count_outside,
    found_sentences,
    further_keys,
    sentence_starts,
    token_places,
)

SPAN_KEYS = ("entities", "spans", "label", "labels", "annotations", "annotation", "mentions")
TAG_KEYS = ("ner_tags", "tags", "labels", "ner")
WORD_KEYS = ("tokens", "words")
_TEXT_KEYS = ("text", "sentence", "content", "data", "tweet", "body", "message", "document", "review",
              "comment", "utterance", "post")  # fmt: skip
DOCCANO = "doccano"  # the field with a record's entities as doccano wrote them
DOCCANO_KEYS = ("start_offset", "end_offset", "label")


def record_of(
    value: Any,
    line: int,
    place: str,
    reading: Reading,
    ledger: Ledger,
    before: dict[str, Any] | None,
) -> Record | None:
    """Read one JSON value as a record. None if the annotator rejected or ignored it.

    before: the fields of the previous record, which may belong to the same document. Errors: CorpusError at
    `place` that names the keys that were found.
    """
    value = of_argilla(value, reading.text_field)
    if reading.text_field == "text":
        value = in_usual_keys(value, place)
    if not isinstance(value, dict):
        raise CorpusError(
            f'{place}: found {kind_of(value)}, expected a JSON object such as {{"text": …, "entities": …}}'
        )
    if value.get("answer") in ("reject", "ignore"):
        ledger.refuse(place, "records that the annotator rejected or ignored", str(value["answer"]))
        return None
    document = value.get(DOCUMENT)
    known = document is not None and document != ""  # tables contain either for a missing value
    goes_on = (
        known
        and before is not None
        and before.get(DOCUMENT) == document
        and not (isinstance(document, int) and _of_two_files(before, value))
    )
    if reading.text_field == "text" not in value:
        reading = _with_text_field(value, reading)
    text = value.get(reading.text_field)
    if isinstance(text, str) and (key := _key_of_tags(value, text)):
        own, cut = tags_in(value[key]), text.split()
        if len(own) != len(cut) and reading.labelled:
            raise CorpusError(
                f"{place}: found {len(cut)} words and {len(own)} tags ({key}), expected as many of both"
            )
        value = {k: v for k, v in value.items() if k != reading.text_field}
        record = _of_words({**value, key: own, "tokens": cut}, cut, line, place, reading)
        return record._replace(goes_on=goes_on, place=place)
    if isinstance(text, str):
        record = _of_text(value, text, line, place, reading, ledger)
        return record._replace(goes_on=goes_on, place=place)
    words = value.get("tokens", value.get("words"))
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        record = _of_words(value, words, line, place, reading)
        return record._replace(goes_on=goes_on, place=place)
    keys = ", ".join(f'"{key}"' for key in list(value)[:12]) or "no key"
    if reading.text_field in value:
        raise CorpusError(
            f"{place}: {reading.text_field}: found {described(value[reading.text_field])}, expected a string"
        )
    if words is not None:
        raise CorpusError(f"{place}: tokens: found {described(words)}, expected a list of words")
    near = did_you_mean(reading.text_field, [key for key in value if isinstance(value[key], str)])
    raise CorpusError(
        f'{place}: found {keys}, expected "{reading.text_field}" (a string) or "tokens" (a list of '
        f"words){foreign_json(value) or near or '; say which it is by --text-field'}"
    )


def _of_two_files(before: dict[str, Any], value: dict[str, Any]) -> bool:
    """Tell whether two records name different files as their source.

    Where `predict` writes several files into one output, the numbers of documents may begin again in each.
    """
    sources = before.get("source"), value.get("source")
    return all(isinstance(source, str) for source in sources) and sources[0] != sources[1]


def _with_text_field(value: dict[str, Any], reading: Reading) -> Reading:
    """Return the reading options with the key of a record's text, if exactly one key can hold the text."""
    if any(key in value for key in WORD_KEYS):
        return reading
    keys = [key for key in value if key.lower() in _TEXT_KEYS and isinstance(value[key], str)]
    return replace(reading, text_field=keys[0]) if len(keys) == 1 else reading


def tags_in(value: Any) -> list[Any]:
    """Return the tags in a list, or in a string that separates them by whitespace or commas.

    An empty list for any other value.
    """
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return value if isinstance(value, list) else []


def _key_of_tags(value: dict[str, Any], text: str) -> str | None:
    """Return the key of the tags of a record without tokens: one tag for each word between whitespace."""
    if any(key in value for key in WORD_KEYS):
        return None
    for key in TAG_KEYS:
        tags = tags_in(value.get(key))
        strings = bool(tags) and all(isinstance(tag, str) for tag in tags)
        sure = isinstance(value.get(key), list) or len(tags) == len(text.split()) > 1
        if strings and sure and tag_share(tags) == 1:
            return key
    return None


def _of_text(
    value: dict[str, Any], text: str, line: int, place: str, reading: Reading, ledger: Ledger
) -> Record:
    key = _key_of_spans(value, place if reading.labelled else "")
    key = key or next((k for k, v in value.items() if _may_be_labels(k) and _are_entries(v)), None)
    odd = None if key else next((k for k in SPAN_KEYS if not _says_nothing(k, value.get(k))), None)
    spans: Sequence[Span] | None = None
    own: dict[str, Any] = {}
    if odd is not None and reading.labelled:
        try:
            entries = _unwrapped(value[odd])
        except CorpusError as error:
            raise CorpusError(f"{place}: {odd}: {error}") from None
        if entries is None:
            raise CorpusError(
                f'{place}: found {described(value[odd])} in "{odd}", expected a list of spans, each with '
                "start, end and label"
            )
        value, key = {**value, odd: entries}, odd
    if key is not None and reading.labelled:
        entries = value[key]
        if is_doccano(entries):
            # The ids, to which relations refer, and other values are kept in a field of their own.
            own = {DOCCANO: {key: entries}}
            entries = [{k: entry.get(k) for k in DOCCANO_KEYS} for entry in entries]
        spans = spans_of_entries(entries, text, f"{place}: {key}", place, reading, ledger)
    elif reading.labelled and odd is None and _is_annotated(value):
        spans = []
    tokens = token_places(value.get("tokens"), text, place)
    sentences = None
    if tokens is not None:
        words = [(start, end) for start, end in tokens if not text[start:end].isspace()]
        sentences = sentence_starts(value.get("sentences"), tokens, text, place, len(words))
        tokens = words
        count_outside(text, tokens, place, ledger)
        for name in further_keys(value["tokens"]):
            ledger.leave_out(place, f"values of tokens other than text and place: {name}")
        if sentences is None and any(isinstance(token, dict) for token in value["tokens"]):
            sentences = found_sentences(text, tokens, spans or (), reading.language)
    used = {reading.text_field, key} | ({"tokens", "sentences"} if tokens is not None else set())
    fields = {k: v for k, v in value.items() if k not in used} | own
    if key is not None and not reading.labelled:
        fields[GOLD] = value[key]
    return Record(text, line, spans, tokens=tokens, sentences=sentences, fields=fields)


def _key_of_spans(value: dict[str, Any], place: str) -> str | None:
    """Return the key of a record's list of spans, or None.

    Errors: CorpusError if two keys hold different spans, unless `place` is empty.
    """
    keys = [key for key in SPAN_KEYS if isinstance(value.get(key), list)]
    if len(keys) < 2:
        return keys[0] if keys else None
    filled = [key for key in keys if _are_entries(value[key])]
    for other in filled[1:]:
        if place and value[other] != value[filled[0]]:
            raise CorpusError(
                f'{place}: found labels in "{filled[0]}" and in "{other}", which are not the same, expected '
                "them under one key; remove the other one"
            )
    return filled[0] if filled else keys[0]


def is_doccano(entries: Any) -> bool:
    """Tell whether a value is a list of entities as doccano writes them for projects with relations."""
    return (
        isinstance(entries, list)
        and bool(entries)
        and all(isinstance(entry, dict) and entry.keys() >= set(DOCCANO_KEYS) for entry in entries)
    )


def _is_annotated(value: dict[str, Any]) -> bool:
    """Tell whether a record without a list of spans was annotated, and so has no entities.

    For an annotation without spans, some versions of Prodigy, and Label Studio's JSON-MIN and CSV, write no
    list.
    """
    if value.get("annotation_id") not in (None, ""):
        return True
    tokens = value.get("tokens")
    of_spans = str(value.get("_view_id", "")).startswith(("ner", "spans"))
    cut = isinstance(tokens, list) and all(isinstance(token, dict) for token in tokens)
    return value.get("answer") == "accept" and (of_spans or cut)


def _may_be_labels(key: str) -> bool:
    """Tell whether an unknown key may hold labels. `tokens` and a model's predictions do not."""
    return key != "tokens" and not re.search("predict|suggest", key, re.IGNORECASE)


def _are_entries(value: Any) -> bool:
    """Tell whether a value is a non-empty list of labelled spans.

    Its key may be any: in Label Studio's JSON-MIN, the key is the name of the control in the project.
    """
    return isinstance(value, list) and bool(value) and all(map(is_entry, value))


def _says_nothing(key: str, value: Any) -> bool:
    """Tell whether a value that is not a list holds no entities: it is missing, or the class of the text."""
    text_class = key in ("label", "labels", "annotation") and isinstance(value, str | int | float)
    own_class = text_class and not str(value).lstrip().startswith(("[", "{"))
    return is_absent(value) or own_class


def _unwrapped(value: Any) -> list[Any] | None:
    """Return the list of spans in a string, in {"entities": […]}, or in the objects of CLUENER.

    CLUENER writes {"name": {"Ada": [[0, 2]]}}, where an end is the last character. None for any other value.
    """
    if isinstance(value, str):
        value = parsed(value)
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((key, inner),) = value.items()
        if key in ("entities", "spans") and isinstance(inner, list):
            return inner
    if not isinstance(value, dict):
        return None
    entries = []
    for label, surfaces in value.items():
        if not isinstance(surfaces, dict):
            return None
        for surface, places in surfaces.items():
            for place in places if isinstance(places, list) else [places]:
                if not isinstance(place, list) or len(place) != 2 or type(place[1]) is not int:
                    return None
                end = place[1] + 1
                entries.append({"start": place[0], "end": end, "label": label, "text": surface})
    return entries


def record_or_none(
    value: Any,
    line: int,
    place: str,
    reading: Reading,
    ledger: Ledger,
    before: dict[str, Any] | None,
) -> Record | None:
    """Read one JSON value as record_of does. An invalid one is counted if reading.pass_over_faulty is set."""
    try:
        return record_of(value, line, place, reading, ledger, before)
    except CorpusError as error:
        pass_over(error, place, reading.pass_over_faulty, ledger)
        return None


def _of_words(
    value: dict[str, Any], words: Sequence[str], line: int, place: str, reading: Reading
) -> Record:
    for word in words:
        if not word or word.isspace():
            raise CorpusError(f"{place}: found an empty token, expected words; correct the record")
    key = _key_of_list(value)
    tags = None
    if key is not None and reading.labelled:
        tags = [_tag_name(tag, f"{place}: {key}", reading) for tag in value[key]]
        if len(tags) != len(words):
            raise CorpusError(
                f"{place}: found {len(words)} tokens and {len(tags)} tags ({key}), expected as many of both"
            )
    elif reading.labelled:
        odd = next(
            (k for k in (*TAG_KEYS, *SPAN_KEYS) if value.get(k) and not is_absent(value[k])), None
        )
        if odd is not None:
            raise CorpusError(
                f'{place}: found {described(value[odd])} in "{odd}" beside tokens that are words, expected '
                '"ner_tags", a tag a token; or a "text", and places in its characters'
            )
    text, places = joined(words)
    used = {"tokens" if "tokens" in value else "words", key}
    fields = {k: v for k, v in value.items() if k not in used}
    if key is not None and not reading.labelled:
        fields[GOLD] = [_name_if_known(tag, reading.tag_names) for tag in value[key]]
    return Record(text, line, tags=tags, tokens=places, fields=fields, own_text=False)


def _key_of_list(value: dict[str, Any]) -> str | None:
    """Return the key of a record's tags. Of several lists, this is the first that looks like tags."""
    keys = [key for key in TAG_KEYS if isinstance(value.get(key), list)]
    if len(keys) < 2:
        return keys[0] if keys else None

    def alike(tags: list[Any]) -> bool:
        return all(isinstance(tag, str) for tag in tags) and tag_share(tags) == 1

    return next((key for key in keys if alike(value[key])), keys[0])


def _name_if_known(tag: Any, names: Sequence[str]) -> Any:
    """Return the name of a tag that is a number. Any other value is returned unchanged."""
    return names[tag] if type(tag) is int and 0 <= tag < len(names) else tag


def _tag_name(tag: Any, where: str, reading: Reading) -> str:
    if isinstance(tag, str):
        return tag
    if type(tag) is not int:
        raise CorpusError(
            f"{where}: found {kind_of(tag)} {short(tag)}, expected tags, a string each"
        )
    if not 0 <= tag < len(reading.tag_names):
        known = len(reading.tag_names)
        raise CorpusError(
            f"{where}: found the number {tag}, expected "
            + (f"one below {known}, as many names as there are" if known else "names of tags")
            + "; list the names in order by --tag-names O,B-PER,I-PER,…"
        )
    return reading.tag_names[tag]


def entity_objects(view: RecordView) -> list[dict[str, Any]]:
    """Return a record's entities as objects for JSON, with half-open offsets in characters and in tokens."""
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
    """Return a record as one JSON object: its fields, text and entities.

    exact: whether to add the tokens' offsets and the number of each sentence's first token.
    """
    value = {**view.fields, "text": view.text, "entities": entity_objects(view)}
    if exact:
        value["tokens"] = [list(place) for place in view.places]
        value["sentences"] = [start for start, _ in view.sentences]
    for extra in view.extras:
        for key, entry in extra.items():
            value.setdefault(key, []).append(entry)
    return value
