"""~/present: what is in the newest picture of each camera. In the background, and only while somebody subscribes."""
from __future__ import annotations

from collections.abc import Callable
import time
import traceback

from rclpy.node import Node

from dam_ros.core.appearance import WIDTH_PX
from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.errors import Failure
from dam_ros.core.frames import NS, Found, Frame
from dam_ros.core.glance import grey
from dam_ros.core.presence import Presence, presence
from dam_ros.msg import Present
from dam_ros.nodes.cameras import Camera
from dam_ros.nodes.pictures import CameraPicture
from dam_ros.nodes.whereabouts import Sight

_REST = 10   # times as long as a look took rests the camera: at most 9 % of a core, however many regions there are


class Presents:
    """The newest label image or detections of each camera, once each.

    Args:
        submit: has something done in the thread for looks.
    """

    def __init__(self, node: Node, submit: Callable[[Callable[[], None]], None]):
        self._node, self._submit = node, submit
        self._publisher = node.create_publisher(Present, '~/present', 10)
        self._last: dict[str, Frame] = {}
        self._due_s: dict[str, float] = {}   # when the next may be looked at; inf while one is

    def show(self, camera: Camera, settings: DescribeSettings) -> None:
        """In the executor's thread, as often as it is wanted at most."""
        labels = camera.ring.newest_labels(settings.regions_from)
        if labels is None or labels is self._last.get(camera.name) or self._publisher.get_subscription_count() == 0:
            return
        if time.monotonic() < self._due_s.get(camera.name, 0.0):
            return
        self._last[camera.name], self._due_s[camera.name] = labels, float('inf')
        pair = camera.ring.pair(settings.regions_from)
        found = pair if pair is not None and pair.labels is labels else None
        self._submit(lambda: self._look(camera, labels, found, settings))

    def forget(self) -> None:
        """The node is cleaned up: frames are let go."""
        self._last.clear()
        self._due_s.clear()

    def _look(self, camera: Camera, labels: Frame, found: Found | None, settings: DescribeSettings) -> None:
        begun_s = time.thread_time()
        try:
            self._publish(camera.name, labels, _presence(camera, labels, found, settings))
        except Failure:   # of labels that cannot be read; diagnostics tell whoever asks about them
            pass
        except Exception:   # noqa: B902  the next would not be looked at
            self._node.get_logger().error('bug, please report:\n' + traceback.format_exc())
        self._due_s[camera.name] = time.monotonic() + _REST * (time.thread_time() - begun_s)

    def _publish(self, camera: str, labels: Frame, found: Presence) -> None:
        message = Present(camera=camera, labels=found.labels, area_fraction=found.area_fraction,
                          distance_m=found.distance_m, appearance=found.appearance)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(labels.stamp_ns, NS)
        message.header.frame_id = labels.frame_id
        self._publisher.publish(message)


def _presence(camera: Camera, labels: Frame, found: Found | None, settings: DescribeSettings) -> Presence:
    """Args: found: the picture that the labels are of, None = it has not come. Raises NoLabelImage."""
    read = camera.labelling.read(labels, settings)
    if found is not None:
        try:
            picture = CameraPicture(found.picture).encoded()
            view = Sight(camera, found, settings.image_is_rectified).view()
            return presence(read, grey(picture, WIDTH_PX), picture.size(), view)
        except Failure:   # a picture that cannot be read, or of another size: what there is, is known all the same
            pass
    return Presence(list(read.present()))
