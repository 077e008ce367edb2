"""Annotations show what is painted: the same places, the same colours, the same words."""
from __future__ import annotations

import cv2
import numpy as np
import pytest

from dam_ros.drawing.annotations import Annotations, annotations_of, Rgba
from dam_ros.drawing.lettering import width_of
from dam_ros.drawing.marks import Mark
from dam_ros.drawing.overlay import lay_out, Overlay
from dam_ros.drawing.paint import GROUND, paint

TEXT = 'A small brown bird with a pale, streaked breast, looking to the left.'


def ellipse(size: tuple[int, int], x: float, y: float, across: float, down: float) -> np.ndarray:
    """bool (height, width) of (width, height); the ellipse in parts of them."""
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    centre, radii = (x * width, y * height), (across * width / 2, down * height / 2)
    cv2.ellipse(mask, tuple(map(round, centre)), tuple(map(round, radii)), 0, 0, 360, 1, -1)
    return mask.astype(bool)


def ring(size: tuple[int, int]) -> np.ndarray:
    return ellipse(size, 0.3, 0.5, 0.3, 0.4) & ~ellipse(size, 0.3, 0.5, 0.15, 0.2)


def laid_out(size: tuple[int, int]) -> tuple[np.ndarray, Overlay, Annotations]:
    """(picture, overlay, annotations) of a ring with words and a small region with a number alone."""
    image = np.random.default_rng(0).integers(90, 160, (size[1], size[0], 3), np.uint8)
    overlay = lay_out(image, [Mark(ring(size), 'wren', TEXT), Mark(ellipse(size, 0.8, 0.3, 0.1, 0.1))])
    return image, overlay, annotations_of(overlay)


def colour(rgba: Rgba) -> np.ndarray:
    return np.array(rgba[:3]) * 255


SIZES = [(320, 240), (1280, 720), (3840, 2160)]


@pytest.mark.parametrize('size', SIZES)
def test_lines_lie_where_they_are_painted_in_the_same_colour(size):
    image, overlay, annotations = laid_out(size)
    painted = paint(image, overlay)
    lines = [one for one in annotations.lines if one.thickness_px == overlay.line_px and one.closed]
    assert len(lines) == 3   # the ring's two and the small region's
    for line in lines:
        x, y = (line.points - 0.5).round().astype(int).T
        off = np.abs(painted[y, x] - colour(line.colour)).max(axis=1)
        assert np.mean(off <= 40) > 0.85   # but where the number lies on them


@pytest.mark.parametrize('size', SIZES)
def test_a_tint_fills_the_region_and_not_its_hole(size):
    image, overlay, annotations = laid_out(size)
    fill = next(one for one in annotations.lines if one.thickness_px == 0)
    assert fill.fill == (*(np.array(overlay.shown[0].colour) / 255), overlay.shown[0].tint)
    filled = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(filled, [(fill.points - 0.5).round().astype(np.int32)], 1)
    assert np.mean(filled.astype(bool) != ring(size)) < 0.01


@pytest.mark.parametrize('size', SIZES)
def test_numbers_and_their_discs_are_where_they_are_painted(size):
    image, overlay, annotations = laid_out(size)
    painted = paint(image, overlay)
    assert len(annotations.discs) == 2
    for disc, one in zip(annotations.discs, overlay.shown):
        assert np.subtract(disc.centre, one.badge) == pytest.approx((0.5, 0.5))
        x, y = round(one.badge[0] - 0.8 * overlay.badge_px), round(one.badge[1])   # beside the number
        assert np.abs(painted[y, x] - colour(disc.fill)).max() <= 40
    numbers = [one for one in annotations.texts if one.text in ('1', '2')]
    assert [one.text for one in numbers] == ['1', '1', '2']   # beside each region, and in the caption
    discs = [one.centre for one in annotations.discs]
    for number, centre in zip((numbers[0], numbers[2]), discs):
        assert np.hypot(number.position[0] - centre[0], number.position[1] - centre[1]) < overlay.badge_px


@pytest.mark.parametrize('size', SIZES)
def test_every_line_of_words_is_written_and_lies_on_its_ground(size):
    image, overlay, annotations = laid_out(size)
    words = [one for one in annotations.texts if one.text not in ('1', '2')]
    assert ' '.join(one.text for one in words) == f'wren {TEXT}'
    ground = next(one for one in annotations.lines if np.allclose(colour(one.fill), GROUND, atol=0.6))
    (left, top), (right, bottom) = ground.points.min(axis=0), ground.points.max(axis=0)
    assert 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]
    for one in words:
        x, y = one.position
        assert left < x and x + width_of(one.text, overlay.letter_px) <= right + 1
        assert top < y - overlay.letter_px and y < bottom
        assert one.font_px > overlay.letter_px   # a font's size is more than the height of its capitals
    assert colour(words[0].colour).tolist() != colour(words[1].colour).tolist()   # the title in the region's colour


def test_what_is_empty_says_nothing():
    image = np.zeros((240, 320, 3), np.uint8)
    annotations = annotations_of(lay_out(image, []))
    assert annotations.lines == annotations.discs == annotations.texts == ()


def test_what_goes_over_the_network_is_bounded():
    """Twelve regions of noise are a few thousand points, not millions."""
    rng = np.random.default_rng(0)
    marks = [Mark(rng.random((480, 640)) < 0.3, 'noise', TEXT) for _ in range(12)]
    annotations = annotations_of(lay_out(np.zeros((480, 640, 3), np.uint8), marks))
    assert sum(len(one.points) for one in annotations.lines) < 12 * 5 * 400
