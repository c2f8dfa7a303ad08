"""BioC in XML: documents of passages, each with its text and annotations.

```
<collection><document><id>d1</id><passage><offset>0</offset><text>Ada met me.</text>
<annotation id="1"><infon key="type">PER</infon><location offset="0" length="3"/><text>Ada</text></annotation>
</passage></document></collection>
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError, iterparse

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.head import Head
from nertool.formats.json.bioc import records_of_documents

_SIGN = re.compile(
    r"<!DOCTYPE collection\b|<collection\b[^>]*>(?:(?!<passage\b).)*<passage\b", re.DOTALL
)


def detect(head: Head) -> str | None:
    """Recognise a <collection> with a <passage>, or BioC's document type."""
    if head.begin.startswith("<") and _SIGN.search(head.begin):
        return "BioC XML"
    return None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each passage, or each of its sentences, as a record. Those of a document form one document.

    Errors: CorpusError with the line of XML that is not well-formed, or with the document's number.
    """
    yield from records_of_documents(_documents(stream, source), source, reading, ledger)


def _documents(stream: BinaryIO, source: str) -> Iterator[dict[str, Any]]:
    """Yield each document with the keys of BioC JSON. Only one document is in memory at a time."""
    try:
        for _, element in iterparse(stream):
            if element.tag == "document":
                yield {
                    "id": element.findtext("id", ""),
                    "passages": [_part(passage) for passage in element.iterfind("passage")],
                }
                element.clear()
    except ParseError as error:
        line, column = error.position
        what = str(error).partition(":")[0]
        raise CorpusError(
            f"{source}:{line}: not well-formed XML: {what} in column {column + 1}; fix it (is it cut short?)"
        ) from None


def _part(element: Element) -> dict[str, Any]:
    """Return a passage or a sentence with the keys of BioC JSON."""
    part: dict[str, Any] = {
        "offset": _number(element.findtext("offset", "0")),
        "infons": _infons(element),
        "annotations": [_annotation(entry) for entry in element.iterfind("annotation")],
    }
    text = element.findtext("text")
    if text is not None:
        part["text"] = text
    sentences = [_part(sentence) for sentence in element.iterfind("sentence")]
    return {**part, "sentences": sentences} if sentences else part


def _annotation(element: Element) -> dict[str, Any]:
    places = [
        {key: _number(at.get(key, "")) for key in ("offset", "length")}
        for at in element.iterfind("location")
    ]
    return {"infons": _infons(element), "text": element.findtext("text"), "locations": places}


def _infons(element: Element) -> dict[str, str]:
    return {infon.get("key", ""): infon.text or "" for infon in element.iterfind("infon")}


def _number(text: str) -> int | str:
    """Convert a text to an integer. Any other text is returned unchanged, and refused where it is used."""
    try:
        return int(text)
    except ValueError:
        return text
