"""Learning curves: parts that contain each other, and the command."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.labelled import read_labelled
from nertool.training.experiments import learning_curve as curves
from tests.conftest import SENTENCES, as_conll


def test_a_seed_s_parts_are_whole_documents_in_an_order_of_its_own(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("".join(f"-DOCSTART- O\n\n{as_conll(SENTENCES[:3])}" for _ in range(12)))
    corpus = read_labelled(path, "auto", Reading(), Ledger(), lambda line: None)
    place = curves.sentence_order(corpus, 1)
    assert sorted(place) == list(range(36))
    half = np.flatnonzero(place < 18) // 3
    assert sorted(np.bincount(half, minlength=12)) == [0] * 6 + [3] * 6
    assert (curves.sentence_order(corpus, 2) != place).any()


def test_each_size_is_twice_the_one_before():
    assert curves.shares_of(4) == [0.125, 0.25, 0.5, 1.0]


def test_a_text_that_is_too_small_is_refused(config):
    with pytest.raises(CorpusError, match="found 18 sentences to train on, expected at least 40"):
        curves.curve_parts(config, lambda line: None, Ledger())


def test_the_command_measures_and_extrapolates(tiny, tmp_path, main, monkeypatch):
    (tmp_path / "train.conll").write_text(as_conll(SENTENCES * 8))
    options = ["--set", f"corpus.train={tmp_path / 'train.conll'}", "--set", "training.epochs=1"]
    in_turn = lambda pieces, workers: ((p.name, r) for p in pieces for r in ran(p))  # noqa: E731
    monkeypatch.setattr(curves, "run_pieces", in_turn)
    done = main(
        "learning-curve", tiny / "config.yaml", *options, "--sizes", "3", "--seeds", "1", "--json"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(p["sentences"], p["seed"]) for p in found["points"]] == [
        (12, 1),
        (24, 1),
        (48, 1),
    ]
    assert [one["size"] for one in found["forecasts"]] == [96, 192]
    assert "F1 would go from" in found["verdict"]


def ran(piece) -> list:
    records: list = []
    piece.run(*piece.arguments, records.append)
    return records


def test_misuse_is_refused(tiny, main):
    assert main("learning-curve", tiny / "config.yaml", "--sizes", "2").returncode == 2
    assert main("learning-curve", tiny / "config.yaml", "--seeds", "0").returncode == 2
