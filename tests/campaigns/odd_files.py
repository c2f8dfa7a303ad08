"""Convert odd files, as label tools and spreadsheets write them. Each must be read with the right number of
entities, or refused in one line that says what was found.

python -m tests.campaigns.odd_files --count 100
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from tests.campaigns.common import (
    Tally,
    exit_code,
    faults_told,
    forked,
    import_all,
    main_of,
    run_campaign,
)

COLUMNS = "Ada\tB-PER\nmet\tO\nme\tO\n\nBob\tB-PER\nleft\tO\nParis\tB-LOC\n\n"
TEXT = "Ada met me in London."
CELL = '"[[0, 3, ""PER""]]"'


class Odd(NamedTuple):
    """A file, and what becomes of it: so many entities, or a refusal that says something."""

    name: str
    content: str | bytes
    expected: int | str


def _columns(old: str, new: str) -> str:
    return COLUMNS.replace(old, new)


def _json(entities: object, text: str = TEXT) -> str:
    good = {"text": "Cy ran.", "entities": [[0, 2, "PER"]]}
    return json.dumps(good) + "\n" + json.dumps({"text": text, "entities": entities}) + "\n"


FILES = (
    Odd("crlf.conll", _columns("\n", "\r\n"), 3),
    Odd("blanks-between.conll", _columns("\n\n", "\n  \t \n"), 3),
    Odd("utf16.conll", ("\ufeff" + COLUMNS).encode("utf-16-le"), 3),
    Odd("utf16-without-mark.conll", COLUMNS.encode("utf-16-le"), "UTF-16"),
    Odd("latin1.conll", _columns("Ada", "Adé").encode("latin-1"), "0xe9"),
    Odd("underscore-prefix.conll", _columns("B-", "B_"), "written B-PER"),
    Odd("prefix-behind.conll", _columns("B-PER", "PER-B"), "written B-PER"),
    Odd("small-o.conll", _columns("\tO", "\to"), "the tag of tokens in no entity"),
    Odd("outside.conll", _columns("\tO", "\tOUTSIDE"), "the tag of tokens in no entity"),
    Odd("dash.conll", _columns("\tO", "\t-"), 3),
    Odd("zero.conll", _columns("\tO", "\t0"), 3),
    Odd("no-tag.conll", _columns("\tO", "\t"), 'found the tag ""'),
    Odd("scores.conll", "".join(f"{row}\t0.98\n" if row else "\n" for row in COLUMNS.split("\n")), 3),
    Odd("nested.conll", "".join(f"{row}\tO\n" if row else "\n" for row in COLUMNS.split("\n")), 3),
    Odd("turned.conll", "B-PER\tAda\nO\tmet\n\nB-PER\tBob\nO\tleft\n\n", 2),
    Odd("header.tsv", "word\tner\n" + COLUMNS, 3),
    Odd("kaggle.csv", "Sentence #,Word,Tag\nSentence: 1,Ada,B-per\n,met,O\nSentence: 2,It,O\n", 1),
    Odd("simple.csv", "sentence_id,words,labels\n0,Ada,B-PER\n0,met,O\n1,It,O\n", 1),
    Odd("spans.csv", f'text,label\n"{TEXT}",{CELL}\n"It, too.",[]\n', 1),
    Odd("pandas.csv", f",text,entities\n0,\"{TEXT}\",\"[(0, 3, 'PER')]\"\n", 1),
    Odd("numpy.csv", "tokens,ner_tags\n\"['Ada' 'met']\",\"['B-PER' 'O']\"\n", "found a string"),
    Odd("ragged.csv", f'text,label\n"{TEXT}",{CELL}\nIt rained, and how,[]\n', "found 3 columns"),
    Odd("negative.jsonl", _json([[-1, 3, "PER"]]), "found an entity at -1–3"),
    Odd("reversed.jsonl", _json([[3, 0, "PER"]]), "found an entity at 3–0"),
    Odd("empty-span.jsonl", _json([[3, 3, "PER"]]), "found an entity at 3–3"),
    Odd("label-null.jsonl", _json([[0, 3, None]]), "found null"),
    Odd("label-number.jsonl", _json([[0, 3, 1]]), "found a number 1"),
    Odd("label-first.jsonl", _json([["PER", 0, 3]]), 2),
    Odd("floats.jsonl", _json([[0.0, 3.0, "PER"]]), 2),
    Odd("string.jsonl", _json('[[0, 3, "PER"]]'), 2),
    Odd("null.jsonl", _json(None), 1),
    Odd("nan.jsonl", _json(None).replace("null", "NaN"), 1),
    Odd("object.jsonl", _json({"PER": ["Ada"]}), "found an object"),
    Odd("last-character.jsonl", _json([{"start": 0, "end": 2, "label": "PER", "text": "Ada"}]), "behind"),
    Odd("cut.jsonl", _json([])[:-5], "not JSON"),
    Odd("two-objects.json", _json([]).replace("\n", ""), "not JSON"),
    Odd("emoji.jsonl", _json([[5, 8, "PER"]], "👩‍👩‍👧 Ada met.".replace("\u200d", "")), "border inside"),
    Odd("page.html", "<html><body><p>Ada met me.</p></body></html>", "HTML"),
    Odd("tei.xml", "<TEI><text><p><persName>Ada</persName></p></text></TEI>", "TEI"),
    Odd("text.txt", "Ada met me in London. They talked about engines.\n", "no labels here"),
    Odd("archive.zip", b"PK\x03\x04" + bytes(40), "a zip archive"),
    Odd("data.pkl", b"\x80\x04\x95\x10", "pickle"),
)  # fmt: skip


def campaign(tally: Tally, count: int, seed: int, folder: Path) -> None:
    """Convert each file to JSON lines, and count its entities."""
    import_all()
    told, out = folder / "stderr", folder / "out.jsonl"
    for odd in FILES[:count]:
        path = folder / odd.name
        raw = odd.content.encode("utf-8") if isinstance(odd.content, str) else odd.content
        path.write_bytes(raw)
        out.unlink(missing_ok=True)
        code = exit_code(forked(main_of("corpus", "convert", path, "-o", out), told))
        said = told.read_bytes()
        tally.count(faults_told(said) or _wrong(odd, code, said.decode(), out))


def _wrong(odd: Odd, code: int, said: str, out: Path) -> str:
    """Say what is not as expected; "" if all is."""
    if isinstance(odd.expected, str):
        right = code == 1 and odd.expected in said and not out.exists()
        return "" if right else f"{odd.name}: expected a refusal ({odd.expected}): {code} {said}"
    found = -1
    if out.exists():
        rows = out.read_text(encoding="utf-8").splitlines()
        found = sum(len(json.loads(row)["entities"]) for row in rows)
    right = code == 0 and found == odd.expected
    return "" if right else f"{odd.name}: {found} entities, expected {odd.expected}: {code} {said}"


if __name__ == "__main__":
    run_campaign("odd files", __doc__, len(FILES), campaign)
