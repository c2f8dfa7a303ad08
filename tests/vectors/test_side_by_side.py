"""Several tables of vectors as one."""

from __future__ import annotations

import numpy as np

from nertool.vectors.side_by_side import Table, side_by_side


def test_a_word_has_its_vectors_of_every_table_in_one_row():
    one = Table(["the", "paris"], np.float32([[1, -1], [3, -3]]))
    # Both tables have the same spread, so that none is scaled. Paris is found in lower case in the first.
    other = Table(["Paris", "of"], np.float32([[3, -3], [-1, 1]]))
    words, matrix, _ = side_by_side([one, other])
    assert words == ["the", "paris", "Paris", "of"]
    assert matrix.tolist() == [
        [1, -1, 1, -1],  # the second table lacks "the": the mean of its rows, (3 − 1)/2
        [3, -3, 1, -1],  # and "paris", which no spelling of it finds
        [3, -3, 3, -3],
        [2, -2, -1, 1],
    ]


def test_one_table_stays_as_it_is():
    table = Table(["a"], np.float32([[1, 2]]))
    assert side_by_side([table]) is table


def test_later_tables_are_scaled_to_the_first_ones_spread():
    one = Table(["a", "b"], np.float32([[1], [-1]]))
    other = Table(["a", "b"], np.float32([[10], [-10]]))
    assert side_by_side([one, other]).matrix.tolist() == [[1, 1], [-1, -1]]
