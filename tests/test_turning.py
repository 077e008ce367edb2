"""Pictures of a camera that is mounted sideways, and what left and up mean then."""
from __future__ import annotations

import math

import numpy as np
import pytest

from dam_ros.core.describe_settings import UPS, DescribeSettings, cameras_of
from dam_ros.core.settings import SettingsError
from dam_ros.core.turning import in_world, upright



@pytest.mark.parametrize('up', UPS)
def test_the_edge_that_is_up_becomes_the_upper_one(up: str):
    pixels = np.zeros((4, 6), np.uint8)
    {'top': pixels[0], 'bottom': pixels[-1], 'left': pixels[:, 0], 'right': pixels[:, -1]}[up][:] = 1
    turned = upright(pixels, up)
    assert turned.shape == ((4, 6) if up in ('top', 'bottom') else (6, 4))
    assert turned[0].all() and not turned[1:].any() and turned.flags.c_contiguous


@pytest.mark.parametrize('up', UPS)
def test_nothing_is_mirrored(up: str):
    image = np.random.default_rng(1).integers(0, 256, (4, 6, 3), np.uint8)
    turned = upright(image, up)
    quarters = {'top': 0, 'right': 1, 'bottom': 2, 'left': 3}[up]
    assert np.array_equal(np.rot90(image, quarters), turned)
    assert turned is image if up == 'top' else turned is not image


@pytest.mark.parametrize('up', UPS)
def test_directions_turn_with_the_picture(up: str):
    """A pixel, its direction seen through a pinhole, before and after turning the picture."""
    def direction(column: float, row: float, height: int, width: int) -> tuple[float, float]:
        right, down = (column - (width - 1) / 2) / 100, (row - (height - 1) / 2) / 100
        return math.atan2(-right, 1), math.atan2(-down, math.hypot(1, right))

    for row, column in ((0, 0), (3, 5), (10, 39), (29, 20), (15, 20)):
        image = np.zeros((30, 40), np.uint8)
        image[row, column] = 1
        turned = upright(image, up)
        (turned_row, turned_column), = np.argwhere(turned)
        expected = direction(turned_column, turned_row, *turned.shape)
        assert in_world(*direction(column, row, 30, 40), up) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize('up', UPS)
def test_what_is_unknown_stays_unknown(up: str):
    assert all(math.isnan(one) for one in in_world(math.nan, math.nan, up))


def test_each_camera_has_its_edge():
    assert cameras_of(DescribeSettings()) == {'': 'top'}
    assert cameras_of(DescribeSettings(cameras=['front', 'arm/left'], camera_up=['left'])) == {
        'front': 'left', 'arm/left': 'left'}
    assert cameras_of(DescribeSettings(cameras=['a', 'b'], camera_up=['top', 'bottom'])) == {'a': 'top', 'b': 'bottom'}


@pytest.mark.parametrize('cameras, ups, words', [
    (['a', 'b', 'c'], ['top', 'left'], r"camera_up is \['top', 'left'\]; allowed: one for all, or 3"),
    (['a', 'a'], ['top'], 'each name once'), (['front camera'], ['top'], "cameras is 'front camera'"),
    (['/front'], ['top'], "cameras is '/front'"), (['1st'], ['top'], 'ROS namespace')])
def test_names_and_edges_that_cannot_be(cameras: list[str], ups: list[str], words: str):
    with pytest.raises(SettingsError, match=words):
        cameras_of(DescribeSettings(cameras=cameras, camera_up=ups))
