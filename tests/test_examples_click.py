"""The window to click in: its real loop with a screen that is ours, in front of a real node."""
from __future__ import annotations

import sys
import time

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.srv', reason='needs the built package: ./dev test builds it')

from sensor_msgs.msg import CompressedImage, Image   # noqa: E402

from dam_ros.msg import ErrorCode   # noqa: E402
from documents import ROOT   # noqa: E402
from ros_graph import as_bytes, script, serving, stamp_of, stamped   # noqa: E402

sys.path.insert(0, str(ROOT / 'examples'))   # where Python looks when it is run as a script

from asking import State   # noqa: E402
from click_to_describe import ClickToDescribe, NoWindow   # noqa: E402

pytestmark = pytest.mark.ros
WIDTH, HEIGHT = 320, 240
SQUARE = np.s_[80:160, 120:200]   # red on grey


class Screen:
    """Stands in for the windows of OpenCV, which the headless one lacks: what is shown, and a mouse and keys."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.shown, self.mouse, self.keys, self.visible, self.size = None, None, [], 1.0, None
        monkeypatch.setenv('DISPLAY', ':0')
        for name, stand_in in (
                ('getBuildInformation', lambda: 'GUI:  GTK3'), ('namedWindow', lambda *_: None),
                ('setMouseCallback', self._set_mouse), ('resizeWindow', self._resize), ('imshow', self._show),
                ('waitKey', self._wait), ('getWindowProperty', lambda *_: self.visible),
                ('destroyAllWindows', lambda: None)):
            monkeypatch.setattr(cv2, name, stand_in)

    def click(self, x: int, y: int, outside: bool = False, flags: int = 0) -> None:
        down, up = ((cv2.EVENT_RBUTTONDOWN, cv2.EVENT_RBUTTONUP) if outside
                    else (cv2.EVENT_LBUTTONDOWN, cv2.EVENT_LBUTTONUP))
        self.mouse(down, x, y, flags, None)
        self.mouse(up, x, y, flags, None)

    def drag(self, *spots: tuple[int, int], flags: int = 0) -> None:
        self.mouse(cv2.EVENT_LBUTTONDOWN, *spots[0], flags, None)
        for spot in spots[1:]:
            self.mouse(cv2.EVENT_MOUSEMOVE, *spot, flags, None)
        self.mouse(cv2.EVENT_LBUTTONUP, *spots[-1], flags, None)

    def _set_mouse(self, _: str, mouse) -> None:
        self.mouse = mouse

    def _show(self, _: str, pixels: np.ndarray) -> None:
        self.shown = pixels

    def _resize(self, _: str, width: int, height: int) -> None:
        self.size = width, height

    def _wait(self, ms: int) -> int:
        time.sleep(ms / 1000)
        return ord(self.keys.pop(0)) if self.keys else -1


class Rig:
    """The window in front of a node with a camera that is shown by hand."""

    def __init__(self, served, screen: Screen, **options):
        self.served, self.screen = served, screen
        self.topic = f'{served.namespace}/image'
        self._pictures = served.node.create_publisher(Image, self.topic, 10)
        self.node = rclpy.create_node('click_to_describe', context=served.context)
        self.window = ClickToDescribe(self.node, self.topic, served.name, **options)
        served.meet()

    def show(self) -> int:
        """A red square on grey. Returns its stamp, ns."""
        stamp_ns = time.time_ns()
        self._pictures.publish(photo(stamp_ns))
        return stamp_ns

    def until(self, condition, what: str = '') -> None:
        def turned():
            assert self.window.turn()
            return condition()

        self.served.until(turned, what=what or (lambda: f'{condition}; it says: {self.window.hint}'))

    def shown(self) -> int:
        """A picture that window and node both have: its stamp."""
        stamps = []

        def is_there() -> bool:
            stamps.append(self.show())
            picture = self.window.picture
            return picture is not None and stamp_of(picture) in stamps

        self.until(is_there, 'a picture in the window')
        return stamp_of(self.window.picture)

    def asked(self):
        """The next description."""
        before = len(self.served.descriptions)
        self.until(lambda: len(self.served.descriptions) > before, 'a description')
        self.until(lambda: self.window._asking.state != State.RUNNING)
        return self.served.descriptions[-1]

    def close(self) -> None:
        self.node.destroy_node()
        self.served.node.destroy_publisher(self._pictures)


def photo(stamp_ns: int) -> Image:
    pixels = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    pixels[SQUARE] = (30, 30, 210)
    return stamped(Image(width=WIDTH, height=HEIGHT, encoding='bgr8', step=3 * WIDTH, data=as_bytes(pixels)), stamp_ns)


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', ring_s=1.0, max_frame_age_s=30.0) as one:
        yield one


@pytest.fixture
def rig(served, monkeypatch):
    one = Rig(served, Screen(monkeypatch))
    yield one
    one.close()


def test_a_click_asks_about_the_picture_that_is_shown(rig, capsys):
    stamp = rig.shown()
    assert rig.screen.size == (WIDTH, HEIGHT)
    rig.screen.click(160, 120)
    for _ in range(3):
        rig.show()   # newer ones come, and are not meant
    about = rig.asked()
    assert (about.error_code, stamp_of(about)) == (0, stamp)
    found = np.array([about.box.x_offset, about.box.y_offset, about.box.width, about.box.height])
    assert np.abs(found - (120, 80, 80, 80)).max() <= 3, 'the square'
    assert rig.window.hint == about.text and about.text in capsys.readouterr().out
    apart = np.abs(rig.screen.shown.astype(int) - pixels()).max(axis=2) > 40
    assert apart[70:90, 130:190].any() and not apart[20:60].any(), 'a contour, where the region ends'
    assert stamp_of(rig.window.picture) == stamp, 'it stays until Esc'


def test_boxes_strokes_and_points_that_do_not_belong(rig):
    rig.shown()
    rig.screen.drag((110, 70), (150, 100), (210, 170))
    assert rig.asked().error_code == 0 and len(rig.window.pointing.region.box_xywh) == 4
    rig.screen.drag((130, 90), (180, 100), (180, 150), flags=cv2.EVENT_FLAG_SHIFTKEY)
    assert rig.asked().error_code == 0 and len(rig.window.pointing.region.scribble) == 8
    rig.screen.click(20, 20, outside=True)
    assert 'First click at the thing' in rig.window.hint
    rig.screen.click(160, 120)
    assert rig.asked().error_code == 0
    rig.screen.click(20, 20, flags=cv2.EVENT_FLAG_CTRLKEY)
    assert rig.asked().error_code == 0 and list(rig.window.pointing.region.point_labels) == [1, 0]
    rig.screen.keys = ['s']
    rig.until(lambda: rig.window.pointing.scribbling)
    assert rig.window.hint == 'A drag is a stroke now.'


def test_a_picture_that_the_node_no_longer_keeps_is_sent_along(rig):
    stamp = rig.shown()
    rig.screen.click(160, 120)
    assert rig.asked().error_code == 0
    late = time.monotonic() + 1.3
    rig.until(lambda: rig.show() and time.monotonic() > late)
    seen = len(rig.served.descriptions)
    rig.screen.click(20, 20, outside=True)
    rig.until(lambda: rig.window._asking.state == State.SUCCESS)
    rig.until(lambda: len(rig.served.descriptions) == seen + 2)
    gone, about = rig.served.descriptions[seen:]
    assert gone.error_code == ErrorCode.STALE_FRAME and (about.error_code, stamp_of(about)) == (0, stamp)


def test_a_picture_without_a_stamp_is_sent_along(rig, monkeypatch):
    monkeypatch.setattr(rig, 'show', lambda: rig._pictures.publish(photo(0)) or 0)
    rig.shown()
    rig.screen.click(160, 120)
    assert rig.asked().error_code == 0


def test_escape_cancels_and_goes_on_and_the_words_are_shown_as_they_come(served, monkeypatch):
    rig = Rig(served, Screen(monkeypatch), question=script(text='word ' * 100, words_per_s=10.0))
    rig.shown()
    rig.screen.click(160, 120)
    grown = set()
    rig.until(lambda: grown.add(rig.window.hint) or len(grown) > 3)
    assert all(one == '...' or one.startswith('word') for one in grown)
    rig.screen.keys = ['\x1b']
    about = rig.asked()
    assert about.error_code == ErrorCode.CANCELLED and rig.window.pointing.region is None
    before = stamp_of(rig.window.picture)
    rig.until(lambda: rig.show() and stamp_of(rig.window.picture) != before, 'it is live again')
    rig.close()


def test_what_goes_wrong_is_shown(rig, capsys):
    rig.shown()
    rig.window._question = script(fail='raise')
    rig.screen.click(160, 120)
    about = rig.asked()
    assert about.error_code != 0 and rig.window.hint.startswith(f'{about.error_code}: ')
    assert rig.window.hint in capsys.readouterr().out


@pytest.mark.parametrize('way', ['q', 'closed'])
def test_it_ends_by_its_key_or_with_its_window_and_cancels(served, monkeypatch, way):
    rig = Rig(served, Screen(monkeypatch), question=script(text='word ' * 100, words_per_s=10.0))
    rig.shown()
    rig.screen.click(160, 120)
    rig.until(lambda: rig.window.hint.startswith('word'))
    before = len(served.descriptions)
    rig.screen.keys, rig.screen.visible = ['q'] if way == 'q' else [], way == 'q'
    rig.window.run()
    served.until(lambda: len(served.descriptions) > before)
    assert served.descriptions[-1].error_code == ErrorCode.CANCELLED
    rig.close()


def test_before_there_is_a_picture_the_window_says_why(rig):
    rig.until(lambda: 'no picture has come' in rig.window._camera.trouble)
    assert rig.screen.shown.shape == (480, 640, 3) and rig.screen.shown.max() > 200
    rig.screen.click(10, 10)
    assert rig.window._asking.state == State.IDLE
    nobody = ClickToDescribe(rig.node, '/nothing', '/nobody')
    assert nobody.turn() and nobody._camera.trouble == 'Nobody publishes /nothing yet.'


def test_compressed_and_lossy_topics_are_shown(rig, served):
    small = served.node.create_publisher(CompressedImage, 'small', rclpy.qos.qos_profile_sensor_data)
    window = ClickToDescribe(rig.node, f'{served.namespace}/small', served.name)
    data = as_bytes(cv2.imencode('.png', pixels().astype(np.uint8))[1])

    def shown() -> bool:
        small.publish(stamped(CompressedImage(format='png', data=data), time.time_ns()))
        return window.turn() and window.picture is not None

    served.until(shown)
    np.testing.assert_array_equal(window.picture.pixels, pixels()[:, :, ::-1])
    served.node.destroy_publisher(small)


def test_pictures_that_cannot_be_decoded_are_named(rig):
    odd = photo(1)
    odd.encoding = 'nonsense'
    rig.until(lambda: rig._pictures.publish(odd) or 'nonsense' in rig.window._camera.trouble)


def pixels() -> np.ndarray:
    """BGR."""
    return np.frombuffer(photo(1).data, np.uint8).reshape(HEIGHT, WIDTH, 3).astype(int)


def test_without_windows_it_says_what_helps(served, monkeypatch):
    Screen(monkeypatch)
    node = rclpy.create_node('no_window', context=served.context)
    for name, value, words in (('DISPLAY', '', 'no display'), ('GUI', 'GUI:   NONE', 'pip install opencv-python')):
        if name == 'GUI':
            monkeypatch.setattr(cv2, 'getBuildInformation', lambda: value)   # noqa: B023
        else:
            monkeypatch.delenv(name)
            monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
        with pytest.raises(NoWindow, match=words):
            ClickToDescribe(node, 'image', '/nobody')
    node.destroy_node()
