"""Places in UTF-16 units, in bytes and with CRLF as two signs are found out and counted."""

from __future__ import annotations

import json

import pytest

from nertool.corpus.ledger import Ledger
from tests.support.corpora import lines, read, refusal, surfaces

TEXT = "😀 Zoë Müller\nmet 👩‍🔬 Bob in Zürich."
NAMES = ["Zoë Müller", "Bob", "Zürich"]
UNITS = {
    "characters": len,
    "UTF-16 units": lambda text: len(text.encode("utf-16-le")) // 2,
    "bytes of UTF-8": lambda text: len(text.encode()),
    "CRLF as two signs": lambda text: len(text.replace("\n", "\r\n")),
}


def entries(unit: str, own: bool) -> list[dict]:
    length, out = UNITS[unit], []
    for name in NAMES:
        at = TEXT.index(name)
        start, end = length(TEXT[:at]), length(TEXT[: at + len(name)])
        out.append({"start": start, "end": end, "label": "X", **({"text": name} if own else {})})
    return out


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_is_found_from_the_entities_texts_or_their_borders(unit, own):
    ledger = Ledger()
    corpus = read(lines({"text": TEXT, "entities": entries(unit, own)}), ledger=ledger)
    assert [surface for surface, _ in surfaces(corpus)] == NAMES
    what = f"records whose places count {unit}, taken in characters"
    assert ledger.altered == ({} if unit == "characters" else {what: 1})


@pytest.mark.parametrize("unit", UNITS)
def test_label_studio_s_places_are_found_likewise(unit):
    results = [
        {"type": "labels", "value": {**e, "labels": [e.pop("label")]}} for e in entries(unit, True)
    ]
    task = {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": results}]}
    assert [surface for surface, _ in surfaces(read(json.dumps([task])))] == NAMES


def test_a_text_that_fits_in_no_unit_is_refused_as_before():
    entry = {"start": 3, "end": 6, "label": "X", "text": "Bob"}
    assert 'found the entity "Bob" at 3–6' in refusal(lines({"text": TEXT, "entities": [entry]}))


def test_places_that_fit_in_characters_are_never_moved():
    record = {"text": "é Ada met Bob", "entities": [[2, 5, "X"]]}
    ledger = Ledger()
    assert surfaces(read(lines(record), ledger=ledger)) == [("Ada", "X")]
    assert not ledger.altered
