"""The gradient check passes what is right, for everything that can be chosen, and catches what is not."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nertool.gradcheck.check import ALL, FAIL, WARN, Ladders, check_gradients, relative_error
from nertool.gradcheck.reference import reference_J
from nertool.network.activations import ACTIVATIONS
from nertool.network.losses import LOSSES
from nertool.network.objective import (
    NO_MASKS,
    Masks,
    Objective,
    dense,
    forward_loss,
    loss_and_gradients,
)
from tests.support.gradients import (
    COLUMNS,
    TABLES,
    TANH,
    B,
    C,
    H,
    K,
    Problem,
    changing,
    check,
    coordinates,
    d,
    failed,
    kinks,
    problem,
)


@pytest.mark.parametrize(
    ("activation", "output", "masked", "frozen"),
    list(product(sorted(ACTIVATIONS), sorted(LOSSES), [False, True], [(), ("L",)])),
)
def test_every_block_agrees_within_the_tolerance(activation, output, masked, frozen):
    given = problem()
    chosen = Objective(activation, output, l2=0.02, frozen=frozen, columns=COLUMNS)
    checks = check(chosen, given, given.masks if masked else NO_MASKS, samples=15)
    assert list(checks) == [name for name in given.parameters if name not in frozen] + [ALL]
    for name, block in checks.items():
        assert block.passed
        assert not block.warned
        along = {"directional", "directional complex"}
        assert set(block.methods) == (along if name == ALL else {"central", "complex", *along})
        for method, comparison in block.methods.items():
            assert comparison.error <= (1e-12 if "complex" in method else 1e-7)
            assert comparison.compared > 0
    # No unit stands at a kink in this problem.
    assert sum(kinks(checks).values()) == 0


def test_the_tolerances_are_those_of_the_specification():
    assert (FAIL, WARN) == (1e-6, 1e-7)


def test_the_error_is_that_of_norms():
    # ‖(3, 4) − (3, 0)‖ / (‖(3, 4)‖ + ‖(3, 0)‖) = 4 / (5 + 3)
    assert relative_error(np.array([3.0, 4.0]), np.array([3.0, 0.0])) == 0.5
    assert relative_error(np.zeros(2), np.zeros(2)) == 0.0


def test_the_best_rung_of_the_ladder_is_shown_and_all_rungs_kept():
    ladders = Ladders(central=(1e-1, 1e-5, 1e-13), complex=(1e-2, 1e-20))
    given = problem()
    checks = check_gradients(
        TANH, given.parameters, given.batch, np.random.default_rng(0), ladders=ladders
    )
    for block in checks:
        for comparison in block.methods.values():
            assert comparison.error == min(rung.error for rung in comparison.ladder)
        # Too large a step is wrong by ε², too small a one by rounding: the best is in between.
        large, best, small = (rung.error for rung in block.methods["directional"].ladder)
        assert block.methods["directional"].eps == 1e-5
        assert best < 1e-3 * large
        assert best < 1e-3 * small
        assert block.methods["directional complex"].eps == 1e-20


def test_an_error_between_the_thresholds_warns_and_does_not_fail(monkeypatch):
    def change(right, weights, ds, cache):
        # a = (1 + 10⁻⁶) n: the error is 10⁻⁶ / 2
        return right._replace(weights=right.weights._replace(b=(1 + 1e-6) * right.weights.b))

    chain = changing(change)
    checks = check(TANH, problem(), chain=chain)
    assert failed(checks) == set()
    assert checks["b"].warned
    assert checks["b"].error == pytest.approx(5e-7, rel=1e-3)
    assert not checks["W"].warned


@pytest.mark.parametrize(
    ("activation", "output", "masked"),
    list(product(sorted(ACTIVATIONS), sorted(LOSSES), [False, True])),
)
def test_the_complex_safe_forms_equal_the_shipped_ones(activation, output, masked):
    given = problem()
    chosen = Objective(activation, output, l2=0.02, columns=COLUMNS)
    masks = given.masks if masked else NO_MASKS
    weights = np.linspace(0.5, 2.0, B)
    batch = given.batch._replace(weights=weights, side=None)
    J = reference_J(chosen, given.parameters, batch, masks)
    assert J.imag == 0.0
    assert J.real == pytest.approx(
        forward_loss(chosen, given.parameters, batch, masks).J, rel=1e-14
    )


def test_weights_and_given_inputs_are_checked_too():
    given = problem()
    rng = np.random.default_rng(5)
    batch = given.batch._replace(
        side=rng.normal(size=(B, 3)).astype(np.float32), weights=rng.uniform(0.5, 2.0, size=B)
    )
    wider = given.parameters | {"W": rng.normal(size=(H, C * d + 3))}
    checks = check(TANH, Problem(wider, batch, given.masks), given.masks)
    assert failed(checks) == set()
    assert checks["W"].methods["complex"].error <= 1e-12


def test_of_a_table_the_rows_that_were_met_are_checked_and_of_the_rest_all():
    given = problem()
    checks = check(TANH, given)
    ids = given.batch.ids
    met = [len(set(ids[:, 0].tolist())), len({*ids[:, 1].tolist(), *ids[:, 2].tolist()})]
    assert all(rows < V for rows, (V, _) in zip(met, TABLES.values(), strict=True))
    assert coordinates(checks) == {
        "L": met[0] * 2,
        "E.affixes": met[1] * 1,
        "W": H * C * d,
        "b": H,
        "U": K * H,
    }


def test_no_more_coordinates_are_checked_than_asked_for():
    assert set(coordinates(check(TANH, problem(), samples=3)).values()) == {3}


def test_nothing_passed_in_is_changed():
    given = problem()
    passed = (*given.parameters.values(), *given.batch, *given.masks)
    arrays = [array for array in passed if array is not None]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    check(TANH._replace(activation="relu", output="logistic", l2=0.1), given, given.masks)
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_float32_parameters_and_targets_are_checked_in_float64():
    # In 32-bit floats a step of 1e−5 is lost in J's rounding, 1e−7 / 1e−5: far from 1e−7.
    given = problem()
    narrow = {name: a.astype(np.float32) for name, a in given.parameters.items()}
    batch = given.batch._replace(y=given.batch.y.astype(np.float32))
    masks = Masks(*(mask.astype(np.float32) for mask in given.masks))
    assert not failed(check(TANH, Problem(narrow, batch, masks), masks))
    assert {array.dtype for array in narrow.values()} == {np.dtype(np.float32)}


def test_the_central_difference_agrees_with_a_complex_step():
    # Where f is analytic, ∂J/∂θ = Im J(θ + iε) / ε has no subtraction to lose digits in: an oracle
    # for the gradients to 1e−13, and so for the check that passes them. J written out anew.
    given = problem()
    _, gradients = loss_and_gradients(TANH, given.parameters, given.batch)

    def J(theta):
        vectors, first, second = given.batch.ids.T
        rows = [theta["L"][vectors], theta["E.affixes"][first], theta["E.affixes"][second]]
        x = np.concatenate(rows, axis=1)[given.batch.windows].reshape(B, -1)
        s = np.tanh(x @ theta["W"].T + theta["b"]) @ theta["U"].T
        return (np.log(np.exp(s).sum(axis=1)) - (given.batch.y * s).sum(axis=1)).mean()

    for name, array in given.parameters.items():
        slopes = np.zeros_like(array)
        for at in np.ndindex(*array.shape):
            stepped = array.astype(complex)
            stepped[at] += 1e-30j
            slopes[at] = J(given.parameters | {name: stepped}).imag / 1e-30
        np.testing.assert_allclose(dense(gradients[name], array), slopes, rtol=1e-11, atol=1e-14)
