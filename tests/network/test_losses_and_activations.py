"""Losses and activations against exact arithmetic, their textbook formulas and finite differences."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.network.activations import ACTIVATIONS, sigma
from nertool.network.losses import LOSSES, logistic_loss, softmax_loss

EVERY_F = sorted(ACTIVATIONS)
KINKS = {"relu": (0.0,), "hard_tanh": (-1.0, 1.0)}

# Overflow, 0/0 and log 0 are errors here; a probability that underflows to 0 is what it should be.
LOUD = {"over": "raise", "invalid": "raise", "divide": "raise"}

extreme = st.floats(-1000, 1000, allow_nan=False)


def exact_logistic(s: float, y: int) -> tuple[float, float]:
    """Return log(1 + e^s) − y s and σ(s) − y, worked out to 60 digits."""
    with localcontext() as context:
        context.prec = 60
        score = Decimal(s)
        J = (1 + score.exp()).ln() - y * score
        return float(J), float(1 / (1 + (-score).exp()) - y)


def exact_softmax(s: list[float], y: int) -> tuple[float, list[float]]:
    """Return log Σ e^s_k − s_y and p − y, worked out to 60 digits."""
    with localcontext() as context:
        context.prec = 60
        exps = [Decimal(score).exp() for score in s]
        total = sum(exps, Decimal(0))
        p_minus_y = [float(e / total - (k == y)) for k, e in enumerate(exps)]
        return float(total.ln() - Decimal(s[y])), p_minus_y


def naive_f(name: str, z: float) -> float:
    return {
        "tanh": (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z)),
        "logistic": 1.0 / (1.0 + math.exp(-z)),
        "relu": z if z > 0 else 0.0,
        "hard_tanh": -1.0 if z < -1 else 1.0 if z > 1 else z,
    }[name]


def one_hot(labels: list[int], K: int) -> np.ndarray:
    return np.eye(K)[labels]


# --- the activations


@pytest.mark.parametrize("name", EVERY_F)
def test_f_is_its_textbook_formula(name):
    z = np.linspace(-15, 15, 301)
    expected = [naive_f(name, float(value)) for value in z]
    np.testing.assert_allclose(ACTIVATIONS[name].f(z), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", EVERY_F)
@settings(max_examples=60, deadline=None)
@given(z=st.floats(-20, 20))
def test_f_prime_from_h_is_the_slope_of_f(name, z):
    eps = 1e-5
    if any(abs(z - kink) <= 2 * eps for kink in KINKS.get(name, ())):
        return
    activation = ACTIVATIONS[name]
    above, below, h = activation.f(np.array([z + eps, z - eps, z]))
    # The central difference is off by about ε² = 1e−10 and by rounding, 1e−16 / ε, here times z.
    slope = (above - below) / (2 * eps)
    assert activation.f_prime_of_h(np.array([h]))[0] == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize(("name", "kinks"), KINKS.items())
def test_derivative_at_a_kink_is_zero(name, kinks):
    activation = ACTIVATIONS[name]
    np.testing.assert_array_equal(activation.f_prime_of_h(activation.f(np.array(kinks))), 0.0)


@pytest.mark.parametrize("name", EVERY_F)
def test_piecewise_is_said_of_those_whose_slope_jumps(name):
    # On a fine grid f′ of a smooth f moves by at most 0.001 × max |f″| < 0.001 a step.
    slopes = ACTIVATIONS[name].f_prime_of_h(ACTIVATIONS[name].f(np.arange(-3, 3, 0.001)))
    jumps = np.count_nonzero(np.abs(np.diff(slopes)) > 0.5)
    assert jumps == len(KINKS.get(name, ()))
    assert ACTIVATIONS[name].piecewise == (jumps > 0)


@pytest.mark.parametrize("name", EVERY_F)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes_do_not_overflow_and_the_dtype_stays(name, dtype):
    limits = {"tanh": (-1, 1), "logistic": (0, 1), "relu": (0, 1000), "hard_tanh": (-1, 1)}
    slopes = {"relu": (0, 1)}
    with np.errstate(**LOUD):
        h = ACTIVATIONS[name].f(np.array([-1000, 1000], dtype=dtype))
        f_prime = ACTIVATIONS[name].f_prime_of_h(h)
    np.testing.assert_array_equal(h, limits[name])
    np.testing.assert_array_equal(f_prime, slopes.get(name, (0, 0)))
    assert h.dtype == f_prime.dtype == dtype


@settings(max_examples=60, deadline=None)
@given(z=extreme)
def test_sigma_is_exact_to_the_last_places_anywhere(z):
    with np.errstate(**LOUD):
        assert sigma(np.array([z]))[0] == pytest.approx(exact_logistic(z, 0)[1], abs=3e-16)


# --- the losses


@pytest.mark.parametrize(
    ("s", "y", "J", "ds"),
    [
        (1000, 1, 0, 0),
        (1000, 0, 1000, 1),
        (-1000, 1, 1000, -1),
        (-1000, 0, 0, 0),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logistic_loss_is_exact_at_extreme_scores(s, y, J, ds, dtype):
    with np.errstate(**LOUD):
        assert logistic_loss(np.array([[s]], dtype), np.array([[y]], dtype)) == (J, [[ds]])


@pytest.mark.parametrize(("label", "J"), [(0, 0), (1, 1000), (2, 2000)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_loss_is_exact_at_extreme_scores(label, J, dtype):
    # p = (1, e^−1000, e^−2000), and the last two are 0 in floating point.
    y = one_hot([label], 3).astype(dtype)
    with np.errstate(**LOUD):
        loss, ds = softmax_loss(np.array([[1000, 0, -1000]], dtype), y)
    assert loss == J
    np.testing.assert_array_equal(ds, np.array([[1, 0, 0]]) - y)


def test_softmax_loss_of_far_apart_examples_is_that_of_each():
    # Each row is shifted by its own maximum: by the batch's, e^(−2000) = 0 would make log 0 of the
    # second. Both rows: log(1 + e^−1) for the label 0, and 1 more for the label 1.
    s = np.array([[1000.0, 999.0], [-1000.0, -1001.0]])
    with np.errstate(**LOUD):
        J, ds = softmax_loss(s, one_hot([0, 1], 2))
    assert pytest.approx(math.log1p(math.exp(-1)) + 0.5, rel=1e-14) == J
    p = 1 / (1 + math.exp(-1))
    np.testing.assert_allclose(ds, [[(p - 1) / 2, (1 - p) / 2], [p / 2, -p / 2]], rtol=1e-14)


@settings(max_examples=60, deadline=None)
@given(s=extreme, y=st.integers(0, 1))
def test_logistic_loss_and_slope_equal_exact_arithmetic(s, y):
    J, ds = logistic_loss(np.array([[s]]), np.array([[float(y)]]))
    exact_J, exact_ds = exact_logistic(s, y)
    assert pytest.approx(exact_J, rel=1e-14, abs=1e-12) == J
    assert ds[0, 0] == pytest.approx(exact_ds, abs=1e-15)


@settings(max_examples=40, deadline=None)
@given(s=st.lists(extreme, min_size=1, max_size=5), data=st.data())
def test_softmax_loss_and_slope_equal_exact_arithmetic(s, data):
    label = data.draw(st.integers(0, len(s) - 1))
    J, ds = softmax_loss(np.array([s]), one_hot([label], len(s)))
    exact_J, exact_ds = exact_softmax(s, label)
    assert pytest.approx(exact_J, rel=1e-14, abs=1e-12) == J
    # A difference of two scores of 1000 is known to 1e−13, and so is p.
    np.testing.assert_allclose(ds[0], exact_ds, rtol=0, atol=1e-12)


def test_logistic_loss_keeps_the_digits_of_a_tiny_loss():
    # s = −50, y = 0: J = log(1 + e^−50) = e^−50 to 22 digits; as log(1 + …) itself it would be 0.
    J, _ = logistic_loss(np.array([[-50.0]]), np.array([[0.0]]))
    assert pytest.approx(math.exp(-50), rel=1e-12, abs=0) == J


def test_logistic_loss_of_a_batch_is_the_mean_of_the_textbook_losses():
    rng = np.random.default_rng(1)
    s = rng.uniform(-20, 20, size=(50, 4))
    y = (rng.random((50, 4)) < 0.4).astype(float)
    # −[y log p + (1 − y) log(1 − p)], added up exactly; examples are averaged, outputs are added.
    p = 1.0 / (1.0 + np.exp(-s))
    losses = -(y * np.log(p) + (1 - y) * np.log1p(-p))
    J, ds = logistic_loss(s, y)
    # 1 − p has lost digits by s = 20: log(1 − p) is good to about 1e−8 there.
    assert pytest.approx(math.fsum(losses.ravel()) / 50, rel=1e-8) == J
    np.testing.assert_allclose(ds, (p - y) / 50, rtol=1e-7, atol=1e-17)


def test_softmax_loss_of_a_batch_is_the_mean_of_the_textbook_losses():
    rng = np.random.default_rng(2)
    s = rng.uniform(-20, 20, size=(50, 4))
    labels = rng.integers(0, 4, size=50).tolist()
    exps = np.exp(s)
    p = exps / exps.sum(axis=1, keepdims=True)
    expected = math.fsum(-math.log(p[i, label]) for i, label in enumerate(labels)) / 50
    J, ds = softmax_loss(s, one_hot(labels, 4))
    assert pytest.approx(expected, rel=1e-12) == J
    np.testing.assert_allclose(ds, (p - one_hot(labels, 4)) / 50, rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("output", sorted(LOSSES))
def test_ds_is_the_slope_of_the_loss(output):
    rng = np.random.default_rng(3)
    s, y = rng.normal(size=(5, 3)), one_hot([0, 1, 2, 1, 1], 3)
    _, ds = LOSSES[output](s, y)
    eps = 1e-5
    for at in np.ndindex(*s.shape):
        step = np.zeros_like(s)
        step[at] = eps
        slope = (LOSSES[output](s + step, y)[0] - LOSSES[output](s - step, y)[0]) / (2 * eps)
        assert ds[at] == pytest.approx(slope, abs=1e-9)


def test_softmax_of_two_is_the_logistic_of_their_difference():
    rng = np.random.default_rng(4)
    s, labels = rng.normal(scale=5, size=(20, 2)), rng.integers(0, 2, size=20)
    J, ds = softmax_loss(s, one_hot(labels.tolist(), 2))
    logistic_J, logistic_ds = logistic_loss(s[:, 1:] - s[:, :1], labels[:, None].astype(float))
    assert pytest.approx(logistic_J, rel=1e-12) == J
    np.testing.assert_allclose(ds[:, 1:], logistic_ds, rtol=1e-9, atol=1e-16)


@pytest.mark.parametrize("output", sorted(LOSSES))
def test_loss_changes_nothing_and_keeps_float32(output):
    rng = np.random.default_rng(5)
    s = rng.normal(size=(6, 3)).astype(np.float32)
    y = one_hot([0, 1, 2, 0, 1, 2], 3).astype(np.float32)
    kept_s, kept_y = s.copy(), y.copy()
    J, ds = LOSSES[output](s, y)
    assert isinstance(J, float)
    assert ds.dtype == np.float32
    np.testing.assert_array_equal(s, kept_s)
    np.testing.assert_array_equal(y, kept_y)


@pytest.mark.parametrize("output", sorted(LOSSES))
def test_a_score_that_is_not_a_number_makes_a_loss_that_is_not_one(output):
    # Training stops on it; a loss that hid it would let it go on.
    s = np.array([[0.0, np.nan], [1.0, 2.0]])
    with np.errstate(invalid="ignore"):
        assert math.isnan(LOSSES[output](s, one_hot([0, 1], 2))[0])
