"""What gestures of a mouse mean: one Region, or nothing to ask yet."""
from __future__ import annotations

import sys

import pytest

pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from documents import ROOT   # noqa: E402

sys.path.insert(0, str(ROOT / 'examples'))   # where Python looks when it is run as a script

from pointing import Pointing   # noqa: E402


def click(pointing: Pointing, x: float, y: float, **how):
    pointing.press(x, y, **how)
    return pointing.release(x + 1, y, 640)


def drag(pointing: Pointing, *spots, **how):
    pointing.press(*spots[0], **how)
    for spot in spots[1:]:
        pointing.move(*spot)
    return pointing.release(*spots[-1], 640)


def test_a_click_is_a_point_and_the_next_one_another_thing():
    pointing = Pointing()
    assert list(click(pointing, 10, 20).points) == [10, 20]
    region = click(pointing, 30, 40)
    assert (list(region.points), list(region.point_labels)) == ([30, 40], [1])


def test_points_that_belong_to_it_or_not_add_up():
    pointing = Pointing()
    click(pointing, 10, 20)
    click(pointing, 30, 40, outside=True)
    region = click(pointing, 50, 60, shift=True)
    assert list(region.points) == [10, 20, 30, 40, 50, 60] and list(region.point_labels) == [1, 0, 1]


def test_a_point_outside_of_nothing_asks_nothing():
    pointing = Pointing()
    assert click(pointing, 10, 20, outside=True) is None
    box = drag(pointing, (0, 0), (50, 50))
    assert click(pointing, 10, 20, outside=True) is None and pointing.region is box


@pytest.mark.parametrize('to', [(49, 39), (10, 39), (49, 20)])
def test_a_drag_is_a_box_in_whichever_direction(to):
    corners = {(10, 20), (49, 39)}
    ways = [(start, end) for start in corners for end in corners if start != end]
    for start, end in ways:
        region = drag(Pointing(), start, to, end)
        assert list(region.box_xywh) == [10, 20, 40, 20] and not region.box_is_region


def test_a_straight_drag_is_a_box_of_a_pixel_at_least():
    assert list(drag(Pointing(), (10, 20), (60, 20)).box_xywh) == [10, 20, 51, 1]


def test_a_trembling_hand_clicks_and_more_so_on_a_large_picture():
    pointing = Pointing()
    pointing.press(10, 10)
    assert len(pointing.release(13, 10, 640).points) == 2
    pointing.press(10, 10)
    assert len(pointing.release(25, 10, 640).box_xywh) == 4
    pointing.press(10, 10)
    assert len(pointing.release(25, 10, 4000).points) == 2
    circle = drag(pointing, (10, 10), (90, 90), (10, 10), shift=True)   # back to where it began, and no click
    assert len(circle.scribble) == 8


def test_with_shift_or_in_its_mode_a_drag_is_a_stroke():
    spots = [(10, 10), (20, 30), (40, 50)]
    for region in (drag(Pointing(), *spots, shift=True), drag(Pointing(scribbling=True), *spots)):
        assert list(region.scribble) == [10, 10, 20, 30, 40, 50, 40, 50]
        assert region.scribble_width_px == pytest.approx(7.68) and not len(region.points)


def test_a_button_that_went_down_elsewhere_means_nothing():
    pointing = Pointing()
    pointing.move(5, 5)
    assert pointing.release(9, 9, 640) is None and pointing.region is None
