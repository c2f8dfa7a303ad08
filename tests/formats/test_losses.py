"""Every loss between two formats is named in the account, and nothing is named that is kept."""

from __future__ import annotations

import re

import pytest

from nertool.catalogue import FORMATS
from nertool.corpus.annotated import labelled
from nertool.corpus.ledger import Ledger
from scripts.roundtrip import ASPECTS, aspects_of, lost, read_back, rich, unsaid, written
from tests.support.corpora import TESTED

BOTH = [known for known in TESTED if known.reads and known.writes]


@pytest.mark.parametrize("source", [None, *BOTH], ids=lambda known: known.name if known else "rich")
def test_a_conversion_names_each_loss_and_no_other(source):
    piece = rich()
    if source is not None:
        piece = labelled(read_back(written(piece, source, Ledger()), source, Ledger()))
    before = aspects_of(piece)
    for to in BOTH:
        ledger = Ledger()
        again = labelled(read_back(written(piece, to, ledger), to, Ledger()))
        gone = lost(before, aspects_of(again))
        assert unsaid(gone, ledger) == [], (to.name, ledger.lines())
        for what in (*ledger.altered, *ledger.refused, *ledger.left_out):
            # Tokens may be found anew just as they were.
            named = [aspect for aspect in ASPECTS if what.startswith(ASPECTS[aspect])]
            assert set(named) & {*gone, "tokens"}, (to.name, what)
        assert ("nothing altered" in ledger.lines()[0]) == (not gone and not ledger.changed)


def test_the_text_has_everything_that_is_compared():
    aspects = aspects_of(rich())
    for aspect in ASPECTS:
        assert aspect == "scores" or aspects[aspect], aspect
    assert {known.name for known in FORMATS if known.reads and known.writes} >= {"brat", "docbin"}


def test_what_a_conversion_leaves_out_is_counted(main):
    rows = "# a comment\nAda NNP B-PER\nmet VBD O\n\nBob NNP B-PER\n\n"
    done = main("corpus", "convert", "-", "--to", "doccano", "--comment", "#", stdin=rows)
    for said in ("3 × cells of other columns", "1 × comment lines", "3 × token boundaries"):
        assert f"left out: {said}" in done.stderr
    assert "nothing altered" not in done.stderr
    done = main(
        "corpus",
        "convert",
        "-",
        "--to",
        "inline",
        stdin='id,text,label\n7,Ada met,"[[0, 3, ""PER""]]"\n',
    )
    assert done.stdout == "# id: 7\n[Ada](PER) met\n"
    assert "nothing altered or refused" in done.stderr
    scored = '{"text": "Ada", "entities": [{"start": 0, "end": 3, "label": "PER", "score": 0.5}]}'
    done = main("corpus", "convert", "-", "--to", "jsonl", stdin=scored)
    assert "left out: 1 × values of entities other than place and class: score" in done.stderr


@pytest.mark.parametrize(("source", "to"), [("hf-disk", "hf-disk"), ("hf-parquet", "parquet")])
def test_a_tagged_table_of_tokens_keeps_its_tokens_and_no_loss_is_named(
    main, run_dir, tmp_path, source, to
):
    pytest.importorskip("pyarrow")
    rows, table = "Ada B-PER\nmet O\nBob B-PER\n\nIt O\nrained O\n", tmp_path / "a"
    done = main("corpus", "convert", "-", "--to", source, "-o", table, stdin=rows)
    assert done.returncode == 0, done.stderr
    done = main("predict", run_dir, table, "--to", to, "-o", tmp_path / "b")
    assert "nothing altered or refused" in done.stderr
    again = main("corpus", "convert", tmp_path / "b", "--to", "conll").stdout
    assert re.findall(r"^\w+", again, re.MULTILINE) == ["Ada", "met", "Bob", "It", "rained"]


def test_labels_and_texts_that_a_format_can_not_hold_are_refused_or_counted(main, tmp_path):
    star = '{"text": "Ada met", "entities": [[0, 3, "*"]]}'
    done = main("corpus", "convert", "-", "--to", "webanno", stdin=star)
    assert "altered: 1 × labels with signs" in done.stderr
    done = main("corpus", "convert", "-", "--to", "conll", stdin=star)
    assert done.returncode == 1
    assert 'found the label "*", which has no letter' in done.stderr
    half = '{"text": "Ada \\ud800 met", "entities": [[0, 3, "PER"]], "id": "a"}'
    done = main("corpus", "convert", "-", "--to", "brat", "-o", tmp_path / "b", stdin=half)
    assert "altered: 1 × halves of surrogate pairs" in done.stderr
    assert (tmp_path / "b" / "a.txt").read_text() == "Ada \ufffd met"
