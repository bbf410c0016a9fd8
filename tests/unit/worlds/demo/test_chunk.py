"""Numbers of chunks never meet, and rise with rank."""

from __future__ import annotations

import numpy as np
import pytest

from customer360.worlds.demo.chunk import WHOLE, Chunk


@pytest.mark.parametrize("count", [1, 2, 7])
def test_numbers_of_all_chunks_are_all_different_and_leave_no_gap(count):
    ranks = np.arange(50)
    numbers = [Chunk(index=index, count=count).numbers(ranks) for index in range(count)]
    assert np.array_equal(np.sort(np.concatenate(numbers)), np.arange(1, 50 * count + 1))
    assert all((np.diff(of_one) > 0).all() for of_one in numbers)


def test_a_whole_world_is_numbered_from_one():
    assert WHOLE.numbers(np.array([0, 1, 9], dtype=np.int32)).tolist() == [1, 2, 10]
