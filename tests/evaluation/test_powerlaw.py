"""The extrapolation of a learning curve: it recovers a known law, and its interval is honest."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.evaluation.powerlaw import fit, forecasts

N = np.array([125.0, 250, 500, 1000, 2000])
LAWS = [(0.1, 3.0, 0.5), (0.0, 2.0, 0.3), (0.25, 5.0, 0.7)]


def f1_of(law, n):
    a, b, c = law
    return 1 - a - b * n**-c


@pytest.mark.parametrize("law", LAWS)
def test_a_curve_without_noise_gives_back_its_law(law):
    found = fit(N, f1_of(law, N)[None], np.ones(5))
    assert found.f1(4000)[0] == pytest.approx(f1_of(law, 4000), abs=2e-3)
    assert found.f1(8000)[0] == pytest.approx(f1_of(law, 8000), abs=4e-3)


def test_a_flat_curve_stays_flat():
    flat = forecasts(N, np.full((3, 5), 0.8), [4000])[0]
    assert (flat.f1, flat.low, flat.high) == pytest.approx((0.8, 0.8, 0.8), abs=2e-3)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    held = []
    for law in LAWS:
        for seed in range(8):
            noise = np.random.default_rng(seed).normal(size=(3, 5)) * np.linspace(0.02, 0.008, 5)
            found = forecasts(N, f1_of(law, N) + noise, [4000])[0]
            assert found.low <= found.f1 <= found.high
            held.append(found.low <= f1_of(law, 4000) <= found.high)
    assert np.mean(held) >= 0.75  # 0.9 is claimed: fewer than 18 of 24 has a probability of 1 %


def test_more_is_never_expected_to_be_worse_and_one_training_is_enough_to_say_something():
    rng = np.random.default_rng(0)
    for _ in range(5):
        twice, four = forecasts(N, 0.6 + 0.1 * rng.random((1, 5)), [4000, 8000])
        assert twice.f1 <= four.f1 <= 1
