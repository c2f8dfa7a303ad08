"""`nertool corpus suspects`: lists, files and a page."""

from __future__ import annotations

import json

import pytest

from tests.conftest import SENTENCES, as_conll


@pytest.mark.integration
def test_suspects_are_printed_kept_and_shown_on_a_page(tiny, tmp_path, main):
    wrong = as_conll(SENTENCES * 4).replace("Paris B-LOC", "Paris B-PER", 1)
    (tmp_path / "text.conll").write_text(wrong)
    asked = ["--config", tiny / "config.yaml", "--folds", "2", "--workers", "1"]
    files = ["-o", tmp_path / "s.jsonl", "--html", tmp_path / "s.html"]
    done = main("corpus", "suspects", tmp_path / "text.conll", *asked, *files, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    kept = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert kept == rows
    assert any((row["gold"], row["gold_label"]) == ("Paris", "PER") for row in rows)
    assert "Suspects in" in (tmp_path / "s.html").read_text()


def test_misuse_is_refused(tiny, main):
    assert main("corpus", "suspects", tiny / "train.conll", "--folds", "1").returncode == 2
    assert main("corpus", "suspects", tiny / "none.conll").returncode == 1
    config = main("corpus", "suspects", tiny / "config.yaml")
    assert config.returncode == 2
    assert "expected a labelled text; a config is given by --config" in config.stderr
