"""A mistake in the backward pass is caught: the blocks that it spoils fail, and the others still pass."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nertool.gradcheck.case import Case
from nertool.gradcheck.check import ALL, FAIL
from nertool.gradcheck.mistakes import MISTAKES, Mistake
from nertool.gradcheck.selfcheck import seed_mistakes
from nertool.network.activations import ACTIVATIONS
from nertool.network.lookup import embed_backward
from nertool.network.losses import LOSSES
from nertool.network.objective import PLAIN, dense, loss_and_gradients
from tests.support.gradients import TABLES, TANH, H, changing, check, failed, kinks, problem


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
