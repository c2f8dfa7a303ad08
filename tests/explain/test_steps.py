"""One example through the network and back: every number by hand, or by the network's own code."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.explain.graph import as_text, draw_graph
from nertool.explain.numbers import short
from nertool.explain.steps import (
    gradient_times_input,
    multiplications,
    parts_of_z,
    sgd_update,
    work_through,
)
from nertool.network.activations import ACTIVATIONS
from nertool.network.losses import LOSSES
from nertool.network.objective import Batch, Objective, forward_loss, loss_and_gradients
from nertool.network.scorer import Weights


def two_units():
    """x = (1, 2), W = I/2, b = 0, ReLU, u = (2, −1), y = 1."""
    weights = Weights(np.eye(2) / 2, np.zeros(2), np.array([[2.0, -1.0]]))
    return work_through(weights, "relu", "logistic", np.array([1.0, 2.0]), np.array([1.0]))


def test_two_units_by_hand_to_the_last_digit():
    steps = two_units()
    assert steps.z.tolist() == [0.5, 1.0]  # W x
    assert steps.h.tolist() == [0.5, 1.0]  # both positive
    assert steps.s.tolist() == [0.0]  # 2 · ½ − 1 · 1
    assert steps.p.tolist() == [0.5]  # σ(0)
    assert np.log(2.0) == steps.J  # −log ½
    assert steps.ds.tolist() == [-0.5]  # p − y
    assert steps.dh.tolist() == [-1.0, 0.5]  # −½ · (2, −1)
    assert steps.f_prime.tolist() == [1.0, 1.0]
    assert steps.delta.tolist() == [-1.0, 0.5]  # ∘ f′
    assert steps.dU.tolist() == [[-0.25, -0.5]]  # −½ · (½, 1)
    assert steps.dW.tolist() == [[-1.0, -2.0], [0.5, 1.0]]  # δ xᵀ
    assert steps.db.tolist() == [-1.0, 0.5]  # δ
    assert steps.dx.tolist() == [-0.5, 0.25]  # Wᵀ δ
    assert steps.score_dz.tolist() == [2.0, -1.0]  # u ∘ f′
    # Each number of x by itself: W_c x_c is (½, 0) and (0, 1); ∂s/∂x · x = (1, −½) ∘ (1, 2).
    assert parts_of_z(*steps.weights[:2], steps.x, [1, 1]).tolist() == [
        [0.5, 0.0],
        [0.0, 1.0],
        [0.0, 0.0],
    ]
    assert gradient_times_input(steps, [1, 1]).tolist() == [1.0, -1.0]


def test_the_lessons_network_to_the_last_digit():
    # docs/lesson.md: tanh(ln a) = (a² − 1) / (a² + 1), so h = (3/5, −4/5), and 1 − h² = (16/25, 9/25).
    weights = Weights(
        np.array([[2.0, 1.0, 0.0], [1.0, -1.0, -1.0]]),
        np.array([np.log(2), -np.log(3)]),
        np.array([[4.0, 3.0]]),
    )
    x, y = np.array([1.0, -2.0, 3.0]), np.array([1.0])
    steps = work_through(weights, "tanh", "logistic", x, y)
    expected = {
        "h": [0.6, -0.8],
        "s": [0.0],
        "p": [0.5],
        "ds": [-0.5],
        "dU": [[-0.3, 0.4]],
        "dh": [-2.0, -1.5],
        "f_prime": [0.64, 0.36],
        "delta": [-1.28, -0.54],
        "dW": [[-1.28, 2.56, -3.84], [-0.54, 1.08, -1.62]],
        "dx": [-3.1, -0.74, 0.54],
        "score_dz": [2.56, 1.08],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(steps, name), values, rtol=1e-14, atol=1e-15)
    assert pytest.approx(np.log(2.0), rel=1e-15) == steps.J

    def J(x: np.ndarray, alpha: float = 0.0) -> float:
        moved = (
            array - alpha * gradient
            for array, gradient in zip(weights, (steps.dW, steps.db, steps.dU), strict=True)
        )
        return work_through(Weights(*moved), "tanh", "logistic", x, y).J

    # The nudge of section 4, and the table of section 8.
    assert round(J(x + np.array([0.001, 0, 0])), 6) == 0.690055
    squared = sum(float((g * g).sum()) for g in (steps.dW, steps.db, steps.dU))
    table = {0.001: (0.6639, 0.6646), 0.01: (0.4011, 0.4612), 0.1: (-2.2269, 0.0417)}
    assert squared == pytest.approx(29.2)
    for alpha, pair in table.items():
        first_order, real = np.log(2.0) - alpha * squared, J(x, alpha)
        assert (round(first_order, 4), round(real, 4)) == pair


def test_one_step_of_sgd_by_hand():
    # The largest entry of ∂J/∂W is W₀₁'s −2: 0 − 0.25 · (−2) = ½. Then z₀ = ½ · 1 + ½ · 2 = 1.5, s = 2 ·
    # 1.5 − 1 = 2, and J = log(1 + e^−2).
    update = sgd_update(two_units(), 0.25)
    assert (update.i, update.j, update.before, update.gradient, update.after) == (
        0,
        1,
        0.0,
        -2.0,
        0.5,
    )
    assert update.J_before == np.log(2.0)
    assert update.J_after == pytest.approx(np.log1p(np.exp(-2.0)), rel=1e-15)


def test_multiplications_are_counted():
    # D = 2, H = 2, K = 1. δ: Uᵀds 2, ∘ f′ 2. ∂J/∂U 2, δ xᵀ 4, Wᵀδ 4: 14 in all; δ twice more: 22.
    # Whole matrices: ds U 2, diag 4, I 4, W 4, the Jacobian of z in W 2 × 4: 8, ∂J/∂U 2: 24.
    # Forward: W x 4, U h 2.
    assert multiplications(2, 2, 1) == (6, 14, 22, 24)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("output", sorted(LOSSES))
def test_steps_are_those_of_the_network(activation, output):
    rng = np.random.default_rng(2)
    K, H, D = 3, 5, 6
    weights = Weights(rng.normal(size=(H, D)), rng.normal(size=H), rng.normal(size=(K, H)))
    x, y = rng.normal(size=D), np.eye(K)[1]
    steps = work_through(weights, activation, output, x, y, k=1)
    objective = Objective(activation, output)
    batch = Batch(np.array([[0]], dtype=np.int32), np.array([[0]]), y[None])
    parameters = {"L": x[None], **weights._asdict()}
    J, gradients = loss_and_gradients(objective, parameters, batch)
    assert steps.J == J
    for name, found in (("W", steps.dW), ("b", steps.db), ("U", steps.dU)):
        np.testing.assert_array_equal(found, gradients[name])
    np.testing.assert_array_equal(steps.dx, gradients["L"].values[0])
    np.testing.assert_array_equal(steps.ds, forward_loss(objective, parameters, batch).ds[0])
    np.testing.assert_allclose(steps.ds, steps.p - y, atol=1e-15)
    np.testing.assert_array_equal(steps.delta, steps.dh * steps.f_prime)
    parts = parts_of_z(weights.W, weights.b, x, [2, 1, 3])
    np.testing.assert_allclose(parts.sum(axis=0), steps.z, rtol=1e-13, atol=1e-15)
    if activation == "relu":
        total = gradient_times_input(steps, [2, 1, 3]).sum() + steps.score_dz @ weights.b
        assert total == pytest.approx(steps.s[1], rel=1e-13)


@pytest.mark.parametrize("K", [1, 4])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_graphs_values_are_the_networks_and_its_gradients_add_up(activation, K):
    rng = np.random.default_rng(6)
    weights = Weights(rng.normal(size=(5, 6)), rng.normal(size=5), rng.normal(size=(K, 5)))
    output = "logistic" if K == 1 else "softmax"
    steps = work_through(weights, activation, output, rng.normal(size=6), np.eye(K)[0])
    graph = draw_graph(steps, "LOC")
    nodes = {node.name: node for node in graph.nodes}
    (i, second), j = graph.units, graph.column
    assert sorted(np.abs(steps.delta))[-2:] == [abs(steps.delta[second]), abs(steps.delta[i])]
    order = [node.name for node in graph.nodes]
    for edge in graph.edges:
        assert order.index(edge.source) < order.index(edge.target)
    for node in graph.nodes[:-1]:
        back = [nodes[e.target].gradient * e.local for e in graph.edges if e.source == node.name]
        assert node.gradient == pytest.approx(sum(back), rel=1e-12, abs=1e-15), node
    expected = {
        "J": (steps.J, 1.0),
        "s": (steps.s[0], steps.ds[0]),
        "x": (steps.x[j], steps.dx[j]),
    }
    for unit in graph.units:
        expected |= {
            f"W{unit}": (weights.W[unit, j], steps.dW[unit, j]),
            f"z{unit}": (steps.z[unit], steps.delta[unit]),
            f"h{unit}": (steps.h[unit], steps.dh[unit]),
            f"u{unit}": (weights.U[0, unit], steps.dU[0, unit]),
            f"uh{unit}": (weights.U[0, unit] * steps.h[unit], steps.ds[0]),
        }
        parts = nodes[f"Wx{unit}"].value + nodes[f"rest{unit}"].value
        assert parts == pytest.approx(steps.z[unit], rel=1e-12)
    for name, pair in expected.items():
        assert (nodes[name].value, nodes[name].gradient) == pytest.approx(
            pair, rel=1e-12, abs=1e-15
        )
    # x is used in both units drawn, and in the others.
    assert len([edge for edge in graph.edges if edge.source == "x"]) == (3 if K == 1 else 4)
    terms = [nodes[f"uh{unit}"].value for unit in graph.units] + [nodes["units"].value]
    assert sum(terms) == pytest.approx(steps.s[0], rel=1e-12)
    assert ("outputs" in nodes) == (K > 1)
    text = "\n".join(as_text(graph))
    for node in graph.nodes:
        assert node.value is None or short(node.value) in text


def test_a_graph_of_one_unit_is_drawn():
    weights = Weights(np.array([[2.0, -1.0]]), np.zeros(1), np.array([[3.0]]))
    steps = work_through(weights, "tanh", "logistic", np.array([0.5, 0.5]), np.array([1.0]))
    graph = draw_graph(steps, "LOC")
    assert graph.units == (0,)
    assert "other units" not in "\n".join(as_text(graph))


def test_numbers_are_short_and_none_is_minus_zero():
    numbers = [0.0, -0.0, 1.5, -1e-7, 0.001, 1e5]
    shown = ["0.0000", "0.0000", "1.5000", "-1.000e-07", "0.0010", "1.000e+05"]
    assert [short(number) for number in numbers] == shown
