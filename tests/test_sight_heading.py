"""How far a camera has turned: seen in real photographs through which it looks around, and told by tf."""
from __future__ import annotations

from collections.abc import Sequence
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from dam_ros.core.camera_motion import Aim, assumed_rays
from dam_ros.core.glance import resized
from dam_ros.core.lens import Lens
from dam_ros.core.told_heading import ToldHeading
from dam_ros.core.turning import upright
from dam_ros.core.visual_heading import VisualHeading, size_of

PHOTOS = sorted((Path(__file__).resolve().parent.parent / 'examples' / 'photos').glob('*.jpg'))
PLAIN = {'bridge_at_night', 'dune', 'rocket', 'saturn', 'tea_gardens', 'tower_through_ring', 'wren'}   # large parts are
WIDTH, HEIGHT, FOV = 320, 180, math.radians(60)
ROUND_DEG = 130        # of the panorama that a photograph is taken for
PERIOD_S = 0.1
every_photo = pytest.mark.parametrize('photo', PHOTOS, ids=lambda path: path.stem)
DETAILED = [one for one in PHOTOS if one.stem not in PLAIN]
in_detail = pytest.mark.parametrize('photo', DETAILED, ids=lambda path: path.stem)
NOISE = np.random.default_rng(7).standard_normal((8, HEIGHT, WIDTH), np.float32) * 3


class Panorama:
    """A photograph bent around the camera, and what the camera sees of it."""

    def __init__(self, photo: Path):
        self._pixels = cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE)
        self._count = 0

    def view(self, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, light: float = 1.0) -> np.ndarray:
        """uint8 (HEIGHT, WIDTH) with noise. Args: rad; yaw to the left."""
        x, y, z = np.moveaxis(assumed_rays(HEIGHT, WIDTH, FOV), -1, 0)
        x, y = x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)
        y, z = y * math.cos(pitch) - z * math.sin(pitch), y * math.sin(pitch) + z * math.cos(pitch)
        height, width = self._pixels.shape
        per_rad = width / math.radians(ROUND_DEG)
        around, up = np.arctan2(x, z) - yaw, y / np.hypot(x, z)
        seen = cv2.remap(self._pixels, np.float32(width / 2 + per_rad * around), np.float32(height / 2 + per_rad * up),
                         cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return self.noisy(seen * light)

    def noisy(self, pixels: np.ndarray) -> np.ndarray:
        self._count += 1
        return np.clip(pixels + NOISE[self._count % len(NOISE)], 0, 255).astype(np.uint8)


class Looker:
    """Shows pictures to a VisualHeading and writes down (epoch, heading in degrees)."""

    def __init__(self, aim: Aim | None = None):
        self.heading, self.now, self.said = VisualHeading(5), 20.0, []
        self.aim = aim or Aim(assumed_rays(90, 160, FOV))

    def see(self, pixels: np.ndarray, period_s: float = PERIOD_S) -> None:
        self.now += period_s
        self.heading.saw(self.now, pixels, self.aim)
        self.said.append((self.heading.epoch, math.degrees(self.heading.heading_rad)))

    def errors(self, true_deg: Sequence[float]) -> list[float]:
        """Of each epoch, by how many degrees headings and truth part from each other."""
        parts = {}
        for (epoch, said), true in zip(self.said, true_deg):
            if not math.isnan(said):
                parts.setdefault(epoch, []).append(said - true)
        return [max(one) - min(one) for one in parts.values()]


def turn(deg_s: float, total_deg: float = 30.0) -> list[float]:
    """A camera at rest, that turns, and is at rest again; degrees at each picture."""
    way = np.arange(0, total_deg, abs(deg_s) * PERIOD_S)
    return [float(one) for one in np.concatenate([[0] * 4, way, [total_deg] * 4]) * np.sign(deg_s)]


# -- turning ----------------------------------------------------------------------------------------------------


@in_detail
@pytest.mark.parametrize('deg_s', [20, -60])
def test_a_turn_of_thirty_degrees_is_told_within_one(photo: Path, deg_s: float):
    panorama, looker, true = Panorama(photo), Looker(), turn(deg_s)
    for one in true:
        looker.see(panorama.view(math.radians(one - true[-1] / 2)))
    assert {epoch for epoch, _ in looker.said} == {5}
    assert looker.said[-1][1] - looker.said[1][1] == pytest.approx(true[-1], abs=1.0)


@pytest.mark.parametrize('photo', [one for one in PHOTOS if one.stem in PLAIN], ids=lambda path: path.stem)
def test_where_much_is_plain_the_track_may_be_lost_but_is_never_wrong(photo: Path):
    panorama, looker, true = Panorama(photo), Looker(), turn(40)
    for one in true:
        looker.see(panorama.view(math.radians(one - 15)))
    assert max(looker.errors(true)) < 2


@in_detail
@pytest.mark.parametrize('deg_s', [20, 60])
def test_crops_that_slide_over_a_photograph_are_a_turn(photo: Path, deg_s: float):
    """As wide as 60 degrees, a crop moves by half its width."""
    pixels = cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE)
    pixels = resized(pixels, (2 * WIDTH, round(2 * WIDTH * pixels.shape[0] / pixels.shape[1])))
    looker, panorama, true = Looker(), Panorama(photo), turn(deg_s)
    for one in true:
        left, top = round(240 - WIDTH * one / 60), (len(pixels) - HEIGHT) // 2
        looker.see(panorama.noisy(pixels[top:top + HEIGHT, left:left + WIDTH]))
    assert {epoch for epoch, _ in looker.said} == {5}
    assert looker.said[-1][1] == pytest.approx(30, abs=2.5)   # without a lens that would bend it at its sides


def test_how_fast():
    panorama, looker, rates = Panorama(PHOTOS[4]), Looker(), []
    for one in turn(40):
        looker.see(panorama.view(math.radians(one)))
        rates.append(math.degrees(looker.heading.rate_rad_s))
    assert rates[8] == pytest.approx(40, abs=2)
    assert rates[-1] == pytest.approx(0, abs=1)


def test_turning_to_and_fro_comes_back():
    panorama, looker = Panorama(PHOTOS[4]), Looker()
    for number in range(100):
        looker.see(panorama.view(math.radians(15) * math.sin(number / 8)))
    assert looker.said[-1][1] == pytest.approx(15 * math.sin(99 / 8), abs=1)


# -- not turning ------------------------------------------------------------------------------------------------


@every_photo
def test_a_hand_that_shakes_does_not_turn(photo: Path):
    """Nodding, rolling, breathing light; 0.7 degrees to either side."""
    panorama, looker = Panorama(photo), Looker()
    for one in range(60):
        looker.see(panorama.view(*np.radians([0.7 * math.sin(one), 2 * math.sin(0.7 * one), 2 * math.cos(0.9 * one)]),
                                 light=1 + 0.1 * math.sin(one / 5)))
    assert {epoch for epoch, _ in looker.said} == {5} or photo.stem in PLAIN
    assert max(looker.errors([0.0] * 60)) < 2.5


@every_photo
def test_a_thing_that_moves_through_the_picture_does_not_turn_it(photo: Path):
    """It takes two fifths of the width and most of the height; before plain scenes that counts for something."""
    panorama, looker = Panorama(photo), Looker()
    still, thing = panorama.view(), cv2.resize(Panorama(PHOTOS[5]).view(0.5), (130, 140))
    for number in range(40):
        picture, at = still.copy(), 5 * number - 70
        left, right = max(0, at), min(WIDTH, at + 130)
        picture[20:160, left:right] = thing[:, left - at:right - at]
        looker.see(panorama.noisy(picture))
    assert max(looker.errors([0.0] * 40)) < (2 if photo.stem not in PLAIN else 15)


def test_a_camera_at_rest_does_not_drift():
    panorama, looker = Panorama(PHOTOS[4]), Looker()
    for _ in range(300):
        looker.see(panorama.view())
    assert np.nanmax(np.abs([said for _, said in looker.said])) < 0.2


def test_going_on_straight_ahead_is_no_turn():
    panorama, looker = Panorama(PHOTOS[4]), Looker()
    picture = panorama.view()
    for number in range(20):
        scaled = cv2.resize(picture, None, fx=1 + 0.03 * number, fy=1 + 0.03 * number)
        top, left = (scaled.shape[0] - HEIGHT) // 2, (scaled.shape[1] - WIDTH) // 2
        looker.see(panorama.noisy(scaled[top:top + HEIGHT, left:left + WIDTH]))
    assert max(looker.errors([0.0] * 20)) < 1.5


# -- not knowing ------------------------------------------------------------------------------------------------


def test_the_first_picture_tells_nothing_and_the_second_where_it_begins():
    panorama, looker = Panorama(PHOTOS[4]), Looker()
    looker.see(panorama.view()), looker.see(panorama.view())
    assert math.isnan(looker.said[0][1])
    assert looker.said[1] == (5, pytest.approx(0, abs=0.2))


def test_what_was_lost_begins_a_new_epoch_when_it_is_found():
    panorama, looker = Panorama(PHOTOS[4]), Looker()
    for yaw in (0.0, 0.0, 0.1, 0.2):
        looker.see(panorama.view(yaw))
    for _ in range(5):   # a hand on the lens
        looker.see(panorama.noisy(np.full((HEIGHT, WIDTH), 90.0)))
        assert math.isnan(looker.said[-1][1])
    assert looker.heading.epoch == 6
    looker.see(panorama.view(0.2)), looker.see(panorama.view(0.2))
    assert looker.said[-1] == (6, pytest.approx(0, abs=0.2))


@pytest.mark.parametrize('period_s', [1.5, 0.0, -3.0])
def test_between_pictures_too_far_apart_anything_may_have_happened(period_s: float):
    panorama, looker = Panorama(PHOTOS[4]), Looker()
    looker.see(panorama.view()), looker.see(panorama.view())
    looker.see(panorama.view(), period_s)
    assert looker.said[-1][0] == 6
    assert math.isnan(looker.said[-1][1])


def test_another_place_is_no_turn():
    looker = Looker()
    looker.see(Panorama(PHOTOS[4]).view()), looker.see(Panorama(PHOTOS[4]).view())
    looker.see(Panorama(PHOTOS[11]).view())
    assert math.isnan(looker.said[-1][1])


def test_the_epoch_goes_around():
    heading = VisualHeading(2 ** 32 - 1)
    heading.heading_rad = 0.0
    heading.lose()
    assert heading.epoch == 0


@pytest.mark.parametrize('size', [(1, 1), (3, 500), (500, 3), (20, 20)])
def test_odd_sizes_tell_nothing(size: tuple[int, int]):
    heading, pixels = VisualHeading(0), np.random.default_rng(1).integers(0, 255, size, np.uint8)
    for number in range(3):
        heading.saw(number / 10, pixels, Aim(assumed_rays(*size_of(pixels), FOV)))
    assert heading.epoch == 0


# -- where pixels look ------------------------------------------------------------------------------------------


@pytest.mark.parametrize('up', ['left', 'right', 'bottom'])
def test_a_camera_that_is_mounted_sideways_turns_as_much(up: str):
    """The picture of an upright camera, turned as one with that edge up would send it."""
    back = {'left': 'right', 'right': 'left', 'bottom': 'bottom'}[up]
    sideways = up != 'bottom'
    size = (160, 90) if sideways else (90, 160)
    focal = 160 / 2 / math.tan(FOV / 2)
    aim = Aim(assumed_rays(*size, 2 * math.atan(size[1] / 2 / focal)), up)
    panorama, looker = Panorama(PHOTOS[4]), Looker(aim)
    for one in turn(30):
        seen = upright(resized(panorama.view(math.radians(one)), (160, 90)), back)
        assert np.array_equal(upright(seen, up), upright(upright(seen, up), 'top'))
        looker.see(seen)
    assert looker.said[-1][1] - looker.said[1][1] == pytest.approx(30, abs=1.0)


def test_an_aim_is_that_of_the_lens():
    focal = 160 / 2 / math.tan(FOV / 2)
    y, x = np.mgrid[0:90, 0:160]
    lens = Lens(160, 90, (focal, focal), (79.5, 44.5))
    rays = lens.rays(np.column_stack([x.ravel(), y.ravel()])).reshape(90, 160, 3)
    corners = np.float32([(0, 0), (159, 0), (79.5, 44.5), (0, 89)])
    assert Aim(rays).plane(corners) == pytest.approx(Aim(assumed_rays(90, 160, FOV)).plane(corners), abs=1e-5)
    assert Aim(rays).plane(corners)[0, 0] == pytest.approx(-math.tan(FOV / 2), abs=0.01)
    assert Aim(rays).px == pytest.approx(1 / focal)


# -- told by tf -------------------------------------------------------------------------------------------------


def test_tf_is_followed_over_a_whole_turn():
    told = ToldHeading(3)
    for number in range(50):
        told.tell(number / 10, math.remainder(2 + number * 0.2, math.tau), 10 ** 9 + number * 10 ** 8)
    assert told.heading_rad == pytest.approx(2 + 49 * 0.2)
    assert told.rate_rad_s == pytest.approx(2.0)
    assert told.epoch == 3


def test_a_transform_that_comes_no_more_is_no_camera_at_rest():
    told = ToldHeading(3)
    for number in range(20):
        told.tell(number / 10, 0.5, 10 ** 9)
    assert math.isnan(told.heading_rad)
    told.tell(2.1, 0.7, 3 * 10 ** 9)
    assert (told.epoch, told.heading_rad) == (3, pytest.approx(0.7))


def test_between_two_transforms_the_heading_stays():
    told = ToldHeading(3)
    for number in range(20):
        told.tell(number / 10, 0.5 + number // 5 * 0.1, 10 ** 9 + number // 5 * 5 * 10 ** 8)
        assert told.heading_rad == pytest.approx(0.5 + number // 5 * 0.1)
    assert told.rate_rad_s == pytest.approx(0.2)


def test_a_transform_that_always_holds_does():
    told = ToldHeading(3)
    for number in range(50):
        told.tell(number / 10, 0.5, 0)
    assert (told.heading_rad, told.rate_rad_s) == (0.5, 0.0)


def test_no_transform_is_unknown_and_a_bag_that_begins_again_another_epoch():
    told = ToldHeading(3)
    told.tell(0.0, math.nan, 0)
    assert math.isnan(told.heading_rad)
    told.tell(0.1, 1.0, 5 * 10 ** 9), told.tell(0.2, 1.0, 10 ** 9)
    assert (told.epoch, told.heading_rad) == (4, 1.0)
