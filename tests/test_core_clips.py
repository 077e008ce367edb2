"""Which pictures of a clip are looked at: the numbers of the reference model."""
from __future__ import annotations

import pytest

from dam_ros.core.clips import PICTURES, at_most, spread


@pytest.mark.parametrize('count, expected', [
    (1, [0] * 8), (2, [0, 0, 0, 0, 0, 0, 0, 1]), (3, [0, 0, 0, 0, 1, 1, 1, 2]), (5, [0, 0, 1, 1, 2, 2, 3, 4]),
    (8, [0, 1, 2, 3, 4, 5, 6, 7]), (12, [0, 1, 3, 4, 6, 7, 9, 11]), (30, [0, 4, 8, 12, 16, 20, 24, 29])])
def test_eight_pictures_from_the_first_to_the_last(count: int, expected: list[int]):
    assert PICTURES == 8
    assert spread(count) == expected
    assert all(type(one) is int for one in spread(count))


def test_at_most_repeats_nothing():
    assert at_most(3, 8) == [0, 1, 2]
    assert at_most(8, 8) == list(range(8))
    assert at_most(12, 8) == spread(12)
    assert at_most(12, 3) == [0, 5, 11]
    assert at_most(100, 8)[-1] == 99   # the last is the one that is asked about


def test_choosing_again_changes_nothing():
    for count in range(1, 60):
        kept = at_most(count, 8)
        assert [kept[index] for index in spread(len(kept))] == spread(count)
