"""A pooled table: a word's rows are summed over the root of their number."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.kernels import rows as fast
from nertool.network import lookup

rng = np.random.default_rng(5)
# Words with two rows, one, none, and three of which one comes twice in the batch.
IDS = np.array([[1, 3, 1, 0], [0, 2, 0, 0], [2, 0, 0, 0], [1, 4, 2, 3]], dtype=np.int32)
COLUMNS = (1, -3)
TABLES = [rng.standard_normal((3, 2)), rng.standard_normal((5, 4))]


def test_a_words_rows_are_summed_over_the_root_of_their_number():
    R = lookup.embed(TABLES, IDS, COLUMNS)
    L, E = TABLES
    expected = [
        np.concatenate([L[1], (E[3] + E[1]) / np.sqrt(2)]),
        np.concatenate([L[0], E[2]]),
        np.concatenate([L[2], np.zeros(4)]),
        np.concatenate([L[1], (E[4] + E[2] + E[3]) / np.sqrt(3)]),
    ]
    np.testing.assert_allclose(R, expected, rtol=1e-14)
    assert lookup.row_width(TABLES, COLUMNS) == R.shape[1] == 6


def test_the_gradient_is_that_of_finite_differences():
    G = rng.standard_normal((len(IDS), 6))
    found = lookup.embed_backward(TABLES, IDS, G, COLUMNS)
    for k, table in enumerate(TABLES):
        own = found[k]
        assert own is not None
        dense = np.zeros_like(table)
        dense[own.rows] = own.values
        for i in np.ndindex(*table.shape):
            moved = [t.copy() for t in TABLES]
            moved[k][i] += 1e-3
            after = np.sum(G * lookup.embed(moved, IDS, COLUMNS))
            moved[k][i] -= 2e-3
            slope = (after - np.sum(G * lookup.embed(moved, IDS, COLUMNS))) / 2e-3
            assert dense[i] == pytest.approx(slope, abs=1e-9)  # 0, too, in rows that are not met
    assert found[1] is not None
    assert 0 not in found[1].rows  # "none" is no row


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fast_functions_do_the_same(dtype):
    tables = [
        rng.standard_normal((50, 3)).astype(dtype),
        rng.standard_normal((99, 8)).astype(dtype),
    ]
    ids = rng.integers(0, 50, (200, 9)).astype(np.int32)
    ids[:, 1:][rng.random((200, 8)) < 0.6] = 0
    columns = (1, -8)
    G = rng.standard_normal((200, 11)).astype(dtype)
    slow, quick = lookup.embed(tables, ids, columns), fast.embed(tables, ids, columns)
    assert slow.dtype == quick.dtype == dtype
    np.testing.assert_allclose(quick, slow, rtol=1e-5)
    for one, other in zip(
        lookup.embed_backward(tables, ids, G, columns),
        fast.embed_backward(tables, ids, G, columns),
        strict=True,
    ):
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(other[0], one.rows)
        np.testing.assert_allclose(other[1], one.values, rtol=1e-4, atol=1e-5)
    assert fast.embed_backward(tables, ids, G, columns, frozen={1})[1] is None
