"""The threads of a training step: the same results in the same order, one BLAS thread each, no loose ends."""

from __future__ import annotations

import threading
import time
import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from nertool.training.parallel.team import Team, blas_threads


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_parallel_map_does_as_map_does(threads, count):
    def slow_first(i: int) -> int:
        time.sleep(0.002 * (count - i))  # so that the last are done first
        return i * i

    with Team(threads) as team:
        assert list(team.parallel_map(slow_first, range(count))) == [i * i for i in range(count)]


def test_items_are_done_side_by_side():
    together = threading.Barrier(3, timeout=10)
    with Team(3) as team:
        assert sorted(team.parallel_map(lambda i: together.wait(), range(3))) == [0, 1, 2]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_comes_out_wherever_it_was(threads):
    def fail(i: int) -> None:
        if i == 3:
            raise ValueError("the third")

    with Team(threads) as team:
        for _ in range(20):
            with pytest.raises(ValueError, match="the third"):
                list(team.parallel_map(fail, range(6)))
        assert list(team.parallel_map(str, range(3))) == ["0", "1", "2"]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_begun_is_waited_for(threads):
    with Team(threads) as team:
        assert team.begin(lambda: 7)() == 7


def test_blas_is_held_to_one_thread_and_then_has_its_own_again():
    with threadpool_limits(2, user_api="blas"), Team(2) as team:
        assert blas_threads() == 2
        with team.alone():
            assert blas_threads() == 1
        assert blas_threads() == 2


def test_no_thread_warns_of_a_number_too_large():
    large = np.full(1000, 3e38, dtype=np.float32)
    with Team(2) as team, warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
        warnings.simplefilter("error")
        together = threading.Barrier(2, timeout=10)

        def overflow(i: int) -> float:
            together.wait()
            return float((large * large).sum())

        assert list(team.parallel_map(overflow, range(2))) == [np.inf, np.inf]
