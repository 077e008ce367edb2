"""What a region looks like, on real photographs: noise changes little of it, another thing or another place much."""
from __future__ import annotations

from functools import lru_cache
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from dam_ros.core.appearance import WIDTH_PX, appearance
from dam_ros.core.detecting import Detection, Detections
from dam_ros.core.errors import NoLabelImage
from dam_ros.core.lens import Lens
from dam_ros.core.masks import bounding_box
from dam_ros.core.planning import LabelImage
from dam_ros.core.presence import presence
from dam_ros.core.viewing import View

PHOTOS = sorted((Path(__file__).resolve().parent.parent / 'examples' / 'photos').glob('*.jpg'))
SAME, OTHER = 8, 14   # bits, as docs/sight.md says


@lru_cache(None)
def regions() -> list[tuple[np.ndarray, np.ndarray]]:
    """(grey picture, mask) of each region of the photographs."""
    found = []
    for path in PHOTOS:
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        size = WIDTH_PX, round(WIDTH_PX * pixels.shape[0] / pixels.shape[1])
        labels = cv2.imread(str(path.with_suffix('.labels.png')), cv2.IMREAD_UNCHANGED)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        found += [(pixels, labels == one) for one in np.unique(labels) if one]
    return found


def again(pixels: np.ndarray, number: int) -> np.ndarray:
    """As a camera would send it a moment later: a tenth brighter or darker, with noise, as a poor JPEG."""
    noise = np.random.default_rng(number).normal(0, 5, pixels.shape)
    seen = np.clip(pixels * (0.9 if number % 2 else 1.1) + noise, 0, 255).astype(np.uint8)
    return cv2.imdecode(cv2.imencode('.jpg', seen, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_GRAYSCALE)


def bits_between(before: np.ndarray, mask: np.ndarray, after: np.ndarray, shift: int = 0) -> int:
    """After: where the region has moved by so many px to the right."""
    left, top, width, height = bounding_box(mask)
    moved = appearance(after, (left + shift, top, width, height))
    return (appearance(before, (left, top, width, height)) ^ moved).bit_count()


def test_the_same_region_looks_the_same():
    found = [bits_between(again(pixels, 2 * number), mask, again(pixels, 2 * number + 1))
             for number, (pixels, mask) in enumerate(regions())]
    assert len(found) > 60
    assert np.mean([one <= SAME for one in found]) > 0.95
    assert max(found) < OTHER


def test_a_mask_that_trembles_is_no_change():
    """By two of a hundred of its sides, each its own way."""
    found = []
    for number, (pixels, mask) in enumerate(regions()):
        left, top, width, height = bounding_box(mask)
        dx, dy, dw, dh = np.random.default_rng(number).uniform(-0.02, 0.02, 4)
        moved = left + dx * width, top + dy * height, width * (1 + dw), height * (1 + dh)
        found.append((appearance(pixels, (left, top, width, height)) ^ appearance(pixels, moved)).bit_count())
    assert np.mean([one < OTHER for one in found]) > 0.95


def test_another_thing_in_its_place_looks_other():
    """Of the same outline, from another photograph."""
    found, all_of_them = [], regions()
    for number, (pixels, mask) in enumerate(all_of_them):
        left, top, width, height = bounding_box(mask)
        other, where = all_of_them[(number + 7) % len(all_of_them)]
        x, y, w, h = bounding_box(where)
        replaced = pixels.copy()
        inside = np.s_[top:top + height, left:left + width]
        replaced[inside][mask[inside]] = cv2.resize(other[y:y + h, x:x + w], (width, height))[mask[inside]]
        found.append(bits_between(again(pixels, 2), mask, again(replaced, 3)))
    assert np.mean([one >= OTHER for one in found]) > 0.75
    assert np.median(found) >= 20


def test_in_another_place_it_looks_other():
    """Half its width farther; where it was, its surroundings go on."""
    found = []
    for pixels, mask in regions():
        left, _, width, _ = bounding_box(mask)
        shift = width // 2 if left + width * 3 // 2 < pixels.shape[1] else -(width // 2)
        around = cv2.dilate(mask.view(np.uint8), np.ones((5, 5), np.uint8)).view(bool)
        seen = np.float32(~around)
        filled = cv2.GaussianBlur(pixels * seen, (0, 0), 20) / (cv2.GaussianBlur(seen, (0, 0), 20) + 1e-3)
        moved = np.where(around, filled, pixels).astype(np.uint8)
        there = np.roll(mask, shift, axis=1)
        moved[there] = np.roll(pixels, shift, axis=1)[there]
        found.append(bits_between(again(pixels, 2), mask, again(moved, 3), shift))
    assert np.mean([one >= OTHER for one in found]) > 0.75


@pytest.mark.parametrize('box', [(0, 0, 1, 1), (0, 0, 640, 480), (639, 479, 1, 1), (-50, -50, 20, 20), (700, 500, 9, 9),
                                 (3.5, 2.25, 0.5, 400)])
def test_any_box_has_an_appearance(box: tuple[float, float, float, float]):
    pixels = np.random.default_rng(1).integers(0, 255, (480, 640), np.uint8)
    assert 0 <= appearance(pixels, box) < 2 ** 64


def test_what_is_plain_looks_the_same_whatever_its_brightness():
    dark, bright = (np.full((480, 640), one, np.uint8) for one in (10, 240))
    assert appearance(dark, (100, 100, 200, 100)) == appearance(bright, (100, 100, 200, 100))


# -- all regions of a picture -----------------------------------------------------------------------------------


def wall(distance_m: float) -> View:
    return View(Lens(64, 48, (40.0, 40.0), (31.5, 23.5)), np.full((48, 64), distance_m, np.float32))


def halves() -> LabelImage:
    pixels = np.zeros((48, 64), np.uint8)
    pixels[:, :16], pixels[20:28, 28:36] = 7, 9
    return LabelImage(pixels)


NOISE = np.random.default_rng(2).integers(0, 255, (24, 32), np.uint8)


def test_size_distance_and_appearance_of_each_label():
    found = presence(halves(), NOISE, (48, 64), wall(2.0))
    assert found.labels == [7, 9]
    assert found.area_fraction == pytest.approx([0.25, 64 / (48 * 64)])
    assert found.distance_m == pytest.approx([2 / math.cos(math.atan2(24, 40)), 2.0], abs=0.05)
    assert found.appearance == [appearance(NOISE, (0, 0, 8, 24)), appearance(NOISE, (14, 10, 4, 4))]


def test_without_depth_distances_are_unknown():
    assert all(map(math.isnan, presence(halves(), NOISE, (48, 64), View()).distance_m))


def test_detections_have_the_same():
    boxes = Detections([Detection('3', 'cup', (16.0, 12.0), (8.0, 6.0)),
                        Detection('5', 'dog', (300.0, 12.0), (8.0, 6.0))])
    found = presence(boxes, NOISE, (48, 64), wall(2.0))
    assert found.labels == [3, 5]
    assert found.area_fraction == pytest.approx([48 / (48 * 64), 0.0])
    assert found.appearance[1] == 0   # beside the picture
    assert math.isnan(found.distance_m[1])


def test_a_label_image_of_another_size_tells_nothing_of_the_picture():
    with pytest.raises(NoLabelImage, match='64x48'):
        presence(halves(), NOISE, (96, 128), View())


def test_of_very_many_regions_only_their_labels_are_told():
    many = LabelImage(np.arange(48 * 64, dtype=np.int32).reshape(48, 64))
    found = presence(many, NOISE, (48, 64), View())
    assert len(found.labels) == 48 * 64 - 1
    assert (found.area_fraction, found.distance_m, found.appearance) == ([], [], [])
