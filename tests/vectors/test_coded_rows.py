"""Rows in a few bytes each."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.vectors.rows.coded_rows import CENTROIDS, CodedRows, code_rows
from nertool.vectors.rows.compressed_rows import CompressedRows

RNG = np.random.default_rng(0)
OWN = CompressedRows.of(RNG.standard_normal((4, 5)).astype(np.float32), "int8")


def test_a_row_is_the_centroids_of_its_parts_side_by_side():
    # Two parts of 3 and 2 values; the first has centroid 1, the second centroid 200.
    codebook = np.arange(CENTROIDS * 5, dtype=np.float32).reshape(CENTROIDS, 5)
    rows = CodedRows(OWN, np.uint8([[1, 200], [0, 0]]), codebook)
    assert rows[4].tolist() == [5, 6, 7, 1003, 1004]
    assert rows[np.array([5, 4])].tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 1003, 1004]]
    np.testing.assert_array_equal(rows[:4], OWN[:])
    np.testing.assert_array_equal(rows[np.array([5, 1])][1], OWN[1])
    assert (len(rows), rows.shape, rows.size, rows[:].shape) == (6, (6, 5), 30, (6, 5))
    assert rows[np.array([], dtype=np.int64)].shape == (0, 5)


def test_rows_of_few_values_are_coded_without_loss():
    # 200 distinct values in each part: fewer than there are centroids.
    values = RNG.standard_normal((200, 4)).astype(np.float32)
    rest = np.concatenate([values] * 5)
    own = CompressedRows.of(values[:1], "int8")
    rows = code_rows(own, rest)
    assert np.abs(rows[1:] - rest).mean() < 0.02
    again = code_rows(own, rest)
    np.testing.assert_array_equal(again.codes, rows.codes)


def test_coding_keeps_most_of_the_variance_of_rows_that_are_alike():
    centres = RNG.standard_normal((50, 32)).astype(np.float32)
    rest = centres[RNG.integers(50, size=3000)] + RNG.normal(0, 0.05, (3000, 32)).astype(np.float32)
    rows = code_rows(CompressedRows.of(centres, "int8"), rest)
    assert rows.codes.shape == (3000, 2)
    assert ((rows[50:] - rest) ** 2).mean() < 0.02 * rest.var()


def test_what_does_not_belong_together_is_refused():
    codebook, codes = np.zeros((CENTROIDS, 5), np.float32), np.zeros((2, 2), np.uint8)
    for faulty in (
        (OWN, codes.astype(np.int32), codebook),
        (OWN, codes[0], codebook),
        (OWN, codes, codebook[:-1]),
        (OWN, codes, codebook.astype(np.float64)),
        (OWN, np.zeros((2, 9), np.uint8), codebook),
    ):
        with pytest.raises(ValueError, match="found"):
            CodedRows(*faulty)
    with pytest.raises(ValueError, match="at least 256"):
        code_rows(OWN, np.zeros((9, 5), np.float32))
