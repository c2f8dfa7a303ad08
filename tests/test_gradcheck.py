"""The gradient check passes what is right, for everything that can be chosen, and catches what is not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest

from nertool.network import gradcheck, lookup, objective
from nertool.network.activations import ACTIVATIONS, Activation
from nertool.network.gradcheck import TOLERANCE, BlockCheck, check_gradients
from nertool.network.losses import LOSSES
from nertool.network.objective import (
    NO_MASKS,
    Batch,
    Masks,
    Objective,
    dense,
    dropout_mask,
    evaluate,
    loss_and_gradients,
)
from nertool.network.scorer import backward

n, C, d, H, K, B = 7, 2, 4, 8, 3, 10  # H = D, so that a transposed W has the right shape
TABLES = {"L": (9, 2), "E.affixes": (8, 1)}
COLUMNS = (1, 2)  # a word has one row of L and two of the affixes': d = 2 + 2·1
TANH = Objective("tanh", "softmax", columns=COLUMNS)


class Problem(NamedTuple):
    parameters: dict[str, np.ndarray]
    batch: Batch
    masks: Masks


def problem(seed: int = 1) -> Problem:
    """Two tables, words that repeat as one entry and as two, and masks."""
    rng = np.random.default_rng(seed)
    parameters = {name: rng.normal(size=size) for name, size in TABLES.items()}
    parameters["W"] = rng.normal(size=(H, C * d)) / 2
    parameters["b"] = rng.normal(size=H) / 2
    parameters["U"] = rng.normal(size=(K, H))
    numbers = zip(TABLES.values(), COLUMNS, strict=True)
    ids = np.concatenate([rng.integers(0, V - 1, size=(n, c)) for (V, _), c in numbers], axis=1)
    ids[1] = ids[0]
    ids[2, 2] = ids[2, 1]
    windows = rng.integers(0, n, size=(B, C))
    windows[0], windows[1] = [0, 1], [2, 2]
    masks = Masks(
        dropout_mask(rng, (n, d), 0.3, np.float64), dropout_mask(rng, (B, H), 0.3, np.float64)
    )
    labels = rng.integers(0, K, size=B)
    return Problem(parameters, Batch(ids.astype(np.int32), windows, np.eye(K)[labels]), masks)


def check(
    chosen: Objective, given: Problem, masks: Masks = NO_MASKS, samples: int = 1000
) -> dict[str, BlockCheck]:
    rng = np.random.default_rng(0)
    checks = check_gradients(chosen, given.parameters, given.batch, rng, masks, samples)
    return {block.block: block for block in checks}


def failed(checks: dict[str, BlockCheck]) -> set[str]:
    return {name for name, block in checks.items() if not block.passed}


# --- what is right passes


@pytest.mark.parametrize(
    ("activation", "output", "masked", "frozen"),
    list(product(sorted(ACTIVATIONS), sorted(LOSSES), [False, True], [(), ("L",)])),
)
def test_every_block_agrees_within_the_tolerance(activation, output, masked, frozen):
    given = problem()
    chosen = Objective(activation, output, l2=0.02, frozen=frozen, columns=COLUMNS)
    checks = check(chosen, given, given.masks if masked else NO_MASKS, samples=60)
    assert list(checks) == [name for name in given.parameters if name not in frozen]
    for block in checks.values():
        assert block.passed
        assert block.error <= 1e-7
        assert block.coordinates > 0
    # No unit stands within 1e−5 of a kink in this problem.
    assert sum(block.kinks for block in checks.values()) == 0


def test_the_tolerance_is_that_of_the_specification():
    assert TOLERANCE == 1e-7


def test_of_a_table_the_rows_that_were_met_are_checked_and_of_the_rest_all():
    given = problem()
    checks = check(TANH, given)
    ids = given.batch.ids
    met = [len(set(ids[:, 0].tolist())), len({*ids[:, 1].tolist(), *ids[:, 2].tolist()})]
    assert all(rows < V for rows, (V, _) in zip(met, TABLES.values(), strict=True))
    assert {name: block.coordinates for name, block in checks.items()} == {
        "L": met[0] * 2,
        "E.affixes": met[1] * 1,
        "W": H * C * d,
        "b": H,
        "U": K * H,
    }


def test_no_more_coordinates_are_checked_than_asked_for():
    assert {b.coordinates for b in check(TANH, problem(), samples=3).values()} == {3}


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


# --- what is wrong is caught: a mistake is seeded into the backward pass, and the blocks that it
# --- spoils fail; the others, which it leaves alone, still pass


def patch_backward(monkeypatch, change: Callable) -> None:
    """Let `change(gradients, weights, ds, cache)` have the last word on the scorer's gradients."""

    def mistaken(weights, activation, ds, cache):
        return change(backward(weights, activation, ds, cache), weights, ds, cache)

    monkeypatch.setattr(objective, "backward", mistaken)


def transposed_W(monkeypatch):
    def change(right, weights, ds, cache):
        delta = np.linalg.solve(weights.W.T, right.x.T).T  # x = δ W, so δ = x W⁻¹
        return right._replace(x=delta @ weights.W.T)

    patch_backward(monkeypatch, change)


def missing_mean(monkeypatch):
    right = LOSSES["softmax"]

    def mistaken(s, y, weights):
        J, ds = right(s, y, weights)
        return J, ds * len(s)

    monkeypatch.setitem(LOSSES, "softmax", mistaken)


def missing_f_prime(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "tanh", Activation(np.tanh, np.ones_like))


def f_prime_of_z_instead_of_h(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "tanh", Activation(np.tanh, lambda h: 1 - np.tanh(h) ** 2))


def last_one_wins(place, values, n):
    out = np.zeros((n, values.shape[1]))
    out[place] += values
    return out


def repeated_entries_lose_gradient(monkeypatch):
    monkeypatch.setattr(objective, "scatter_add", last_one_wins)


def repeated_rows_lose_gradient(monkeypatch):
    monkeypatch.setattr(lookup, "scatter_add", last_one_wins)


def bias_of_one_window(monkeypatch):
    def change(right, weights, ds, cache):
        return right._replace(weights=right.weights._replace(b=right.weights.b / len(ds)))

    patch_backward(monkeypatch, change)


def hidden_mask_forgotten_in_delta(monkeypatch):
    def change(right, weights, ds, cache):
        forgetful = backward(weights, "tanh", ds, cache._replace(mask=None))
        return forgetful._replace(weights=forgetful.weights._replace(U=right.weights.U))

    patch_backward(monkeypatch, change)


def hidden_mask_forgotten_in_U(monkeypatch):
    def change(right, weights, ds, cache):
        return right._replace(weights=right.weights._replace(U=ds.T @ cache.h))

    patch_backward(monkeypatch, change)


def input_mask_forgotten(monkeypatch):
    # Forward with the mask, and back without.
    forward_with = problem().masks

    def mistaken(chosen, parameters, batch, masks):
        with monkeypatch.context() as patch:
            patch.setattr(objective, "evaluate", lambda *args: evaluate(*args[:3], forward_with))
            return loss_and_gradients(chosen, parameters, batch, Masks(None, masks.hidden))

    monkeypatch.setattr(gradcheck, "loss_and_gradients", mistaken)


def l2_forgotten(monkeypatch):
    def mistaken(chosen, parameters, batch, masks):
        return loss_and_gradients(chosen._replace(l2=0.0), parameters, batch, masks)

    monkeypatch.setattr(gradcheck, "loss_and_gradients", mistaken)


def l2_doubled(monkeypatch):
    def mistaken(chosen, parameters, batch, masks):
        return loss_and_gradients(chosen._replace(l2=2 * chosen.l2), parameters, batch, masks)

    monkeypatch.setattr(gradcheck, "loss_and_gradients", mistaken)


def stale_delta(monkeypatch):
    # δ made with the f′ of other windows than those at hand, as one kept from the last batch is.
    def change(right, weights, ds, cache):
        stale = backward(weights, "tanh", ds, cache._replace(h=np.roll(cache.h, 1, axis=0)))
        return stale._replace(weights=stale.weights._replace(U=right.weights.U))

    patch_backward(monkeypatch, change)


def stale_delta_for_x_alone(monkeypatch):
    def change(right, weights, ds, cache):
        stale = backward(weights, "tanh", ds, cache._replace(h=np.roll(cache.h, 1, axis=0)))
        return right._replace(x=stale.x)

    patch_backward(monkeypatch, change)


def window_cut_in_the_wrong_order(monkeypatch):
    def change(right, weights, ds, cache):
        return right._replace(x=right.x.reshape(B, C, d)[:, ::-1].reshape(B, C * d))

    patch_backward(monkeypatch, change)


def U_updated_too_early(monkeypatch):
    # U takes its step before δ is made from it: what "every gradient before any update" forbids.
    def change(right, weights, ds, cache):
        moved = weights._replace(U=weights.U - 0.01 * right.weights.U)
        early = backward(moved, "tanh", ds, cache)
        return early._replace(weights=early.weights._replace(U=right.weights.U))

    patch_backward(monkeypatch, change)


WORDS = {"L", "E.affixes"}
BELOW = {*WORDS, "W", "b"}  # all that δ flows into

MISTAKES = [
    (transposed_W, WORDS),
    (missing_mean, {*BELOW, "U"}),
    (missing_f_prime, BELOW),
    (f_prime_of_z_instead_of_h, BELOW),
    (repeated_entries_lose_gradient, WORDS),
    (repeated_rows_lose_gradient, WORDS),
    (bias_of_one_window, {"b"}),
    (hidden_mask_forgotten_in_delta, BELOW),
    (hidden_mask_forgotten_in_U, {"U"}),
    (input_mask_forgotten, WORDS),
    (l2_forgotten, {"W", "U"}),
    (l2_doubled, {"W", "U"}),
    (stale_delta, BELOW),
    (stale_delta_for_x_alone, WORDS),
    (window_cut_in_the_wrong_order, WORDS),
    (U_updated_too_early, BELOW),
]


@pytest.mark.parametrize(
    ("seed_mistake", "spoiled"), MISTAKES, ids=[mistake.__name__ for mistake, _ in MISTAKES]
)
def test_seeded_mistake_is_caught_in_the_blocks_that_it_spoils(monkeypatch, seed_mistake, spoiled):
    given = problem()
    chosen = TANH._replace(l2=0.02)
    assert failed(check(chosen, given, given.masks, samples=60)) == set()
    seed_mistake(monkeypatch)
    checks = check(chosen, given, given.masks, samples=60)
    assert failed(checks) == spoiled
    # Not by a hair: a mistake is orders of magnitude above the tolerance.
    assert all(checks[name].error > 1e-5 for name in spoiled)


def test_worst_coordinate_is_where_the_mistake_is(monkeypatch):
    def change(right, weights, ds, cache):
        W = right.weights.W.copy()
        W[5, 2] += 0.01
        return right._replace(weights=right.weights._replace(W=W))

    patch_backward(monkeypatch, change)
    checks = check(TANH, problem())
    assert failed(checks) == {"W"}
    assert checks["W"].worst == (5, 2)


def test_a_tables_worst_coordinate_is_a_row_of_the_table(monkeypatch):
    given = problem()
    rows = np.unique(given.batch.ids[:, 0])
    place, row = len(rows) - 1, int(rows[-1])
    assert row >= len(rows)  # or the number of the row among those met might do as well
    right = objective.embed_backward

    def mistaken(*args):
        of_L, of_affixes = right(*args)
        of_L.values[place, 1] += 0.01
        return [of_L, of_affixes]

    monkeypatch.setattr(objective, "embed_backward", mistaken)
    checks = check(TANH, given)
    assert failed(checks) == {"L"}
    assert checks["L"].worst == (row, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_a_number_fails(monkeypatch, value):
    def change(right, weights, ds, cache):
        return right._replace(weights=right.weights._replace(b=np.full(H, value)))

    patch_backward(monkeypatch, change)
    assert failed(check(TANH, problem())) == {"b"}


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_loss_that_is_not_a_number_fails_and_is_not_taken_for_a_kink(activation):
    given = problem()
    given.parameters["U"][0, 0] = np.nan
    checks = check(TANH._replace(activation=activation), given)
    assert failed(checks) == set(given.parameters)
    assert sum(block.kinks for block in checks.values()) == 0


# --- kinks


@pytest.mark.parametrize(("activation", "bias"), [("relu", 0.0), ("hard_tanh", 1.0)])
def test_a_unit_at_a_kink_is_left_out_and_counted_and_does_not_fail(activation, bias):
    # Row 0 of W is 0, so the unit's z is its bias in every window: exactly at the kink. A step in
    # b₀ or in a W₀ⱼ whose xⱼ is not 0 moves it off; one in a table does not, since W₀ is 0.
    given = problem()
    given.parameters["W"][0] = 0.0
    given.parameters["b"][0] = bias
    checks = check(TANH._replace(activation=activation), given)
    assert {name: block.kinks for name, block in checks.items()} == {
        "L": 0,
        "E.affixes": 0,
        "W": C * d,
        "b": 1,
        "U": 0,
    }
    assert checks["W"].coordinates == (H - 1) * C * d
    assert checks["b"].coordinates == H - 1
    assert failed(checks) == set()
    # Left in, it would have failed: on one side the slope is 0, on the other it is not.
    chosen = TANH._replace(activation=activation)
    _, gradients = loss_and_gradients(chosen, given.parameters, given.batch)
    slopes = []
    for step in (1e-5, -1e-5):
        moved = given.parameters["b"].copy()
        moved[0] += step
        above = evaluate(chosen, given.parameters | {"b": moved}, given.batch).J
        here = evaluate(chosen, given.parameters, given.batch).J
        slopes.append((above - here) / step)
    assert min(map(abs, slopes)) < 1e-12
    assert abs(sum(slopes) / 2 - gradients["b"][0]) > 1e-3


def test_a_mistake_is_caught_beside_a_kink(monkeypatch):
    given = problem()
    given.parameters["W"][0] = 0.0
    given.parameters["b"][0] = 0.0

    def change(right, weights, ds, cache):
        return right._replace(weights=right.weights._replace(b=1.001 * right.weights.b))

    patch_backward(monkeypatch, change)
    checks = check(TANH._replace(activation="relu"), given)
    assert checks["b"].kinks == 1
    assert failed(checks) == {"b"}


def test_a_smooth_f_has_no_kinks():
    given = problem()
    given.parameters["W"][0] = 0.0
    given.parameters["b"][0] = 0.0
    for activation in ("tanh", "logistic"):
        checks = check(TANH._replace(activation=activation), given)
        assert sum(block.kinks for block in checks.values()) == 0
        assert failed(checks) == set()


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
