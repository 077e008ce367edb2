"""What every segmenter promises: a mask inside its box, or one clear failure."""
from __future__ import annotations

import cv2
import numpy as np
import pytest

from dam_ros import segmenters
from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.errors import SegmenterFailed
from dam_ros.core.segmenting import Segmenter
from dam_ros.core.settings import rules

NAMES = [name for name in rules(DescribeSettings)['segmenter'].choices if name != 'none']


@pytest.fixture(params=NAMES)
def segmenter(request: pytest.FixtureRequest) -> Segmenter:
    return segmenters.create(request.param)


def disc(height: int = 120, width: int = 160, middle: tuple[int, int] = (80, 60), radius: int = 25):
    """(a textured picture with a red disc, the disc's mask)"""
    image = np.random.default_rng(1).integers(60, 110, (height, width, 3), np.uint8)
    shape = np.zeros((height, width), np.uint8)
    cv2.circle(shape, middle, radius, 1, -1)
    image[shape > 0] = np.random.default_rng(2).integers(0, 30, (int(shape.sum()), 3), np.uint8) + (200, 20, 20)
    return image, shape > 0


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    return (found & truth).sum() / (found | truth).sum()


def test_there_is_one():
    assert NAMES and segmenters.create('none') is None
    for name in ('', 'GrabCut', 'sam3', 'no_such'):
        with pytest.raises(SegmenterFailed, match='^segmenter is'):
            segmenters.create(name)


def test_its_name(segmenter: Segmenter):
    assert segmenter.name in NAMES


def test_a_clear_thing_is_cut_out(segmenter: Segmenter):
    image, truth = disc()
    before = image.copy()
    found = segmenter.cut_out(image, (48, 28, 112, 92))
    assert (found.dtype, found.shape) == (bool, truth.shape)
    assert overlap(found, truth) > 0.9
    assert np.array_equal(image, before)


@pytest.mark.parametrize('scale', [0.4, 4.0, 12.0])
def test_at_any_size_of_the_picture(segmenter: Segmenter, scale: float):
    height, width = round(120 * scale), round(160 * scale)
    image, truth = disc(height, width, (width // 2, height // 2), round(25 * scale))
    box = tuple(round(one * scale) for one in (48, 28, 112, 92))
    assert overlap(segmenter.cut_out(image, box), truth) > 0.85


def test_nothing_outside_the_box(segmenter: Segmenter):
    image, truth = disc()
    box = (60, 28, 112, 92)   # not all of the disc
    found = segmenter.cut_out(image, box)
    outside = found.copy()
    outside[box[1]:box[3], box[0]:box[2]] = False
    assert found.any() and not outside.any()


def test_the_same_twice(segmenter: Segmenter):
    image, _ = disc()
    first = segmenter.cut_out(image, (48, 28, 112, 92))
    cv2.setRNGSeed(12345)
    assert np.array_equal(segmenter.cut_out(image, (48, 28, 112, 92)), first)


def test_a_picture_that_cannot_be_written_to(segmenter: Segmenter):
    image, truth = disc()
    image.flags.writeable = False   # as the worker hands it in
    assert overlap(segmenter.cut_out(image, (48, 28, 112, 92)), truth) > 0.9


def test_a_plain_picture_has_no_thing_in_it_or_all_of_the_box(segmenter: Segmenter):
    image = np.full((100, 100, 3), 128, np.uint8)
    try:
        found = segmenter.cut_out(image, (20, 20, 80, 80))
    except SegmenterFailed as failure:
        assert 'box_is_region' in str(failure)
    else:
        assert found.any() and not found[:20].any()


@pytest.mark.parametrize('shape', [(1, 1), (1, 40), (40, 1), (2, 3), (5, 5), (4, 3000), (3000, 1), (64, 64)])
def test_any_picture_and_any_box_in_it(segmenter: Segmenter, shape: tuple[int, int]):
    """A box of few pixels, or one that is scaled down to less than one, came out as an error of OpenCV."""
    random = np.random.default_rng(3)
    height, width = shape
    for _ in range(8):
        image = random.integers(0, 256, (*shape, 3), np.uint8) // int(random.choice([1, 255]))
        left, right = sorted(random.integers(0, width + 1, 2))
        top, bottom = sorted(random.integers(0, height + 1, 2))
        left, top = min(int(left), width - 1), min(int(top), height - 1)
        box = (left, top, max(int(right), left + 1), max(int(bottom), top + 1))
        try:
            found = segmenter.cut_out(image, box)
        except SegmenterFailed as failure:
            assert 'region.box_xywh' in str(failure)
            continue
        assert found.shape == shape and found.any()
        assert not found[:box[1]].any() and not found[box[3]:].any()
        assert not found[:, :box[0]].any() and not found[:, box[2]:].any()
