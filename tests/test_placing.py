"""Lenses, units, frames and words: what a place is made of, and what is not said when something of it is unknown."""
from __future__ import annotations

import math
import re

import cv2
import numpy as np
import pytest
from surfaces import CAMERAS

from dam_ros.core import place_words, speakable
from dam_ros.core.distance import metres
from dam_ros.core.lens import Lens, Unplaceable, is_rectified
from dam_ros.core.placing import Place, clock_hour, is_optical, moved, place, rotation_of
from dam_ros.core.shape import PLACES

NAN = math.nan
GOOD = CAMERAS['plumb_bob'].info()
# Axes of a body (x forward, y left, z up) seen from those of a camera that looks ahead: REP-103.
AHEAD = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])


def angle_between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """rad, rows of length 1; exact for small angles too."""
    return np.arctan2(np.linalg.norm(np.cross(one, other), axis=1), (one * other).sum(axis=1))


def directions(widest: float, count: int = 4000) -> np.ndarray:
    """(count, 3) of length 1 within an angle of the optical axis."""
    random = np.random.default_rng(2)
    away, around = random.uniform(0, widest, count), random.uniform(-np.pi, np.pi, count)
    return np.stack([np.sin(away) * np.cos(around), np.sin(away) * np.sin(around), np.cos(away)], axis=1)


def turned(axis: tuple[float, float, float], angle: float) -> np.ndarray:
    return cv2.Rodrigues(np.array(axis, np.float64) * angle)[0]


# -- lenses

@pytest.mark.parametrize('name', CAMERAS)
def test_the_ray_of_a_point_in_the_picture_leads_back_to_it(name: str):
    camera = CAMERAS[name]
    rays = directions(1.4 if name == 'fisheye' else 0.9)
    pixels = camera.project(rays)
    shown = ((pixels >= 0) & (pixels <= (camera.width - 1, camera.height - 1))).all(axis=1)
    found = Lens.from_info(**camera.info()).rays(pixels[shown])
    assert shown.sum() > 500
    assert np.degrees(angle_between(found, rays[shown])).max() < 0.01
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-12


def test_a_fisheye_is_true_beyond_ninety_degrees_too():
    camera = CAMERAS['fisheye']
    rays = directions(2.2)
    found = Lens.from_info(**camera.info()).rays(camera.project(rays))
    assert (rays[:, 2] < 0).sum() > 500
    assert np.degrees(angle_between(found, rays)).max() < 1e-4


def test_a_fisheye_agrees_with_opencv_where_that_has_an_answer():
    camera = CAMERAS['fisheye']
    pixels = np.random.default_rng(3).uniform((120, 60), (520, 420), (500, 2))
    plane = cv2.fisheye.undistortPoints(pixels[:, None], np.array(camera.k).reshape(3, 3), np.array(camera.d))[:, 0]
    expected = np.column_stack([plane, np.ones(len(plane))])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.degrees(angle_between(Lens.from_info(**camera.info()).rays(pixels), expected)).max() < 1e-3


def test_the_middle_of_a_fisheye_looks_ahead():
    lens = Lens.from_info(**CAMERAS['fisheye'].info())
    assert lens.rays(np.array([lens.centre])).tolist() == [[0.0, 0.0, 1.0]]


def test_where_a_lens_shows_nothing_there_is_no_ray():
    turning = Lens.from_info(**{**GOOD, 'd': (-0.3, 0.0, 0.0, 0.0, 0.0)})   # turns back at r = 1.05, seen at 0.70
    reach = 0.70 * turning.focal[0]
    inner, outer = turning.rays(np.array([turning.centre]) + [[0.98 * reach, 0], [1.03 * reach, 0]])
    assert np.isfinite(inner).all() and np.isnan(outer).all()
    # This one at 1.83 rad, seen at 1.22.
    fisheye = Lens(640, 480, (100.0, 100.0), (320.0, 240.0), (-0.1, 0.0, 0.0, 0.0), fisheye=True)
    inner, outer = fisheye.rays(np.array([[320 + 120, 240], [320 + 124, 240]]))
    assert np.isfinite(inner).all() and np.isnan(outer).all()


@pytest.mark.parametrize('rectified, number', [(False, 'k'), (True, 'p')])
def test_captured_pictures_are_seen_through_k_and_d_and_rectified_ones_through_p(rectified: bool, number: str):
    lens = Lens.from_info(**GOOD, rectified=rectified)
    row = 4 if rectified else 3
    assert lens.focal == (GOOD[number][0], GOOD[number][row + 1])
    assert lens.centre == (GOOD[number][2], GOOD[number][row + 2])
    assert lens.coefficients == (() if rectified else GOOD['d'])


def test_a_stereo_camera_is_turned_and_not_shifted():
    rotation = turned((0.1, 1.0, 0.2), 0.02)
    p = [*GOOD['p'][:3], -30.0, *GOOD['p'][4:]]   # Tx of a right camera
    captured = Lens.from_info(**{**GOOD, 'r': rotation.ravel(), 'p': p})
    rectified = Lens.from_info(**{**GOOD, 'r': rotation.ravel(), 'p': p}, rectified=True)
    pixels = np.random.default_rng(4).uniform((50, 50), (590, 430), (100, 2))
    matrix, d = np.array(GOOD['k']).reshape(3, 3), np.array(GOOD['d'])
    same = cv2.undistortPointsIter(pixels[:, None], matrix, d, rotation, np.array(p).reshape(3, 4)[:, :3],
                                   (3, 100, 1e-9))[:, 0]
    one, other = captured.in_frame(captured.rays(pixels)), rectified.in_frame(rectified.rays(same))
    assert np.degrees(angle_between(one, other)).max() < 0.01
    assert np.degrees(angle_between(one, captured.rays(pixels))).min() > 0.5


def test_an_r_that_was_left_out_turns_nothing():
    assert Lens.from_info(**{**GOOD, 'r': (0.0,) * 9}) == Lens.from_info(**GOOD)


@pytest.mark.parametrize('changes', [{'d': ()}, {'d': (), 'distortion_model': ''}, {'d': (0.0,) * 5},
                                     {'d': (0.0,) * 5, 'distortion_model': 'none'}])
def test_no_distortion_can_be_said_in_several_ways(changes: dict):
    lens = Lens.from_info(**{**GOOD, **changes})
    assert lens.rays(np.array([[lens.centre[0] + lens.focal[0], lens.centre[1]]])) == pytest.approx(
        np.array([[1, 0, 1]]) / math.sqrt(2))


@pytest.mark.parametrize('binning, roi, size, centre', [
    ((0, 0), (0, 0, 0, 0), (640, 480), (300.0, 200.0)), ((1, 1), (0, 0, 640, 480), (640, 480), (300.0, 200.0)),
    ((2, 4), (0, 0, 0, 0), (320, 120), (150.0, 50.0)), ((0, 0), (100, 40, 320, 240), (320, 240), (200.0, 160.0)),
    ((2, 2), (100, 40, 321, 240), (160, 120), (100.0, 80.0))])
@pytest.mark.parametrize('rectified', [False, True])
def test_binning_and_window_as_in_image_geometry(binning: tuple, roi: tuple, size: tuple, centre: tuple,
                                                 rectified: bool):
    k = (400.0, 0, 300, 0, 440, 200, 0, 0, 1)
    p = (400.0, 0, 300, 0, 0, 440, 200, 0, 0, 0, 1, 0)
    lens = Lens.from_info(640, 480, 'plumb_bob', (), k, GOOD['r'], p, binning, roi, rectified)
    assert ((lens.width, lens.height), lens.centre) == (size, centre)
    assert lens.focal == (400 / max(1, binning[0]), 440 / max(1, binning[1]))


BAD_INFOS = [
    ({'k': (0.0,) * 9, 'p': (0.0,) * 12, 'd': ()}, r'k\[0\] is 0; .*The camera is not calibrated'),
    ({'k': (math.nan, *GOOD['k'][1:])}, r'k is \[nan'),
    ({'k': (-400.0, *GOOD['k'][1:])}, r'the focal length of k is \(-400.0'),
    ({'k': (400.0, 0, 320, 0, 0, 240, 0, 0, 1)}, r'the focal length of k is \(400.0, 0.0\); allowed: above 0 px'),
    ({'k': (400.0, 0, 320)}, 'k is .*; allowed: 9 finite numbers'),
    ({'d': (math.inf, 0, 0, 0, 0)}, r'd is \[inf'),
    ({'d': (0.1, 0.2, 0.3)}, r'd of plumb_bob is \[0.1, 0.2, 0.3\]; allowed: 0 or 4 or 5 or 8 or 12 or 14 numbers'),
    ({'distortion_model': 'equidistant'}, 'd of equidistant is .*; allowed: 4 numbers'),
    ({'distortion_model': 'omni'}, "distortion_model is 'omni'; allowed: plumb_bob, rational_polynomial, equidistant"),
    ({'distortion_model': ''}, 'd of no model is .*; allowed: 0 numbers'),
    ({'r': (2.0, 0, 0, 0, 2, 0, 0, 0, 2)}, 'r is .*; allowed: a rotation'),
    ({'r': (-1.0, 0, 0, 0, 1, 0, 0, 0, 1)}, 'r is .*; allowed: a rotation'),
    ({'r': (math.nan,) * 9}, 'r is .*; allowed: 9 finite numbers'),
    ({'width': 0}, "the size is '0x480 px'"),
    ({'binning': (1000, 1)}, 'the focal length of k|the size'),
    ({'p': (0.0,) * 12, 'rectified': True}, r'the focal length of p is \(0.0, 0.0\)'),
    ({'p': (math.nan,) * 12}, 'p is .*; allowed: 12 finite numbers'),
]


@pytest.mark.parametrize('changes, complaint', BAD_INFOS)
def test_a_camera_info_that_cannot_be_used_says_why(changes: dict, complaint: str):
    with pytest.raises(Unplaceable, match=f'^camera_info: (?:{complaint})'):
        Lens.from_info(**{**GOOD, **changes})


def test_a_rectified_picture_needs_no_model_that_we_know():
    assert Lens.from_info(**{**GOOD, 'distortion_model': 'omni', 'd': (1.0,) * 3}, rectified=True).coefficients == ()


@pytest.mark.parametrize('topic, rectified', [
    ('/image_rect', True), ('/front/image_rect_color', True), ('/camera/image_rect/compressed', True),
    ('/camera/infra1/image_rect_raw', True), ('/zed/rgb/rect/image', True), ('/left/rectified_image', True),
    ('/zed/rgb/color/rect/image/compressed', True), ('image_rect/ffmpeg', True),
    ('/image', False), ('/image_raw', False), ('/camera/image_color', False), ('/image_raw/compressed', False),
    ('/camera/direct/image', False), ('/rectangle/image', False), ('/image_unrectified', False),
    ('/rect_robot/image', False), ('/zed/rgb/raw/image', False), ('/image_rect/other', False),
    ('', False), ('/', False)])
def test_auto_goes_by_the_name_of_the_topic(topic: str, rectified: bool):
    assert is_rectified('auto', topic) is rectified
    assert is_rectified('yes', topic) and not is_rectified('no', topic)


def test_beyond_the_turning_point_of_a_polynomial_there_is_no_direction():
    """Distorting again what the search ends with gives the pixel, but light of there arrives nearer to the middle."""
    lens = Lens(2000, 2000, (600.0, 600.0), (1000.0, 1000.0), (0.3, -0.6, 0.0, 0.0, 0.1))
    rays = lens.rays(np.column_stack([np.arange(1000, 2000, 10), np.full(100, 1000)]))
    angles = np.degrees(np.arccos(rays[:, 2]))
    known = np.isfinite(angles)
    assert known[:44].all() and not known[49:].any(), 'the turning point is at 0.814 focal lengths, 488 px'
    assert np.all(np.diff(angles[known]) > 0) and np.nanmax(angles) < 45


def test_whatever_numbers_come_nothing_breaks():
    """Finite nonsense gives a place or a reason, and no warning of numpy on the way."""
    random, mask = np.random.default_rng(12), np.zeros((48, 64), bool)
    mask[5:30, 3:50] = True
    reasons = 0
    with np.errstate(all='raise', under='ignore'):
        for number in range(300):
            camera = list(CAMERAS.values())[number % len(CAMERAS)]
            size = 10.0 ** random.uniform(-3, 3)
            d = size * random.standard_normal(len(camera.d))
            info = {**camera.info(), 'width': 64, 'height': 48, 'd': tuple(d)}
            info['k'] = tuple(np.array(info['k']) * 10.0 ** random.uniform(-2, 2))
            depth = (10.0 ** random.uniform(-37, 37, mask.shape)).astype(np.float32)
            found = place(mask, Lens.from_info(**info), metres('32FC1', depth))
            assert math.isnan(found.bearing_rad) or abs(found.bearing_rad) <= math.pi
            assert math.isnan(found.distance_m) or found.distance_m > 0
            assert not math.isnan(found.distance_m) or found.why
            reasons += bool(found.why)
    assert 0 < reasons < 300


# -- depth

def test_depth_is_metres_and_what_is_none_is_nan():
    nan = np.float32(NAN)
    millimetres = np.array([[0, 1, 1500, 65535]], np.uint16)
    for encoding in ('16UC1', 'mono16'):
        np.testing.assert_allclose(metres(encoding, millimetres), np.float32([[nan, 0.001, 1.5, 65.535]]), rtol=1e-6)
    found = metres('32FC1', np.float32([[nan, 0, -1, np.inf, -np.inf, 1.5]]))
    np.testing.assert_array_equal(found, np.float32([[nan, nan, nan, nan, nan, 1.5]]))
    assert found.dtype == metres('16UC1', millimetres).dtype == np.float32


@pytest.mark.parametrize('encoding', ['mono8', '8UC1', '32SC1', '16SC1', '64FC1', '32FC2', 'rgb8', ''])
def test_depth_in_unknown_units_is_refused_by_name(encoding: str):
    with pytest.raises(Unplaceable, match=rf'depth.encoding is {encoding!r}; allowed: 32FC1, 16UC1, mono16'):
        metres(encoding, np.ones((2, 2), np.uint16))


def test_a_depth_picture_is_not_changed():
    given = np.float32([[0.0, -1.0, 2.0]])
    metres('32FC1', given)
    assert given.tolist() == [[0.0, -1.0, 2.0]]


# -- what is unknown is unsaid

def upper_left() -> np.ndarray:
    mask = np.zeros((480, 640), bool)
    mask[10:60, 20:80] = True
    return mask


def assert_unknown(found: Place) -> None:
    assert all(map(math.isnan, (found.bearing_rad, found.elevation_rad, found.distance_m, *found.position)))
    assert found.clock_hour == 0


def test_without_camera_info_the_place_in_the_picture_is_said_and_nothing_else():
    found = place(upper_left(), None, np.full((480, 640), 2.0, np.float32))
    assert_unknown(found)
    assert found.words == 'in the upper left of the picture'
    assert found.why == ()


def test_camera_info_of_another_size_is_a_stated_unknown():
    lens = Lens.from_info(**{**GOOD, 'width': 1280, 'height': 960})
    found = place(upper_left(), lens, np.full((480, 640), 2.0, np.float32))
    assert_unknown(found)
    assert found.words == 'in the upper left of the picture'
    assert found.why == ("camera_info: the size is '1280x960 px'; allowed: 640x480 px as the picture",)


def test_nothing_is_known_of_nothing():
    assert_unknown(Place())
    assert (Place().words, Place().in_picture, Place().why) == ('', '', ())


# -- other frames

def a_place(bearing: float, elevation: float, distance_m: float) -> Place:
    ray = np.array([-math.sin(bearing) * math.cos(elevation), -math.sin(elevation),
                    math.cos(bearing) * math.cos(elevation)])
    return Place(bearing, elevation, distance_m, tuple(ray * distance_m), 'left')


def test_axes_of_bodies_and_of_cameras_give_the_same_angles():
    for bearing in (-1.2, -0.3, 0.0, 0.7):
        for elevation in (-0.5, 0.0, 0.4):
            here = a_place(bearing, elevation, 2.0)
            body = moved(here, AHEAD, (0, 0, 0), optical=False)
            camera = moved(here, np.eye(3), (0, 0, 0), optical=True)
            for there in (body, camera):
                assert (there.bearing_rad, there.elevation_rad, there.distance_m) == pytest.approx(
                    (bearing, elevation, 2.0))
            x, y, z = here.position
            assert body.position == pytest.approx((z, -x, -y)) and camera.position == pytest.approx(here.position)


def test_a_camera_on_the_left_that_looks_left():
    """What it sees straight ahead is at the robot's 9 o'clock, farther by half the robot."""
    there = moved(a_place(0.0, 0.0, 1.0), turned((0, 0, 1), math.pi / 2) @ AHEAD, (0.0, 0.3, 0.0), optical=False)
    assert there.position == pytest.approx((0, 1.3, 0), abs=1e-9)
    assert there.distance_m == pytest.approx(1.3)
    assert there.bearing_rad == pytest.approx(math.pi / 2)
    assert there.words == "9 o'clock, one metre"


def test_moving_there_and_back_changes_nothing():
    random = np.random.default_rng(8)
    for _ in range(50):
        here = a_place(random.uniform(-1, 1), random.uniform(-1, 1), random.uniform(0.2, 9))
        rotation, offset = turned(random.standard_normal(3), 1.0), random.uniform(-2, 2, 3)
        back = moved(moved(here, rotation, offset, optical=False), rotation.T, -rotation.T @ offset, optical=True)
        assert back.position == pytest.approx(here.position)
        assert (back.bearing_rad, back.elevation_rad, back.distance_m) == pytest.approx(
            (here.bearing_rad, here.elevation_rad, here.distance_m))
        assert (back.in_picture, back.why) == (here.in_picture, here.why)


def test_a_direction_alone_can_be_turned():
    there = moved(a_place(0.3, 0.1, NAN), turned((0, 0, 1), 0.5) @ AHEAD, (0, 0, 0), optical=False)
    assert (there.bearing_rad, there.elevation_rad) == pytest.approx((0.8, 0.1))
    assert math.isnan(there.distance_m) and all(map(math.isnan, there.position))


def test_a_direction_alone_is_not_known_from_beside_the_camera():
    """At half a metre 20 cm to the side are 22 degrees; which it is, a direction does not say."""
    there = moved(a_place(0.3, 0.1, NAN), AHEAD, (0.2, 0.0, 1.0), optical=False)
    assert_unknown(there)
    assert there.words == 'on the left of the picture'


def test_a_bearing_alone_is_known_from_right_below_the_camera():
    there = moved(a_place(0.3, 0.1, NAN), AHEAD, (0.0, 0.0, 1.2), optical=False)
    assert there.bearing_rad == pytest.approx(0.3) and math.isnan(there.elevation_rad)
    assert there.words == "11 o'clock"
    above = moved(a_place(0.3, 0.1, NAN), np.eye(3), (0.0, -1.2, 0.0), optical=True)   # y points down
    assert above.bearing_rad == pytest.approx(0.3) and math.isnan(above.elevation_rad)


def test_what_was_unknown_stays_unknown():
    assert_unknown(moved(Place(in_picture='top'), AHEAD, (0.1, 0.2, 0.3), optical=False))
    assert_unknown(moved(Place(), AHEAD, (0, 0, 0), optical=False))


def test_quaternions_turn_as_they_do_in_transforms():
    quarter = math.sqrt(0.5)
    assert rotation_of(0, 0, quarter, quarter) @ (1, 0, 0) == pytest.approx((0, 1, 0))
    assert rotation_of(-0.5, 0.5, -0.5, 0.5) == pytest.approx(AHEAD)   # base_link to a camera's optical frame
    random = np.random.default_rng(9)
    for _ in range(20):
        axis, angle = random.standard_normal(3), random.uniform(0, 3)
        axis /= np.linalg.norm(axis)
        x, y, z = axis * math.sin(angle / 2) * 1.01   # of length 1 but for rounding
        assert rotation_of(x, y, z, math.cos(angle / 2) * 1.01) == pytest.approx(turned(axis, angle))


@pytest.mark.parametrize('quaternion', [(0.0, 0, 0, 0), (NAN, 0, 0, 1), (0, math.inf, 0, 1)])
def test_a_transform_that_turns_nowhere_is_unknown(quaternion: tuple):
    with pytest.raises(Unplaceable, match='transform.rotation is .*; allowed: a quaternion of length 1'):
        rotation_of(*quaternion)


@pytest.mark.parametrize('frame, optical', [('camera_optical_frame', True), ('front/left_optical', True),
                                            ('base_link', False), ('camera_link', False), ('optical_table', False)])
def test_optical_frames_are_known_by_their_suffix(frame: str, optical: bool):
    assert is_optical(frame) is optical


# -- words

@pytest.mark.parametrize('degrees, hour', [
    (0, 12), (14.9, 12), (-14.9, 12), (-15.1, 1), (15.1, 11), (-30, 1), (-60, 2), (-90, 3), (-120, 4), (-150, 5),
    (-180, 6), (180, 6), (164.9, 7), (165.1, 6), (150, 7), (120, 8), (90, 9), (60, 10), (30, 11)])
def test_hours_of_the_clock(degrees: float, hour: int):
    assert clock_hour(math.radians(degrees)) == hour


def test_every_bearing_has_the_nearest_hour():
    for bearing in np.linspace(-math.pi, math.pi, 1001):
        of_hour = -math.radians(30) * clock_hour(bearing)
        assert abs(math.remainder(bearing - of_hour, 2 * math.pi)) <= math.radians(15) + 1e-9
    assert clock_hour(NAN) == 0


@pytest.mark.parametrize('metre, words', [
    (0.0, 'less than half a metre'), (0.499, 'less than half a metre'), (0.5, 'half a metre'), (0.999, 'half a metre'),
    (1.0, 'one metre'), (1.499, 'one metre'), (1.5, 'one and a half metres'), (1.999, 'one and a half metres'),
    (float(np.float32(1.5) - np.float32(1e-6)), 'one and a half metres'), (2.0, 'two metres'),
    (4.7, 'four and a half metres'), (5.0, 'five metres'), (5.9, 'five metres'), (12.0, 'twelve metres'),
    (19.99, 'nineteen metres'), (20.0, 'twenty metres'), (29.9, 'twenty metres'), (99.0, 'ninety metres'),
    (100.0, 'a hundred metres'), (109.0, 'a hundred metres'), (110.0, 'more than a hundred metres'),
    (1e9, 'more than a hundred metres')])
def test_distances_in_words(metre: float, words: str):
    assert place_words.distance(metre) == words


def test_distances_are_never_rounded_up():
    numbers = {word: number for number, word in enumerate(place_words._UNITS, 1)}
    numbers |= {word: 10 * number for number, word in enumerate(place_words._TENS, 1)}
    for metre in np.random.default_rng(6).uniform(0.5, 109, 3000):
        words = place_words.distance(metre)
        said = 0.5 if words == 'half a metre' else numbers[re.sub(' and a half| metres?', '', words)]
        said += 0.5 * ('and a half' in words)
        assert said <= metre + 1e-3
        assert metre - said < (0.5 if metre < 5 else 1.0 if metre < 20 else 10.0)


@pytest.mark.parametrize('hour, metre, picture, words', [
    (2, 1.5, 'right', "2 o'clock, one and a half metres"), (12, 0.2, '', "12 o'clock, less than half a metre"),
    (9, NAN, 'left', "9 o'clock"), (0, NAN, 'middle', 'in the middle of the picture'), (0, NAN, '', '')])
def test_one_phrase(hour: int, metre: float, picture: str, words: str):
    assert place_words.where(hour, metre, picture) == words


def test_every_phrase_can_be_spoken_and_promises_nothing():
    said = [place_words.where(0, NAN, one) for one in PLACES]
    said += [place_words.where(hour, metre) for hour in range(1, 13) for metre in (NAN, *np.arange(0, 120, 0.5))]
    assert set(place_words.IN_PICTURE) == set(PLACES)
    for phrase in said:
        assert speakable.pronounceable(phrase)
        assert not re.search(r'\b(clear|safe|free|empty|no)\b|nan|_', phrase)
