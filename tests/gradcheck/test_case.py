"""gradcheck on what a user has, with everything on that a config can turn on."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from nertool.config.records import Config
from nertool.gradcheck.case import Verdict, check_case
from nertool.gradcheck.check import ALL
from nertool.gradcheck.mistakes import MISTAKES
from nertool.gradcheck.selfcheck import seed_mistakes
from nertool.model.model import Model
from nertool.network.objective import PLAIN, Chain
from nertool.network.scorer import backward
from nertool.training.cases import cases_of_config, cases_of_model
from tests.support.helpers import EVERYTHING, change, random_model

BLOCKS = [
    "L",
    "E.caps",
    "E.affixes",
    "E.clusters",
    "E.gazetteers",
    "E.sentence",
    "E.document",
    "W",
    "b",
    "U",
]


def verify_config(
    config: Config, windows: int, samples: int, chain: Chain = PLAIN
) -> list[Verdict]:
    cases = cases_of_config(config, windows, lambda line: None)
    return [check_case(case, samples, chain=chain) for case in cases]


def verify_model(model: Model, seed: int, windows: int, samples: int) -> list[Verdict]:
    return [check_case(case, samples) for case in cases_of_model(model, seed, windows)]


@pytest.fixture(scope="module")
def full_config(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The tiny config with every feature, two stages, and a penalty and masks that must be heard."""
    places = tmp_path_factory.mktemp("lists") / "places.txt"
    places.write_text("London\nNew York\nParis\n")
    features = replace(EVERYTHING, gazetteers={"CITY": (places,)})
    config = replace(config, features=features)
    return change(
        config,
        network={"hidden": 6},
        first_stage={"folds": 2},
        training={"l2": 0.01, "dropout_input": 0.2, "dropout_hidden": 0.2},
    )


@pytest.fixture
def verdicts(full_config):
    return verify_config(full_config, windows=12, samples=8)


def test_every_block_of_a_config_with_everything_agrees(verdicts):
    pairs = {(verdict.activation, verdict.output) for verdict in verdicts}
    every_f = ("tanh", "logistic", "relu", "hard_tanh")
    assert pairs == set(product(every_f, ("logistic", "softmax")))
    for verdict in verdicts:
        # The memory's table M is counted, not trained: it has no gradient to check.
        assert [check.block for check in verdict.checks] == [*BLOCKS, ALL]
        for check in verdict.checks:
            assert check.error <= 1e-7, check
            assert all(comparison.compared for comparison in check.methods.values())
        assert verdict.passed
        assert verdict.network == ""
    assert [(v.activation, v.output) for v in verdicts if v.own] == [("tanh", "logistic")]


def test_frozen_vectors_are_not_checked(full_config):
    frozen = change(full_config, vectors={"fine_tune": False})
    for verdict in verify_config(frozen, windows=6, samples=4):
        assert [check.block for check in verdict.checks] == [*BLOCKS[1:], ALL]
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
        assert [check.block for check in verdict.checks] == [*BLOCKS, ALL]
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


def test_side_inputs_taken_for_words_are_caught(full_config):
    # The cut of ∂J/∂x at the wrong end: the side inputs' part would go back into the words.
    def mistaken(weights, f, ds, cache):
        found = backward(weights, f, ds, cache)
        return found._replace(x=np.roll(found.x, 3, axis=1))

    wrong = PLAIN._replace(backward=mistaken)
    for verdict in verify_config(full_config, windows=8, samples=6, chain=wrong):
        failed = {check.block for check in verdict.checks if not check.passed}
        assert {"L", ALL} <= failed <= {*BLOCKS, ALL} - {"W", "b", "U"}


def test_every_mistake_is_caught_with_everything_on(full_config):
    (case,) = cases_of_config(full_config, 8, lambda line: None, own_alone=True)
    found = seed_mistakes(case, samples=6)
    assert [caught.mistake.name for caught in found if caught.caught] == [m.name for m in MISTAKES]
