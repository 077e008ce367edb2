"""Points that are clicked in RViz: where the camera sees them, what is asked, and what cannot be asked about."""
from __future__ import annotations

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.srv', reason='needs the built package: ./dev test builds it')

from geometry_msgs.msg import PointStamped   # noqa: E402
from sensor_msgs.msg import CameraInfo, Image   # noqa: E402

from dam_ros.core.lens import Lens   # noqa: E402
from documents import ROOT   # noqa: E402
from ros_graph import TESTS, as_bytes, script, serving, stamp_of, stamped   # noqa: E402

sys.path.insert(0, str(ROOT / 'examples'))   # where Python looks when it is run as a script

from click_to_describe import parse   # noqa: E402
import clicked_point   # noqa: E402

pytestmark = pytest.mark.ros
WIDTH, HEIGHT = 320, 240
K = [300.0, 0.0, 160.0, 0.0, 310.0, 120.0, 0.0, 0.0, 1.0]
P = [280.0, 0.0, 155.0, 0.0, 0.0, 285.0, 118.0, 0.0, 0.0, 0.0, 1.0, 0.0]
BARREL, FISHEYE = (-0.3, 0.1, 0.001, -0.002, 0.0), (0.02, -0.01, 0.003, -0.001)
LENSES = {
    'pinhole': Lens.from_info(WIDTH, HEIGHT, 'plumb_bob', (0.0,) * 5, K, [0.0] * 9, P),
    'barrel': Lens.from_info(WIDTH, HEIGHT, 'plumb_bob', BARREL, K, [0.0] * 9, P),
    'folding': Lens.from_info(WIDTH, HEIGHT, 'plumb_bob', (-0.3, 0.0, 0.0, 0.0), K, [0.0] * 9, P),
    'rectified': Lens.from_info(WIDTH, HEIGHT, 'plumb_bob', BARREL, K, [0.0] * 9, P, rectified=True),
    'fisheye': Lens.from_info(WIDTH, HEIGHT, 'equidistant', FISHEYE, [100.0, 0.0, 160.0, 0.0, 100.0, *K[5:]],
                              [0.0] * 9, P),
    'turned': Lens.from_info(WIDTH, HEIGHT, '', (), K, [0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0], P),
}


@pytest.mark.parametrize('name', LENSES)
def test_a_point_is_seen_where_its_pixel_looks(name: str):
    lens = LENSES[name]
    spots = np.random.default_rng(1).uniform((0, 0), (WIDTH - 1, HEIGHT - 1), (100, 2))
    for spot, ray in zip(spots, lens.in_frame(lens.rays(spots))):
        assert clicked_point.pixel_of(lens, 2.5 * ray) == pytest.approx(tuple(spot), abs=0.01)


@pytest.mark.parametrize(('name', 'point', 'words'), [
    ('pinhole', (0, 0, -1), 'behind the camera'), ('pinhole', (0, 0, 0), 'behind the camera'),
    ('pinhole', (3, 0, 2), 'outside of the picture: at 610, 120 px of 320x240'),
    ('folding', (1.6, 0, 1), 'outside of what the lens sees'), ('fisheye', (0, 0, -1), 'outside of'),
    ('fisheye', (0, 0, 0), 'behind the camera')])
def test_points_that_are_not_seen(name, point, words):
    with pytest.raises(clicked_point.NotSeen, match=words):
        clicked_point.pixel_of(LENSES[name], np.array(point, float))


def photo(stamp_ns: int) -> Image:
    """A red square of 80 px in the middle."""
    pixels = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    pixels[80:160, 120:200] = (210, 30, 30)
    return stamped(Image(width=WIDTH, height=HEIGHT, encoding='rgb8', step=3 * WIDTH, data=as_bytes(pixels)), stamp_ns)


class Rviz:
    """Somebody who clicks in RViz, a camera with its CameraInfo, and the client between both."""

    def __init__(self, served, capsys, *options: str):
        self.served, self._capsys, self.said = served, capsys, ''
        publish, space = served.node.create_publisher, served.namespace
        self._image, self._info = publish(Image, f'{space}/image', 10), publish(CameraInfo, f'{space}/camera_info', 10)
        self._points = publish(PointStamped, f'{space}/clicked_point', 10)
        self.node = rclpy.create_node('clicked', context=served.context)
        self.client = clicked_point.ClickedPoints(self.node, parse([
            '--rviz', '--node', served.name, '--image', f'{space}/image', '--clicked-point', f'{space}/clicked_point',
            *options]))
        served.until(lambda: self._points.get_subscription_count())
        served.meet()

    def show(self) -> int:
        """A picture with its CameraInfo, which the client has then. Returns their stamp, ns."""
        stamp_ns = time.time_ns()
        info = stamped(CameraInfo(width=WIDTH, height=HEIGHT, distortion_model='plumb_bob', d=[0.0] * 5, k=K, p=P),
                       stamp_ns)

        def has_it() -> bool:
            self._image.publish(photo(stamp_ns))
            self._info.publish(info)
            self.client.turn(0.02)
            return self.client._info is not None and stamp_of(self.client._info) == stamp_ns

        self.served.until(has_it)
        return stamp_ns

    def click(self, x: float, y: float, z: float, frame_id: str = 'camera_optical_frame') -> None:
        message = PointStamped()
        message.header.frame_id = frame_id
        message.point.x, message.point.y, message.point.z = float(x), float(y), float(z)
        self._points.publish(message)

    def says(self, words: str) -> bool:
        self.client.turn(0.02)
        self.said += self._capsys.readouterr().out
        return words in self.said

    def until(self, words: str) -> None:
        self.served.until(lambda: self.says(words), what=lambda: f'{words!r} in {self.said!r}')

    def close(self) -> None:
        self.node.destroy_node()
        for one in (self._image, self._info, self._points):
            self.served.node.destroy_publisher(one)


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', max_frame_age_s=30.0) as one:
        yield one


@pytest.fixture
def rviz(served, capsys):
    made = []

    def make(*options: str) -> Rviz:
        made.append(Rviz(served, capsys, *options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_point_in_the_frame_of_the_camera(served, rviz):
    client = rviz()
    stamp = client.show()
    client.click(0.1, 0.0, 2.0)
    client.until('0.10, 0.00, 2.00 m in camera_optical_frame: pixel 175, 120')
    served.until(lambda: client.says('\n') and served.descriptions and stamp_of(served.descriptions[-1]) == stamp)
    about = served.descriptions[-1]
    client.until(f'\n{about.text}\n')
    assert about.error_code == 0 and abs(about.box.x_offset - 120) <= 3 and abs(about.box.width - 80) <= 3


def test_points_that_cannot_be_asked_about(rviz, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tf2_ros', None)   # where it cannot be imported
    client = rviz()
    client.click(0, 0, 1)
    client.until('no CameraInfo has come on')
    client.show()
    client.click(0, 0, -1)
    client.until('0.00, 0.00, -1.00 m in camera_optical_frame: the point is behind the camera')
    client.click(5, 0, 1)
    client.until('outside of the picture')
    client.click(0, 0, 1, 'map')
    client.until("the point is in the frame 'map', the camera in 'camera_optical_frame', and tf2_ros cannot be")


def test_what_the_node_answers_badly_is_said(rviz):
    client = rviz('--question', script(fail='raise'))
    client.show()
    client.click(0, 0, 2)
    client.until('\n103')


@pytest.fixture
def tf2(monkeypatch):
    """tf2_ros is stood in for; the camera looks along x of map, 1 m above the floor."""
    monkeypatch.setitem(sys.modules, 'tf2_ros', None)   # what is there now comes back afterwards
    del sys.modules['tf2_ros']
    monkeypatch.syspath_prepend(str(TESTS / 'doubles'))
    known = {'target': 'camera_optical_frame', 'source': 'map', 'from_s': 0, 'to_s': 1e12, 'translation': [0, 1, 0],
             'rotation': [0.5, -0.5, 0.5, 0.5]}
    monkeypatch.setenv('TEST_TRANSFORMS', json.dumps([known]))


def test_a_point_in_another_frame(tf2, rviz):
    client = rviz()
    client.show()
    client.click(3, -0.1, 1, 'map')
    client.until('3.00, -0.10, 1.00 m in map: pixel 170, 120')
    client.click(-3, 0, 1, 'map')
    client.until('-3.00, 0.00, 1.00 m in map: the point is behind the camera')
    client.click(1, 0, 0, 'odom')
    client.until("no transform from 'odom' to 'camera_optical_frame'")


# -- as a command ---------------------------------------------------------------------------------------------------

def test_as_a_command():
    said = tempfile.NamedTemporaryFile(prefix='rviz-')
    words = [sys.executable, '-u', ROOT / 'examples' / 'click_to_describe.py', '--node', '/nobody']
    rviz = subprocess.Popen([*words, '--rviz'], stdout=said, stderr=said, stdin=subprocess.DEVNULL)
    environment = {name: value for name, value in os.environ.items() if 'DISPLAY' not in name}
    window = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=60)
    assert window.returncode == 1 and 'use --rviz' in window.stderr and 'Traceback' not in window.stderr
    end = time.monotonic() + 20
    while 'Ctrl-C ends' not in Path(said.name).read_text() and time.monotonic() < end:
        time.sleep(0.05)
    rviz.send_signal(signal.SIGINT)
    assert rviz.wait(20) == 130
    assert 'CameraInfo comes from /camera_info.' in Path(said.name).read_text()
