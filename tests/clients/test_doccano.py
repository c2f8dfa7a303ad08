"""What doccano imports: tables without NaN, and the round trip through its own server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pandas
import pytest

from tests.support.corpora import lines, read, surfaces

# Fields that not every record has, an id that is null, signs that other units count as two.
GIVEN = [
    {"id": 3, "text": "\U0001f600 I saw Charles\r\nBabbage in London.", "label": [[8, 24, "PER"]],
     "source": "diary", "n": 1},
    {"id": 9, "text": "It rained.", "label": [], "n": 2, "big": 12345678901234567,
     "nested": {"a": [1, None]}},
    {"id": None, "text": "Ada left.", "flag": True, "score": 0.25},
    {"text": "  Ada met Charles.  ", "label": [[2, 5, "PER"]], "source": None,
     "n": None},
]  # fmt: skip
RELATIONS = [
    {"id": 101, "text": "I saw Charles Babbage in London.", "entities": [
        {"id": 12, "label": "PER", "start_offset": 6, "end_offset": 21},
        {"id": 11, "label": "LOC", "start_offset": 25, "end_offset": 31}],
     "relations": [{"id": 5, "from_id": 12, "to_id": 11, "type": "in"}], "Comments": []},
    {"id": 102, "text": "It rained.", "entities": [], "relations": [], "Comments": []},
]  # fmt: skip
SPANS = {"project_type": "SequenceLabeling"}


def test_all_records_have_the_same_fields_and_none_becomes_nan_in_a_table(main):
    done = main("corpus", "convert", "-", "--to", "doccano", stdin=lines(*GIVEN))
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    keys = {key for value in GIVEN for key in value}
    for given, value in zip(GIVEN[:2] + GIVEN[3:], records, strict=True):
        assert set(value) == keys - {
            "flag",
            "score",
        }  # the unlabelled record is left out, and counted
        for key, entry in given.items():
            assert value[key] == ("" if key == "n" and entry is None else entry), key
    assert [value["id"] for value in records] == [3, 9, ""]
    assert [value["source"] for value in records] == ["diary", None, None]
    for name, column in pandas.DataFrame(records).items():
        assert column.dtype != float or column.notna().all(), name
    assert 'altered: 1 × null among numbers, written as ""' in done.stderr


def test_records_with_the_same_fields_are_written_as_they_are(main):
    done = main("corpus", "convert", "-", "--to", "doccano", stdin=lines(*RELATIONS))
    assert [json.loads(line) for line in done.stdout.splitlines()] == RELATIONS
    assert "altered:" not in done.stderr


def test_a_record_without_a_document_among_others_is_one_of_its_own(main):
    given = [{"text": "Ada.", "label": [], "document": n} for n in (4, 4, None, None)]
    done = main("corpus", "convert", "-", "--to", "doccano", stdin=lines(*given))
    numbers = [json.loads(line)["document"] for line in done.stdout.splitlines()]
    assert numbers == [4, 4, 5, 6]
    assert "altered:" not in done.stderr


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_document_joins_no_records(nothing):
    one = {"text": "Ada left.", "label": [], "document": nothing}
    assert read(lines(one, one)).documents == 2
    task = {"data": {"text": "Ada left.", "document": nothing}, "annotations": [{"result": []}]}
    assert read(json.dumps([task, task])).documents == 2


@pytest.mark.slow  # by hand: doccano wants older packages, so it has an environment of its own
@pytest.mark.skipif("NERTOOL_DOCCANO" not in os.environ, reason="NERTOOL_DOCCANO: its Python")
@pytest.mark.parametrize(
    ("given", "project"),
    [(GIVEN, SPANS), (RELATIONS, SPANS | {"use_relation": True}),
     ([{"text": "I saw Charles Babbage in London.", "cats": ["trip"], "entities": []}],
      {"project_type": "IntentDetectionAndSlotFilling",
       "resourcetype": "IntentDetectionAndSlotFillingProject"})],
)  # fmt: skip
def test_doccano_imports_predictions_and_nertool_reads_what_it_exports(
    main, run_dir, tmp_path, given, project
):
    """pip install doccano "numpy<2" "marshmallow<4" setuptools, in an environment of its own."""
    tagged = main("predict", run_dir, "-", "--to", "doccano", stdin=lines(*given))
    assert tagged.returncode == 0, tagged.stderr
    script = Path(__file__).with_name("doccano_import.py")
    server = subprocess.run(
        [os.environ["NERTOOL_DOCCANO"], script, tmp_path, json.dumps(project)],
        input=tagged.stdout, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )  # fmt: skip
    assert server.returncode == 0, server.stderr
    held = json.loads(server.stdout.splitlines()[-1])
    assert (held["status"], held["result"]) == ("SUCCESS", {"error": []})
    sent, exported = read(tagged.stdout), read(held["exported"])
    assert exported.records.texts == sent.records.texts == [value["text"] for value in given]
    assert surfaces(exported) == surfaces(sent) != []
    before, after = ([json.loads(line) for line in text.splitlines()]
                     for text in (tagged.stdout, held["exported"]))  # fmt: skip
    own = ("label", "entities", "relations", "Comments", "id")  # doccano numbers entities anew
    for one, other in zip(before, after, strict=True):
        assert {k: v for k, v in one.items() if k not in own} == {
            k: v for k, v in other.items() if k not in own
        }
        assert one.get("id", other["id"]) == other["id"]
        ends = [
            {e["id"]: (e["start_offset"], e["end_offset"]) for e in value["entities"]}
            for value in (one, other) if "relations" in value
        ]  # fmt: skip
        joined = [
            [(places[r["from_id"]], places[r["to_id"]], r["type"]) for r in value["relations"]]
            for places, value in zip(ends, (one, other), strict=bool(ends))
        ]
        assert not joined or joined[0] == joined[1]
