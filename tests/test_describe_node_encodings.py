"""A foreign camera in every encoding and with every QoS, and a node that takes what is offered."""
from __future__ import annotations

import array
from collections.abc import Iterator
from contextlib import contextmanager
import os
import time

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from camera_pixels import as_sent, rows_of  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402
from ros_graph import NS, TESTS, Served, number_in, serving, stamp_of, stamped  # noqa: E402
from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402

from dam_ros.core.encodings import PICTURES  # noqa: E402
from dam_ros.msg import ErrorCode  # noqa: E402

pytestmark = pytest.mark.ros
HEIGHT, WIDTH, RED_AT = 48, 64, 24
RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LATCHED_BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT,
                                 durability=DurabilityPolicy.TRANSIENT_LOCAL)
GREY = [name for name in PICTURES if 'mono' in name or name.endswith('UC1')]


def scene() -> np.ndarray:
    """RGB, grey with a red bar."""
    pixels = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    pixels[:, RED_AT:RED_AT + 10] = (220, 10, 10)
    return pixels


def message(encoding: str, padding: int = 0, big: bool = False) -> Image:
    step, data = as_sent(rows_of(encoding, scene()), HEIGHT, padding, big)
    return Image(width=WIDTH, height=HEIGHT, encoding=encoding, step=step, is_bigendian=big,
                 data=array.array('B', data))


@pytest.fixture(scope='module')
def served() -> Iterator[Served]:
    """The describer says at which column the picture is red."""
    with serving(describer='watching_describer:create',
                 environment={'PYTHONPATH': f'{TESTS}:{os.environ.get("PYTHONPATH", "")}'}) as node:
        yield node


@contextmanager
def publishing(served: Served, profile: QoSProfile, kind: type = Image, topic: str = 'image') -> Iterator:
    publisher = served.node.create_publisher(kind, topic, profile)
    try:
        yield publisher
    finally:
        served.node.destroy_publisher(publisher)


def sent(publisher, image: Image) -> int:
    """Its stamp in ns."""
    stamp_ns = time.time_ns()
    publisher.publish(stamped(image, stamp_ns))
    return stamp_ns


def seen(served: Served, publisher, image: Image):
    """The answer about this very picture; one sent best effort, or while the node subscribes anew, may be lost."""
    def answer():
        stamp_ns = sent(publisher, image)
        one = served.describe(stamp=stamped(Image(), stamp_ns).header.stamp, timeout_s=0.3)
        return one if stamp_of(one.description) == stamp_ns and not one.error_code else None

    return served.until(answer, what=f'a picture {image.encoding}')


def value(served: Served, key: str, part: str = 'image') -> str:
    status = served.status.get(part)
    return {one.key: one.value for one in status.values}.get(key, '') if status else ''


def following(served: Served, offered: list[str], reliable: bool) -> None:
    """Until the node says that it has seen these publishers, and how it subscribes to them."""
    wanted = sorted(f'{served.namespace}/client: {one}' for one in offered)
    served.until(lambda: sorted(value(served, 'offered').split('; ')) == wanted
                 and value(served, 'reliable') == str(reliable), what=lambda: f'{wanted} in {served.status["image"]}')


@pytest.fixture(scope='module')
def camera(served: Served) -> Iterator:
    with publishing(served, BEST_EFFORT) as publisher:
        yield publisher


@pytest.mark.parametrize('encoding', PICTURES)
def test_every_encoding(served: Served, camera, encoding: str):
    for image in (message(encoding), message(encoding, 6, PICTURES[encoding].dtype == 'u2')):
        one = seen(served, camera, image)
        assert (one.description.box.width, one.description.box.height) == (WIDTH, HEIGHT)
        red = int(one.description.text.split(' at ')[1].split(',')[0])
        assert red == -1 if encoding in GREY else abs(red - RED_AT) <= 1, one.description.text


@pytest.mark.parametrize(('encoding', 'changes', 'word'), [
    ('8UC2', {}, 'image.encoding'), ('32FC1', {}, 'image.encoding'), ('nv12', {'height': 47}, 'even'),
    ('bayer_rggb16', {'step': 64}, 'image.step'), ('nv21', {'step': 48}, 'image.step'),
    ('nv24', {'height': 49}, 'image.data'), ('rgb16', {'width': 65}, 'image.step')])
def test_nonsense_is_refused_and_the_next_picture_is_good(served: Served, camera, encoding: str, changes: dict,
                                                          word: str):
    image = message(encoding if encoding in PICTURES else 'mono16')
    image.encoding = encoding
    for name, one in changes.items():
        setattr(image, name, one)

    def refused():
        answer = served.describe(stamp=stamped(Image(), sent(camera, image)).header.stamp, timeout_s=0.3)
        return answer if answer.error_code == ErrorCode.NO_FRAME and word in answer.error_msg else None

    served.until(refused, what=f'{word} is named')
    seen(served, camera, message('rgb8'))


# -- QoS

def test_auto_follows_every_publisher_that_comes_and_goes(served: Served, camera):
    """With two that differ it takes what both offer, so that both are heard."""
    following(served, ['best_effort, volatile'], reliable=False)
    with publishing(served, RELIABLE) as other:
        following(served, ['best_effort, volatile', 'reliable, volatile'], reliable=False)
        for one in (camera, other):
            seen(served, one, message('bgr8'))
    following(served, ['best_effort, volatile'], reliable=False)


def test_auto_is_reliable_where_all_publishers_are_until_one_is_not():
    """With best effort large pictures of reliable publishers are lost, with reliable all of the others."""
    with serving(image_transport='compressed') as served, publishing(
            served, LATCHED, CompressedImage, 'image/compressed') as first:
        following(served, ['reliable, transient local'], reliable=True)
        picture = cv2.imencode('.jpg', scene())[1].tobytes()

        def heard(publisher) -> bool:
            stamp_ns = time.time_ns()
            publisher.publish(stamped(CompressedImage(format='rgb8; jpeg compressed bgr8', data=picture), stamp_ns))
            stamp = stamped(Image(), stamp_ns).header.stamp
            return served.describe(stamp=stamp, timeout_s=0.3).error_code == 0

        served.until(lambda: heard(first))
        with publishing(served, LATCHED_BEST_EFFORT, CompressedImage, 'image/compressed') as second:
            following(served, ['best_effort, transient local', 'reliable, transient local'], reliable=False)
            served.until(lambda: heard(second))
            served.until(lambda: heard(first))
        following(served, ['reliable, transient local'], reliable=True)
        served.until(lambda: heard(first))


# -- depth and camera info

def test_a_camera_info_that_was_sent_once_before_the_node_came():
    with serving(ready=False, autostart=False) as served, publishing(served, LATCHED, CameraInfo,
                                                                     'camera_info') as info:
        info.publish(stamped(CameraInfo(width=WIDTH, height=HEIGHT), 5 * NS))
        served.until(lambda: served.ready)
        assert served.change_state(1)   # configure: it is not active yet
        served.until(lambda: number_in(served.status.get('camera_info'), 'frames') == 1)
        assert value(served, 'offered', 'camera_info').endswith('reliable, transient local')


@pytest.mark.parametrize('profile', [RELIABLE, BEST_EFFORT], ids=['reliable', 'best_effort'])
def test_depth_is_heard_with_every_qos(served: Served, profile: QoSProfile):
    depth = message('16UC1')
    with publishing(served, profile, topic='depth') as publisher:
        before = number_in(served.status.get('depth'), 'frames')

        def heard() -> bool:
            sent(publisher, depth)
            served.spin(0.05)
            return number_in(served.status.get('depth'), 'frames') > before + 10

        served.until(heard)
        assert number_in(served.status['depth'], 'age_s') < 1.0
