"""What can't be read is left out and counted where that is asked for, in every format of several records."""

from __future__ import annotations

import json

import pytest

from nertool.corpus.ledger import Ledger
from tests.support.corpora import TASK, found, lines, read, refusal

GOOD = "1\tAda\t_\t_\t_\t_\t_\t_\t_\tNER=B-PER\n2\tmet\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
WEB = "#FORMAT=WebAnno TSV 3.2\n#T_SP=x.NamedEntity|value\n\n"
BIOC = {"id": "1", "passages": [{"offset": 0, "text": "Ada met", "annotations": [
    {"infons": {"type": "PER"}, "text": "Ada", "locations": [{"offset": 0, "length": 3}]}]}]}  # fmt: skip


def task(start: int) -> dict:
    values = {"start": start, "end": 3, "labels": ["PER"]}
    return {**TASK, "data": {"text": "Ada met"}, "annotations": [{"result": [{"value": values}]}]}


@pytest.mark.parametrize(
    ("name", "faulty", "good"),
    [
        ("conll", "Ada B-PER\nmet\n\n", "Ada B-PER\nmet O\n\n"),
        ("conll", "Ada B-PER\n\tO\n\n", "Ada\tB-PER\nmet\tO\n\n"),
        ("conllu", GOOD.replace("2\tmet", "2"), GOOD),
        ("webanno", "#Text=Bob met\n1-1\t0-3\tAda\tPER\n\n",
         "#Text=Ada met\n1-1\t0-3\tAda\tPER\t\n1-2\t4-7\tmet\t_\t\n\n"),
        ("opennlp", "Bob <END> met\n", "<START:PER> Ada <END> met\n"),
        ("word-tag", "Bob/B-PER met\n", "Ada/B-PER met/O\n"),
        ("inline", "A ] stray\n", "[Ada](PER) met\n"),
        ("pubtator", "1|t|Bob\n1\t0\t9\tBob\tPER\n\n", "2|t|Ada met\n2\t0\t3\tAda\tPER\n\n"),
        ("jsonl", '{"text"\n', lines({"text": "Ada met", "entities": [[0, 3, "PER"]]})),
        ("csv", "a,b,c\n", 'Ada met,"[[0, 3, ""PER""]]"\n'),
        ("label-studio", json.dumps(task(9)) + ",", json.dumps(task(0))),
        ("bioc", '{"passages": 3},', json.dumps(BIOC)),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_or_left_out_and_counted(name, faulty, good):
    heads = {"webanno": WEB, "csv": "text,label\n", "label-studio": "[", "bioc": '{"documents": ['}
    ends = {"label-studio": "]", "bioc": "]}"}
    more = "" if name in ends else good
    text = heads.get(name, "") + more + faulty + good + ends.get(name, "")
    assert refusal(text, name).startswith("x:")
    ledger = Ledger()
    corpus = read(text, name, ledger=ledger, pass_over_faulty=True)
    expected = 1 if name in ends else 2
    assert found(corpus) == [(["Ada", "met"], [(0, 1, "PER")])] * expected
    assert sum(ledger.refused.values()) == 1
