"""The bias that is found on dev: taken where it gains, left where that may be chance."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from nertool.model.storage import load_model
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


def test_the_fitted_bias_is_kept_in_the_models_config(run_dir, tmp_path):
    shutil.copytree(run_dir / "best", tmp_path / "best")
    temperature.keep_bias(tmp_path, 1.5)
    model = load_model(tmp_path)
    assert model.config.decoding.outside_bias == 1.5
    assert model.provenance["fitted_bias"] == 1.5
