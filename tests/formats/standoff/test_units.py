"""Places in UTF-16 units, in bytes and with CRLF as two signs are found out and counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.read import read_corpus
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


LENGTHS = {"utf16": UNITS["UTF-16 units"], "bytes": UNITS["bytes of UTF-8"]}
BODY = "😀 Zoë Müller met 👩‍🔬 Bob in Zürich."


def written(format_name: str, unit: str, folder: Path) -> Path:
    """Write BODY with its names, in places of a unit, without or with the entities' own texts."""
    length = LENGTHS[unit]
    places = []
    for name in NAMES:
        at = BODY.index(name)
        places.append((length(BODY[:at]), length(BODY[: at + len(name)]), name))
    path = folder / "a.txt"
    if format_name == "brat":
        path.write_text(BODY, encoding="utf-8")
        rows = [f"T{i}\tX {a} {b}\t{name}\n" for i, (a, b, name) in enumerate(places)]
        path.with_suffix(".ann").write_text("".join(rows), encoding="utf-8")
    elif format_name == "pubtator":
        rows = [f"7\t{a}\t{b}\t{name}\tX\n" for a, b, name in places]
        path.write_text(f"7|t|{BODY}\n" + "".join(rows), encoding="utf-8")
    elif format_name == "bioc":
        annotations = [
            {"infons": {"type": "X"}, "text": n, "locations": [{"offset": a, "length": b - a}]}
            for a, b, n in places
        ]
        passage = {"offset": 0, "text": BODY, "annotations": annotations}
        path.write_text(json.dumps({"documents": [{"id": "7", "passages": [passage]}]}))
    elif format_name == "csv":
        labels = json.dumps([[a, b, "X"] for a, b, _ in places]).replace('"', '""')
        path.write_text(f'id,text,label\n7,"{BODY}","{labels}"\n', encoding="utf-8")
    else:  # doccano: no texts of the entities
        label = [[a, b, "X"] for a, b, _ in places]
        path.write_text(json.dumps({"text": BODY, "label": label}) + "\n")
    return path


@pytest.mark.parametrize("unit", LENGTHS)
@pytest.mark.parametrize("format_name", ["brat", "pubtator", "bioc", "csv", "doccano"])
def test_every_format_with_places_finds_their_unit_or_takes_the_one_that_is_named(
    format_name, unit, tmp_path
):
    path = written(format_name, unit, tmp_path)
    what = {"utf16": "UTF-16 units", "bytes": "bytes of UTF-8"}[unit]
    for offsets in ("auto", unit):
        ledger = Ledger()
        reading = Reading(offsets=offsets)
        corpus = read_corpus(path, "auto", reading, ledger)
        assert [surface for surface, _ in surfaces(corpus)] == NAMES
        assert ledger.altered[f"records whose places count {what}, taken in characters"] == 1
    with pytest.raises(CorpusError):
        read_corpus(path, "auto", Reading(offsets="characters"), Ledger())


def test_a_unit_that_is_named_and_does_not_fit_is_refused():
    record = {"text": "ä😀 Bob", "entities": [{"start": 1, "end": 2, "label": "X"}]}
    with pytest.raises(CorpusError, match="expected places within"):
        read(lines(record), offsets="utf16")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("周末，王小明去了北京", "去了北"),  # 6–9: in bytes the comma, between two characters
        ("ตลาดเป็นที่ในมีและเชียงใหม่", "เชียงใหม่"),  # in bytes from vowel sign to vowel sign
    ],
)
def test_text_without_blanks_between_words_is_not_taken_for_bytes_by_chance(text, name):
    start = text.index(name)
    ledger = Ledger()
    record = {"text": text, "entities": [[start, start + len(name), "X"]]}
    [(surface, label)] = surfaces(read(lines(record), ledger=ledger))
    assert ("".join(surface.split()), label, ledger.altered) == (name, "X", {})


def test_a_border_within_a_word_is_not_taken_for_bytes_that_end_at_a_blank():
    # In characters, 27–30 is "Rhe", within a word. In bytes it is "am " of the words before.
    record = {"text": "Für Österreich und Köln am Rhein", "entities": [[27, 30, "X"]]}
    assert 'found the entity "Rhe"' in refusal(lines(record), misaligned="error")
