"""~/overlay and ~/annotations of the running node: as its picture, alike, and nothing where nobody looks."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import subprocess
import sys
from threading import Thread
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from foreign import environment, needs, only_without  # noqa: E402
import rclpy  # noqa: E402
from ros_graph import PATIENCE_S, as_bytes, box, picture, Served, serving, stamped  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from dam_ros.core.masks import StoredMask  # noqa: E402
from dam_ros.core.records import Record  # noqa: E402
from dam_ros.nodes.overlays import Overlays  # noqa: E402

pytestmark = pytest.mark.ros
STAMP_NS = 7_000_000_123


def striped(width: int = 320, height: int = 240, stamp_ns: int = STAMP_NS) -> Image:
    pixels = np.full((height, width, 3), 120, np.uint8)
    pixels[:, ::8] = 180
    return stamped(picture(width, height, data=as_bytes(pixels)), stamp_ns)


def pixels_of(message: Image) -> np.ndarray:
    assert (message.encoding, message.step) == ('rgb8', 3 * message.width)
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)


class Viewer:
    """Somebody with foxglove_msgs in another process."""

    def __init__(self, topic: str):
        self.messages: list[dict[str, Any]] = []
        self._child = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name('viewer_process.py')), topic], stdout=subprocess.PIPE,
            text=True, env={**os.environ, **environment('foxglove_msgs')})
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._child.stdout:
            self.messages.append(json.loads(line))

    def close(self) -> None:
        self._child.kill()
        self._child.wait(10.0)
        self._reader.join(10.0)


@contextmanager
def hearing(served: Served) -> Iterator[list[Image]]:
    """What comes on ~/overlay."""
    heard: list[Image] = []
    subscription = served.hear(Image, 'describe_node/overlay', heard.append)
    yield heard
    served.node.destroy_subscription(subscription)


def until_shown(served: Served, shown: Callable[[], Any], **fields: Any) -> Any:
    """Describes again and again: a subscription needs a moment until the node knows of it."""
    def asked() -> Any:
        served.describe(**fields)
        served.spin(0.2)
        return shown()

    return served.until(asked, what='the overlay')


@pytest.fixture(scope='module')
def with_foxglove() -> Iterator[Served]:
    with serving(environment=environment('foxglove_msgs')) as served:
        yield served


@pytest.fixture(scope='module')
def alone() -> Iterator[Served]:
    """The camera hangs sideways, which an overlay does not show: it is the picture as it came."""
    with serving(camera_up=['left']) as served:
        yield served


@needs('foxglove_msgs')
def test_annotations_show_what_the_overlay_shows(with_foxglove):
    served = with_foxglove
    viewer = Viewer(f'{served.name}/annotations')
    try:
        with hearing(served) as heard:
            image = striped()
            until_shown(served, lambda: heard and viewer.messages, image=image, region=box(40, 50, 90, 60, tag='crate'))
            served.until(lambda: served.status.get('annotations'))
        overlay, annotations = heard[-1], viewer.messages[-1]
    finally:
        viewer.close()
    assert (overlay.header, overlay.width, overlay.height) == (image.header, 320, 240)
    stamp = {'sec': STAMP_NS // 10 ** 9, 'nanosec': STAMP_NS % 10 ** 9}
    parts = annotations['points'] + annotations['circles'] + annotations['texts']
    assert all(one['timestamp'] == stamp for one in [annotations, *parts])
    assert [one['text'] for one in annotations['texts']][:2] == ['1', '1']
    assert annotations['texts'][2]['text'] == 'crate' and len(annotations['texts']) > 3
    painted = pixels_of(overlay)
    disc, = annotations['circles']
    x, y = int(disc['position']['x'] - 0.42 * disc['diameter'] + 1), int(disc['position']['y'])
    colour = np.array([disc['fill_color'][one] for one in 'rgb']) * 255
    assert np.abs(painted[y, x] - colour).max() < 60
    line = next(one for one in annotations['points'] if one['outline_color'] == disc['fill_color'])
    corners = np.array([(one['x'], one['y']) for one in line['points']])
    assert corners.min(axis=0).tolist() == [40.5, 50.5] and corners.max(axis=0).tolist() == [129.5, 109.5]
    assert line['type'] == 2   # LINE_LOOP
    assert served.status['annotations'].message == 'on'


@only_without('foxglove_msgs')
def test_without_foxglove_msgs_there_is_no_topic_and_diagnostics_say_so(alone):
    alone.until(lambda: alone.status.get('annotations'))
    status = alone.status['annotations']
    assert status.level == DiagnosticStatus.OK   # information: nothing is wrong
    assert 'foxglove_msgs is not installed' in status.message and '~/overlay shows the same' in status.message
    topics = [name for name, _ in alone.node.get_topic_names_and_types()]
    assert f'{alone.name}/overlay' in topics and f'{alone.name}/annotations' not in topics
    assert alone.describe(image=striped(), region=box(40, 50, 90, 60)).error_code == 0


def test_the_overlay_is_its_picture_with_something_on_it(alone):
    with hearing(alone) as heard:
        image = striped()
        until_shown(alone, lambda: heard, image=image, region=box(40, 50, 90, 60, tag='crate'))
        overlay = heard[-1]
    assert (overlay.header, overlay.width, overlay.height) == (image.header, 320, 240)
    before = np.frombuffer(image.data, np.uint8).reshape(240, 320, 3)[..., ::-1]
    changed = (pixels_of(overlay) != before).any(axis=2)
    assert changed[50:110, 40:130].mean() > 0.95 and 0.1 < changed.mean() < 0.6


def test_regions_of_the_same_picture_come_together_and_those_of_the_next_alone(alone):
    def covered(one: Image) -> tuple[bool, bool]:
        changed = pixels_of(one)[..., 1].astype(int) - np.where(np.arange(320) % 8, 120, 180)
        return bool(np.any(changed[60:70, 50:60])), bool(np.any(changed[60:70, 250:260]))

    with hearing(alone) as heard:
        left, right = box(40, 50, 40, 30), box(240, 50, 40, 30)
        until_shown(alone, lambda: heard, image=striped(stamp_ns=10), region=left)
        until_shown(alone, lambda: covered(heard[-1]) == (True, True), image=striped(stamp_ns=10), region=right)
        until_shown(alone, lambda: heard[-1].header.stamp.nanosec == 11, image=striped(stamp_ns=11), region=right)
        assert not np.any(pixels_of(heard[-1])[60:70, 50:60, 1].astype(int) - np.where(np.arange(50, 60) % 8, 120, 180))


class Kept:
    """A picture as a record keeps it. It counts how often it is decoded."""

    stamp_ns, frame_id = STAMP_NS, 'camera'

    def __init__(self):
        self.looked = 0

    def pixels(self) -> np.ndarray:
        self.looked += 1
        return np.full((48, 64, 3), 128, np.uint8)


def record(picture: Kept, at: int) -> Record:
    mask = np.zeros((48, 64), bool)
    mask[10:20, at:at + 8] = True
    return Record(id=str(at), picture=picture, picture_bytes=1, look='', mask=StoredMask(mask), caption='words')


@pytest.fixture
def node() -> Iterator[Any]:
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('painter', namespace=f'/overlay{os.getpid()}', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def begin(overlays: Overlays, node: Any, picture: Kept) -> list[tuple[Callable, Callable]]:
    """Somebody subscribes, and a region is described until the node knows of it: what was begun, (work, done) each."""
    node.create_subscription(Image, '~/overlay', lambda one: None, 1)
    begun: list[tuple[Callable, Callable]] = []
    end_s = time.monotonic() + PATIENCE_S
    while not begun and time.monotonic() < end_s:
        overlays.show(record(picture, 1), lambda *what: begun.append(what))
        time.sleep(0.02)
    return begun


def test_what_nobody_looks_at_is_not_computed_and_not_kept(node):
    overlays, picture, begun = Overlays(node), Kept(), []
    overlays.show(record(picture, 20), lambda *what: begun.append(what))
    assert not begun and picture.looked == 0
    (work, _), = begin(overlays, node, picture)
    work()
    assert picture.looked == 1


def test_what_is_described_while_something_is_drawn_is_drawn_at_once_afterwards(node):
    overlays, picture = Overlays(node), Kept()
    begun = begin(overlays, node, picture)
    for at in (20, 40):
        overlays.show(record(picture, at), lambda *what: begun.append(what))
    assert len(begun) == 1
    work, done = begun[0]
    done(work())
    assert len(begun) == 2   # one drawing for both that came meanwhile
    work, done = begun[1]
    done(work())
    assert len(begun) == 2 and picture.looked == 2
