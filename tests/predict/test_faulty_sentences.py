"""Faulty rows of columns that are tagged: with on_error: skip their sentences are left out, and counted."""

from __future__ import annotations

import json

import pytest

from nertool.corpus.ledger import Ledger
from nertool.formats.conll.parse import Columns, blank_faulty_sentences
from nertool.formats.conll.rows import Layout

BAD = "Ada O\nslept O\n\nBo\nran O\n\nKay O\nate O\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("faulty", ["Bo{}ran O{}", "Bo O{}ran{}", "Bo O x{}ran O y{}"])
def test_only_the_sentence_with_a_faulty_row_is_left_out(run_dir, tmp_path, main, faulty, end):
    text = "Ada O{}slept O{}{}" + faulty + "{}Kay O{}ate O{}"
    path = tmp_path / "in.conll"
    path.write_bytes(text.replace("{}", end).encode())
    report = tmp_path / "report.tsv"
    options = ("--on-error", "skip", "--report", report)
    done = main("predict", run_dir, path, *options)
    assert done.returncode == 0, done.stderr
    assert "refused: 1 × sentences with a faulty row (first at " in done.stderr
    assert f"{path}:4" in report.read_text()
    rows = [line.split() for line in done.stdout.split("\n")]
    assert [row[0] if row else "" for row in rows] == ["Ada", "slept", *[""] * 4, "Kay", "ate", ""]
    done = main("predict", run_dir, path, "--on-error", "skip", "--to", "jsonl")
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [
        "Ada slept",
        "Kay ate",
    ]


def test_without_skip_the_faulty_row_stops(run_dir, tmp_path, main):
    path = tmp_path / "in.conll"
    path.write_text(BAD)
    done = main("predict", run_dir, path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "in.conll:4: found 1 column" in done.stderr


def test_lines_without_a_fault_are_not_copied():
    columns = Columns(layout=Layout(" ", 2))
    assert blank_faulty_sentences(["Ada O", "", "Bo O"], 1, columns, "x", Ledger()) is None
    ledger = Ledger()
    lines = blank_faulty_sentences(BAD.split("\n"), 11, columns, "x", ledger)
    assert lines == ["Ada O", "slept O", "", "", "", "", "Kay O", "ate O", ""]
    assert any("x:14" in line for line in ledger.lines())
