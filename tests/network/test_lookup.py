"""Rows out of the tables, and gradients back into them: every repetition of a word counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.kernels import rows as kernels
from nertool.network import lookup
from nertool.network.lookup import met_rows, row_width
from nertool.network.objective import PLAIN, Batch, Objective, dense
from nertool.network.shards import FAST, sharded_loss_and_gradients

pytestmark = pytest.mark.usefixtures("either_way")

CHAINS = pytest.mark.parametrize("chain", [PLAIN, FAST], ids=["plain", "fast"])
SCATTER_ADD = pytest.mark.parametrize(
    "scatter_add", [lookup.scatter_add, kernels.scatter_add], ids=["plain", "fast"]
)


@SCATTER_ADD
@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(1, 8), d=st.integers(1, 4))
def test_scatter_add_equals_numpys_slow_and_certain_one(scatter_add, data, n, d):
    place = np.array(data.draw(st.lists(st.integers(0, n - 1), max_size=30)), dtype=np.int64)
    seed = data.draw(st.integers(0, 2**32 - 1))
    # Whole numbers: their sums are exact in any order.
    values = np.random.default_rng(seed).integers(-1000, 1000, size=(len(place), d)).astype(float)
    expected = np.zeros((n, d))
    np.add.at(expected, place, values)
    np.testing.assert_array_equal(scatter_add(place, values, n), expected)


@SCATTER_ADD
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_scatter_add_takes_a_slice_of_columns_and_keeps_the_dtype(scatter_add, dtype, index):
    rng = np.random.default_rng(1)
    wide = rng.integers(-9, 9, size=(200, 7)).astype(dtype)
    place = rng.integers(0, 5, size=200).astype(index)
    expected = np.zeros((6, 3))
    np.add.at(expected, place, wide[:, 2:5])
    out = scatter_add(place, wide[:, 2:5], 6)
    np.testing.assert_array_equal(out, expected)
    assert out.dtype == dtype
    assert isinstance(out, np.ndarray)


@SCATTER_ADD
def test_the_short_way_to_add_would_lose_repetitions(scatter_add):
    # Rows 0, 2, 0, 0: `out[place] += values` keeps only the last that falls into row 0.
    place = np.array([0, 2, 0, 0])
    values = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]])
    short = np.zeros((3, 2))
    short[place] += values
    np.testing.assert_array_equal(short, [[8.0, 80.0], [0.0, 0.0], [2.0, 20.0]])
    np.testing.assert_array_equal(
        scatter_add(place, values, 3), [[13.0, 130.0], [0.0, 0.0], [2.0, 20.0]]
    )


# Two tables: vectors of width 2 for four words, and a feature of width 1 with two values.
L = np.array([[0.0, 1.0], [10.0, 11.0], [20.0, 21.0], [30.0, 31.0]])
CAPS = np.array([[-1.0], [-2.0]])


@CHAINS
def test_a_words_rows_of_all_tables_stand_side_by_side(chain):
    ids = np.array([[3, 0], [1, 1], [3, 0]], dtype=np.int32)
    expected = [[30.0, 31.0, -1.0], [10.0, 11.0, -2.0], [30.0, 31.0, -1.0]]
    np.testing.assert_array_equal(chain.embed([L, CAPS], ids), expected)
    np.testing.assert_array_equal(chain.embed([L], ids[:, :1]), [row[:2] for row in expected])


@CHAINS
@pytest.mark.parametrize("tables", [[L], [L, CAPS]])
def test_embedded_rows_are_a_copy_of_the_tables(chain, tables):
    # Dropout multiplies them in place. Also where the rows are all there are, in order.
    for rows in ([0, 0], range(len(tables[-1]))):
        ids = np.stack([np.array(rows, dtype=np.int32)] * len(tables), axis=1)
        R = chain.embed(tables, ids)
        assert not any(np.shares_memory(R, table) for table in tables)


@CHAINS
def test_every_table_gets_its_columns_summed_by_row(chain):
    # Words 3, 1, 3 with feature values 0, 1, 1: row 3 of L is met by the words 0 and 2,
    # row 1 of the feature by the words 1 and 2.
    ids = np.array([[3, 0], [1, 1], [3, 1]], dtype=np.int32)
    dR = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0], [64.0, 128.0, 256.0]])
    of_L, of_caps = chain.embed_backward([L, CAPS], ids, dR)
    np.testing.assert_array_equal(of_L.rows, [1, 3])
    np.testing.assert_array_equal(of_L.values, [[8.0, 16.0], [65.0, 130.0]])
    np.testing.assert_array_equal(of_caps.rows, [0, 1])
    np.testing.assert_array_equal(of_caps.values, [[4.0], [288.0]])


@CHAINS
def test_a_word_may_have_several_rows_in_a_table(chain):
    # One row of L and two of the feature: they stand side by side in the order of the row numbers.
    ids = np.array([[3, 0, 1], [1, 1, 1]], dtype=np.int32)
    expected = [[30.0, 31.0, -1.0, -2.0], [10.0, 11.0, -2.0, -2.0]]
    np.testing.assert_array_equal(chain.embed([L, CAPS], ids, (1, 2)), expected)
    assert row_width([L, CAPS], (1, 2)) == 4
    assert row_width([L, CAPS]) == 3
    assert met_rows(ids, 0, [L, CAPS], (1, 2)).tolist() == [1, 3]
    assert met_rows(ids, 1, [L, CAPS], (1, 2)).tolist() == [0, 1]

    # Row 1 of the feature is met by the first word's second number and by both of the second's.
    dR = np.array([[1.0, 2.0, 4.0, 8.0], [16.0, 32.0, 64.0, 128.0]])
    of_L, of_caps = chain.embed_backward([L, CAPS], ids, dR, (1, 2))
    np.testing.assert_array_equal(of_L.rows, [1, 3])
    np.testing.assert_array_equal(of_L.values, [[16.0, 32.0], [1.0, 2.0]])
    np.testing.assert_array_equal(of_caps.rows, [0, 1])
    np.testing.assert_array_equal(of_caps.values, [[4.0], [8.0 + 64.0 + 128.0]])


@CHAINS
@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 12),
    sizes=st.lists(
        st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=3
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_way_back_is_the_transpose_of_the_way_out(chain, n, sizes, seed):
    # R is linear in the tables, so ⟨R(tables), dR⟩ = Σ_k ⟨table_k, gradient_k⟩, for every dR.
    rng = np.random.default_rng(seed)
    tables = [rng.integers(-9, 9, size=(V, d)).astype(float) for V, d, _ in sizes]
    columns = tuple(c for _, _, c in sizes)
    numbers = [rng.integers(0, V, size=(n, c)) for V, _, c in sizes]
    ids = np.concatenate(numbers, axis=1).astype(np.int32)
    dR = rng.integers(-9, 9, size=(n, sum(c * d for _, d, c in sizes))).astype(float)
    gradients = chain.embed_backward(tables, ids, dR, columns)
    back = 0.0
    for table, gradient, met in zip(tables, gradients, numbers, strict=True):
        assert gradient.rows.tolist() == sorted(set(met.ravel().tolist()))  # distinct, ascending
        back += float((table * dense(gradient, table)).sum())
    assert float((chain.embed(tables, ids, columns) * dR).sum()) == back


def test_repeated_word_gets_both_gradients():
    # One unit, relu, W = (1, 10, 100), x = (1, 2, 1): words 0, 1, 0. z = h = 1 + 20 + 100 = 121;
    # u = 1/121, so s = 1. With softmax over this single output p = 1 = y and all is 0, so
    # logistic: y = 0, ∂J/∂s = σ(1), and δ = σ(1)/121. Word 0 gets (1 + 100) δ, word 1 10 δ.
    parameters = {
        "L": np.array([[1.0], [2.0]]),
        "W": np.array([[1.0, 10.0, 100.0]]),
        "b": np.zeros(1),
        "U": np.array([[1 / 121]]),
    }
    y = np.zeros((1, 1))
    delta = 1 / (1 + np.exp(-1.0)) / 121
    # The word repeats as one entry that two places point to, or as two entries of the same row.
    shared = Batch(np.array([[0], [1]], dtype=np.int32), np.array([[0, 1, 0]]), y)
    apart = Batch(np.array([[0], [1], [0]], dtype=np.int32), np.array([[0, 1, 2]]), y)
    for batch in (shared, apart):
        _, gradients = sharded_loss_and_gradients(Objective("relu", "logistic"), parameters, batch)
        np.testing.assert_array_equal(gradients["L"].rows, [0, 1])
        np.testing.assert_allclose(gradients["L"].values, [[101 * delta], [10 * delta]], rtol=1e-14)
