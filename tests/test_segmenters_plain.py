"""Plainly coloured things on plain grounds come out nearly perfect, however small, faint or loosely boxed they are."""
from __future__ import annotations

import cv2
import numpy as np
import pytest

from dam_ros import segmenters
from dam_ros.core.segmenting import Prompt
from dam_ros.segmenters import grabcut_plain as plain
from dam_ros.segmenters.grabcut_choice import iou
from dam_ros.segmenters.grabcut_view import View

GRABCUT = segmenters.create('grabcut')
COLOURS = {'red on grey': ((200, 40, 30), (110, 110, 110)), 'white on black': ((245, 245, 245), (15, 15, 15)),
           'brown on green': ((120, 90, 60), (60, 140, 60)), 'grey on grey': ((130, 130, 130), (105, 105, 105))}
SIZES = [((48, 64), 12), ((48, 64), 30), ((120, 160), 16), ((480, 640), 12), ((480, 640), 60), ((480, 640), 400),
         ((720, 1280), 16), ((720, 1280), 150)]   # (height, width) of the picture, width of the thing


def scene(shape: tuple[int, int], size: int, colours: str = 'red on grey', noise: float = 2.0, oval: bool = False):
    """(picture, mask) of a thing three quarters as high as wide, left of the middle."""
    mask = np.zeros(shape, np.uint8)
    middle = max(size // 2 + 4, shape[1] * 2 // 5), max(size * 3 // 8 + 4, shape[0] * 2 // 5)
    left, top, high = middle[0] - size // 2, middle[1] - size * 3 // 8, size * 3 // 4
    if oval:
        cv2.ellipse(mask, (*middle,), (size // 2, high // 2), 0, 0, 360, 1, -1)
    else:
        mask[top:top + high, left:left + size] = 1
    thing, ground = COLOURS[colours]
    image = np.where(mask[..., None] > 0, np.float32(thing), np.float32(ground))
    image = image + np.random.default_rng(size).normal(0, noise, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), mask > 0


def boxed(mask: np.ndarray, larger: float) -> Prompt:
    edges = []
    for axis in (0, 1):
        at = np.flatnonzero(mask.any(axis))
        more = round(larger * (at[-1] + 1 - at[0]) / 2)
        edges.append((max(0, int(at[0]) - more), min(mask.shape[1 - axis], int(at[-1]) + 1 + more)))
    return Prompt(box=(edges[0][0], edges[1][0], edges[0][1], edges[1][1]))


def pointed(mask: np.ndarray, right: float = 0.0, down: float = 0.0) -> Prompt:
    """A point in the middle, or so far from it, of half its size."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    (x, half_x), (y, half_y) = (((at[0] + at[-1]) / 2, (at[-1] - at[0]) / 2) for at in (columns, rows))
    return Prompt(inside=((float(x + right * half_x), float(y + down * half_y)),))


@pytest.mark.parametrize('oval', [False, True], ids=['rectangle', 'oval'])
@pytest.mark.parametrize(('shape', 'size'), SIZES)
def test_at_every_size(shape: tuple[int, int], size: int, oval: bool):
    """Boxes 30 % too large had half of the picture's things filled up; points missed whatever was below 30 px."""
    image, truth = scene(shape, size, oval=oval)
    boxes = [boxed(truth, larger) for larger in (0, 0.05, 0.3, 0.6)]
    for prompt in (*boxes, pointed(truth), pointed(truth, 0.5, -0.3)):
        assert iou(GRABCUT.cut_out(image, prompt), truth) > 0.9, prompt


@pytest.mark.parametrize('noise', [0.0, 5.0])
@pytest.mark.parametrize('colours', COLOURS)
def test_in_every_colour(colours: str, noise: float):
    image, truth = scene((240, 320), 40, colours, noise)
    for prompt in (boxed(truth, 0.0), boxed(truth, 0.5), pointed(truth)):
        assert iou(GRABCUT.cut_out(image, prompt), truth) > 0.9, prompt


def test_in_twelve_megapixels():
    image, truth = scene((3000, 4000), 60, noise=0)
    for prompt in (boxed(truth, 0.6), pointed(truth)):
        assert iou(GRABCUT.cut_out(image, prompt), truth) > 0.9


def test_a_thing_of_several_colours_on_a_ground_that_gets_brighter():
    image, truth = scene((240, 320), 80)
    rows, columns = np.flatnonzero(truth.any(1)), np.flatnonzero(truth.any(0))
    image[rows[0]:rows[len(rows) // 3], columns[0]:columns[-1] + 1] = (240, 230, 220)
    shade = np.linspace(-30, 30, 320)[None, :, None]
    image = np.clip(image + np.where(truth[..., None], 0, shade), 0, 255).astype(np.uint8)
    for prompt in (boxed(truth, 0.5), pointed(truth)):
        assert iou(GRABCUT.cut_out(image, prompt), truth) > 0.9


def test_a_plain_thing_on_a_motley_ground():
    image, truth = scene((240, 320), 60)
    cells = np.random.default_rng(4).integers(0, 256, (30, 40, 3), np.uint8)
    image[~truth] = cv2.resize(cells // 4 * 3, (320, 240), interpolation=cv2.INTER_NEAREST)[~truth]
    assert iou(GRABCUT.cut_out(image, pointed(truth)), truth) > 0.85


def test_of_two_things_the_one_that_was_pointed_at():
    image, left = scene((240, 320), 40)
    right = np.roll(left, 60, 1)
    image[right] = (30, 60, 200)
    assert iou(GRABCUT.cut_out(image, pointed(left)), left) > 0.9
    assert iou(GRABCUT.cut_out(image, boxed(right, 0.3)), right) > 0.9


def test_what_is_not_plain_is_left_to_guesses():
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    view = View(image, (0, 0, 160, 120), 160)

    def marked(view: View):
        return view.marked(((80, 60),), 0), np.zeros(view.lab.shape[:2], bool)

    assert plain.in_box(view, (40, 30, 120, 90), marked) is None
    assert plain.around_points(image, (80, 60, 81, 61), marked) == []


def test_a_border_goes_to_where_the_colours_change():
    image, truth = scene((120, 160), 60, noise=0)
    for shape in (cv2.erode, cv2.dilate):
        wrong = shape(truth.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert iou(wrong, truth) < 0.9
        assert iou(plain.with_border(image, wrong), truth) > 0.98
