"""Activations with kinks: a step across one is left out and counted, and hides no mistake."""

from __future__ import annotations

import pytest

from nertool.network.objective import forward_loss, loss_and_gradients
from tests.support.gradients import (
    TANH,
    C,
    H,
    changing,
    check,
    coordinates,
    d,
    failed,
    kinks,
    problem,
)


@pytest.mark.parametrize(("activation", "bias"), [("relu", 0.0), ("hard_tanh", 1.0)])
def test_a_unit_at_a_kink_is_left_out_and_counted_and_does_not_fail(activation, bias):
    # Row 0 of W is 0, so the unit's z is its bias in every window: exactly at the kink. A step in
    # b₀ or in a W₀ⱼ whose xⱼ is not 0 moves it off; one in a table does not, since W₀ is 0.
    given = problem()
    given.parameters["W"][0] = 0.0
    given.parameters["b"][0] = bias
    checks = check(TANH._replace(activation=activation), given)
    assert kinks(checks) == {
        "L": 0,
        "E.affixes": 0,
        "W": C * d,
        "b": 1,
        "U": 0,
    }
    assert coordinates(checks)["W"] == (H - 1) * C * d
    assert coordinates(checks)["b"] == H - 1
    assert failed(checks) == set()
    # Left in, it would have failed: on one side the slope is 0, on the other it is not.
    chosen = TANH._replace(activation=activation)
    _, gradients = loss_and_gradients(chosen, given.parameters, given.batch)
    slopes = []
    for step in (1e-5, -1e-5):
        moved = given.parameters["b"].copy()
        moved[0] += step
        above = forward_loss(chosen, given.parameters | {"b": moved}, given.batch).J
        here = forward_loss(chosen, given.parameters, given.batch).J
        slopes.append((above - here) / step)
    assert min(map(abs, slopes)) < 1e-12
    assert abs(sum(slopes) / 2 - gradients["b"][0]) > 1e-3


def test_a_mistake_is_caught_beside_a_kink():
    given = problem()
    given.parameters["W"][0] = 0.0
    given.parameters["b"][0] = 0.0

    def change(right, weights, ds, cache):
        return right._replace(weights=right.weights._replace(b=1.001 * right.weights.b))

    chain = changing(change)
    checks = check(TANH._replace(activation="relu"), given, chain=chain)
    assert kinks(checks)["b"] == 1
    assert failed(checks) == {"b"}


def test_a_smooth_f_has_no_kinks():
    given = problem()
    given.parameters["W"][0] = 0.0
    given.parameters["b"][0] = 0.0
    for activation in ("tanh", "logistic"):
        checks = check(TANH._replace(activation=activation), given)
        assert sum(kinks(checks).values()) == 0
        assert failed(checks) == set()
