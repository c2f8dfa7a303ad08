"""Rasa's training data in Markdown and YAML: lists of sentences with [words](class) below their intents.

```
## intent:travel
- I fly to [Berlin](city)
- from [Paris]{"entity": "city", "value": "paris"} to [NYC](city:New York)
```

In YAML, the sentences are below `examples: |`. Synonyms, lookup tables and patterns are not sentences: they
are left out and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from nertool.corpus.blocks import decode_lines
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.head import Head

_HEADING = re.compile(r"## *(intent|synonym|lookup|regex) *: *(.*)")
_KEY = re.compile(r"\s*(?:- +)?(intent|synonym|lookup|regex) *: *(\S.*)")
_BLOCK = re.compile(r"(\s*)(?:- +)?examples *: *[|>][-+0-9]*\s*$")
_ITEM = re.compile(r"\s*[-*+] +(.*\S)\s*$")
_MARK = re.compile(r"\[([^\[\]]+)\](?:\(([^()]+)\)|(\{[^{}]*\}))")
_OBJECT = re.compile(r"text *: *[|>]?")
_INTENT = "intent"


def detect(head: Head) -> str | None:
    """Recognise lists below headings of intents in Markdown, or below `nlu:` and `examples: |` in YAML."""
    lines = head.lines[:400]
    if not any(_ITEM.match(line) for line in lines):
        return None
    if any(_HEADING.match(line) for line in lines):
        return "Rasa's training data (Markdown)"
    starts = any(re.match(r"nlu *:\s*$", line) for line in lines)
    return "Rasa's training data (YAML)" if starts and any(map(_BLOCK.match, lines)) else None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each sentence of an intent as a record, which is a document of its own.

    The class is the name of the entity, without its value, role or group. Errors: CorpusError with file:line
    for an invalid mark.
    """
    kind, name, section, block = (
        "",
        "",
        "",
        -1,
    )  # block: the indentation of `examples:`, -1 outside of one
    for number, line in enumerate(decode_lines(stream, source), 1):
        place = f"{source}:{number}"
        if block >= 0 and line.strip() and len(line) - len(line.lstrip()) <= block:
            section, block = "", -1
        if heading := _HEADING.match(line):
            section, name = heading.groups()
        elif line.startswith("#"):
            section = ""  # a heading of stories, or a comment
        elif begin := _BLOCK.match(line):
            section, block = kind, len(begin[1])
        elif block < 0 and (key := _KEY.match(line)):
            kind, name = key.groups()
        elif section and (item := _ITEM.match(line)):
            if section != _INTENT:
                what = "entries of synonyms, lookup tables and patterns, which are no sentences"
                ledger.refuse(place, what, item[1])
                continue
            try:
                text, spans = _marked(item[1], place)
            except CorpusError as fault:
                pass_over(
                    fault, place, reading.pass_over_faulty, ledger, "lines that can't be read"
                )
                continue
            own = spans if reading.with_labels else None
            yield Record(text, number, own, fields={_INTENT: name.strip()})


def _marked(line: str, place: str) -> tuple[str, list[Span]]:
    """Return the text of a sentence without its marks, and its entities."""
    if _OBJECT.match(line):
        raise CorpusError(
            f"{place}: found an example that is an object ({line[:40]}), expected a sentence behind the "
            "dash; write it so"
        )
    parts: list[str] = []
    spans: list[Span] = []
    at = length = 0
    for match in _MARK.finditer(line):
        before = line[at : match.start()]
        at = match.end()
        start = length + len(before)
        length = start + len(match[1])
        label = match[2].partition(":")[0].strip() if match[2] else _entity(match[3], place)
        spans.append(Span(start, length, label))
        parts += (before, match[1])
    return "".join([*parts, line[at:]]), spans


def _entity(text: str, place: str) -> str:
    """Return the class in an entity's object, such as {"entity": "city", "role": "from"}."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    label = value.get("entity") if isinstance(value, dict) else None
    if not isinstance(label, str) or not label.strip():
        raise CorpusError(
            f'{place}: found {text[:60]} behind [words], expected {{"entity": "CLASS"}}; correct the line'
        )
    return label
