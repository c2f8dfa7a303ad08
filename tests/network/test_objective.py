"""J and every gradient of the whole chain, against PyTorch's automatic differentiation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nertool.network.lookup import RowGradient
from nertool.network.objective import (
    Batch,
    Masks,
    Objective,
    dense,
    forward_loss,
    initial_weights,
    tables_of,
    weights_of,
)
from tests.support.objectives import EVERY_F, OUTPUTS, TABLES, B, C, H, K, by_autograd, d, n


@pytest.mark.parametrize(
    ("activation", "output", "masked", "l2"),
    list(product(EVERY_F, OUTPUTS, [False, True], [0.0, 0.03])),
)
def test_loss_and_gradients_equal_autograd(
    computed, torch, parameters, batch, masks, activation, output, masked, l2
):
    objective = Objective(activation, output, l2)
    used = masks if masked else Masks()
    J, gradients = computed(objective, parameters, batch, used)
    expected_J, expected = by_autograd(torch, objective, parameters, batch, used)
    assert pytest.approx(expected_J, rel=1e-12) == J
    assert list(gradients) == list(parameters)
    for name, array in parameters.items():
        gradient = dense(gradients[name], array)
        assert gradient.shape == array.shape
        norm = np.linalg.norm(expected[name])
        assert norm > 1e-3
        assert np.linalg.norm(gradient - expected[name]) <= 1e-10 * norm, name


@pytest.mark.parametrize("part", ["input", "hidden"])
def test_each_mask_alone_equals_autograd(computed, torch, parameters, batch, masks, part):
    objective = Objective("tanh", "softmax")
    one = Masks(**{part: getattr(masks, part)})
    J, gradients = computed(objective, parameters, batch, one)
    expected_J, expected = by_autograd(torch, objective, parameters, batch, one)
    assert pytest.approx(expected_J, rel=1e-12) == J
    for name, array in parameters.items():
        np.testing.assert_allclose(
            dense(gradients[name], array), expected[name], rtol=1e-9, atol=1e-13
        )


def test_tables_get_a_gradient_of_the_rows_that_were_met(computed, parameters, batch):
    _, gradients = computed(Objective("tanh", "softmax"), parameters, batch)
    for k, (name, (V, width)) in enumerate(TABLES.items()):
        gradient = gradients[name]
        assert isinstance(gradient, RowGradient)
        assert gradient.rows.tolist() == sorted(set(batch.ids[:, k].tolist()))
        assert gradient.values.shape == (len(gradient.rows), width)
        assert len(gradient.rows) < V


@pytest.mark.parametrize("frozen", [("L",), ("E.caps",), ("L", "E.caps")])
def test_frozen_tables_have_no_gradient_and_the_others_keep_theirs(
    computed, parameters, batch, frozen
):
    objective = Objective("tanh", "softmax", l2=0.01)
    J, free = computed(objective, parameters, batch)
    frozen_J, gradients = computed(objective._replace(frozen=frozen), parameters, batch)
    assert frozen_J == J
    assert list(gradients) == [name for name in parameters if name not in frozen]
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(
            dense(gradient, parameters[name]), dense(free[name], parameters[name])
        )


@pytest.mark.parametrize("tables", [["L"], ["L", "E.caps"]])
def test_nothing_that_is_passed_in_is_changed(computed, parameters, batch, masks, tables):
    # Of one table the rows are a plain look-up: masking them in place must not reach the table.
    width = sum(TABLES[name][1] for name in tables)
    used = {name: parameters[name] for name in tables} | {
        "W": parameters["W"][:, : C * width].copy(),
        "b": parameters["b"],
        "U": parameters["U"],
    }
    batch = batch._replace(ids=batch.ids[:, : len(tables)])
    masks = Masks(masks.input[:, :width].copy(), masks.hidden)
    given = [a for a in (*used.values(), *batch, *masks) if a is not None]
    before = [array.copy() for array in given]
    _, gradients = computed(Objective("tanh", "softmax", l2=0.1), used, batch, masks)
    for array, kept in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, kept)
    # Nor later: no gradient is a view of what it came from.
    for gradient in gradients.values():
        made = gradient.values if isinstance(gradient, RowGradient) else gradient
        assert not any(np.shares_memory(made, array) for array in given)


def test_l2_is_half_the_square_of_W_and_U_alone(computed, parameters, batch):
    # 0.5 · 0.2 · (‖W‖² + ‖U‖²) with ‖W‖² = 3² + 4² = 25 and ‖U‖² = 1² = 1: 2.6 is added.
    W, U = np.zeros((H, C * d)), np.zeros((K, H))
    W[0, 0], W[2, 3], U[1, 1] = 3.0, 4.0, 1.0
    changed = parameters | {"W": W, "U": U}
    without = forward_loss(Objective("tanh", "softmax"), changed, batch).J
    with_l2 = forward_loss(Objective("tanh", "softmax", l2=0.2), changed, batch).J
    assert with_l2 - without == pytest.approx(2.6, rel=1e-12)
    # b and the tables are free of it.
    _, free = computed(Objective("tanh", "softmax"), parameters, batch)
    _, penalised = computed(Objective("tanh", "softmax", l2=0.2), parameters, batch)
    for name in ("L", "E.caps", "b"):
        np.testing.assert_array_equal(
            dense(free[name], parameters[name]), dense(penalised[name], parameters[name])
        )


def test_a_window_reads_its_words_from_left_to_right():
    # x = the rows of the words 2, 0, 1 side by side; W picks one number of it for each unit.
    parameters = {
        "L": np.array([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]]),
        "W": np.eye(6),
        "b": np.zeros(6),
        "U": np.eye(6),
    }
    ids = np.array([[0], [1], [2]], dtype=np.int32)
    batch = Batch(ids, np.array([[2, 0, 1]]), np.eye(6)[:1])
    cache = forward_loss(Objective("relu", "softmax"), parameters, batch).cache
    np.testing.assert_array_equal(cache.x, [[2.0, 2.1, 0.0, 0.1, 1.0, 1.1]])


def test_a_step_against_the_gradient_lowers_the_loss(computed, parameters, batch, masks):
    objective = Objective("tanh", "softmax", l2=0.01)
    J, gradients = computed(objective, parameters, batch, masks)
    alpha = 1e-4
    moved = {name: a - alpha * dense(gradients[name], a) for name, a in parameters.items()}
    # To first order by alpha times the squared length of the gradient.
    squared = sum(float((dense(gradients[name], a) ** 2).sum()) for name, a in parameters.items())
    fall = J - forward_loss(objective, moved, batch, masks).J
    assert fall == pytest.approx(alpha * squared, rel=0.01)


def test_float32_stays_float32_in_every_gradient(computed, parameters, batch, masks):
    narrow = {name: a.astype(np.float32) for name, a in parameters.items()}
    _, gradients = computed(
        Objective("tanh", "softmax", l2=0.01),
        narrow,
        batch._replace(y=batch.y.astype(np.float32)),
        Masks(*(mask.astype(np.float32) for mask in masks)),
    )
    made = [g.values if isinstance(g, RowGradient) else g for g in gradients.values()]
    assert {array.dtype for array in made} == {np.dtype(np.float32)}


def test_tables_and_weights_are_told_apart_by_name(parameters):
    assert list(tables_of(parameters)) == list(TABLES)
    assert weights_of(parameters)._asdict().keys() == {"W", "b", "U"}
    for name, array in weights_of(parameters)._asdict().items():
        assert array is parameters[name]


def test_initial_weights_fill_glorots_interval():
    W, b, U = initial_weights(np.random.default_rng(7), D=150, H=90, K=10)
    assert (W.shape, b.shape, U.shape) == ((90, 150), (90,), (10, 90))
    assert W.dtype == b.dtype == U.dtype == np.float32
    np.testing.assert_array_equal(b, 0)
    # ±√(6 / (150 + 90)) = ±√(1/40) and ±√(6 / (90 + 10)) = ±√0.06; a uniform variance is limit²/3.
    for array, limit in ((W, (1 / 40) ** 0.5), (U, 0.06**0.5)):
        assert 0.98 * limit < np.abs(array).max() <= limit * (1 + 1e-6)
        assert array.var() == pytest.approx(limit**2 / 3, rel=0.1)
        assert array.mean() == pytest.approx(0, abs=0.1 * limit)
    again = initial_weights(np.random.default_rng(7), D=150, H=90, K=10)
    np.testing.assert_array_equal(again.W, W)


def test_a_table_looked_up_several_times_a_word_has_autograds_gradient(computed, torch, parameters):
    """Three rows of one table a word, as affixes have; two of a word's rows may be the same."""
    rng = np.random.default_rng(5)
    columns = (1, 3)
    ids = np.concatenate([rng.integers(0, 11, (n, 1)), rng.integers(0, 5, (n, 3))], axis=1)
    ids[0, 1:] = 2
    width = TABLES["L"][1] + 3 * 2
    theta = {
        "L": parameters["L"],
        "E.affixes": rng.normal(size=(5, 2)),
        "W": rng.normal(size=(H, C * width)),
        "b": parameters["b"],
        "U": parameters["U"],
    }
    windows = rng.integers(0, n, size=(B, C))
    y = np.eye(K)[rng.integers(0, K, size=B)]
    batch = Batch(ids.astype(np.int32), windows, y)
    J, gradients = computed(Objective("tanh", "softmax", columns=columns), theta, batch)

    leaves = {name: torch.tensor(a, requires_grad=True) for name, a in theta.items()}
    index = torch.from_numpy(ids)
    affixes = leaves["E.affixes"][index[:, 1:]].reshape(n, 6)
    rows = torch.cat([leaves["L"][index[:, 0]], affixes], dim=1)
    x = rows[torch.from_numpy(windows)].reshape(B, -1)
    F = torch.nn.functional
    s = F.linear(torch.tanh(F.linear(x, leaves["W"], leaves["b"])), leaves["U"])
    expected = F.cross_entropy(s, torch.from_numpy(y))
    expected.backward()
    assert pytest.approx(expected.item(), rel=1e-12) == J
    for name, leaf in leaves.items():
        np.testing.assert_allclose(
            dense(gradients[name], theta[name]), leaf.grad.numpy(), rtol=1e-10, atol=1e-13
        )
