"""The bias that is found on dev: taken where it gains, left where that may be chance."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from nertool.evaluation.scores import score_predictions
from nertool.evaluation.tables import as_dict
from nertool.files.sealed import SealedFolder, rewrite_header
from nertool.model.files import HEADER
from nertool.model.load import load_model
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger
from nertool.training import temperature
from nertool.training.preparation.store import load_prepared


@pytest.fixture
def scores_of(run_dir, monkeypatch):
    """Return what best_bias says of dev when the model's scores are the gold tags' with O above them."""

    def best(raised: float, entities_right: float) -> float:
        prepared = load_prepared(run_dir / "prepared", None, "")
        model, dev = load_model(run_dir), prepared.dev
        assert dev is not None
        scores = np.zeros((len(dev.tag_ids), len(model.tags)))
        known = np.random.default_rng(1).random(len(scores)) < entities_right
        scores[np.arange(len(scores)), np.where(known, dev.tag_ids, 0)] = 5.0
        scores[:, 0] += raised
        monkeypatch.setattr(CompiledTagger, "scores", lambda self, text: scores)
        return temperature.best_bias(model, dev)

    return best


def test_a_model_that_is_too_sure_of_o_gets_the_smallest_bias_that_mends_it(scores_of):
    assert scores_of(5.8, 1.0) == 1.0


def test_a_model_that_needs_none_gets_none(scores_of):
    assert scores_of(0.0, 1.0) == 0.0


def test_the_fitted_bias_is_kept_with_the_measures_that_dev_has_under_it(
    run_dir, tmp_path, monkeypatch
):
    shutil.copytree(run_dir / "best", tmp_path / "best")
    prepared = load_prepared(run_dir / "prepared", None, "")
    assert prepared.dev is not None
    monkeypatch.setattr(temperature, "best_bias", lambda model, dev: 50.0)  # O is never taken
    with SealedFolder(tmp_path / "best") as opened:
        header = opened.header(HEADER)
    header["config"]["decoding"]["fit_bias"] = True
    rewrite_header(tmp_path / "best" / HEADER, header)
    temperature.calibrate_run(prepared, tmp_path)
    model = load_model(tmp_path)
    assert model.config.decoding.outside_bias == 50.0
    assert model.provenance["fitted_bias"] == 50.0
    # What evaluate would say of the model as it is now, not of that without a bias.
    tagged = analyse(CompiledTagger(model), prepared.dev.text).tag_ids
    dev = prepared.dev
    now = score_predictions(
        tagged, model.tags, dev.gold_ids, dev.gold_tags, dev.scheme, dev.sentence_starts
    )
    assert model.provenance["dev"] == as_dict(now)
    assert model.provenance["dev"] != load_model(run_dir).provenance["dev"]
