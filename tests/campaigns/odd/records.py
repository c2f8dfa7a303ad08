# ruff: noqa: E501  # files as they are
"""JSON: keys twice or absent, places of other units, labels of other shapes, unlabelled records."""

from __future__ import annotations

import json

from tests.campaigns.odd.case import TEXT, Odd, lines, record

GOOD = '{"text": "Cy ran.", "entities": [[0, 2, "PER"]]}\n'
TWO = {"PER": 1, "LOC": 1}


def task(*versions: object, **more: object) -> dict[str, object]:
    """Return a task of Label Studio."""
    return {"id": 1, "data": {"text": TEXT}, "annotations": list(versions), **more}


SPAN = {"type": "labels", "value": {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}}

RECORDS = (
    Odd("twice.jsonl", GOOD + '{"text": "Ada met me.", "entities": [[0, 3, "PER"]], "entities": []}\n',
        'twice.jsonl:2: found the key "entities" twice', '"entities" twice'),
    Odd("twice-within.jsonl", GOOD + '{"text": "Ada met.", "entities": [{"start": 0, "end": 3, "label": '
        '"PER", "label": "LOC"}]}\n', 'found the key "label" twice', '"label" twice'),
    Odd("twice.json", '[{"text": "Ada met.", "text": "Bob met.", "entities": []}]', '"text" twice',
        '"text" twice'),
    Odd("twice-alike.jsonl", '{"text": "Cy ran.", "entities": [[0, 2, "PER"]], "text": "Cy ran."}\n',
        {"PER": 1}),
    Odd("twice-by-name.jsonl", lines({"text": TEXT, "entities": [[0, 3, "PER"]], "label": [[14, 20, "LOC"]]}),
        '"entities" and in "label"', tagged=6),
    Odd("empty-beside.jsonl", lines({"text": TEXT, "entities": [], "label": [[0, 3, "PER"]]}), {"PER": 1}),
    Odd("null.jsonl", record(None), {"PER": 1}, tagged=9),
    Odd("nan.jsonl", record(None).replace("null", "NaN"), {"PER": 1}, tagged=9),
    Odd("absent.jsonl", GOOD + lines({"text": TEXT}), {"PER": 1}, tagged=9),
    Odd("empty-object.jsonl", record({}), {"PER": 1}),
    Odd("cancelled.json", json.dumps([task({"result": [SPAN]}), task({"result": [], "was_cancelled": True})]),
        {"PER": 1}, tagged=12),
    Odd("unlabelled.json", json.dumps([task(), task()]), "no labels here", tagged=12),
    Odd("pos-beside.jsonl", lines({"tokens": ["Ada", "met"], "tags": ["NNP", "VBD"], "labels": ["B-PER", "O"]}),
        {"PER": 1}),
    Odd("pos-alone.jsonl", lines(*[{"tokens": ["Ada", "met"], "tags": ["NNP", "VBD"]}] * 20),
        "none of them outside", tagged=40),
    Odd("zero.jsonl", lines({"tokens": ["Ada", "met", "me"], "ner_tags": ["B-PER", "0", "0"]}),
        "--outside 0", tagged=3),
    Odd("zero-named.jsonl", lines({"tokens": ["Ada", "met"], "ner_tags": ["B-PER", "0"]}), {"PER": 1},
        options=("--outside", "0")),
    Odd("other.jsonl", lines({"tokens": ["Ada", "met"], "ner_tags": ["PER", "Other"]}), "--outside Other",
        tagged=2),
    Odd("null-tag.jsonl", lines({"tokens": ["Ada", "met"], "ner_tags": ["B-PER", None]}), "found null",
        tagged=2),
    Odd("numbers.jsonl", lines({"tokens": ["Ada", "met"], "ner_tags": [1, 0]}), "--tag-names", tagged=2),
    Odd("ignored.jsonl", lines({"tokens": ["Ada", "met"], "ner_tags": [1, -100]}), "-100", tagged=2,
        options=("--tag-names", "O,B-PER")),
    Odd("tags-in-a-string.jsonl", lines({"sentence": "Ada met me", "tags": "B-PER O O"}), {"PER": 1}),
    Odd("fewer-tags.jsonl", lines({"tokens": ["Ada", "met", "me"], "ner_tags": ["B-PER", "O"]}),
        "found 3 tokens and 2 tags", tagged=3),
    Odd("negative.jsonl", record([[-1, 3, "PER"]]), "found an entity at -1–3", tagged=9),
    Odd("reversed.jsonl", record([[3, 0, "PER"]]), "found an entity at 3–0", tagged=9),
    Odd("empty-span.jsonl", record([[3, 3, "PER"]]), "found an entity at 3–3", tagged=9),
    Odd("label-null.jsonl", record([[0, 3, None]]), "found null", tagged=9),
    Odd("label-number.jsonl", record([[0, 3, 1]]), "found a number 1", tagged=9),
    Odd("label-first.jsonl", record([["PER", 0, 3]]), {"PER": 2}),
    Odd("label-blanks.jsonl", record([[0, 3, " PER "]]), {"PER": 1, " PER ": 1}),
    Odd("label-invisible.jsonl", record([[0, 3, "PER\u200b"]]), {"PER": 1, "PER\u200b": 1}),
    Odd("floats.jsonl", record([[0.0, 3.0, "PER"]]), {"PER": 2}),
    Odd("halves.jsonl", record([[0.5, 3, "PER"]]), "0.5", tagged=9),
    Odd("strings.jsonl", record([["0", "3", "PER"]]), 'found a string "0"', tagged=9),
    Odd("string.jsonl", record('[[0, 3, "PER"]]'), {"PER": 2}),
    Odd("object.jsonl", record({"PER": ["Ada"]}), "found an object", tagged=9),
    Odd("surfaces.jsonl", record(["Ada"]), 'found a string "Ada"', tagged=9),
    Odd("pairs.jsonl", record([["Ada", "PER"]]), "found a list", tagged=9),
    Odd("last-character.jsonl", record([{"start": 0, "end": 2, "label": "PER", "text": "Ada"}]), "behind",
        tagged=9),
    Odd("last-character-untold.jsonl", record([[0, 2, "PER"], [14, 19, "LOC"]]), "inside a token", tagged=9),
    Odd("from-one.jsonl", record([[1, 4, "PER"]]), "inside a token", tagged=9),
    Odd("twice-same.jsonl", record([[0, 3, "PER"], [0, 3, "PER"]]), {"PER": 2}),
    Odd("two-classes.jsonl", record([[0, 3, "PER"], [0, 3, "ORG"]]), "overlapping", tagged=9),
    Odd("with-blanks.jsonl", record([[0, 4, "PER"], [13, 20, "LOC"]]), {"PER": 2, "LOC": 1}),
    Odd("beyond.jsonl", record([[14, 25, "LOC"]]), "within the text's 21", tagged=9),
    Odd("emoji.jsonl", record([[5, 8, "PER"]], "👩👩👧 Ada met."), "border inside", tagged=-1),
    Odd("utf16.jsonl", record([{"start": 3, "end": 6, "label": "PER", "text": "Ada"}], "👩 Ada met."),
        {"PER": 2}),
    Odd("bytes.jsonl", record([{"start": 5, "end": 8, "label": "PER", "text": "Ada"}], "Zoé Ada met."),
        {"PER": 2}),
    Odd("crlf-places.jsonl", record([{"start": 6, "end": 9, "label": "PER", "text": "Ada"}], "Hey,\nAda met."),
        {"PER": 2}),
    Odd("cut.jsonl", record([])[:-5], "not JSON", "not JSON"),
    Odd("two-objects.json", record([]).replace("\n", ""), "not JSON", "not JSON"),
    Odd("commas.jsonl", record([]).replace("}\n", "},\n"), "not JSON", "not JSON"),
    Odd("single-quotes.jsonl", record([]).replace('"', "'"), "not JSON", "not JSON"),
    Odd("prose.jsonl", "Ada met me in London.\n", "not JSON", "not JSON"),
    Odd("prose.json", "Ada met me in London.\n", "not JSON", "not JSON"),
    Odd("strings.json", '["Ada met me.", "It rained."]', "expected", "expected"),
    Odd("lfs.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "Git LFS",
        "Git LFS"),
    Odd("not-found.jsonl", '{"message": "Not Found", "status": "404"}\n', "no labels here", tagged=2),
    Odd("python.py", 'TRAIN_DATA = [\n    ("Ada met me in London.", {"entities": [(0, 3, "PER"), '
        '(14, 20, "LOC")]}),\n]\n', TWO),
    Odd("python.txt", '[("Ada met me in London.", {"entities": [(0, 3, "PER"), (14, 20, "LOC")]})]\n', TWO),
    Odd("dygie.jsonl", lines({"doc_key": "a", "sentences": [["Ada", "met"]], "ner": [[[0, 0, "PER"]]]}),
        '"doc_key"', '"doc_key"'),
    Odd("spert.json", json.dumps([{"tokens": ["Ada", "met"], "entities": [{"type": "PER", "start": 0,
        "end": 1}]}]), '"entities"', tagged=2),
    Odd("tokens-as-objects.jsonl", lines({"tokens": [{"text": "Ada", "ner": "B-PER"}, {"text": "met", "ner": "O"}]}),
        'tokens: found', 'tokens: found'),
    Odd("text-elsewhere.jsonl", lines({"content_text": TEXT, "entities": [[0, 3, "PER"]]}), "--text-field",
        "--text-field"),
)  # fmt: skip
