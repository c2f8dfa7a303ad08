"""The scorer against networks of two units worked by hand, and against the formulas of the mathematics."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.network.activations import ACTIVATIONS, Activation
from nertool.network.objective import Batch, Objective, loss_and_gradients
from nertool.network.optimizers import Optimizer
from nertool.network.scorer import Cache, Weights, backward, forward, scores

EVERY_F = sorted(ACTIVATIONS)

# f′ as a function of z, from its definition: not by way of h, as the code has it.
F_PRIME_OF_Z = {
    "tanh": lambda z: 1.0 / np.cosh(z) ** 2,
    "logistic": lambda z: np.exp(-z) / (1.0 + np.exp(-z)) ** 2,
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "hard_tanh": lambda z: np.where((z > -1) & (z < 1), 1.0, 0.0),
}


def network(rng: np.random.Generator, D: int, H: int, K: int) -> Weights:
    return Weights(rng.normal(size=(H, D)), rng.normal(size=H), rng.normal(size=(K, H)))


def mask(rng: np.random.Generator, B: int, H: int) -> np.ndarray:
    return 2.0 * (rng.random((B, H)) < 0.5)


@pytest.fixture
def counted() -> tuple[Activation, list[str]]:
    """tanh, and the list of what is called of it, in order: "f" and "f′"."""
    called: list[str] = []
    tanh = ACTIVATIONS["tanh"]

    def f(z, out=None):
        called.append("f")
        return tanh.f(z, out=out)

    def f_prime_of_h(h):
        called.append("f′")
        return tanh.f_prime_of_h(h)

    return Activation(f, f_prime_of_h), called


def test_two_units_and_one_score_by_hand():
    # W x = (2·1 + 1·(−2) + 0·3, 1·1 − 1·(−2) − 1·3) = (0, 0), so z = b = (ln 2, −ln 3).
    # tanh(ln a) = (a² − 1) / (a² + 1): h = (3/5, −4/5), f′ = 1 − h² = (16/25, 9/25).
    # s = 5·3/5 + 10·(−4/5) = −5.
    weights = Weights(
        W=np.array([[2.0, 1.0, 0.0], [1.0, -1.0, -1.0]]),
        b=np.array([log(2), -log(3)]),
        U=np.array([[5.0, 10.0]]),
    )
    x = np.array([[1.0, -2.0, 3.0]])
    s, cache = forward(weights, ACTIVATIONS["tanh"], x)
    np.testing.assert_allclose(cache.h, [[0.6, -0.8]], rtol=1e-15)
    np.testing.assert_allclose(s, [[-5.0]], rtol=1e-15)

    # δ = u ∘ f′(z) = (5·16/25, 10·9/25) = (3.2, 3.6); ∂s/∂u = h; ∂s/∂b = δ;
    # ∂s/∂W = δxᵀ; ∂s/∂x = Wᵀδ = (2·3.2 + 3.6, 3.2 − 3.6, −3.6).
    gradients = backward(weights, ACTIVATIONS["tanh"], np.ones((1, 1)), cache)
    close = {"rtol": 1e-14, "atol": 1e-15}
    np.testing.assert_allclose(gradients.weights.U, [[0.6, -0.8]], **close)
    np.testing.assert_allclose(gradients.weights.b, [3.2, 3.6], **close)
    np.testing.assert_allclose(gradients.weights.W, [[3.2, -6.4, 9.6], [3.6, -7.2, 10.8]], **close)
    np.testing.assert_allclose(gradients.x, [[10.0, -0.4, -3.6]], **close)


# Two windows, two units, two outputs. All numbers are sums of powers of two: exact in binary.
HAND = Weights(
    W=np.array([[1.0, -1.0], [2.0, 1.0]]),
    b=np.array([0.5, -1.0]),
    U=np.array([[2.0, -1.0], [4.0, 3.0]]),
)
HAND_X = np.array([[0.5, 0.25], [0.5, -0.5]])
HAND_DS = np.array([[1.0, 0.5], [1.0, -2.0]])


def test_two_windows_and_two_outputs_by_hand():
    # z₁ = (½ − ¼ + ½, 1 + ¼ − 1) = (¾, ¼), both inside the linear piece: h₁ = (¾, ¼), f′ = (1, 1)
    # z₂ = (½ + ½ + ½, 1 − ½ − 1) = (1½, −½), the first is cut at 1:     h₂ = (1, −½), f′ = (0, 1)
    # s₁ = (2·¾ − ¼, 4·¾ + 3·¼) = (1¼, 3¾); s₂ = (2·1 + ½, 4·1 − 3·½) = (2½, 2½)
    s, cache = forward(HAND, ACTIVATIONS["hard_tanh"], HAND_X)
    np.testing.assert_array_equal(cache.h, [[0.75, 0.25], [1.0, -0.5]])
    np.testing.assert_array_equal(s, [[1.25, 3.75], [2.5, 2.5]])

    # Uᵀds₁ = (2·1 + 4·½, −1 + 3·½) = (4, ½);   δ₁ = (4, ½)
    # Uᵀds₂ = (2·1 − 4·2, −1 − 3·2) = (−6, −7); δ₂ = (0, −7)
    # ∂J/∂W = Σ δxᵀ = [4·(½, ¼); ½·(½, ¼) − 7·(½, −½)] = [(2, 1); (−3¼, 3⅝)]; ∂J/∂b = Σ δ
    # ∂J/∂U = Σ ds hᵀ = [(¾, ¼) + (1, −½); ½·(¾, ¼) − 2·(1, −½)] = [(1¾, −¼); (−1⅝, 1⅛)]
    # ∂J/∂x = Wᵀδ: (4 + 2·½, −4 + ½) = (5, −3½) and (−7·2, −7) = (−14, −7)
    gradients = backward(HAND, ACTIVATIONS["hard_tanh"], HAND_DS, cache)
    np.testing.assert_array_equal(gradients.weights.W, [[2.0, 1.0], [-3.25, 3.625]])
    np.testing.assert_array_equal(gradients.weights.b, [4.0, -6.5])
    np.testing.assert_array_equal(gradients.weights.U, [[1.75, -0.25], [-1.625, 1.125]])
    np.testing.assert_array_equal(gradients.x, [[5.0, -3.5], [-14.0, -7.0]])


def test_dropout_by_hand_scales_both_ways_alike():
    # The network above; unit 1 is dropped in window 1, unit 2 in window 2, the others doubled.
    # h ∘ mask = (0, ½) and (2, 0); s₁ = (−½, 1½), s₂ = (4, 8)
    s, cache = forward(HAND, ACTIVATIONS["hard_tanh"], HAND_X, np.array([[0.0, 2.0], [2.0, 0.0]]))
    np.testing.assert_array_equal(s, [[-0.5, 1.5], [4.0, 8.0]])

    # δ₁ = (4·0, ½·2) ∘ (1, 1) = (0, 1); δ₂ = (−6·2, −7·0) ∘ (0, 1) = (0, 0)
    # ∂J/∂W = [0; (½, ¼)]; ∂J/∂U = [(0, ½) + (2, 0); ½·(0, ½) − 2·(2, 0)]; ∂J/∂x₁ = Wᵀ(0, 1)
    gradients = backward(HAND, ACTIVATIONS["hard_tanh"], HAND_DS, cache)
    np.testing.assert_array_equal(gradients.weights.W, [[0.0, 0.0], [0.5, 0.25]])
    np.testing.assert_array_equal(gradients.weights.b, [0.0, 1.0])
    np.testing.assert_array_equal(gradients.weights.U, [[2.0, 0.5], [-4.0, 0.25]])
    np.testing.assert_array_equal(gradients.x, [[2.0, 1.0], [0.0, 0.0]])


@pytest.mark.parametrize("activation", EVERY_F)
def test_ds_of_one_gives_the_gradients_of_the_score_itself(activation):
    rng = np.random.default_rng(1)
    weights = network(rng, D=6, H=5, K=1)
    x = rng.normal(size=6)
    z = weights.W @ x + weights.b
    assert len(set(np.sign(F_PRIME_OF_Z["relu"](z)))) == 2  # units on both sides of the kink
    delta = weights.U[0] * F_PRIME_OF_Z[activation](z)

    _, cache = forward(weights, ACTIVATIONS[activation], x[None])
    gradients = backward(weights, ACTIVATIONS[activation], np.ones((1, 1)), cache)
    close = {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(gradients.weights.b, delta, **close)
    np.testing.assert_allclose(gradients.weights.W, np.outer(delta, x), **close)
    np.testing.assert_allclose(gradients.x[0], weights.W.T @ delta, **close)
    np.testing.assert_allclose(gradients.weights.U[0], ACTIVATIONS[activation].f(z), **close)


@pytest.mark.parametrize("K", [1, 4])
@pytest.mark.parametrize("masked", [False, True])
def test_f_prime_is_evaluated_once_per_backward(counted, K, masked):
    tanh, calls = counted
    rng = np.random.default_rng(2)
    weights = network(rng, D=6, H=5, K=K)
    x = rng.normal(size=(7, 6))
    _, cache = forward(weights, tanh, x, mask(rng, 7, 5) if masked else None)
    assert calls == ["f"]
    backward(weights, tanh, rng.normal(size=(7, K)), cache)
    assert calls == ["f", "f′"]


def test_prediction_evaluates_f_once_and_never_f_prime(counted):
    tanh, calls = counted
    rng = np.random.default_rng(3)
    scores(network(rng, D=6, H=5, K=3), tanh, rng.normal(size=(7, 6)))
    assert calls == ["f"]


@pytest.mark.parametrize("activation", EVERY_F)
def test_prediction_gives_the_scores_of_the_forward_pass(activation):
    rng = np.random.default_rng(4)
    weights = network(rng, D=6, H=5, K=3)
    x = rng.normal(size=(7, 6))
    np.testing.assert_array_equal(
        scores(weights, ACTIVATIONS[activation], x), forward(weights, ACTIVATIONS[activation], x)[0]
    )


@pytest.mark.parametrize("activation", EVERY_F)
@pytest.mark.parametrize("masked", [False, True])
def test_backward_changes_nothing(activation, masked):
    rng = np.random.default_rng(5)
    weights = network(rng, D=6, H=5, K=3)
    x, ds = rng.normal(size=(7, 6)), rng.normal(size=(7, 3))
    dropout = mask(rng, 7, 5) if masked else None
    _, cache = forward(weights, ACTIVATIONS[activation], x, dropout)
    given = [array for array in (*weights, *cache, ds) if isinstance(array, np.ndarray)]
    before = [array.copy() for array in given]
    first = backward(weights, ACTIVATIONS[activation], ds, cache)
    for array, kept in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, kept)
    # So the same call again gives the same again.
    second = backward(weights, ACTIVATIONS[activation], ds, cache)
    for a, b in zip((*first.weights, first.x), (*second.weights, second.x), strict=True):
        np.testing.assert_array_equal(a, b)


def test_of_what_stands_beside_the_words_there_is_no_gradient():
    rng = np.random.default_rng(5)
    weights = network(rng, D=6, H=5, K=3)
    x, ds = rng.normal(size=(7, 6)), rng.normal(size=(7, 3))
    whole = backward(weights, ACTIVATIONS["tanh"], ds, forward(weights, ACTIVATIONS["tanh"], x)[1])
    words = backward(
        weights, ACTIVATIONS["tanh"], ds, forward(weights, ACTIVATIONS["tanh"], x, side_width=2)[1]
    )
    np.testing.assert_allclose(words.x, whole.x[:, :4], rtol=1e-12)
    np.testing.assert_array_equal(words.weights.W, whole.weights.W)


def test_gradients_stay_when_the_weights_are_updated_in_place():
    rng = np.random.default_rng(6)
    weights = network(rng, D=6, H=5, K=1)
    _, cache = forward(weights, ACTIVATIONS["tanh"], rng.normal(size=(1, 6)))
    ds = np.ones((1, 1))
    gradients = backward(weights, ACTIVATIONS["tanh"], ds, cache)
    made = [*gradients.weights, gradients.x]
    before = [array.copy() for array in made]
    for array in (*weights, cache.x, cache.h, ds):
        array[:] = np.nan
    for array, kept in zip(made, before, strict=True):
        np.testing.assert_array_equal(array, kept)


@settings(max_examples=60, deadline=None)
@given(
    B=st.integers(1, 6),
    D=st.integers(1, 7),
    H=st.integers(1, 5),
    K=st.integers(1, 4),
    activation=st.sampled_from(EVERY_F),
    masked=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_batch_equals_the_sum_of_its_windows(B, D, H, K, activation, masked, seed):
    rng = np.random.default_rng(seed)
    weights = network(rng, D, H, K)
    x, ds = rng.normal(size=(B, D)), rng.normal(size=(B, K))
    dropout = mask(rng, B, H) if masked else None
    s, cache = forward(weights, ACTIVATIONS[activation], x, dropout)
    whole = backward(weights, ACTIVATIONS[activation], ds, cache)
    assert [g.shape for g in (*whole.weights, whole.x)] == [(H, D), (H,), (K, H), (B, D)]

    total = [np.zeros_like(array) for array in weights]
    for i in range(B):
        one = slice(i, i + 1)
        s_i, cache_i = forward(
            weights, ACTIVATIONS[activation], x[one], None if dropout is None else dropout[one]
        )
        single = backward(weights, ACTIVATIONS[activation], ds[one], cache_i)
        np.testing.assert_allclose(s[one], s_i, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(whole.x[one], single.x, rtol=1e-12, atol=1e-12)
        total = [a + b for a, b in zip(total, single.weights, strict=True)]
    for a, b in zip(whole.weights, total, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", EVERY_F)
def test_float32_stays_float32_forward_and_backward(activation):
    rng = np.random.default_rng(7)
    weights = Weights(*(a.astype(np.float32) for a in network(rng, D=6, H=5, K=3)))
    x = rng.normal(size=(7, 6)).astype(np.float32)
    s, cache = forward(weights, ACTIVATIONS[activation], x, mask(rng, 7, 5).astype(np.float32))
    gradients = backward(weights, ACTIVATIONS[activation], s, cache)
    arrays = [
        s,
        cache.h,
        *gradients.weights,
        gradients.x,
        scores(weights, ACTIVATIONS[activation], x),
    ]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_with_one_output_loss_and_update_are_those_of_the_mathematics():
    # Three words of width 1; the window is (word 0, word 1, word 0): x = (2, −1, 2).
    # z = (1·2 + 0 + 1·2 + ln 3 − 3, −1·2 + 2·(−1) + 1·2 + 2½) = (ln 3 + 1, ½) = h (ReLU, both on)
    # s = 1·(ln 3 + 1) − 2·½ = ln 3, so e^s = 3 and p = σ(s) = 3/4.
    # y = 1: J = −log p = log(1 + e^s) − y s = log 4 − log 3;  ∂J/∂s = p − y = −1/4.
    parameters = {
        "L": np.array([[2.0], [-1.0], [5.0]]),
        "W": np.array([[1.0, 0.0, 1.0], [-1.0, 2.0, 1.0]]),
        "b": np.array([log(3) - 3.0, 2.5]),
        "U": np.array([[1.0, -2.0]]),
    }
    batch = Batch(ids=np.array([[0], [1]]), windows=np.array([[0, 1, 0]]), y=np.array([[1.0]]))
    J, gradients = loss_and_gradients(Objective("relu", "logistic"), parameters, batch)
    assert pytest.approx(log(4 / 3), rel=1e-14) == J

    # δ = (p − y) u ∘ f′(z) = −¼·(1, −2) = (−¼, ½); Wᵀδ = (−¼ − ½, 2·½, −¼ + ½) = (−¾, 1, ¼).
    # Word 0 stands at both ends and gets both: −¾ + ¼ = −½. Word 1 gets 1; word 2 is not met.
    # θ ← θ − α ∂J/∂θ, with α = 0.4:
    Optimizer("sgd", parameters).update(parameters, gradients, alpha=0.4)
    close = {"rtol": 1e-14, "atol": 1e-15}
    np.testing.assert_allclose(parameters["L"], [[2.2], [-1.4], [5.0]], **close)
    # ∂J/∂W = δxᵀ = [−¼·(2, −1, 2); ½·(2, −1, 2)]
    np.testing.assert_allclose(parameters["W"], [[1.2, -0.1, 1.2], [-1.4, 2.2, 0.6]], **close)
    np.testing.assert_allclose(parameters["b"], [log(3) - 2.9, 2.3], **close)
    # ∂J/∂u = (p − y) h = −¼·(ln 3 + 1, ½)
    np.testing.assert_allclose(parameters["U"], [[1.1 + 0.1 * log(3), -1.95]], **close)


def test_cache_keeps_h_before_dropout():
    # f′ is computed from h: from h ∘ mask it would be wrong.
    rng = np.random.default_rng(8)
    weights = network(rng, D=6, H=5, K=3)
    x = rng.normal(size=(7, 6))
    _, cache = forward(weights, ACTIVATIONS["tanh"], x, mask(rng, 7, 5))
    assert isinstance(cache, Cache)
    np.testing.assert_allclose(cache.h, np.tanh(x @ weights.W.T + weights.b), rtol=1e-12)
