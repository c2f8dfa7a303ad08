"""Dropout's masks: their rates, and the numbers that they are drawn with."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.network.dropout import dropout_mask, splitmix64

pytestmark = pytest.mark.usefixtures("either_way")


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_mask_keeps_the_expected_value(rate, dtype):
    mask = dropout_mask(np.random.default_rng(4), (200, 300), rate, dtype)
    assert mask.shape == (200, 300)
    assert mask.dtype == dtype
    np.testing.assert_array_equal(np.unique(mask), np.array([0.0, 1 / (1 - rate)], dtype=dtype))
    # 60,000 draws of 0 or 1/(1 − rate): the mean is 1, with variance rate/(1 − rate)/60,000.
    assert mask.mean(dtype=np.float64) == pytest.approx(
        1.0, abs=5 * np.sqrt(rate / (1 - rate) / 60_000)
    )
    # Rows and columns are drawn independently: none is all dropped, none all kept.
    dropped = mask == 0
    assert 0 < dropped.mean(axis=0).min() <= dropped.mean(axis=0).max() < 1
    assert 0 < dropped.mean(axis=1).min() <= dropped.mean(axis=1).max() < 1


def test_dropout_mask_follows_the_generator_and_rate_zero_draws_nothing():
    first = dropout_mask(np.random.default_rng(5), (4, 6), 0.5, np.float64)
    again = dropout_mask(np.random.default_rng(5), (4, 6), 0.5, np.float64)
    np.testing.assert_array_equal(first, again)
    rng = np.random.default_rng(6)
    assert dropout_mask(rng, (4, 6), 0.0, np.float64) is None
    assert rng.random() == np.random.default_rng(6).random()


def test_splitmix64_draws_the_numbers_of_its_authors():
    # What the reference in C gives for this seed, as test suites of other languages have it too.
    assert splitmix64(1234567, 5).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
