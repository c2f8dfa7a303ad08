"""The table of Jacobians in docs/mathematics.md, against values worked by hand and against numerical ones."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.gradcheck.jacobians import Small, cut_network, jacobians, numeric_jacobian
from nertool.network.activations import ACTIVATIONS
from nertool.network.losses import LOSSES
from nertool.network.objective import Batch, Objective
from nertool.network.scorer import Weights


def test_numeric_jacobian_of_a_linear_map_is_its_matrix():
    A = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
    found = numeric_jacobian(lambda x: A @ x + 1.0, np.array([0.3, -0.2, 0.7]))
    np.testing.assert_allclose(found, A, atol=1e-9)


def test_two_units_by_hand():
    # x = (1, 2), W = I/2, b = 0, ReLU: z = h = (½, 1), f′ = 1. U = (2 −1): s = 2·½ − 1·1 = 0, p = ½.
    # With y = 1: p − y = −½; ∂s/∂z is u = (2, −1); δ = ∂J/∂z is (−1, ½).
    small = Small(Weights(np.eye(2) / 2, np.zeros(2), np.array([[2.0, -1.0]])),
                  np.array([1.0, 2.0]), np.array([1.0]))  # fmt: skip
    by_hand = {t.name: t.by_hand.tolist() for t in jacobians(Objective("relu", "logistic"), small)}
    assert by_hand == {
        "∂h/∂z = diag f′(z)": [[1.0, 0.0], [0.0, 1.0]],
        "∂z/∂x = W": [[0.5, 0.0], [0.0, 0.5]],
        "∂z/∂b = I": [[1.0, 0.0], [0.0, 1.0]],
        "∂s/∂u = hᵀ": [[0.5, 1.0]],
        "∂s/∂h = uᵀ": [[2.0, -1.0]],
        "∂s/∂b = ∂s/∂z I = uᵀ diag f′(z)": [[2.0, -1.0]],
        "∂s/∂W = ∂s/∂z ∂z/∂W": [[2.0, 4.0, -1.0, -2.0]],
        "(∂s/∂z)ᵀ xᵀ, the gradient of s in W": [[2.0, 4.0], [-1.0, -2.0]],
        "∂s/∂x = ∂s/∂z W = uᵀ diag f′(z) W": [[1.0, -0.5]],
        "∂J/∂s = p − y": [[-0.5]],
        "∂J/∂z = (p − y)ᵀ U diag f′(z) = δᵀ": [[-1.0, 0.5]],
    }


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("output", sorted(LOSSES))
def test_by_hand_equals_numeric(activation, output):
    rng = np.random.default_rng(3)
    small = Small(
        Weights(rng.normal(size=(3, 4)), rng.normal(size=3), rng.normal(size=(2, 3))),
        rng.normal(size=4),
        np.array([0.0, 1.0]),
    )
    for table in jacobians(Objective(activation, output), small, k=1):
        assert table.passed
        assert table.difference < 1e-8
        np.testing.assert_allclose(table.by_hand, table.numeric, atol=1e-8)


def test_the_cut_keeps_the_windows_own_numbers():
    rng = np.random.default_rng(4)
    L = rng.normal(size=(6, 3))
    W, b, U = rng.normal(size=(5, 6)), rng.normal(size=5), rng.normal(size=(2, 5))
    batch = Batch(np.array([[4], [1]]), np.array([[1, 0]]), np.eye(2)[:1])
    small = cut_network(Objective("tanh", "softmax"), {"L": L, "W": W, "b": b, "U": U}, batch)
    # The first 2 of 3 numbers of each of the 2 words: row 1, then row 4.
    np.testing.assert_array_equal(small.x, [*L[1, :2], *L[4, :2]])
    z = W[:, [0, 1, 3, 4]] @ small.x + b
    kept = np.argsort(z)[[0, 2, 4]]
    np.testing.assert_array_equal(small.weights.W, W[kept][:, [0, 1, 3, 4]])
    np.testing.assert_array_equal(small.weights.U, U[:, kept])
