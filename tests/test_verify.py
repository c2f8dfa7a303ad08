"""gradcheck on what a user has, with everything on that a config can turn on."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from helpers import EVERYTHING, change, random_model

from nertool.config import Config
from nertool.network import objective
from nertool.training.verify import verify_config, verify_model

BLOCKS = ["L", "E.caps", "E.affixes", "E.sentence", "E.document", "W", "b", "U"]


@pytest.fixture(scope="module")
def full_config(config: Config) -> Config:
    """The tiny config with every feature, two stages, and a penalty and masks that must be heard."""
    config = replace(config, features=EVERYTHING)
    return change(
        config,
        network={"hidden": 6},
        first_stage={"folds": 2},
        training={"l2": 0.01, "dropout_input": 0.2, "dropout_hidden": 0.2},
    )


@pytest.fixture
def verdicts(full_config):
    return verify_config(full_config, windows=12, samples=8, report=lambda line: None)


def test_every_block_of_a_config_with_everything_agrees(verdicts):
    pairs = {(verdict.activation, verdict.output) for verdict in verdicts}
    every_f = ("tanh", "logistic", "relu", "hard_tanh")
    assert pairs == set(product(every_f, ("logistic", "softmax")))
    for verdict in verdicts:
        # The memory's table M is counted, not trained: it has no gradient to check.
        assert [check.block for check in verdict.checks] == BLOCKS
        for check in verdict.checks:
            assert check.error <= 1e-7, check
            assert check.coordinates > 0
        assert verdict.passed
        assert verdict.network == ""
    assert [(v.activation, v.output) for v in verdicts if v.own] == [("tanh", "logistic")]


def test_frozen_vectors_are_not_checked(full_config):
    frozen = change(full_config, vectors={"fine_tune": False})
    for verdict in verify_config(frozen, windows=6, samples=4, report=lambda line: None):
        assert [check.block for check in verdict.checks] == [b for b in BLOCKS if b != "L"]
        assert verdict.passed


@pytest.mark.parametrize("output", ["logistic", "softmax"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_every_network_of_a_model_is_checked_by_its_name(activation, output):
    words = [[f"w{i}" for i in range(20)], [f"W{i}" for i in range(12)]]
    model = random_model(
        files=words,
        remembered=words[0][::2],
        members=2,
        network={"activation": activation, "output": output},
        training={"l2": 0.01, "dropout_input": 0.2, "dropout_hidden": 0.2},
    )
    verdicts = verify_model(model, seed=0, windows=12, samples=8)
    assert [verdict.network for verdict in verdicts] == ["first stage", "member 1", "member 2"]
    for verdict in verdicts:
        assert (verdict.activation, verdict.output, verdict.own) == (activation, output, True)
        assert [check.block for check in verdict.checks] == BLOCKS
        assert all(check.error <= 1e-7 for check in verdict.checks), verdict
    # Only the members have W's columns for the first stage's opinion, T + 1 of them.
    first, member = model.first_stage[0], model.members[0]
    T = len(model.tags)
    assert member.parameters["W"].shape[1] - first.parameters["W"].shape[1] == T + 1


def test_the_only_network_of_a_model_has_no_name():
    model = random_model(members=1, folds=0)
    (verdict,) = verify_model(model, seed=0, windows=6, samples=4)
    assert verdict.network == ""
    assert verdict.passed
    assert verdict.as_dict()["network"] == ""


def test_given_inputs_taken_for_words_are_caught(full_config, monkeypatch):
    # The cut of ∂J/∂x at the wrong end: the given inputs' part would go back into the words.
    right = objective.backward

    def mistaken(weights, activation, ds, cache):
        found = right(weights, activation, ds, cache)
        return found._replace(x=np.roll(found.x, 3, axis=1))

    monkeypatch.setattr(objective, "backward", mistaken)
    for verdict in verify_config(full_config, windows=8, samples=6, report=lambda line: None):
        failed = {check.block for check in verdict.checks if not check.passed}
        assert {"L"} <= failed <= set(BLOCKS) - {"W", "b", "U"}
