"""Helpers for the tests of formats: read labelled text from memory, and list its sentences and entities."""

from __future__ import annotations

import io
import json

import pytest

from nertool.catalogue import FORMATS
from nertool.corpus.build import entities_of
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.read import read_stream

# The formats that need no more than the extra `test`. tests/clients has the others.
TESTED = [known for known in FORMATS if known.extra != "spacy"]


def read(
    data: str | bytes, format_name: str = "auto", ledger: Ledger | None = None, **how
) -> Corpus:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    ledger = ledger or Ledger()
    return read_stream(io.BytesIO(raw), "x", format_name, Reading(**how), ledger, lambda line: None)


def found(corpus: Corpus) -> list[tuple[list[str], list[tuple[int, int, str]]]]:
    """Return each sentence's words, and its entities in tokens of the sentence."""
    spans = entities_of(corpus).as_list()
    out = []
    for words, a, b in zip(
        corpus.sentence_words(), corpus.sentence_starts, corpus.sentence_starts[1:], strict=False
    ):
        own = [(s - int(a), e - int(a), label) for s, e, label in spans if a <= s < b]
        out.append((words, own))
    return out


def surfaces(corpus: Corpus) -> list[tuple[str, str]]:
    """Return each entity's text, as in the original, and its label."""
    records = corpus.records
    assert records is not None
    out = []
    for start, end, label in entities_of(corpus).as_list():
        sentence = int((corpus.sentence_starts <= start).sum()) - 1
        record = int((records.starts <= sentence).sum()) - 1
        while records.starts[record + 1] <= sentence:
            record += 1
        text = records.texts[record]
        out.append((text[records.token_starts[start] : records.token_ends[end - 1]], label))
    return out


def refusal(data: str | bytes, format_name: str = "auto", **how) -> str:
    with pytest.raises(CorpusError) as error:
        read(data, format_name, **how)
    assert "\n" not in str(error.value)
    return str(error.value)


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


TEXT = "Ada Lovelace met me in London."
SPANS = [(0, 12, "PER"), (23, 29, "LOC")]
TASK = {
    "id": 7,
    "data": {"text": TEXT, "source": "diary"},
    "annotations": [
        {
            "result": [
                {"type": "labels", "value": {"start": a, "end": b, "labels": [label]}}
                for a, b, label in SPANS
            ]
        }
    ],
}
# An entity within a word.
LONDON = {"text": "In Londonderry today", "entities": [[3, 9, "LOC"]]}
