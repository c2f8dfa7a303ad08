"""What is not labelled is never taken for text without names: it is left out and counted, or refused."""

from __future__ import annotations

import json

import pytest

from nertool.corpus.ledger import Ledger
from tests.support.corpora import TASK, found, lines, read, refusal

GOOD = {"text": "Ada met me.", "entities": [[0, 3, "PER"]]}
WHAT = "records without labels (absent, null or skipped) among labelled ones"
OTHER = {"text": "Bob left."}


@pytest.mark.parametrize(
    "record",
    [
        OTHER,
        {**OTHER, "spans": None},
        {**OTHER, "entities": None},
        {**OTHER, "label": None, "meta": {}},
        {"tokens": ["Bob", "left"]},
        {"tokens": ["Bob", "left"], "ner_tags": None},
    ],
)
def test_absent_and_null_labels_are_left_out_and_an_empty_list_is_kept(record):
    ledger = Ledger()
    corpus = read(lines(GOOD, record, {"text": "Cy ran.", "entities": []}), ledger=ledger)
    assert [words for words, _ in found(corpus)] == [["Ada", "met", "me", "."], ["Cy", "ran", "."]]
    assert ledger.refused == {WHAT: 1}


def task(number: int, **more: object) -> dict:
    return {"id": number, "data": {"text": "Bob left."}, **more}


@pytest.mark.parametrize(
    "skipped",
    [
        task(8, annotations=[]),
        task(8, annotations=[{"was_cancelled": True, "result": []}]),
        task(8, predictions=[{"result": []}], annotations=[]),
        task(8),
        task(8, annotations=None),
    ],
)
def test_a_task_that_was_skipped_or_not_yet_annotated_is_no_negative(skipped):
    ledger = Ledger()
    done = task(9, annotations=[{"result": []}])
    corpus = read(json.dumps([TASK, skipped, done]), ledger=ledger)
    assert [fields["id"] for fields in corpus.records.fields] == [7, 9]
    assert ledger.refused == {WHAT: 1}


def test_a_text_of_records_that_nobody_has_labelled_bears_no_labels():
    corpus = read(lines(OTHER, {**OTHER, "spans": None}))
    assert (corpus.tags, corpus.sentences) == ([], 2)


def test_brat_texts_without_annotations_are_counted(tmp_path):
    from nertool.corpus.record import Reading
    from nertool.formats.read import read_corpus

    (tmp_path / "a.txt").write_text("Ada met me.")
    (tmp_path / "a.ann").write_text("T1\tPER 0 3\tAda\n")
    (tmp_path / "b.txt").write_text("Bob left.")
    (tmp_path / "c.txt").write_text("Cy ran.")
    (tmp_path / "c.ann").write_text("")
    ledger = Ledger()
    corpus = read_corpus(tmp_path, "auto", Reading(), ledger)
    assert [fields["id"] for fields in corpus.records.fields] == ["a", "c"]
    assert ledger.refused == {"texts without an .ann file beside them": 1}


@pytest.mark.parametrize("key", ["entities", "spans"])
@pytest.mark.parametrize("value", [{"0": "PER"}, "PER", 3])
def test_labels_of_another_shape_are_refused_and_not_taken_for_none(key, value):
    assert f'in "{key}", expected a list of spans' in refusal(lines({**OTHER, key: value}))


def test_annotations_that_are_no_list_are_refused():
    odd = json.dumps([task(1, annotations={"a": "b"})])
    assert "expected a list" in refusal(odd)


RUNNING = "Ada Lovelace met Charles Babbage in the city of London. They talked about engines.\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (RUNNING, None),
        ("We saw {{Ada}} and some of the others of the group there today.\n", "double brackets"),
        ("I saw [Ada](PER) and [nobody] else of the group there today.\n", "[words](LABEL)"),
        ("Short line.\n", None),
    ],
)
@pytest.mark.parametrize("command", ["convert", "check", "stats"])
def test_text_without_labels_is_refused_where_labels_are_needed(
    command, text, named, main, tmp_path
):
    path = tmp_path / "x.txt"
    path.write_text(text)
    done = main("corpus", command, path)
    assert done.returncode == 1, done.stdout
    line = done.stderr.strip().splitlines()[-1]
    assert "no labels here" in line
    assert (named or "labelled text") in line
    assert done.stdout == ""


def test_text_whose_format_is_named_is_converted_and_said_to_bear_no_labels(main):
    done = main("corpus", "convert", "-", "--from", "text", stdin="Ada met me .\n")
    assert done.stdout == "Ada O\nmet O\nme O\n. O\n\n"
    assert "no labels here" in done.stderr


def test_words_of_a_text_that_are_no_token_of_it_are_counted():
    ledger = Ledger()
    tokens = [{"text": "Ada", "start": 0, "end": 3}, {"text": "met", "start": 4, "end": 7}]
    record = {
        "text": "Ada met me. It rained.",
        "tokens": tokens,
        "spans": [{**tokens[0], "label": "PER"}],
    }
    assert found(read(lines(record), ledger=ledger)) == [(["Ada", "met"], [(0, 1, "PER")])]
    assert ledger.altered == {
        "texts with words outside all tokens, of which the tokens are used": 1
    }


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"tokens": ["Ada"], "entities": [{"start": 0, "end": 1, "type": "PER"}]}, 'in "entities" beside'),
        ({"tokens": ["Ada"], "ner_tags": "B-PER"}, 'found a string "B-PER" in "ner_tags"'),
        ({"text": "Ada", "entities": [{"start": 0, "end": 3, "label": 3}]}, "[0].label: found a number 3"),
        ({"text": "Ada", "spans": [{"end": 3, "label": "P"}]}, "spans[0].start: found no start in an object"),
        ({"text": "Ada", "spans": [[0, 3, "P"], [0, 3]]}, "spans[1]: found a list [0, 3], expected [start"),
        ({"text": "Ada", "label": {"PER": {"Ada": [0, 2]}}}, 'found an object'),
        ({"text": 3, "label": []}, "text: found a number 3, expected a string"),
    ],
)  # fmt: skip
def test_labels_in_an_unknown_shape_are_named_by_key_and_value(value, says):
    assert says in refusal(lines(value))


@pytest.mark.parametrize(
    "labels",
    [
        {"entities": [["PER", 0, 3]]},
        {"spans": [{"start_char": 0, "end_char": 3, "type": "PER"}]},
        {"mentions": [{"begin": 0, "end": 3, "type": "PER"}]},
        {"label": {"PER": {"Ada": [[0, 2]]}}},
        {"entities": [{"start": 0.0, "end": 3.0, "label": "PER"}]},
        {"label": '[{"start": 0, "end": 3, "labels": ["PER"]}]'},
        {"annotated": [{"start": 0, "end": 3, "labels": ["PER"]}], "label": "joy"},
    ],
)
def test_labels_are_read_in_every_shape_that_says_what_they_are(labels):
    assert found(read(lines({"text": "Ada met me", **labels}))) == [
        (["Ada", "met", "me"], [(0, 1, "PER")])
    ]
