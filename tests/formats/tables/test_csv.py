"""Tables in CSV and TSV: spans in cells, as label tools and pandas write them, and faulty rows."""

from __future__ import annotations

import csv
import io

import pytest

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.opening import open_stream
from tests.support.corpora import found, read, refusal, surfaces

ADA = "Ada met O'Hara."
CELLS = [
    '[[0, 3, "PER"], [8, 14, "PER"]]',
    "[(0, 3, 'PER'), (8, 14, 'PER')]",
    "[((0, 3), 'PER'), ((8, 14), 'PER')]",
    "[{'start': 0, 'end': 3, 'label': 'PER'}, {'start': 8, 'end': 14, 'label': 'PER', 'text': \"O'Hara\"}]",
    "[{'start': 0, 'end': 3, 'labels': ['PER'], 'score': nan}, {'start': 8, 'end': 14, 'labels': ['PER']}]",
    '[{"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}, {"start": 8, "end": 14, "labels": ["PER"]}]',
]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("name", "sign"), [("label", ","), ("Entities", ";"), ("spans", "\t"), ("ner tags", ",")]
)
def test_spans_in_a_cell_are_read_as_json_or_as_pandas_writes_them(cell, name, sign):
    out = io.StringIO()
    table = csv.writer(out, delimiter=sign)
    table.writerows([["", name, "text"], [0, cell, ADA], [1, "", "Sun,\nrain."]])
    ledger = Ledger()
    corpus = read(out.getvalue(), ledger=ledger)
    assert surfaces(corpus) == [("Ada", "PER"), ("O'Hara", "PER")]
    assert list(ledger.refused.values()) == [1]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("x,\"['Ada' 'met']\"", "x:2: found a string"),
        ('x,"[__import__(1)]"', "x:2: found a string"),
        ("x,y,z", "x:2: found 3 columns, expected 2"),
    ],
)
def test_a_faulty_row_of_a_table_is_refused_or_left_out(row, says):
    text = f'text,label\n{row}\n"{ADA}","[[0, 3, ""PER""]]"\n'
    assert says in refusal(text)
    assert surfaces(read(text, pass_over_faulty=True)) == [("Ada", "PER")]


def test_a_table_of_words_under_other_names_is_read_by_its_header():
    text = "sentence_id,words,labels\n0,Ada,B-PER\n0,met,O\n1,It,O\n1,rained,O\n"
    assert found(read(text)) == [(["Ada", "met"], [(0, 1, "PER")]), (["It", "rained"], [])]


def test_an_object_in_a_cell_is_read_where_the_column_is_named_for_labels():
    text = f"""text,entities\n"{ADA}","{{'entities': [(0, 3, 'PER')]}}"\n"It rained.",nan\n"""
    assert surfaces(read(text)) == [("Ada", "PER")]


def test_a_first_text_longer_than_the_part_that_formats_are_recognised_by_is_read():
    table = 'id,text,label\n1,"' + "Ada met Bob. " * 6_000 + '","[[0, 3, ""PER""]]"\n'
    assert surfaces(read(table)) == [("Ada", "PER")]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_a_bare_cr_in_a_quoted_cell_is_text_whatever_the_delimiter(sign):
    out = io.StringIO(newline="")
    table = csv.writer(out, delimiter=sign)
    table.writerows([["id", "text", "label"], [0, "Ada\rmet; us, |\tall", '[[0, 3, "PER"]]']])
    text = out.getvalue().encode()
    opened = open_stream(io.BytesIO(text), "x.csv", "auto", Reading())
    assert opened.format.name == "csv"
    (record,) = opened.records(Reading(), Ledger())
    assert record.text == "Ada\rmet; us, |\tall"
