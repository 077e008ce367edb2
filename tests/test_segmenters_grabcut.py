"""What GrabCut finds: clear things exactly, things of photographs as well as docs/segmenters.md says."""
from __future__ import annotations

import json
from pathlib import Path
import time

import cv2
import numpy as np
import pytest
from test_segmenters import BOX, disc, stroke

from dam_ros import segmenters
from dam_ros.core.errors import SegmenterFailed
from dam_ros.core.segmenting import Prompt
from dam_ros.segmenters import grabcut_choice as choice
from dam_ros.segmenters import grabcut_guesses as guesses
from dam_ros.segmenters.grabcut_view import View

PHOTOS = Path(__file__).resolve().parent.parent / 'examples' / 'photos'
GRABCUT = segmenters.create('grabcut')


def around(mask: np.ndarray) -> Prompt:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return Prompt(box=(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


def deepest(mask: np.ndarray) -> Prompt:
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return Prompt(inside=((float(x), float(y)),))


# -- clear things -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('prompt', [Prompt(box=BOX), Prompt(box=(55, 35, 105, 85)), Prompt(inside=((80, 60),)),
                                    Prompt(inside=((70, 52), (92, 70)), outside=((20, 20),)), Prompt(stroke=stroke())])
def test_a_clear_thing_is_cut_out(prompt: Prompt):
    image, truth = disc()
    assert choice.iou(GRABCUT.cut_out(image, prompt), truth) > 0.93


@pytest.mark.parametrize('scale', [0.4, 4.0, 12.0])
def test_at_any_size_of_the_picture(scale: float):
    height, width = round(120 * scale), round(160 * scale)
    image, truth = disc(height, width, (width // 2, height // 2), round(25 * scale))
    box = tuple(round(one * scale) for one in BOX)
    assert choice.iou(GRABCUT.cut_out(image, Prompt(box=box)), truth) > 0.85
    assert choice.iou(GRABCUT.cut_out(image, Prompt(inside=((width / 2, height / 2),))), truth) > 0.85


def test_a_thing_that_reaches_over_the_box_is_cut_at_it():
    image, truth = disc()
    found = GRABCUT.cut_out(image, Prompt(box=(60, 28, 112, 92)))
    truth[:, :60] = False
    assert choice.iou(found, truth) > 0.9


def test_outside_points_part_two_things_of_one_colour():
    image, left = disc(middle=(56, 60))
    other, right = disc(middle=(98, 60))
    image[right] = other[right]
    both = GRABCUT.cut_out(image, Prompt(inside=((56, 60),)))
    one = GRABCUT.cut_out(image, Prompt(inside=((56, 60),), outside=((98, 60), (112, 60), (86, 50), (86, 70))))
    assert choice.iou(both, left | right) > 0.9
    assert choice.iou(one, left) > 0.8


def test_a_ring_keeps_its_hole_and_loses_pinholes():
    ring, hole = np.zeros((100, 100), np.uint8), np.zeros((100, 100), np.uint8)
    cv2.circle(ring, (50, 50), 40, 1, 12)
    cv2.circle(hole, (50, 50), 20, 1, -1)
    ring[50, 8:11] = 0
    found = guesses.without_pinholes(ring > 0)
    assert found[50, 8:11].all() and not found[hole > 0].any()


@pytest.mark.parametrize('prompt', [Prompt(box=(20, 20, 80, 80)), Prompt(inside=((50, 50),)),
                                    Prompt(stroke=np.eye(100, dtype=bool))])
@pytest.mark.parametrize('noise', [0, 2])
def test_in_a_plain_picture_nothing_is_found(prompt: Prompt, noise: int):
    image = np.random.default_rng(0).integers(128 - noise, 129 + noise, (100, 100, 3), np.uint8)
    with pytest.raises(SegmenterFailed) as failed:
        GRABCUT.cut_out(image, prompt)
    assert str(failed.value).startswith(f'{prompt.field} is ') and 'box_is_region' in str(failed.value)


# -- photographs ------------------------------------------------------------------------------------------------------

def regions() -> list[tuple[np.ndarray, np.ndarray]]:
    """(picture, mask) of every region that somebody outlined."""
    found = []
    for photo in json.loads((PHOTOS / 'photos.json').read_text(encoding='utf-8')).values():
        image = cv2.cvtColor(cv2.imread(str(PHOTOS / photo['file'])), cv2.COLOR_BGR2RGB)
        labels = cv2.imread(str(PHOTOS / photo['labels']), cv2.IMREAD_UNCHANGED)
        found += [(image, labels == int(value)) for value in photo['regions']]
    return found


@pytest.mark.parametrize(('prompt_of', 'least'), [(around, 0.75), (deepest, 0.5)], ids=['box', 'point'])
def test_on_photographs(prompt_of, least: float):
    """Every other region, as all take long; ./dev bench segment measures all of them."""
    found = [choice.iou(GRABCUT.cut_out(image, prompt_of(truth)), truth) for image, truth in regions()[::2]]
    assert len(found) > 30 and np.mean(found) >= least


@pytest.mark.alone
@pytest.mark.parametrize('prompt_of', [around, deepest], ids=['box', 'point'])
def test_twelve_megapixels_in_a_second(prompt_of):
    image, truth = regions()[0]
    image = cv2.resize(image, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    truth = cv2.resize(truth.astype(np.uint8), (4000, 3000), interpolation=cv2.INTER_NEAREST) > 0
    took = []
    for _ in range(3):
        begun = time.monotonic()
        GRABCUT.cut_out(image, prompt_of(truth))
        took.append(time.monotonic() - begun)
    assert min(took) < 1.0


# -- parts ------------------------------------------------------------------------------------------------------------

def test_a_view_says_where_things_are():
    image = np.zeros((400, 600, 3), np.uint8)
    view = View(image, (100, 50, 500, 350), 100)
    assert view.lab.shape == (75, 100, 3)
    assert view.box((100, 50, 140, 90)) == (0, 0, 10, 10) and view.box((499, 349, 500, 350)) == (99, 74, 100, 75)
    assert np.argwhere(view.marked(((300, 200),))).mean(0).tolist() == [37, 50]
    assert not view.marked(((20, 20),)).any()
    thin = np.zeros((400, 600), bool)
    thin[200, 120:480] = True
    assert view.drawn(thin)[37].sum() == 90 and view.drawn(thin).sum() == 90


def test_a_mask_goes_into_another_view_and_back():
    image, truth = disc(480, 640, (300, 200), 90)
    far, near = View(image, (0, 0, 640, 480), 128), View(image, (180, 80, 420, 320), 200)
    seen = cv2.resize(truth.astype(np.uint8) * 255, (128, 96), interpolation=cv2.INTER_AREA) > 127
    assert far.in_picture(seen) == pytest.approx((210, 110, 391, 291), abs=5)
    assert choice.iou(far.whole(seen), truth) > 0.95
    assert choice.iou(near.whole(far.seen_by(near, seen)), truth) > 0.95


def test_a_walk_avoids_borders():
    """Two rooms with a wall between them and a door in it: the near corner of the other room is far."""
    lab = np.full((60, 80, 3), 128, np.uint8)
    lab[:, 39:41] = (255, 128, 128)
    lab[50:, 39:41] = 128
    inside = np.zeros((60, 80), bool)
    inside[10, 34] = True
    way = guesses._geodesic(guesses.slope(lab) + np.float32(0.3), inside)
    assert way[10, 46] > way[55, 5] > way[10, 5]
    assert way[10, 34] == 0 and (way >= 0).all()


def test_overlap_is_none_for_a_thing_of_its_own_colour_and_whole_for_none():
    image, truth = disc()
    palette = choice.Palette(View(image, (0, 0, 160, 120), 160).lab)
    assert palette.overlap(truth) < 0.05
    corner = np.zeros_like(truth)
    corner[:20, :20] = True
    assert palette.overlap(corner) > 0.8 and palette.overlap(np.ones_like(truth)) == 1


def test_the_longer_a_stroke_the_larger_the_thing():
    short, long = np.zeros((100, 100), bool), np.zeros((100, 100), bool)
    short[50, 48:52] = True
    long[50, 10:90] = True
    assert choice.likely_share(short) < 0.05 < 0.5 < choice.likely_share(long) < 1
