"""`nertool info`, -h, and a text where a file is expected."""

from __future__ import annotations

import json
import re

import pytest


def test_info_says_what_a_model_knows_and_how_good_and_large_it_is(run_dir, main):
    facts = json.loads(main("info", run_dir, "--json").stdout)
    header = json.loads((run_dir / "best" / "model.json").read_text())
    assert facts["labels"] == ["LOC", "ORG", "PER"]
    assert facts["dev"] == header["provenance"]["dev"]
    assert facts["files"] == {p.name: p.stat().st_size for p in (run_dir / "best").iterdir()}
    assert facts["bytes"] == sum(facts["files"].values())
    out = main("info", run_dir / "best").stdout
    assert "finds       LOC, ORG, PER (tags written in iob2)" in out
    assert "1 network: window 5, 16 hidden units" in out
    assert "\noverall " in out


def test_info_says_what_it_was_trained_on_and_measures_its_speed(run_dir, tiny, main, monkeypatch):
    monkeypatch.setattr("nertool.cli.models.info.LEAST_SECONDS", 0.01)
    out = main("info", run_dir, "--speed").stdout
    assert f"trained     on {tiny / 'train.conll'}, with {tiny / 'vectors.txt'}, seed 1" in out
    assert "features    caps" in out
    assert re.search(
        r"speed       loaded in \d+\.\d\d s; one thread tags [\d,]+ tokens a second", out
    )


def test_info_of_an_ensemble_and_of_no_model(full_run_dir, main, tmp_path):
    out = main("info", full_run_dir).stdout
    assert "3 networks, after a first stage" in out
    done = main("info", tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


@pytest.mark.parametrize("command", ["", "predict", "corpus convert", "info"])
def test_h_is_help(command, main):
    assert main(*command.split(), "-h").stdout == main(*command.split(), "--help").stdout != ""


def test_a_text_in_place_of_a_file_is_told_to_be_piped(run_dir, main, tmp_path):
    done = main("predict", run_dir, "Ada Lovelace met Charles Babbage.")
    assert done.returncode == 1
    assert "give it on standard input: echo 'text' | nertool predict MODEL -" in done.stderr
    done = main("predict", run_dir, "Ada works at nertool.org")
    assert "give it on standard input" in done.stderr
    missing = main("predict", run_dir, tmp_path / "no such file.txt")
    assert "no such file, expected a text to read" in missing.stderr
