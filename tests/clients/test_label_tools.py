"""Label Studio's own converter, and tables, standoff files and BioC as their readers take them."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path

import pandas
import polars
import pytest

from nertool.corpus.annotated import labelled
from nertool.corpus.ledger import Ledger
from nertool.formats.base import Writing
from nertool.formats.registry import text_writer
from nertool.formats.standoff import brat
from tests.support.corpora import lines, read, surfaces

CONFIG = (
    '<View><Labels name="ner" toName="story"><Label value="PER"/><Label value="LOC"/></Labels>'
    '<Text name="story" value="$content"/></View>'
)
TASK = {
    "id": 7,
    "data": {"content": "Ada met me \U0001f600 in London.", "source": "diary"},
    "meta": {"batch": 3},
    "drafts": [],
    "predictions": [{"id": 1, "model_version": "old", "result": []}],
    "annotations": [
        {
            "id": 31,
            "completed_by": 5,
            "was_cancelled": False,
            "ground_truth": True,
            "result": [
                {
                    "id": "r1",
                    "type": "labels",
                    "from_name": "ner",
                    "to_name": "story",
                    "value": {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]},
                }
            ],
        }
    ],
}


def test_a_prediction_stands_beside_the_task_as_it_came(main, run_dir):
    done = main("predict", run_dir, "-", "--text-field", "content", stdin=json.dumps([TASK]))
    assert done.returncode == 0, done.stderr
    (task,) = json.loads(done.stdout)
    for key in ("id", "data", "meta", "drafts", "annotations"):
        assert task[key] == TASK[key], key
    old, new = task["predictions"]
    assert old == TASK["predictions"][0]
    assert new["model_version"]
    for result in new["result"]:
        assert (result["from_name"], result["to_name"]) == ("ner", "story")
        assert result["id"]


def test_an_annotation_keeps_its_id_annotator_and_names(main):
    done = main(
        "corpus",
        "convert",
        "-",
        "--text-field",
        "content",
        "--to",
        "label-studio",
        stdin=json.dumps([TASK]),
    )
    assert done.returncode == 0, done.stderr
    (task,) = json.loads(done.stdout)
    (annotation,) = task["annotations"]
    (given,) = TASK["annotations"]
    assert task["data"] == TASK["data"]
    for key in ("id", "completed_by", "ground_truth"):
        assert annotation[key] == given[key]
    assert annotation["result"][0]["value"] == given["result"][0]["value"]
    assert annotation["result"][0]["from_name"] == "ner"


@pytest.mark.integration
def test_label_studio_s_converter_reads_tasks_and_nertool_its_exports(main, tmp_path):
    converters = pytest.importorskip("label_studio_sdk.converter")
    plain = [
        {"text": "Ada left London.", "entities": [[0, 3, "PER"], [9, 15, "LOC"]]},
        {"text": "It rained.", "entities": []},
    ]
    done = main("corpus", "convert", "-", "--to", "label-studio", stdin=json.dumps(plain))
    tasks = json.loads(done.stdout)
    for number, task in enumerate(tasks, 5):  # as the server numbers them
        task["annotations"][0]["id"] = number
    (tmp_path / "a.json").write_text(json.dumps(tasks))
    config = CONFIG.replace("ner", "label").replace("story", "text").replace("content", "text")
    converter = converters.Converter(config, str(tmp_path))
    converter.convert_to_json_min(str(tmp_path / "a.json"), str(tmp_path / "min"), is_dir=False)
    converter.convert_to_csv(
        str(tmp_path / "a.json"), str(tmp_path / "csv"), is_dir=False, sep=",", header=True
    )
    for path in (tmp_path / "min" / "result.json", tmp_path / "csv" / "result.csv"):
        again = main("corpus", "convert", path, "--to", "jsonl")
        assert again.returncode == 0, (path, again.stderr)
        first, second = map(json.loads, again.stdout.splitlines())
        assert [(e["text"], e["label"]) for e in first["entities"]] == [
            ("Ada", "PER"), ("London", "LOC"),
        ]  # fmt: skip
        assert (second["text"], second["entities"]) == ("It rained.", [])


@pytest.mark.slow  # by hand: Label Studio's own requirements are beside those of the other clients
@pytest.mark.skipif(not importlib.util.find_spec("label_studio"), reason="no label_studio")
def test_label_studio_imports_predictions_beside_human_annotations(main, run_dir, tmp_path):
    human, old = TASK["annotations"][0], TASK["predictions"][0]
    given = [
        {"id": 7, "data": {"content": "Ada met Charles Babbage in London."},
         "annotations": [human | {"completed_by": 1}], "predictions": [old]},
        {"id": 8, "data": {"content": "It rained."}, "annotations": [human | {
            "completed_by": 1, "ground_truth": False, "result": []}]},
        {"data": {"content": "\U0001f600 I saw Charles\r\nBabbage in London."}},
    ]  # fmt: skip
    done = main(
        "predict", run_dir, "-", "--text-field", "content", "--to", "label-studio",
        stdin=json.dumps(given),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = [task["predictions"] for task in json.loads(done.stdout)]
    assert not any("ground_truth" in one for predictions in written for one in predictions)
    script = Path(__file__).with_name("label_studio_import.py")
    server = subprocess.run(
        [sys.executable, script, tmp_path, CONFIG],
        input=done.stdout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert server.returncode == 0, server.stderr
    held = json.loads(server.stdout.splitlines()[-1])
    assert held["status"] == 201, held["body"]
    body = held["body"]
    assert (body["task_count"], body["prediction_count"], body["annotation_count"]) == (3, 4, 2)
    assert [one["model_version"] for one in held["predictions"]] == ["old"] + ["nertool"] * 3
    sent = [one for predictions in written for one in predictions]
    for kept, one in zip(held["predictions"], sent, strict=True):
        assert (kept["score"], kept["result"]) == (one.get("score"), one["result"])
    assert [[r["value"]["text"] for r in one["result"]] for one in held["predictions"][1:]] == [
        ["Charles Babbage", "London"], [], ["Charles\r\nBabbage", "London"],
    ]  # fmt: skip
    assert held["annotations"] == [
        {"ground_truth": True, "result": human["result"]},
        {"ground_truth": False, "result": []},
    ]


def test_json_min_has_entities_under_the_name_of_the_project_s_control():
    entity = {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}
    assert surfaces(read(lines({"text": "Ada left.", "my_ner": [entity]}))) == [("Ada", "PER")]


def test_an_annotation_without_regions_in_label_studio_s_short_exports_is_one_without_entities():
    entity = {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}
    tasks = [
        {"text": "Ada left.", "label": [entity], "annotation_id": 5},
        {"text": "It rained.", "annotation_id": 6},
        {"text": "Ada stayed.", "annotation_id": None},
    ]
    ledger = Ledger()
    assert read(lines(*tasks), ledger=ledger).records.texts == ["Ada left.", "It rained."]
    assert ledger.refused == {
        "records without labels (absent, null or skipped) among labelled ones": 1
    }
    table = 'text,label,annotation_id\nIt rained.,,6\nAda,"[[0, 3, ""PER""]]",5\nNo,,\n'
    assert read(table).records.texts == ["It rained.", "Ada"]


def test_a_table_of_entities_with_quotation_marks_is_read_by_all():
    text = 'He saw "Ada "X" L" there'
    given = lines({"text": text, "entities": [[7, 18, "PER"]], "id": None})
    out = "".join(text_writer("spans")([labelled(read(given))], Writing(), Ledger()))
    surface = text[7:18]
    assert next(csv.DictReader(io.StringIO(out), delimiter="\t"))["text"] == surface
    assert pandas.read_csv(io.StringIO(out), sep="\t")["text"].tolist() == [surface]
    assert polars.read_csv(io.BytesIO(out.encode()), separator="\t")["text"].to_list() == [surface]
    assert "None" not in out


def test_brat_joins_the_parts_of_an_entity_over_a_line_s_end_by_one_blank(tmp_path):
    given = lines({"text": "New\r\nYork", "entities": [[0, 9, "LOC"]], "id": "a"})
    brat.write([labelled(read(given))], Writing(), Ledger(), tmp_path)
    assert (tmp_path / "a.ann").read_text() == "T1\tLOC 0 3;5 9\tNew York\n"
    assert surfaces(read(given)) == [("New\r\nYork", "LOC")]


OVER_A_LINE_END = "\U0001f600 I saw Charles\r\nBabbage in London.\r\n"


@pytest.mark.integration
def test_bratly_and_bioc_read_brat_beside_texts(main, run_dir, tmp_path):
    annotations = pytest.importorskip("bratly")
    brat_of_bioc = pytest.importorskip("bioc.brat")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes(OVER_A_LINE_END.encode())
    (tmp_path / "in" / "b.txt").write_bytes(b"It rained.\n")
    out = tmp_path / "out"
    done = main(
        "predict", run_dir, tmp_path / "in", "--from", "raw", "--out-dir", out, "--to", "brat"
    )
    assert done.returncode == 0, done.stderr
    text = (out / "a.txt").read_bytes().decode()
    assert text == OVER_A_LINE_END
    rows = (out / "a.ann").read_text().splitlines()
    found = [annotations.EntityAnnotation.from_line(row) for row in rows]
    assert [str(one) for one in found] == rows
    assert [(one.label, one.content) for one in found] == [
        ("PER", "Charles Babbage"), ("LOC", "London"),
    ]  # fmt: skip
    for one in found:
        assert " ".join(text[part.start : part.end] for part in one.fragments) == one.content
    for name, expected in (("a", [("PER", "Charles Babbage"), ("LOC", "London")]), ("b", [])):
        with (
            open(out / f"{name}.txt", newline="", encoding="utf-8") as given,
            open(out / f"{name}.ann", encoding="utf-8") as labels,
        ):
            document = brat_of_bioc.load(given, labels)
        assert [(one.type, one.text) for one in document.entities] == expected


HUMAN = {"infons": {"type": "X"}, "text": "I", "locations": [{"offset": 2, "length": 1}]}


@pytest.mark.integration
def test_bioc_reads_and_validates_documents_of_one_and_of_several_passages(main, run_dir):
    bioc = pytest.importorskip("bioc")
    from bioc import biocjson, biocxml

    # BioC's own rule: a document's offsets go on from passage to passage.
    passages = [
        {"offset": 0, "text": "It rained."},
        {"offset": 11, "text": "I saw Charles Babbage in London."},
    ]
    given = {
        "documents": [
            {
                "id": "a",
                "passages": [{"offset": 0, "text": OVER_A_LINE_END, "annotations": [HUMAN]}],
            },
            {"id": "b", "passages": passages},
        ]
    }
    done = main("predict", run_dir, "-", "--to", "bioc", stdin=json.dumps(given))
    assert done.returncode == 0, done.stderr
    collection = biocjson.loads(done.stdout)
    bioc.validate(collection)  # each annotation's text is that of its place
    assert [
        [(one.infons["type"], one.text) for part in document.passages for one in part.annotations]
        for document in collection.documents
    ] == [
        [("PER", "Charles\r\nBabbage"), ("LOC", "London")],
        [("PER", "Charles Babbage"), ("LOC", "London")],
    ]
    (passage,) = collection.documents[0].passages
    assert json.loads(passage.infons["gold"]) == [{"start": 2, "end": 3, "label": "X"}]
    xml = main("corpus", "convert", "-", "--to", "jsonl", stdin=biocxml.dumps(collection))
    assert xml.returncode == 0, xml.stderr
    lengths = [len(json.loads(line)["entities"]) for line in xml.stdout.splitlines()]
    assert lengths == [2, 0, 2]
