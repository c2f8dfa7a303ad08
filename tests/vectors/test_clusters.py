"""Clusters of word vectors: by direction, the same each time, each column with numbers of its own."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.vectors.clusters import (
    COLUMNS,
    NONE,
    SIZE,
    cluster_arrays,
    cluster_numbers,
    clusters_in,
)

GROUPS = 40


@pytest.fixture(scope="module")
def vectors():
    """Return 2,000 vectors of any length in 40 directions, each a little off its own, and their groups."""
    rng = np.random.default_rng(5)
    directions = np.linalg.qr(rng.standard_normal((GROUPS, GROUPS)))[0]
    group = np.arange(2_000) % GROUPS
    off = 0.01 * rng.standard_normal((len(group), GROUPS))
    length = rng.uniform(0.1, 10, (len(group), 1))
    return (length * (directions[group] + off)).astype(np.float32), group


def test_words_of_one_cluster_point_the_same_way_however_long_they_are(vectors):
    matrix, group = vectors
    numbers = cluster_numbers(matrix)
    assert numbers.shape == (len(matrix), COLUMNS)
    for column in numbers.T:
        for number in np.unique(column):
            assert len(np.unique(group[column == number])) == 1


def test_each_column_has_numbers_of_its_own_within_the_table(vectors):
    numbers = cluster_numbers(vectors[0])
    assert numbers.min() > NONE
    assert numbers.max() < SIZE
    sets = [set(column.tolist()) for column in numbers.T]
    assert sum(map(len, sets)) == len(set().union(*sets))


def test_finer_clusters_are_more(vectors):
    found = [len(np.unique(column)) for column in cluster_numbers(vectors[0]).T]
    assert GROUPS <= found[0] <= 128 < found[1] <= 512 < found[2]


def test_the_same_vectors_have_the_same_numbers_and_scale_does_not_count(vectors):
    matrix = vectors[0]
    numbers = cluster_numbers(matrix)
    np.testing.assert_array_equal(cluster_numbers(matrix), numbers)
    np.testing.assert_array_equal(cluster_numbers(4 * matrix), numbers)


def test_words_beyond_those_listed_have_none(vectors):
    numbers = cluster_numbers(vectors[0], listed=1_500)
    assert (numbers[1_500:] == NONE).all()
    assert (numbers[:1_500] > NONE).all()


@pytest.mark.parametrize("matrix", [np.ones((1, 1)), np.ones((4, 3)), [[1.0], [-2.0], [3.0]]])
def test_fewer_words_than_clusters_and_equal_words_are_no_fault(matrix):
    numbers = cluster_numbers(np.array(matrix, dtype=np.float32))
    assert numbers.shape == (len(matrix), COLUMNS)
    assert (numbers > NONE).all()
    assert len(np.unique(numbers[:, 0])) == len(np.unique(np.sign(matrix)))


@pytest.mark.parametrize("matrix", [np.zeros((0, 3)), np.zeros((4, 3)), np.full((4, 3), 1e-30)])
def test_without_any_direction_no_word_has_clusters(matrix):
    numbers = cluster_numbers(matrix.astype(np.float32))
    assert numbers.shape == (len(matrix), COLUMNS)
    assert (numbers == NONE).all()


def test_vectors_of_zeros_have_none_and_leave_the_clusters_of_the_others_as_they_are(vectors):
    matrix = vectors[0]
    places = np.arange(0, 3 * len(matrix), 3)
    among_zeros = np.zeros((3 * len(matrix), matrix.shape[1]), dtype=np.float32)
    among_zeros[places] = matrix
    numbers = cluster_numbers(among_zeros)
    np.testing.assert_array_equal(numbers[places], cluster_numbers(matrix))
    assert (np.delete(numbers, places, axis=0) == NONE).all()


def test_clusters_are_stored_and_those_that_do_not_fit_refused(vectors):
    numbers = cluster_numbers(vectors[0])
    np.testing.assert_array_equal(clusters_in(cluster_arrays(numbers), len(numbers)), numbers)
    assert clusters_in(cluster_arrays(None), 3) is None
    for wrong in (numbers[1:], numbers.astype(np.int32), np.full_like(numbers, SIZE)):
        with pytest.raises(ValueError, match="found clusters"):
            clusters_in(cluster_arrays(wrong), len(numbers))
