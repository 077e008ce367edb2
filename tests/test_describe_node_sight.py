"""~/sight of the running node: whether the camera sees, five times a second whatever else happens."""
from __future__ import annotations

from collections.abc import Iterator
import json
import math
import os
from pathlib import Path
import time

import cv2
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import Camera, Served, as_bytes, number_in, script, serving, stamp_of, stamped  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

from dam_ros.msg import Region, Sight  # noqa: E402
from dam_ros.srv import DescribeScene  # noqa: E402

pytestmark = pytest.mark.ros
DOUBLES = str(Path(__file__).parent / 'doubles')
PHOTO = Path(__file__).resolve().parent.parent / 'examples' / 'photos' / 'colosseum.jpg'
WIDTH, HEIGHT = 320, 180
QUICK = {'image_reliability': 'reliable', 'sight_lost_s': 0.8, 'sight_frozen_s': 1.2}


class Watching:
    """The client as a camera with noise, and somebody who hears ~/sight. Heard: (s of the steady clock, message)."""

    def __init__(self, served: Served):
        self.served, self.camera = served, Camera(served)
        self.frame = ''   # of the pictures, '' = the usual one
        self.heard: list[tuple[float, Sight]] = []
        self._noise = np.random.default_rng(5)
        served.hear(Sight, 'describe_node/sight', lambda one: self.heard.append((time.monotonic(), one)))

    @property
    def newest(self) -> Sight:
        return self.heard[-1][1]

    def show(self, pixels: np.ndarray, sigma: float = 2.0) -> int:
        """A grey picture with the noise of a sensor, (H, W)."""
        noisy = pixels + self._noise.normal(0, sigma, pixels.shape) if sigma else pixels
        seen = np.clip(noisy, 0, 255).astype(np.uint8)
        return self.camera.show(width=seen.shape[1], height=seen.shape[0], encoding='mono8', step=seen.shape[1],
                                data=as_bytes(seen), header=Header(frame_id=self.frame))

    def until(self, state: int, pixels: np.ndarray | None = None, sigma: float = 2.0) -> None:
        """Shows that at 20 Hz until ~/sight says so; None: shows nothing."""
        def said() -> bool:
            if pixels is not None:
                self.show(pixels, sigma)
            self.served.spin(0.05)
            return bool(self.heard) and self.newest.state == state

        self.served.until(said, 6.0, lambda: f'state {state}, the last of {len(self.heard)} was '
                          f'{self.newest if self.heard else None}')


    def diagnosed(self, state: int, pixels: np.ndarray | None, sigma: float, words: str = '') -> None:
        """Shows that until the diagnostics say the same of the camera."""
        def said() -> bool:
            if pixels is not None:
                self.show(pixels, sigma)
            self.served.spin(0.05)
            one = self.served.status.get('sight')
            return one is not None and words in one.message and number_in(one, 'state') == state

        self.served.until(said, 6.0, lambda: f'{words} of {state}, but {self.served.status.get("sight")}')
        assert (self.served.status['sight'].level == DiagnosticStatus.OK) == (state == Sight.GOOD and not words)


@pytest.fixture(scope='module')
def photo() -> np.ndarray:
    return cv2.resize(cv2.imread(str(PHOTO), cv2.IMREAD_GRAYSCALE), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope='module')
def watching() -> Iterator[Watching]:
    with serving(**QUICK) as served:
        one = Watching(served)
        one.camera.connect()
        yield one


def test_it_sees_and_tells_the_newest_picture(watching: Watching, photo: np.ndarray):
    watching.until(Sight.GOOD, photo)
    stamp_ns = watching.show(photo)
    watching.served.until(lambda: stamp_of(watching.newest) == stamp_ns)
    assert watching.newest.header.frame_id == 'camera_optical_frame'
    assert watching.newest.camera == ''
    assert 0 <= watching.newest.age_s < 0.7


def test_each_way_of_not_seeing_and_back(watching: Watching, photo: np.ndarray):
    watching.until(Sight.GOOD, photo)
    for state, pixels, sigma in ((Sight.NO_PICTURE, None, 0), (Sight.GOOD, photo, 2), (Sight.FROZEN, photo, 0),
                                 (Sight.DARK, photo / 16, 2), (Sight.COVERED, np.full_like(photo, 180), 2),
                                 (Sight.BLURRED, cv2.GaussianBlur(photo, (0, 0), 4), 2), (Sight.GOOD, photo, 2)):
        watching.until(state, pixels, sigma)
        if state in (Sight.NO_PICTURE, Sight.FROZEN):   # each diagnostics takes up to a second
            watching.diagnosed(state, pixels, sigma)


def test_a_state_of_less_than_a_second_is_not_told(watching: Watching, photo: np.ndarray):
    watching.until(Sight.GOOD, photo)
    begun = len(watching.heard)
    for pixels in (*[photo / 16] * 10, *[photo] * 20):
        watching.show(pixels)
        watching.served.spin(0.05)
    assert {one.state for _, one in watching.heard[begun:]} == {Sight.GOOD}


def test_a_picture_that_cannot_be_read_is_none(watching: Watching, photo: np.ndarray):
    watching.until(Sight.GOOD, photo)

    def told() -> bool:
        watching.camera.show(encoding='no such encoding')
        watching.served.spin(0.05)
        return watching.newest.state == Sight.NO_PICTURE

    watching.served.until(told, 6.0)


def test_it_beats_five_times_a_second_while_the_node_is_busy(watching: Watching, photo: np.ndarray):
    regions = [Region(box_xywh=[float(x), 4.0, 30.0, 40.0], box_is_region=True) for x in range(24)]
    stamp_ns, busy = watching.show(photo), []
    begun, end_s = len(watching.heard), time.monotonic() + 2.0
    while time.monotonic() < end_s:
        if all(one.done() for one in busy):
            busy.append(watching.served.ask(DescribeScene, 'describe_node/describe_scene', DescribeScene.Request(
                regions=regions, stamp=stamped(Image(), stamp_ns).header.stamp, query=script(words_per_s=500.0))))
        watching.show(photo)
        watching.served.spin(0.03)
    watching.served.until(lambda: all(one.done() for one in busy))
    assert busy[0].result().error_code == 0
    at = [at_s for at_s, _ in watching.heard[begun:]]
    assert len(at) >= 8
    assert max(np.diff(at)) < 0.8


def test_off_in_every_other_state_of_the_node(photo: np.ndarray):
    with serving(ready=False, autostart=False, cameras=['front', 'rear'], **QUICK) as served:
        one = Watching(served)

        def off() -> bool:
            newest = [message for _, message in one.heard[-2:]]
            return {message.camera for message in newest} == {'front', 'rear'} and all(
                message.state == Sight.OFF and math.isnan(message.age_s) for message in newest)

        served.until(off, what='OFF while unconfigured')
        assert served.change_state(Transition.TRANSITION_CONFIGURE)
        one.heard.clear()
        served.until(off, what='OFF while inactive')
        assert served.change_state(Transition.TRANSITION_ACTIVATE)
        one.until(Sight.NO_PICTURE)
        assert served.change_state(Transition.TRANSITION_DEACTIVATE)
        one.heard.clear()
        served.until(off, what='OFF after deactivation')


def test_it_tells_how_the_camera_turns(watching: Watching):
    """Half a picture's width in a second is half of assumed_fov_deg, as there is no camera info."""
    wide = cv2.imread(str(PHOTO), cv2.IMREAD_GRAYSCALE)
    wide = cv2.resize(wide, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_AREA)

    def look(left: float) -> None:
        watching.show(wide[HEIGHT // 2:HEIGHT // 2 + HEIGHT, round(left):round(left) + WIDTH])
        watching.served.spin(0.05)

    for _ in range(20):
        look(240)
    before, heard = watching.newest, len(watching.heard)
    assert not math.isnan(before.heading_rad)
    assert before.turning_rad_s == pytest.approx(0, abs=0.05)
    for number in range(20):
        look(240 - 8 * number)
    for _ in range(10):
        look(80)
    after = watching.newest
    assert after.heading_epoch == before.heading_epoch
    assert math.degrees(after.heading_rad - before.heading_rad) == pytest.approx(30, abs=3)
    assert max(one.turning_rad_s for _, one in watching.heard[heard:]) > math.radians(15)
    watching.until(Sight.FROZEN, wide[:HEIGHT, :WIDTH], 0)
    assert math.isnan(watching.newest.heading_rad)


def test_tf_tells_how_the_camera_turns_and_diagnostics_which_transform_is_missing(photo: np.ndarray):
    quarter = math.sqrt(0.5)
    transforms = [{'target': 'odom', 'source': 'camera_optical_frame', 'from_s': 0, 'to_s': 9e9,
                   'translation': [1.0, 2.0, 3.0], 'rotation': [-quarter, 0.0, 0.0, quarter]}]   # looks along y
    path = os.pathsep.join([DOUBLES, os.environ.get('PYTHONPATH', '')])
    with serving(environment={'PYTHONPATH': path, 'TEST_TRANSFORMS': json.dumps(transforms)}, fixed_frame='odom',
                 **QUICK) as served:
        one = Watching(served)
        one.until(Sight.GOOD, photo)
        served.until(lambda: not math.isnan(one.newest.heading_rad))
        assert one.newest.heading_rad == pytest.approx(math.pi / 2)
        assert one.newest.turning_rad_s == 0
        one.diagnosed(Sight.GOOD, photo, 2.0)
        one.frame = 'rear'
        one.diagnosed(Sight.GOOD, photo, 2.0, 'no transform from rear to odom')
        assert math.isnan(one.newest.heading_rad)
