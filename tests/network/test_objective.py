"""J and every gradient of the whole chain, against PyTorch's automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from nertool.inputs.windows import pad, sentence_windows
from nertool.network.activations import ACTIVATIONS
from nertool.network.dropout import dropout_mask
from nertool.network.lookup import RowGradient
from nertool.network.losses import LOSSES
from nertool.network.objective import (
    Batch,
    Masks,
    Objective,
    dense,
    forward_loss,
    initial_weights,
    loss_and_gradients,
    tables_of,
    weights_of,
)
from nertool.network.shards import cut_batch, sharded_loss_and_gradients

EVERY_F = sorted(ACTIVATIONS)
OUTPUTS = sorted(LOSSES)

n, C, H, K, B = 9, 3, 5, 4, 12
TABLES = {"L": (11, 4), "E.caps": (3, 2)}
d = sum(width for _, width in TABLES.values())


COMPUTATIONS: dict[str, Callable[..., tuple[float, dict]]] = {
    "plain": loss_and_gradients,
    "one shard": sharded_loss_and_gradients,
    "several shards": partial(sharded_loss_and_gradients, shard_size=5),
}


@pytest.fixture(params=COMPUTATIONS)
def computed(request) -> Callable[..., tuple[float, dict]]:
    """Let a test hold for the plain computation, and for that of training."""
    return COMPUTATIONS[request.param]


@pytest.fixture
def parameters() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    made = {name: rng.normal(size=size) for name, size in TABLES.items()}
    return {
        **made,
        "W": rng.normal(size=(H, C * d)) / 2,
        "b": rng.normal(size=H),
        "U": rng.normal(size=(K, H)),
    }


@pytest.fixture
def batch() -> Batch:
    """Words that repeat: within a window, between windows, and as two entries of one row."""
    rng = np.random.default_rng(2)
    ids = np.stack([rng.integers(0, V - 1, size=n) for V, _ in TABLES.values()], axis=1)
    ids[1] = ids[0]
    windows = rng.integers(0, n, size=(B, C))
    windows[0] = [0, 1, 0]
    windows[1] = [2, 2, 2]
    return Batch(ids.astype(np.int32), windows, np.eye(K)[rng.integers(0, K, size=B)])


@pytest.fixture
def masks() -> Masks:
    rng = np.random.default_rng(3)
    return Masks(
        dropout_mask(rng, (n, d), 0.25, np.float64), dropout_mask(rng, (B, H), 0.5, np.float64)
    )


@pytest.fixture(scope="session")
def torch() -> Any:
    module = pytest.importorskip("torch")
    module.set_num_threads(1)
    return module


def by_autograd(
    torch: Any, objective: Objective, parameters: dict, batch: Batch, masks: Masks
) -> tuple[float, dict[str, np.ndarray]]:
    """Return J and its gradients as PyTorch has them, window by window and word by word."""
    F = torch.nn.functional
    theta = {name: torch.tensor(a, requires_grad=True) for name, a in parameters.items()}
    ids = torch.from_numpy(batch.ids.astype(np.int64))
    columns = np.cumsum([0, *(objective.columns or (1,) * len(TABLES))]).tolist()
    rows = torch.cat(
        [
            theta[name][ids[:, first:end]].reshape(len(ids), -1)
            for name, (first, end) in zip(tables_of(parameters), pairwise(columns), strict=True)
        ],
        dim=1,
    )
    if masks.input is not None:
        rows = rows * torch.from_numpy(masks.input)
    x = torch.stack([torch.cat([rows[i] for i in window]) for window in batch.windows])
    if batch.side is not None:
        x = torch.cat([x, torch.from_numpy(batch.side)], dim=1)
    f = {"tanh": torch.tanh, "logistic": torch.sigmoid, "relu": F.relu, "hard_tanh": F.hardtanh}
    h = f[objective.activation](F.linear(x, theta["W"], theta["b"]))
    if masks.hidden is not None:
        h = h * torch.from_numpy(masks.hidden)
    s = F.linear(h, theta["U"])
    y = torch.from_numpy(batch.y)
    if objective.output == "logistic":
        losses = F.binary_cross_entropy_with_logits(s, y, reduction="none").sum(dim=1)
    else:
        losses = F.cross_entropy(s, y.argmax(dim=1), reduction="none")
    if batch.weights is not None:
        losses = losses * torch.from_numpy(batch.weights)
    J = losses.mean()
    J = J + objective.l2 / 2 * (theta["W"].pow(2).sum() + theta["U"].pow(2).sum())
    J.backward()
    return J.item(), {name: tensor.grad.numpy() for name, tensor in theta.items()}


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


# With all that a row and a window can have: vectors, affixes in three columns, the memory, which is
# counted and frozen, a context, and what stands beside the window.

FULL_TABLES = {"L": (11, 4), "E.affixes": (8, 1), "M": (6, 3), "E.document": (9, 2)}
FULL_COLUMNS = (1, 3, 1, 1)
FULL_D = 4 + 3 * 1 + 3 + 2
E_GIVEN = 5


@pytest.fixture
def full() -> tuple[dict[str, np.ndarray], Batch, Masks]:
    rng = np.random.default_rng(8)
    parameters = {name: rng.normal(size=size) for name, size in FULL_TABLES.items()}
    D = C * FULL_D + E_GIVEN
    parameters |= {"W": rng.normal(size=(H, D)) / 3, "b": rng.normal(size=H)}
    parameters["U"] = rng.normal(size=(K, H))
    numbers = zip(FULL_TABLES.values(), FULL_COLUMNS, strict=True)
    ids = np.concatenate([rng.integers(0, V - 1, size=(n, c)) for (V, _), c in numbers], axis=1)
    ids[1] = ids[0]
    windows = rng.integers(0, n, size=(B, C))
    windows[0] = [0, 1, 0]
    y = np.eye(K)[rng.integers(0, K, size=B)]
    batch = Batch(ids.astype(np.int32), windows, y, rng.normal(size=(B, E_GIVEN)))
    masks = Masks(
        dropout_mask(rng, (n, FULL_D), 0.25, np.float64), dropout_mask(rng, (B, H), 0.5, np.float64)
    )
    return parameters, batch, masks


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


# A batch's shards


def test_shards_are_the_batch_cut_into_equal_stretches(full):
    _, batch, masks = full
    first, second = cut_batch(batch, masks, shard_size=5)  # 12 windows
    for name in ("y", "side"):
        whole = getattr(batch, name)
        np.testing.assert_array_equal(getattr(first.batch, name), whole[:6])
        np.testing.assert_array_equal(getattr(second.batch, name), whole[6:])
    for shard, own in ((first, slice(0, 6)), (second, slice(6, 12))):
        assert shard.share == 0.5
        words = batch.ids[batch.windows[own]]
        np.testing.assert_array_equal(shard.batch.ids[shard.batch.windows], words)
        np.testing.assert_array_equal(shard.masks.hidden, masks.hidden[own])
        dropped = masks.input[batch.windows[own]]
        np.testing.assert_array_equal(shard.masks.input[shard.batch.windows], dropped)


def test_a_shard_of_sentences_has_only_its_own_words():
    text = pad(np.arange(600) % 7, np.arange(0, 601, 20), m=2)
    drawn = sentence_windows(text, np.arange(30)[::-1])
    y = np.eye(2)[np.zeros(600, dtype=int)]
    batch = Batch(text.types[drawn.positions][:, None], drawn.windows, y)
    sizes = [len(shard.batch.ids) for shard in cut_batch(batch, Masks())]
    # 30 sentences of 20 words and 4 paddings; where a sentence is cut, 4 words are in both.
    assert 720 <= sum(sizes) <= 720 + 4 * (len(sizes) - 1)


def everything(full) -> tuple[Objective, dict, Batch, Masks]:
    parameters, batch, masks = full
    batch = batch._replace(weights=np.random.default_rng(9).random(B) + 0.1)
    return Objective("tanh", "softmax", 0.02, ("M",), FULL_COLUMNS), parameters, batch, masks


def narrow(objective, parameters, batch, masks) -> tuple[Objective, dict, Batch, Masks]:
    """Return the same in 32-bit floats, as training has it: that is what the C loops take."""

    def small(array):
        return array.astype(np.float32) if array.dtype == np.float64 else array

    return (
        objective,
        {name: small(array) for name, array in parameters.items()},
        Batch(*(small(array) for array in batch)),
        Masks(*(small(array) for array in masks)),
    )


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output", OUTPUTS)
def test_one_shard_equals_the_plain_computation_to_the_bit(full, dtype, output):
    problem = everything(full)
    problem = (problem[0]._replace(output=output), *problem[1:])
    if dtype == np.float32:
        problem = narrow(*problem)
    J, plain = loss_and_gradients(*problem)
    shard_J, sharded = sharded_loss_and_gradients(*problem)
    assert shard_J == J
    assert list(sharded) == list(plain)
    for name, gradient in plain.items():
        if isinstance(gradient, RowGradient):
            np.testing.assert_array_equal(gradient.rows, sharded[name].rows)
            gradient, other = gradient.values, sharded[name].values
        else:
            other = sharded[name]
        assert gradient.dtype == other.dtype == dtype
        np.testing.assert_array_equal(gradient, other)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_several_shards_add_up_to_the_whole(full, size):
    objective, parameters, batch, masks = everything(full)
    J, whole = loss_and_gradients(objective, parameters, batch, masks)
    assert len(cut_batch(batch, masks, size)) == round(B / size)
    sum_J, summed = sharded_loss_and_gradients(objective, parameters, batch, masks, shard_size=size)
    assert pytest.approx(J, rel=1e-13) == sum_J
    for name in whole:
        a, n_ = dense(summed[name], parameters[name]), dense(whole[name], parameters[name])
        assert np.linalg.norm(a - n_) <= 1e-12 * np.linalg.norm(n_), name


def test_the_order_in_which_shards_are_computed_changes_nothing(full):
    def last_first(work, items):
        return iter([work(item) for item in list(items)[::-1]][::-1])

    problem = everything(full)
    J, gradients = sharded_loss_and_gradients(*problem, shard_size=2)
    other_J, other = sharded_loss_and_gradients(*problem, last_first, shard_size=2)
    assert other_J == J
    for name in gradients:
        like = problem[1][name]
        np.testing.assert_array_equal(dense(gradients[name], like), dense(other[name], like))
