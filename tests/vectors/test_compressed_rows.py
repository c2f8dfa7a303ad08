"""Rows kept as float16 or int8."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nertool.vectors.rows.compressed_rows import CompressedRows, quantise
from nertool.vectors.rows.rows import expanded, selected


def test_a_row_of_int8_is_its_values_times_its_scale():
    # 127 → 127 steps of 1; −63.5 → −63.5 steps, rounded to even; 0.4 → 0.
    rows = CompressedRows.of(np.float32([[127, -63.5, 0.4], [0, 0, 0], [-2.54, 1.27, 0]]), "int8")
    assert rows.values.tolist() == [[127, -64, 0], [0, 0, 0], [-127, 64, 0]]
    np.testing.assert_allclose(rows[2], [-2.54, 1.28, 0], rtol=1e-6)
    np.testing.assert_array_equal(rows[np.array([1, 0])], [[0, 0, 0], [127, -64, 0]])


@settings(max_examples=50, deadline=None)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 6)),
        elements=st.floats(allow_nan=False, allow_infinity=False, width=32),
    )
)
def test_int8_is_off_by_half_a_step_at_most(matrix):
    rows = CompressedRows.of(matrix, "int8")
    step = np.abs(matrix).max(axis=1, keepdims=True).astype(np.float64) / 127
    off = np.abs(expanded(rows).astype(np.float64) - matrix)
    assert (off <= 0.5001 * step + 1.5e-36).all()
    assert np.isfinite(expanded(rows)).all()


def test_float16_refuses_what_it_cannot_hold():
    assert CompressedRows.of(np.float32([[65504]]), "float16")[0].tolist() == [65504]
    with pytest.raises(ValueError, match="above 65504"):
        CompressedRows.of(np.float32([[7e4]]), "float16")


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_rows_that_are_compressed_stay_as_they_are(dtype):
    matrix = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)
    rows = CompressedRows.of(matrix, dtype)
    assert CompressedRows.of(rows, "int8") is rows
    some = selected(rows, np.array([7, 2]))
    np.testing.assert_array_equal(expanded(some), expanded(rows)[[7, 2]])
    assert (rows.shape, len(rows), rows.size, rows.dtype) == ((9, 4), 9, 36, np.float32)


def test_arrays_that_do_not_belong_together_are_refused():
    values, scale = quantise(np.ones((3, 2), np.float32))
    for faulty in (
        (values, None),
        (values, scale[:2]),
        (values, scale.astype(np.float64)),
        (values[0], scale),
        (values.astype(np.float16), scale),
        (values.astype(np.float32), None),
    ):
        with pytest.raises(ValueError, match="expected"):
            CompressedRows(*faulty)
