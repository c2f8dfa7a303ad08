"""The gradient check passes what is right, for everything that can be chosen, and catches what is not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest

from nertool.gradcheck.case import Case
from nertool.gradcheck.check import (
    ALL,
    FAIL,
    WARN,
    BlockCheck,
    Ladders,
    check_gradients,
    relative_error,
)
from nertool.gradcheck.mistakes import MISTAKES, Mistake
from nertool.gradcheck.reference import reference_J
from nertool.gradcheck.selfcheck import seed_mistakes
from nertool.network.activations import ACTIVATIONS
from nertool.network.dropout import dropout_mask
from nertool.network.lookup import embed_backward
from nertool.network.losses import LOSSES
from nertool.network.objective import (
    NO_MASKS,
    PLAIN,
    Batch,
    Chain,
    Masks,
    Objective,
    dense,
    forward_loss,
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
    chosen: Objective,
    given: Problem,
    masks: Masks = NO_MASKS,
    samples: int = 300,
    chain: Chain = PLAIN,
) -> dict[str, BlockCheck]:
    rng = np.random.default_rng(0)
    checks = check_gradients(
        chosen, given.parameters, given.batch, rng, masks, samples, chain=chain
    )
    return {block.block: block for block in checks}


def failed(checks: dict[str, BlockCheck]) -> set[str]:
    return {name for name, block in checks.items() if not block.passed} - {ALL}


def coordinates(checks: dict[str, BlockCheck]) -> dict[str, int]:
    return {name: b.methods["central"].compared for name, b in checks.items() if name != ALL}


def kinks(checks: dict[str, BlockCheck]) -> dict[str, int]:
    return {name: len(b.methods["central"].kinks) for name, b in checks.items() if name != ALL}


# --- what is right passes


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


# --- what is wrong is caught: a mistake is put into the backward pass, and the blocks that it spoils
# --- fail; the others, which it leaves alone, still pass


def a_case(activation: str = "tanh", output: str = "softmax") -> Case:
    given = problem()
    chosen = TANH._replace(activation=activation, output=output, l2=0.02)
    rng = np.random.default_rng(0)
    return Case(chosen, given.parameters, given.batch, given.masks, rng)


def spoiled_by(mistake: Mistake) -> set[str]:
    if mistake.name == "unmet row":
        return {"L"}  # the first table that has such a row
    spoiled = set(mistake.spoils) - {"tables"}
    return spoiled | set(TABLES) if "tables" in mistake.spoils else spoiled


def test_there_are_at_least_twelve_mistakes_each_with_a_name_of_its_own():
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 12


@pytest.mark.parametrize(
    ("activation", "output"), list(product(sorted(ACTIVATIONS), sorted(LOSSES)))
)
def test_every_mistake_is_caught_in_the_blocks_that_it_spoils(activation, output):
    found = seed_mistakes(a_case(activation, output), samples=20)
    assert [caught.mistake for caught in found] == list(MISTAKES)
    for caught in found:
        if caught.harmless:
            idempotent = caught.mistake.name == "f′ at h" and ACTIVATIONS[activation].piecewise
            assert idempotent or caught.mistake.name == "side inputs taken for words"
            continue
        assert set(caught.blocks) == spoiled_by(caught.mistake) | {ALL}, caught.mistake.name
        # Not by a hair: a mistake is orders of magnitude above the tolerance.
        assert max(caught.errors.values()) > 1e-4


def test_a_mistake_in_a_row_that_no_window_has_is_caught_by_the_directions_alone():
    (caught,) = [c for c in seed_mistakes(a_case(), 20) if c.mistake.name == "unmet row"]
    assert {method for method, error in caught.errors.items() if error >= FAIL} == {
        "directional",
        "directional complex",
    }


def test_mistakes_leave_the_shipping_backward_pass_as_it_was():
    given = problem()
    before = loss_and_gradients(TANH, given.parameters, given.batch, given.masks)
    seed_mistakes(a_case(), samples=5)
    after = loss_and_gradients(TANH, given.parameters, given.batch, given.masks)
    for name, gradient in before[1].items():
        like = given.parameters[name]
        np.testing.assert_array_equal(dense(gradient, like), dense(after[1][name], like))


def test_what_is_no_mistake_is_not_called_caught():
    nothing = Mistake("nothing", "the right backward pass", PLAIN, ())
    (caught,) = seed_mistakes(a_case(), samples=20, mistakes=[nothing])
    assert not caught.caught
    assert max(caught.errors.values()) < 1e-8


def changing(change: Callable) -> Chain:
    """Let `change(gradients, weights, ds, cache)` have the last word on the scorer's gradients."""

    def mistaken(weights, f, ds, cache):
        return change(backward(weights, f, ds, cache), weights, ds, cache)

    return PLAIN._replace(backward=mistaken)


def test_worst_coordinate_is_where_the_mistake_is():
    def change(right, weights, ds, cache):
        W = right.weights.W.copy()
        W[5, 2] += 0.01
        return right._replace(weights=right.weights._replace(W=W))

    chain = changing(change)
    checks = check(TANH, problem(), chain=chain)
    assert failed(checks) == {"W"}
    assert checks["W"].methods["central"].worst == (5, 2)


def test_a_tables_worst_coordinate_is_a_row_of_the_table():
    given = problem()
    rows = np.unique(given.batch.ids[:, 0])
    place, row = len(rows) - 1, int(rows[-1])
    assert row >= len(rows)  # or the number of the row among those met might do as well

    def mistaken(*args):
        of_L, of_affixes = embed_backward(*args)
        of_L.values[place, 1] += 0.01
        return [of_L, of_affixes]

    checks = check(TANH, given, chain=PLAIN._replace(embed_backward=mistaken))
    assert failed(checks) == {"L"}
    assert checks["L"].methods["complex"].worst == (row, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_a_number_fails(value):
    def change(right, weights, ds, cache):
        return right._replace(weights=right.weights._replace(b=np.full(H, value)))

    chain = changing(change)
    assert failed(check(TANH, problem(), chain=chain)) == {"b"}


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_loss_that_is_not_a_number_fails_and_is_not_taken_for_a_kink(activation):
    given = problem()
    given.parameters["U"][0, 0] = np.nan
    checks = check(TANH._replace(activation=activation), given)
    assert failed(checks) == set(given.parameters)
    assert sum(kinks(checks).values()) == 0


# --- kinks


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
