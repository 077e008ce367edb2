"""Balls, plates and poles of known place: how true bearing, elevation and distance are, seen through every lens."""
from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from surfaces import CAMERAS, Camera, ball, plate, pole, seen

from dam_ros.core.distance import metres
from dam_ros.core.lens import Lens
from dam_ros.core.placing import Place, place

ISSUE_DEGREES, ISSUE_PERCENT = 0.5, 2.0
LENSES = {name: Lens.from_info(**camera.info()) for name, camera in CAMERAS.items()}
PINHOLE, PINHOLE_LENS = CAMERAS['pinhole'], LENSES['pinhole']


def towards(bearing: float, elevation: float) -> np.ndarray:
    """A vector of length 1 in the optical frame; rad, left and up positive."""
    return np.array([-math.sin(bearing) * math.cos(elevation), -math.sin(elevation),
                     math.cos(bearing) * math.cos(elevation)])


def degrees_off(found: Place, bearing: float, elevation: float) -> float:
    return math.degrees(max(abs(found.bearing_rad - bearing), abs(found.elevation_rad - elevation)))


def percent_off(found: Place, distance_m: float) -> float:
    return 100 * abs(found.distance_m / distance_m - 1)


def thing(shape: str, ray: np.ndarray, near_m: float, size: float, turned: float) -> np.ndarray:
    """A surface whose middle is at near_m along a ray; `size` is half its extent by its distance, up to a tenth.

    Balls and poles are half as large: most of what is seen of them is farther than the nearest point by up to a radius.
    """
    if shape == 'ball':
        return ball(ray * near_m * (1 + size / 2), near_m * size / 2)
    if shape == 'pole':
        level = np.array([ray[0], 0.0, ray[2]]) / math.hypot(ray[0], ray[2])
        return pole(ray * near_m + level * near_m * size / 3, near_m * size / 3, near_m * 2 * size)
    return plate(ray * near_m, 2 * near_m * size, 1.4 * near_m * size, turned)


def whole(camera: Camera, points: np.ndarray) -> bool:
    pixels = camera.project(points)
    return bool((pixels >= 1).all() and (pixels <= (camera.width - 2, camera.height - 2)).all())


def scenes(camera: Camera, shape: str, count: int, widest: float, sideways: bool = True):
    """(bearing, elevation, distance to the near surface, mask, depth) of `count` things that are wholly in view."""
    random = np.random.default_rng([ord(one) for one in shape + camera.model])
    made = 0
    while made < count:
        bearing, elevation = random.uniform(-widest, widest), random.uniform(-0.3, 0.3) * (shape != 'pole')
        near_m, turned = random.uniform(0.7, 5.0), random.uniform(-0.6, 0.6) * sideways + bearing
        points = thing(shape, towards(bearing, elevation), near_m, random.uniform(0.03, 0.1), turned)
        if whole(camera, points):
            made += 1
            yield bearing, elevation, near_m, *seen(camera, points)


def as_sensors_give_it(depth: np.ndarray, encoding: str) -> np.ndarray:
    """With noise of half a percent and a fifth of it missing, in the unit of the encoding."""
    random = np.random.default_rng(11)
    noisy = depth * (1 + 0.005 * random.standard_normal(depth.shape))
    missing = (random.random(depth.shape) < 0.2) | np.isnan(depth)
    if encoding == '32FC1':
        return np.where(missing, random.choice([np.nan, 0.0, np.inf, -np.inf], depth.shape), noisy).astype(np.float32)
    return np.rint(np.where(missing, 0.0, noisy) * 1000).astype(np.uint16)


# -- what the issue asks for

@pytest.mark.parametrize('shape', ['ball', 'plate', 'pole'])
@pytest.mark.parametrize('name', CAMERAS)
def test_direction_and_distance_are_true(name: str, shape: str):
    camera, widest = CAMERAS[name], 1.2 if name == 'fisheye' else 0.85 * math.atan(320 / CAMERAS[name].focal_px)
    for number, (bearing, elevation, near_m, mask, depth) in enumerate(scenes(camera, shape, 5, widest)):
        encoding = ('16UC1', '32FC1')[number % 2]
        found = place(mask, LENSES[name], metres(encoding, as_sensors_give_it(depth, encoding)))
        assert degrees_off(found, bearing, elevation) < ISSUE_DEGREES
        assert percent_off(found, near_m) < ISSUE_PERCENT
        assert np.linalg.norm(found.position - towards(bearing, elevation) * near_m) < 0.022 * near_m
        assert found.why == ()


@pytest.mark.parametrize('shape', ['ball', 'plate', 'pole'])
@pytest.mark.parametrize('name', CAMERAS)
def test_the_direction_is_true_without_depth(name: str, shape: str):
    widest = 1.2 if name == 'fisheye' else 0.85 * math.atan(320 / CAMERAS[name].focal_px)
    for bearing, elevation, _, mask, _ in scenes(CAMERAS[name], shape, 3, widest, sideways=False):
        found = place(mask, LENSES[name])
        assert degrees_off(found, bearing, elevation) < ISSUE_DEGREES
        assert math.isnan(found.distance_m) and all(map(math.isnan, found.position))
        assert found.why == ()   # nothing went wrong: there is no depth


def test_a_rectified_picture_is_seen_through_p():
    camera = CAMERAS['plumb_bob']
    lens = Lens.from_info(**camera.info(), rectified=True)
    rectified = Camera('plumb_bob', (), 0.9 * camera.focal_px)
    for bearing, elevation, near_m, mask, depth in scenes(rectified, 'plate', 4, 0.5):
        # The picture's own principal point is another one than P's: moved there, it is P's picture.
        x, y = np.array(camera.info()['p'])[[2, 6]] - rectified.centre
        shift = np.float32([[1, 0, x], [0, 1, y]])
        mask = cv2.warpAffine(mask.view(np.uint8), shift, mask.shape[::-1], flags=cv2.INTER_NEAREST).view(bool)
        depth = cv2.warpAffine(depth, shift, depth.shape[::-1], flags=cv2.INTER_NEAREST)
        found = place(mask, lens, depth)
        assert degrees_off(found, bearing, elevation) < ISSUE_DEGREES
        assert percent_off(found, near_m) < ISSUE_PERCENT


def test_a_wall_that_fills_the_picture_is_as_far_as_it_is():
    """Not as far as the median of all straight lines to it, which is a sixth more."""
    mask = np.ones((480, 640), bool)
    lens = Lens(640, 480, (320.0, 320.0), (319.5, 239.5))
    found = place(mask, lens, np.full(mask.shape, 2.0, np.float32))
    assert found.distance_m == pytest.approx(2.0, rel=0.01)
    assert found.position == pytest.approx((0, 0, 2), abs=0.02)
    assert found.clock_hour == 12


# -- masks and depth as they are

def plate_at(bearing: float, near_m: float, size: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    return seen(PINHOLE, thing('plate', towards(bearing, 0.0), near_m, size, 0.0), behind_m=near_m + 3)


@pytest.mark.parametrize('shift', [(12, 0), (-12, 0), (0, 12)])
def test_a_mask_that_takes_in_background_still_gives_the_thing(shift: tuple[int, int]):
    mask, depth = plate_at(0.2, 2.0)
    spilled = mask | np.roll(mask, shift, (1, 0))
    assert spilled.sum() > 1.1 * mask.sum()
    found = place(spilled, PINHOLE_LENS, depth)
    assert percent_off(found, 2.0) < ISSUE_PERCENT
    assert degrees_off(found, 0.2, 0.0) < ISSUE_DEGREES


@pytest.mark.parametrize('behind_m', [2.7, 3.0, 5.0])
def test_less_than_half_a_mask_of_background_is_outvoted(behind_m: float):
    """Each far point stands for more area. Weighed before the background was left out, 40 % of it had the majority."""
    depth = np.full((480, 640), behind_m, np.float32)
    depth[200:300, 250:310] = 2.0
    mask = np.zeros(depth.shape, bool)
    mask[200:300, 250:350] = True
    found = place(mask, PINHOLE_LENS, depth)
    middle = PINHOLE_LENS.rays(np.array([[279.5, 249.5]]))[0] * 2.0
    assert found.position == pytest.approx(tuple(middle / middle[2] * 2.0), abs=0.02)


@pytest.mark.parametrize('width_px', [1, 2, 3, 5])
def test_what_is_thin_has_a_distance_too(width_px: int):
    depth = np.full((480, 640), 6.0, np.float32)
    mask = np.zeros(depth.shape, bool)
    mask[100:300, 320:320 + width_px] = True
    depth[mask] = 2.0
    found = place(mask, PINHOLE_LENS, depth)
    assert found.position[2] == pytest.approx(2.0, rel=0.01)


def test_the_outline_where_depth_is_blurred_is_left_out():
    mask, depth = plate_at(-0.1, 1.5)
    depth = cv2.blur(np.nan_to_num(depth, nan=1.5), (7, 7))
    assert percent_off(place(mask, PINHOLE_LENS, depth), 1.5) < 0.5


def test_a_dark_half_without_depth_moves_nothing():
    mask, depth = plate_at(0.0, 2.0)
    depth[:, :int(PINHOLE.centre[0])] = np.nan
    found = place(mask, PINHOLE_LENS, depth)
    assert degrees_off(found, 0.0, 0.0) < ISSUE_DEGREES
    assert percent_off(found, 2.0) < ISSUE_PERCENT


@pytest.mark.parametrize('known', [0.0, 0.02])
def test_too_little_depth_is_no_distance_but_still_a_direction(known: float):
    mask, depth = plate_at(0.1, 2.0)
    depth[np.random.default_rng(5).random(depth.shape) >= known] = np.nan
    found = place(mask, PINHOLE_LENS, depth)
    assert math.isnan(found.distance_m) and all(map(math.isnan, found.position))
    assert degrees_off(found, 0.1, 0.0) < ISSUE_DEGREES
    assert len(found.why) == 1 and 'pixels of the region have one; needed: at least 5, and 10% of them' in found.why[0]


def test_four_pixels_are_too_few():
    mask = np.zeros((480, 640), bool)
    mask[100:102, 100:102] = True
    depth = np.full(mask.shape, 2.0, np.float32)
    assert math.isnan(place(mask, PINHOLE_LENS, depth).distance_m)
    mask[102, 100] = True
    assert place(mask, PINHOLE_LENS, depth).position[2] == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize('size', [(320, 240), (160, 120), (1280, 960), (213, 160), (427, 320)])
def test_depth_of_another_size_is_scaled(size: tuple[int, int]):
    mask, depth = plate_at(-0.25, 2.5)
    found = place(mask, PINHOLE_LENS, cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST_EXACT))
    assert degrees_off(found, -0.25, 0.0) < ISSUE_DEGREES
    assert percent_off(found, 2.5) < ISSUE_PERCENT


@pytest.mark.parametrize('size', [(640, 360), (640, 400), (320, 320), (848, 480), (318, 240), (1, 1)])
def test_depth_of_another_shape_is_refused(size: tuple[int, int]):
    mask, depth = plate_at(0.0, 2.0)
    found = place(mask, PINHOLE_LENS, cv2.resize(depth, size))
    assert math.isnan(found.distance_m) and not math.isnan(found.bearing_rad)
    assert found.why == (f"depth is '{size[0]}x{size[1]} px'; allowed: 640x480 px as the picture, or that scaled with "
                         'the same width / height',)


# -- where the middle is

def test_two_things_in_one_region_are_not_between_them():
    mask = np.zeros((480, 640), bool)
    mask[200:260, 40:120] = mask[200:260, 500:600] = True
    found = place(mask, PINHOLE_LENS)
    pixel = math.tan(-found.bearing_rad) * PINHOLE.k[0] + PINHOLE.centre[0]
    assert round(pixel) in (119, 500)   # the edge of the one that is nearer to the middle


def test_of_two_things_with_depth_the_larger_is_meant():
    """Once the direction was that of one and the distance that of the other."""
    mask, depth = np.zeros((480, 640), bool), np.full((480, 640), 9.0, np.float32)
    mask[200:260, 40:120] = mask[200:260, 500:600] = True
    depth[200:260, 40:120], depth[200:260, 500:600] = 2.0, 4.0
    found = place(mask, PINHOLE_LENS, depth)
    middle = PINHOLE_LENS.rays(np.array([[549.5, 229.5]]))[0]
    assert found.position == pytest.approx(tuple(middle / middle[2] * 4.0), abs=0.03)


def test_an_angle_is_pointed_at_where_it_is():
    mask = np.zeros((480, 640), bool)
    mask[100:400, 100:120] = mask[380:400, 100:400] = True
    depth = np.where(mask, np.float32(3.0), np.float32(7.0))
    found = place(mask, PINHOLE_LENS, depth)
    x, y, z = found.position
    at = round(x / z * PINHOLE.k[0] + PINHOLE.centre[0]), round(y / z * PINHOLE.k[4] + PINHOLE.centre[1])
    assert mask[at[1], at[0]]
    assert z == pytest.approx(3.0, rel=0.01)


def test_large_regions_are_sampled_without_a_pattern():
    """Every n-th pixel of a region whose width is a multiple of n would be one column of it."""
    camera = Camera('plumb_bob', (), 1000.0, 1920, 1080)
    lens = Lens.from_info(**camera.info())
    for width in (256, 512, 1024):
        mask = np.zeros((1080, 1920), bool)
        mask[28:28 + width, 500:500 + width] = True
        left, right = lens.rays(np.array([[499.5, 540], [499.5 + width, 540]]))
        expected = (left / left[2] + right / right[2]) / 2
        found = place(mask, lens, np.full(mask.shape, 4.0, np.float32))
        assert math.degrees(found.bearing_rad) == pytest.approx(math.degrees(-math.atan(expected[0])), abs=0.2)


def test_the_same_scene_gives_the_same_place():
    mask, depth = plate_at(0.15, 2.0)
    assert place(mask, PINHOLE_LENS, depth) == place(mask, PINHOLE_LENS, depth)


# -- wide lenses

def test_a_fisheye_sees_beside_and_behind_itself():
    camera = Camera('equidistant', CAMERAS['fisheye'].d, 150.0, 900, 900)
    lens = Lens.from_info(**camera.info())
    for bearing in (1.3, -1.5, 1.7, -1.9):
        mask, depth = seen(camera, ball(towards(bearing, 0.1) * 2.0, 0.15))
        found = place(mask, lens, depth)
        assert degrees_off(found, bearing, 0.1) < ISSUE_DEGREES
        if abs(bearing) > 1.4:
            assert math.isnan(found.distance_m) and 'where a depth along it is no distance' in found.why[0]


def test_a_region_outside_what_the_lens_shows_is_unknown():
    lens = Lens(640, 480, (60.0, 60.0), (319.5, 239.5), (0.0, 0.0, 0.0, 0.0), fisheye=True)
    mask = np.zeros((480, 640), bool)
    mask[:40, :40] = True
    found = place(mask, lens, np.ones(mask.shape, np.float32))
    assert found.clock_hour == 0 and math.isnan(found.bearing_rad)
    assert found.words == 'in the upper left of the picture'
    assert len(found.why) == 1 and found.why[0].startswith('camera_info: by its distortion the lens shows nothing')


# -- binning and region of interest

def test_binning_and_a_window_change_the_lens_as_they_change_the_picture():
    camera = CAMERAS['plumb_bob']
    left, top, width, height = 160, 96, 400, 320
    for bearing, elevation, near_m, mask, depth in scenes(camera, 'plate', 3, 0.12):
        for bins in ((0, 0), (2, 2)):
            lens = Lens.from_info(**camera.info(), binning=bins, roi=(left, top, width, height))
            step = max(1, bins[0])
            window = np.s_[top:top + height:step, left:left + width:step]
            assert (lens.height, lens.width) == mask[window].shape
            found = place(np.ascontiguousarray(mask[window]), lens, depth[window])
            assert degrees_off(found, bearing, elevation) < ISSUE_DEGREES
            assert percent_off(found, near_m) < ISSUE_PERCENT
