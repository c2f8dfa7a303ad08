"""J and every gradient with all that a row and a window can have: vectors, affixes in three columns, a frozen
memory, a context, and side inputs. Against PyTorch's automatic differentiation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nertool.network.objective import Batch, Masks, Objective, dense, forward_loss
from tests.support.objectives import FULL_COLUMNS, FULL_D, FULL_TABLES, OUTPUTS, B, C, by_autograd


@pytest.mark.parametrize(
    ("activation", "output", "masked", "weighted", "frozen"),
    list(
        product(["relu", "tanh"], OUTPUTS, [False, True], [False, True], [("M",), ("L", "M"), ()])
    ),
)
def test_with_given_inputs_and_frozen_tables_the_gradients_equal_autograd(
    computed, torch, full, activation, output, masked, weighted, frozen
):
    parameters, batch, masks = full
    if weighted:
        batch = batch._replace(weights=np.random.default_rng(9).random(B) + 0.1)
    objective = Objective(activation, output, 0.02, frozen, FULL_COLUMNS)
    used = masks if masked else Masks()
    J, gradients = computed(objective, parameters, batch, used)
    expected_J, expected = by_autograd(torch, objective, parameters, batch, used)
    assert pytest.approx(expected_J, rel=1e-12) == J
    # The given inputs are no parameter: W's columns for them have a gradient, they have none.
    assert list(gradients) == [name for name in parameters if name not in frozen]
    for name in gradients:
        gradient = dense(gradients[name], parameters[name])
        norm = np.linalg.norm(expected[name])
        assert norm > 1e-3
        assert np.linalg.norm(gradient - expected[name]) <= 1e-10 * norm, name


def test_all_tables_may_be_frozen(computed, full):
    parameters, batch, masks = full
    everything = tuple(FULL_TABLES)
    free = Objective("tanh", "softmax", columns=FULL_COLUMNS)
    _, all_gradients = computed(free, parameters, batch, masks)
    _, gradients = computed(free._replace(frozen=everything), parameters, batch, masks)
    assert list(gradients) == ["W", "b", "U"]
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, all_gradients[name])


def test_given_inputs_stand_after_the_window(full):
    parameters, batch, _ = full
    objective = Objective("tanh", "softmax", columns=FULL_COLUMNS)
    x = forward_loss(objective, parameters, batch).cache.x
    without = {**parameters, "W": parameters["W"][:, : C * FULL_D]}
    window = forward_loss(objective, without, batch._replace(side=None)).cache.x
    np.testing.assert_array_equal(x, np.concatenate([window, batch.side], axis=1))


def test_a_window_that_weighs_twice_counts_as_two(computed, full):
    # J is the mean over the B windows of weight · loss: with a weight of 2 for one of them it is what
    # B + 1 windows give, of which it is two, but for the divisor.
    parameters, batch, _ = full
    objective = Objective("tanh", "logistic", columns=FULL_COLUMNS)
    weights = np.ones(B)
    weights[3] = 2.0
    J, gradients = computed(objective, parameters, batch._replace(weights=weights))
    twice = np.append(np.arange(B), 3)
    repeated = Batch(batch.ids, batch.windows[twice], batch.y[twice], batch.side[twice])
    other_J, other = computed(objective, parameters, repeated)
    assert pytest.approx(other_J * (B + 1) / B) == J
    for name, array in parameters.items():
        expected = dense(other[name], array) * (B + 1) / B
        np.testing.assert_allclose(dense(gradients[name], array), expected, rtol=1e-10, atol=1e-13)
