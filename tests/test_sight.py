"""Whether a camera sees: on real photographs, darkened, covered and blurred; and in time."""
from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from dam_ros.core.encoded import Encoded, Layout
from dam_ros.core.encodings import PICTURES
from dam_ros.core.errors import NoFrame
from dam_ros.core.glance import grey, resized
from dam_ros.core.sighting import (BLURRED, COVERED, DARK, FROZEN, GOOD, NO_PICTURE, OFF, WIDTH_PX, Limits, Measured,
                                   Sighting, judged, measured)

PHOTOS = sorted((Path(__file__).resolve().parent.parent / 'examples' / 'photos').glob('*.jpg'))
LIMITS = Limits()
CLEAR, NIGHT, SMOOTH, SOFT = (Measured(200, 0.8, 0.002), Measured(10, 0.8, 0.002), Measured(200, 0.01, 0.002),
                              Measured(200, 0.8, 0.01))
every_photo = pytest.mark.parametrize('photo', PHOTOS, ids=lambda path: path.stem)


def load(path: Path) -> np.ndarray:
    """Grey, 1280 px wide: sigmas below are in these px."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return cv2.resize(pixels, (1280, round(1280 * pixels.shape[0] / pixels.shape[1])), interpolation=cv2.INTER_AREA)


def noisy(pixels: np.ndarray, sigma: float = 3.0) -> np.ndarray:
    """With the noise of a sensor."""
    noise = np.random.default_rng(3).standard_normal(pixels.shape, np.float32) * sigma
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def told(pixels: np.ndarray) -> int:
    """What is said of such a picture."""
    small = resized(pixels, (WIDTH_PX, round(WIDTH_PX * pixels.shape[0] / pixels.shape[1])))
    return judged(measured(small), LIMITS, GOOD)


# -- one picture ------------------------------------------------------------------------------------------------


@every_photo
def test_real_photographs_are_good(photo: Path):
    """Also the one of a bridge at night, Saturn's, tea gardens in fog, and those that are mostly out of focus."""
    assert told(load(photo)) == GOOD
    assert told(noisy(load(photo), 10)) == GOOD


@every_photo
def test_a_defocused_photograph_is_blurred_and_a_slightly_soft_one_is_not(photo: Path):
    pixels = load(photo)
    assert told(noisy(cv2.GaussianBlur(pixels, (0, 0), 3), 3)) == GOOD
    assert told(noisy(cv2.GaussianBlur(pixels, (0, 0), 14), 3)) == BLURRED
    assert told(noisy(cv2.GaussianBlur(pixels, (0, 0), 14), 8)) == BLURRED


@every_photo
def test_motion_across_a_picture_is_no_defocus(photo: Path):
    """A turning camera blurs along the row only; 20 px are 30 degrees a second at 1/30 s."""
    assert told(noisy(cv2.blur(load(photo), (20, 1)), 3)) == GOOD


@every_photo
def test_next_to_no_light_is_dark(photo: Path):
    assert told(noisy(load(photo) / 16)) == DARK


@every_photo
def test_fog_is_no_defocus_and_dense_fog_covers(photo: Path):
    """What is seen through it has 15 % or 2 % of its contrast."""
    pixels = load(photo)
    assert told(noisy(pixels * 0.15 + 150, 2)) in (GOOD, COVERED)
    assert told(noisy(pixels * 0.02 + 190, 2)) == COVERED


@pytest.mark.parametrize('sigma', [0.0, 1.0, 3.0, 6.0, 10.0])
@pytest.mark.parametrize('width', [320, 640, 1280])
@pytest.mark.parametrize('level', [60, 128, 220, 255])
def test_paper_on_the_lens_covers_it(level: int, width: int, sigma: float):
    """Uniform but for the shading of a lens towards its corners, and noise."""
    y, x = np.mgrid[-1:1:width * 9 // 16 * 1j, -1:1:width * 1j]
    assert told(noisy(level * (1 - 0.3 * (x ** 2 + y ** 2) / 2), sigma)) == COVERED


def test_a_lens_cap_is_dark():
    assert told(noisy(np.full((720, 1280), 4.0))) == DARK
    assert told(np.zeros((720, 1280), np.uint8)) == DARK


def test_a_finger_with_light_at_its_side_is_no_good_picture():
    y, x = np.mgrid[0:720, 0:1280]
    assert told(noisy(60 + 150 * np.exp(-((x - 1300) / 200.0) ** 2))) == COVERED
    assert told(noisy(40 + 200 * np.exp(-((x - 1300) / 300.0) ** 2 - (y / 300.0) ** 2))) in (COVERED, BLURRED)


def test_a_hand_over_half_of_a_picture_leaves_the_other_half():
    pixels = load(PHOTOS[4])
    pixels[:, :640] = 60
    assert told(noisy(pixels)) == GOOD


def test_at_its_limit_a_state_remains():
    edge = [Measured(LIMITS.dark * 1.1, 0.8, 0.002), Measured(200, LIMITS.contrast * 1.1, 0.002),
            Measured(200, 0.8, LIMITS.blur / 1.1)]
    assert [judged(one, LIMITS, GOOD) for one in edge] == [GOOD] * 3
    assert [judged(one, LIMITS, before) for one, before in zip(edge, (DARK, COVERED, BLURRED))] == [
        DARK, COVERED, BLURRED]


# -- pictures in time -------------------------------------------------------------------------------------------


class Eye:
    """Pictures at 10 Hz; every fifth is judged, as in the node."""

    def __init__(self):
        self.now, self.sighting, self.said = 100.0, Sighting(100.0), []

    def see(self, found: Measured | None, seconds: float, same: bool = False) -> set[int]:
        """What was said meanwhile. None: nothing comes."""
        begun = len(self.said)
        for number in range(round(seconds * 10)):
            self.now += 0.1
            if found is not None:
                self.sighting.came(self.now, same)
                if number % 5 == 0:
                    self.sighting.looks(self.now, found, LIMITS)
            self.said.append(self.sighting.state(self.now, LIMITS))
        return set(self.said[begun:])


@pytest.mark.parametrize(('seen_s', 'state'), [(0.0, OFF), (5.0, GOOD)], ids=['nothing is known before', 'it saw'])
def test_no_picture_for_three_seconds_and_back_at_once(seen_s: float, state: int):
    eye = Eye()
    eye.see(CLEAR, seen_s)
    assert eye.see(None, 2.9) == {state}
    eye.see(None, 0.3)
    assert eye.see(None, 9.0) == {NO_PICTURE}
    assert eye.see(CLEAR, 0.2) == {GOOD}


def test_the_same_picture_for_five_seconds_is_frozen_and_another_ends_it():
    eye = Eye()
    eye.see(CLEAR, 2.0)
    assert eye.see(CLEAR, 4.9, same=True) == {GOOD}
    eye.see(CLEAR, 0.3, same=True)
    assert eye.see(CLEAR, 20.0, same=True) == {FROZEN}
    assert eye.see(CLEAR, 0.1) == {GOOD}


def test_a_camera_that_was_frozen_and_sends_nothing_has_no_picture():
    eye = Eye()
    eye.see(CLEAR, 10.0, same=True)
    eye.see(None, 3.1)
    assert eye.see(None, 3.0) == {NO_PICTURE}


@pytest.mark.parametrize(('found', 'state'), [(NIGHT, DARK), (Measured(255, 0.0, 0.0), COVERED)])
def test_where_pixels_are_black_or_white_the_same_picture_is_no_fault(found: Measured, state: int):
    eye = Eye()
    eye.see(found, 2.0)
    assert eye.see(found, 20.0, same=True) == {state}


def test_a_grey_picture_without_noise_is_of_no_camera():
    eye = Eye()
    eye.see(SMOOTH, 8.0, same=True)
    assert eye.see(SMOOTH, 5.0, same=True) == {FROZEN}


@pytest.mark.parametrize(('found', 'state'), [(NIGHT, DARK), (SMOOTH, COVERED), (SOFT, BLURRED)])
def test_a_state_counts_after_a_second(found: Measured, state: int):
    eye = Eye()
    eye.see(CLEAR, 2.0)
    assert eye.see(found, 1.0) == {GOOD}
    eye.see(found, 0.5)
    assert eye.see(found, 5.0) == {state}
    assert eye.see(CLEAR, 1.0) == {state}
    eye.see(CLEAR, 0.5)
    assert eye.see(CLEAR, 5.0) == {GOOD}


def test_what_comes_and_goes_is_not_told():
    eye = Eye()
    eye.see(CLEAR, 2.0)
    assert [eye.see(one, 0.9) for one in (NIGHT, CLEAR, SOFT, NIGHT, SMOOTH, CLEAR) * 5] == [{GOOD}] * 30


def test_the_limits_are_parameters_and_never_is_zero():
    sighting = Sighting(0.0)
    sighting.looks(0.0, Measured(60, 0.2, 0.002), Limits(dark=80.0))
    assert sighting.state(0.1, LIMITS) == DARK
    sighting.came(0.0, False)
    sighting.looks(0.0, CLEAR, LIMITS), sighting.looks(2.0, CLEAR, LIMITS)
    for tenth in range(300):
        sighting.came(tenth / 10, True)
    assert sighting.state(30.0, Limits(frozen_s=0.0)) == GOOD
    assert sighting.state(30.0, Limits(frozen_s=29.0)) == FROZEN
    assert sighting.state(34.0, Limits(frozen_s=0.0)) == NO_PICTURE
    assert sighting.state(34.0, Limits(frozen_s=0.0, lost_s=10.0)) == GOOD


# -- the quick look ---------------------------------------------------------------------------------------------


def as_sent(encoding: str, luma: np.ndarray) -> tuple[bytes, int]:
    """(data, bytes per row) of a grey picture (H, W)."""
    known, (height, width) = PICTURES[encoding], luma.shape
    if known.chroma is not None:
        rows = known.chroma.strides * height // known.chroma.shared
        return np.concatenate([luma, np.full((rows, width), 128, np.uint8)]).tobytes(), width
    if encoding in ('yuyv', 'yuv422_yuy2', 'uyvy', 'yuv422'):
        colour = np.full_like(luma, 128)
        both = (luma, colour) if encoding.startswith(('yuyv', 'yuv422_')) else (colour, luma)
        return np.dstack(both).tobytes(), 2 * width
    wide = np.repeat(luma.astype(known.dtype)[..., None], known.channels, axis=2)
    return (wide * wide.dtype.type(257 if wide.dtype.itemsize == 2 else 1)).tobytes(), wide.nbytes // height


@pytest.mark.parametrize('width', [64, 640])
@pytest.mark.parametrize('encoding', PICTURES)
def test_a_quick_look_sees_what_a_whole_one_does(encoding: str, width: int):
    luma = cv2.resize(load(PHOTOS[4]), (width, width // 2), interpolation=cv2.INTER_AREA)
    data, step = as_sent(encoding, luma)
    seen = grey(Encoded(data, Layout(encoding, width, width // 2, step)), 64)
    assert (seen.shape, seen.dtype) == ((32, 64), np.uint8)
    assert np.corrcoef(seen.ravel(), resized(luma, (64, 32)).ravel())[0, 1] > 0.95
    whole = cv2.cvtColor(Encoded(data, Layout(encoding, width, width // 2, step)).pixels(), cv2.COLOR_RGB2GRAY)
    assert np.abs(seen.astype(int) - resized(whole, (64, 32))).mean() < 2.0


def test_colours_weigh_as_they_are_seen_and_rows_may_be_padded():
    bgr = np.zeros((100, 200, 3), np.uint8)
    bgr[..., 2] = 200
    padded = np.zeros((100, 607), np.uint8)
    padded[:, :600] = bgr.reshape(100, 600)
    assert grey(Encoded(padded.tobytes()[:-7], Layout('bgr8', 200, 100, 607)), 20) == pytest.approx(60, abs=1)
    assert grey(Encoded(padded.tobytes(), Layout('rgb8', 200, 100, 607)), 20) == pytest.approx(23, abs=1)


@pytest.mark.parametrize('width', [100, 320, 640, 1280, 3000])
@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp'])
def test_files_are_decoded_as_small_as_is_enough(suffix: str, width: int):
    pixels = cv2.resize(load(PHOTOS[4]), (width, width * 9 // 16), interpolation=cv2.INTER_AREA)
    seen = grey(Encoded(cv2.imencode(suffix, pixels)[1].tobytes()), 320)
    size = min(320, width), round(width * 9 // 16 * min(320, width) / width)
    assert seen.shape == size[::-1]
    assert np.abs(seen.astype(int) - resized(pixels, size)).mean() < 2.0


@pytest.mark.parametrize('picture', [
    Encoded(b'nothing', source='it'), Encoded(b'\xff\xd8\xff\xe0' + bytes(20), source='it'),
    Encoded(bytes(10), Layout('bgr8', 100, 100, 300), source='it'),
    Encoded(bytes(40000), Layout('32FC1', 100, 100, 400), source='it')])
def test_what_is_no_picture_is_named(picture: Encoded):
    with pytest.raises(NoFrame, match='^it '):
        grey(picture, 320)


def test_measuring_needs_no_edge():
    assert measured(np.full((4, 4), 100, np.uint8)).contrast == pytest.approx(0, abs=1e-3)
    assert math.isinf(measured(np.full((180, 320), 100, np.uint8)).blur)
