"""Each rule's steps by hand and against torch.optim; a table's step against the dense one."""

from __future__ import annotations

from itertools import permutations
from math import sqrt
from typing import Any

import numpy as np
import pytest

from nertool.network.lookup import RowGradient
from nertool.network.optimizers import RULES, Optimizer

EVERY_RULE = sorted(RULES)


@pytest.fixture(scope="session")
def torch() -> Any:
    module = pytest.importorskip("torch")
    module.set_num_threads(1)
    return module


# --- by hand: θ = 1, gradients 3 and then 4, α = 0.1; μ = 0.5
#
# sgd:      1 − 0.1·3 = 0.7; 0.7 − 0.1·4 = 0.3
# momentum: v = −0.1·3 = −0.3, θ = 0.7; v = 0.5·(−0.3) − 0.1·4 = −0.55, θ = 0.15
# adagrad:  G = 9, θ = 1 − 0.1·3/3 = 0.9; G = 9 + 16 = 25, θ = 0.9 − 0.1·4/5 = 0.82
# adam:     mean = 0.1·3 = 0.3, /(1 − 0.9) = 3; square = 0.001·9, /(1 − 0.999) = 9; θ = 1 − 0.1·3/√9
#           mean = 0.9·0.3 + 0.1·4 = 0.67, /(1 − 0.9²) = 0.67/0.19;
#           square = 0.999·0.009 + 0.001·16 = 0.024991, /(1 − 0.999²) = 0.024991/0.001999
BY_HAND = {
    "sgd": ([0.7, 0.3], []),
    "momentum": ([0.7, 0.15], [-0.55]),
    "adagrad": ([0.9, 0.82], [25.0]),
    "adam": ([0.9, 0.9 - 0.1 * (0.67 / 0.19) / sqrt(0.024991 / 0.001999)], [0.67, 0.024991]),
}


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_first_two_steps_by_hand(rule):
    steps, memory = BY_HAND[rule]
    parameters = {"b": np.array([1.0])}
    optimizer = Optimizer(rule, parameters, momentum=0.5)
    for g, theta in zip((3.0, 4.0), steps, strict=True):
        optimizer.update(parameters, {"b": np.array([g])}, alpha=0.1)
        # The 1e−8 that keeps a division by 0 away weighs 1e−8/3 (in Adam 3e−7/3) of a step of 0.1.
        assert parameters["b"][0] == pytest.approx(theta, abs=2e-8)
    assert optimizer.t == 2
    assert [array.item() for array in optimizer.memory["b"]] == pytest.approx(memory, rel=1e-12)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_first_two_steps_of_a_tables_row_by_hand(rule):
    steps, memory = BY_HAND[rule]
    parameters = {"L": np.array([[7.0], [1.0], [7.0]])}
    optimizer = Optimizer(rule, parameters, momentum=0.5)
    for g, theta in zip((3.0, 4.0), steps, strict=True):
        gradient = RowGradient(np.array([1]), np.array([[g]]))
        optimizer.update(parameters, {"L": gradient}, alpha=0.1)
        np.testing.assert_allclose(parameters["L"], [[7.0], [theta], [7.0]], atol=2e-8)
    np.testing.assert_allclose(
        np.array(optimizer.memory["L"]).reshape(-1, 3),
        [[0.0, m, 0.0] for m in memory] or np.empty((0, 3)),
    )


@pytest.mark.parametrize("rule", ["adagrad", "adam"])
def test_a_gradient_of_zero_is_no_division_by_zero(rule):
    parameters = {"b": np.array([1.0, 2.0])}
    optimizer = Optimizer(rule, parameters)
    with np.errstate(all="raise"):
        optimizer.update(parameters, {"b": np.zeros(2)}, alpha=0.1)
    np.testing.assert_array_equal(parameters["b"], [1.0, 2.0])


# --- against PyTorch


SIZES = {"W": (4, 6), "b": (4,), "U": (3, 4)}
STEPS = 25


def dense_gradients(step: int) -> dict[str, np.ndarray]:
    """Draw gradients of very different sizes: down to 1e−9, where the rules' 1e−8 matters, and 0."""
    rng = np.random.default_rng([1, step])
    made = {}
    for name, size in SIZES.items():
        magnitude = 10.0 ** np.resize([0.0, -3.0, -9.0, 2.0], size)
        made[name] = rng.normal(size=size) * magnitude * (rng.random(size) < 0.9)
    return made


def start() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    return {name: rng.normal(size=size) for name, size in SIZES.items()}


def torch_optimizer(torch: Any, rule: str, tensors: list, alpha: float) -> Any:
    optim = torch.optim
    return {
        "sgd": lambda: optim.SGD(tensors, lr=alpha),
        # Theirs is v ← μ v + g, θ ← θ − α v: with a constant α, α times our v, with the sign turned.
        "momentum": lambda: optim.SGD(tensors, lr=alpha, momentum=0.8),
        "adagrad": lambda: optim.Adagrad(tensors, lr=alpha, eps=1e-8),
        "adam": lambda: optim.Adam(tensors, lr=alpha, betas=(0.9, 0.999)),
    }[rule]()


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_dense_steps_equal_pytorchs(torch, rule):
    alpha = 0.03
    parameters = start()
    optimizer = Optimizer(rule, parameters, momentum=0.8)
    theirs = {name: torch.tensor(array, requires_grad=True) for name, array in start().items()}
    reference = torch_optimizer(torch, rule, list(theirs.values()), alpha)
    for t in range(1, STEPS + 1):
        gradients = dense_gradients(t)
        optimizer.update(parameters, gradients, alpha)
        for name, tensor in theirs.items():
            tensor.grad = torch.tensor(gradients[name])
        if rule == "adam":
            # With c = 1 − 0.999^t, ours is √c m / (√v + ε), theirs m / (√v / √c + ε'): the same
            # where ε' = ε / √c (Kingma and Ba, end of section 2).
            reference.param_groups[0]["eps"] = 1e-8 / sqrt(1 - 0.999**t)
        reference.step()
        for name, array in parameters.items():
            expected = theirs[name].detach().numpy()
            np.testing.assert_allclose(array, expected, rtol=1e-11, atol=1e-13)
    assert all(np.abs(array - start()[name]).max() > 0.05 for name, array in parameters.items())


V, WIDTH = 8, 3


def row_gradients(step: int) -> RowGradient:
    """Draw a gradient of two to four of the rows 0 to 5: of the rows 6 and 7 never."""
    rng = np.random.default_rng([3, step])
    rows = np.sort(rng.choice(6, size=rng.integers(2, 5), replace=False))
    return RowGradient(rows, rng.normal(size=(len(rows), WIDTH)))


def table() -> np.ndarray:
    return np.random.default_rng(4).normal(size=(V, WIDTH))


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("rule", ["sgd", "adagrad", "adam"])
def test_row_steps_equal_pytorchs_sparse_ones(torch, rule):
    alpha = 0.05
    parameters = {"L": table()}
    optimizer = Optimizer(rule, parameters)
    theirs = torch.tensor(table(), requires_grad=True)
    reference = {
        "sgd": lambda: torch.optim.SGD([theirs], lr=alpha),
        "adagrad": lambda: torch.optim.Adagrad([theirs], lr=alpha, eps=1e-8),
        # "Lazy" Adam: the memory of rows without a gradient waits, and t counts every step.
        "adam": lambda: torch.optim.SparseAdam([theirs], lr=alpha, betas=(0.9, 0.999), eps=1e-8),
    }[rule]()
    for step in range(STEPS):
        gradient = row_gradients(step)
        optimizer.update(parameters, {"L": gradient}, alpha)
        theirs.grad = torch.sparse_coo_tensor(
            torch.tensor(gradient.rows[None]),
            torch.tensor(gradient.values),
            (V, WIDTH),
            check_invariants=True,
        )
        reference.step()
        np.testing.assert_allclose(parameters["L"], theirs.detach().numpy(), rtol=1e-12)


def test_momentum_of_a_row_is_that_of_a_parameter_that_meets_its_batches_alone():
    parameters = {"L": table()}
    optimizer = Optimizer("momentum", parameters, momentum=0.7)
    for step in range(STEPS):
        optimizer.update(parameters, {"L": row_gradients(step)}, alpha=0.05)
    for row in range(V):
        alone = {"b": table()[row]}
        single = Optimizer("momentum", alone, momentum=0.7)
        for step in range(STEPS):
            rows, values = row_gradients(step)
            if row in rows:
                single.update(alone, {"b": values[list(rows).index(row)]}, alpha=0.05)
        np.testing.assert_allclose(parameters["L"][row], alone["b"], rtol=1e-14)


# --- rows and the dense step


def full(gradient: RowGradient) -> np.ndarray:
    array = np.zeros((V, WIDTH))
    array[gradient.rows] = gradient.values
    return array


@pytest.mark.parametrize("rule", ["sgd", "adagrad"])
def test_a_row_step_equals_the_dense_step_with_zeros_elsewhere(rule):
    by_row, by_table = {"L": table()}, {"L": table()}
    rows_optimizer, table_optimizer = Optimizer(rule, by_row), Optimizer(rule, by_table)
    for step in range(STEPS):
        gradient = row_gradients(step)
        rows_optimizer.update(by_row, {"L": gradient}, alpha=0.05)
        table_optimizer.update(by_table, {"L": full(gradient)}, alpha=0.05)
        np.testing.assert_array_equal(by_row["L"], by_table["L"])
    for a, b in zip(rows_optimizer.memory["L"], table_optimizer.memory["L"], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("rule", ["momentum", "adam"])
def test_memory_of_the_other_rows_waits_where_the_dense_step_would_use_it(rule):
    parameters, dense = {"L": table()}, {"L": table()}
    rows_optimizer, table_optimizer = Optimizer(rule, parameters), Optimizer(rule, dense)
    first = RowGradient(np.array([1]), np.ones((1, WIDTH)))
    second = RowGradient(np.array([2]), np.ones((1, WIDTH)))
    for gradient in (first, second):
        kept = parameters["L"][1].copy()
        kept_memory = [array[1].copy() for array in rows_optimizer.memory["L"]]
        rows_optimizer.update(parameters, {"L": gradient}, alpha=0.05)
        table_optimizer.update(dense, {"L": full(gradient)}, alpha=0.05)
    np.testing.assert_array_equal(parameters["L"][1], kept)
    for array, before in zip(rows_optimizer.memory["L"], kept_memory, strict=True):
        np.testing.assert_array_equal(array[1], before)
    assert np.all(dense["L"][1] < kept)  # the dense step goes on moving it


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_rows_not_met_never_change(rule):
    parameters = {"L": table()}
    optimizer = Optimizer(rule, parameters)
    met = np.zeros(V, dtype=bool)
    for step in range(STEPS):
        before, gradient = parameters["L"].copy(), row_gradients(step)
        optimizer.update(parameters, {"L": gradient}, alpha=0.05)
        others = np.setdiff1d(np.arange(V), gradient.rows)
        np.testing.assert_array_equal(parameters["L"][others], before[others])
        assert np.all(parameters["L"][gradient.rows] != before[gradient.rows])
        met[gradient.rows] = True
    assert met.tolist() == [True] * 6 + [False] * 2
    np.testing.assert_array_equal(parameters["L"][6:], table()[6:])
    for array in optimizer.memory["L"]:
        np.testing.assert_array_equal(array[6:], 0.0)


# --- the order of batches


def after(rule: str, order: tuple[RowGradient, ...]) -> np.ndarray:
    parameters = {"L": table()}
    optimizer = Optimizer(rule, parameters)
    for gradient in order:
        optimizer.update(parameters, {"L": gradient}, alpha=0.05)
    return parameters["L"]


@pytest.mark.parametrize("rule", ["sgd", "momentum", "adagrad"])
def test_batches_that_share_no_row_may_come_in_any_order(rule):
    # Not under Adam: its step depends on t, the number of the batch.
    rng = np.random.default_rng(5)
    batches = [
        RowGradient(np.array(rows), rng.normal(size=(len(rows), WIDTH)))
        for rows in ([0, 3], [1, 2, 5], [4])
    ]
    expected = after(rule, tuple(batches))
    for order in permutations(batches):
        np.testing.assert_array_equal(after(rule, order), expected)


@pytest.mark.parametrize(
    ("rule", "forth", "back"),
    [
        # θ = 0, α = 0.05. sgd: −0.05·(3 + 4) both ways. momentum (μ = 0.9): the first gradient
        # counts 1 + 1.9 times: −0.05·(3·1.9 + 4) and −0.05·(4·1.9 + 3).
        ("sgd", -0.35, -0.35),
        ("momentum", -0.485, -0.53),
        # adagrad: −0.05·(3/3 + 4/5) and −0.05·(4/4 + 3/5).
        ("adagrad", -0.09, -0.08),
    ],
)
def test_batches_that_share_a_row_come_in_the_order_given(rule, forth, back):
    for gradients, expected in (((3.0, 4.0), forth), ((4.0, 3.0), back)):
        parameters = {"L": np.zeros((2, 1))}
        optimizer = Optimizer(rule, parameters)
        for g in gradients:
            batch = RowGradient(np.array([1]), np.array([[g]]))
            optimizer.update(parameters, {"L": batch}, alpha=0.05)
        np.testing.assert_allclose(parameters["L"], [[0.0], [expected]], atol=1e-9)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_the_order_of_the_blocks_within_a_step_does_not_matter(rule):
    one, other = start(), start()
    first, second = Optimizer(rule, one), Optimizer(rule, other)
    for step in range(3):
        gradients = dense_gradients(step)
        first.update(one, gradients, alpha=0.05)
        second.update(other, dict(reversed(gradients.items())), alpha=0.05)
    for name in SIZES:
        np.testing.assert_array_equal(one[name], other[name])


# --- what update leaves alone, and what it keeps


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_update_works_in_place_and_changes_no_gradient(rule):
    parameters = {"L": table(), **start()}
    arrays = dict(parameters)
    optimizer = Optimizer(rule, parameters)
    for step in range(2):
        gradients = {"L": row_gradients(step), **dense_gradients(step)}
        optimizer.update(parameters, gradients, alpha=0.05)
        np.testing.assert_array_equal(gradients["L"].values, row_gradients(step).values)
        for name, expected in dense_gradients(step).items():
            np.testing.assert_array_equal(gradients[name], expected)
    for name, array in parameters.items():
        assert array is arrays[name]
        # Memory that were a view of θ or of a gradient would change with it.
        for kept in optimizer.memory[name]:
            assert not np.shares_memory(kept, array)
            assert name == "L" or not np.shares_memory(kept, gradients[name])


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_parameters_without_a_gradient_stay_with_their_memory(rule):
    parameters = start()
    optimizer = Optimizer(rule, parameters)
    gradients = {name: g for name, g in dense_gradients(1).items() if name != "W"}
    optimizer.update(parameters, gradients, alpha=0.05)
    np.testing.assert_array_equal(parameters["W"], start()["W"])
    assert not np.array_equal(parameters["U"], start()["U"])
    for array in optimizer.memory["W"]:
        np.testing.assert_array_equal(array, 0.0)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_float32_stays_float32(rule):
    parameters = {"L": table().astype(np.float32), "b": np.ones(4, dtype=np.float32)}
    optimizer = Optimizer(rule, parameters)
    for step in range(2):
        rows, values = row_gradients(step)
        gradients = {
            "L": RowGradient(rows, values.astype(np.float32)),
            "b": np.full(4, 0.5, dtype=np.float32),
        }
        optimizer.update(parameters, gradients, alpha=0.05)
        # The rule's own step, too: in 64 bits it would take twice the time.
        step_taken = optimizer.rule.step(
            gradients["b"], [a.copy() for a in optimizer.memory["b"]], 0.05, 0.9, optimizer.t
        )
        assert step_taken.dtype == np.float32
    kept = [array for arrays in optimizer.memory.values() for array in arrays]
    assert {array.dtype for array in [*parameters.values(), *kept]} == {np.dtype(np.float32)}


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_memory_and_t_are_all_that_is_needed_to_go_on(rule):
    whole = {"L": table(), **start()}
    optimizer = Optimizer(rule, whole)
    for step in range(4):
        optimizer.update(whole, {"L": row_gradients(step), **dense_gradients(step)}, alpha=0.05)
        if step == 1:
            resumed = {name: array.copy() for name, array in whole.items()}
            second = Optimizer(rule, resumed)
            second.t = optimizer.t
            second.memory = {
                name: [array.copy() for array in arrays]
                for name, arrays in optimizer.memory.items()
            }
    for step in (2, 3):
        second.update(resumed, {"L": row_gradients(step), **dense_gradients(step)}, alpha=0.05)
    for name, array in whole.items():
        np.testing.assert_array_equal(resumed[name], array)
