"""~/present of the running node: how large, how far and what it looks like, beside which labels are there."""
from __future__ import annotations

from collections.abc import Iterator
import math
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from foreign import Other, environment, needs  # noqa: E402
from ros_graph import Camera, Served, as_bytes, serving, stamp_of, stamped  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from dam_ros.msg import Present  # noqa: E402

pytestmark = pytest.mark.ros
WIDTH, HEIGHT = 64, 48
LABELS = np.zeros((HEIGHT, WIDTH), np.uint8)
LABELS[16:32, 16:32], LABELS[16:32, 40:56] = 3, 8
SCENE = np.random.default_rng(4).integers(0, 255, (HEIGHT // 4, WIDTH // 4), np.uint8).repeat(4, 0).repeat(4, 1)


class Watching:
    """The client as a camera, and somebody who hears ~/present."""

    def __init__(self, served: Served):
        self.served, self.camera, self.heard = served, Camera(served), []
        self.depth = served.node.create_publisher(Image, 'depth', 10)
        self.info = served.node.create_publisher(CameraInfo, 'camera_info', 10)
        served.hear(Present, 'describe_node/present', self.heard.append)

    def show(self, pixels: np.ndarray, labels: np.ndarray = LABELS, depth_m: float = math.nan) -> int:
        stamp_ns = time.time_ns()
        if not math.isnan(depth_m):
            wall = np.full((HEIGHT, WIDTH), round(depth_m * 1000), np.uint16)
            self.depth.publish(stamped(Image(width=WIDTH, height=HEIGHT, encoding='16UC1', step=2 * WIDTH,
                                             data=as_bytes(wall)), stamp_ns))
            self.info.publish(stamped(CameraInfo(
                width=WIDTH, height=HEIGHT, distortion_model='plumb_bob', d=[0.0] * 5,
                k=[80.0, 0.0, 31.5, 0.0, 80.0, 23.5, 0.0, 0.0, 1.0], r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
                p=[80.0, 0.0, 31.5, 0.0, 0.0, 80.0, 23.5, 0.0, 0.0, 0.0, 1.0, 0.0]), stamp_ns))
        self.camera.show(stamp_ns, encoding='mono8', step=WIDTH, data=as_bytes(pixels))
        self.camera.label(stamp_ns, labels)
        return stamp_ns

    def told(self, pixels: np.ndarray, **more) -> Present:
        """What is said of that; it is shown until its depth has come in time."""
        def said() -> bool:
            stamps.append(self.show(pixels, **more))
            self.served.spin(0.3)
            complete = self.heard and stamp_of(self.heard[-1]) in stamps and len(self.heard[-1].appearance)
            return complete and (math.isnan(more.get('depth_m', math.nan)) or not math.isnan(
                self.heard[-1].distance_m[0]))

        stamps: list[int] = []
        self.served.until(said, what='~/present')
        return self.heard[-1]


@pytest.fixture(scope='module')
def watching() -> Iterator[Watching]:
    with serving(image_reliability='reliable') as served:
        one = Watching(served)
        one.camera.connect()
        yield one


def test_each_label_has_its_size_its_distance_and_its_appearance(watching: Watching):
    one = watching.told(SCENE, depth_m=2.0)
    assert list(one.labels) == [3, 8]
    assert list(one.area_fraction) == pytest.approx([1 / 12, 1 / 12])
    assert list(one.distance_m) == pytest.approx([2.0, 2.0], abs=0.1)
    assert len(set(one.appearance)) == 2


def test_what_changes_looks_other_and_what_does_not_the_same(watching: Watching):
    before = watching.told(SCENE)
    changed = SCENE.copy()
    changed[16:32, 16:32] = SCENE[:16, :16][::-1]
    after = watching.told(changed)
    bits = [(one ^ other).bit_count() for one, other in zip(before.appearance, after.appearance)]
    assert bits[0] >= 14
    assert bits[1] <= 8


def test_without_depth_distances_are_nan(watching: Watching):
    assert all(map(math.isnan, watching.told(SCENE).distance_m))


def test_labels_of_another_size_are_told_and_nothing_more(watching: Watching):
    small = np.full((24, 32), 5, np.uint8)

    def told() -> bool:
        watching.show(SCENE, labels=small)
        watching.served.spin(0.3)
        return list(watching.heard[-1].labels) == [5]

    watching.served.until(told)
    one = watching.heard[-1]
    assert len(one.area_fraction) == len(one.distance_m) == len(one.appearance) == 0


@needs('vision_msgs')
def test_detections_are_present_alike():
    with serving(environment=environment('vision_msgs', 'yolo_msgs'), image_reliability='reliable') as served, Other(
            served.namespace) as other:
        one = Watching(served)
        one.camera.connect()

        def told() -> bool:
            stamp_ns = one.camera.show(encoding='mono8', step=WIDTH, data=as_bytes(SCENE))
            other.send('vision_msgs/msg/Detection2DArray', 'detections', {
                'header': {'stamp': {'sec': stamp_ns // 10 ** 9, 'nanosec': stamp_ns % 10 ** 9},
                           'frame_id': 'camera_optical_frame'},
                'detections': [{'id': '4', 'results': [], 'bbox': {
                    'center': {'position': {'x': 32.0, 'y': 24.0}, 'theta': 0.0}, 'size_x': 16.0, 'size_y': 12.0}}]})
            served.spin(0.4)
            return one.heard and list(one.heard[-1].labels) == [4] and len(one.heard[-1].appearance)

        served.set_parameter('regions_from', 'detections')
        served.until(told)
        assert list(one.heard[-1].area_fraction) == pytest.approx([1 / 16])
        assert one.heard[-1].appearance[0] > 0
