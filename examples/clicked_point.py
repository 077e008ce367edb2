"""Points that are clicked in RViz ("Publish Point") become pixels of the camera, and are asked about.

`click_to_describe.py --rviz` starts it. Of dam_ros's modules it uses those that know lenses and rotations.
"""
from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
import math
import time

from asking import Asking, State
import cv2
from geometry_msgs.msg import PointStamped
import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo

from dam_ros.action import Describe
from dam_ros.core.lens import Lens, Unplaceable, is_rectified
from dam_ros.core.placing import rotation_of
from dam_ros.msg import Region

TRANSFORM_S = 1.0     # transforms are often a little later than the pictures that they belong to
_APART_RAD = 1e-3     # a pixel that looks another way than to the point is none of it


class NotSeen(Exception):
    """The camera does not see that point, or nobody can tell; in words."""


def pixel_of(lens: Lens, point: np.ndarray) -> tuple[float, float]:
    """Where a point, (3,) m in the axes of the camera's frame, is in the picture; (0, 0) = middle of the first pixel.

    Raises:
        NotSeen: it is behind the camera, or outside of the picture or of what the lens sees.
    """
    x, y, z = at = point @ np.array(lens.turn)   # the picture's own axes
    distance = float(np.linalg.norm(at))
    if lens.fisheye and distance:   # it also sees sideways; t (1 + k1 t^2 + ...) as in Lens.rays
        sideways = math.hypot(x, y)
        angle = math.atan2(sideways, z)
        reach = angle * np.polyval([*lens.coefficients[::-1], 1.0], angle ** 2)
        plane = np.array([x, y]) * (reach / sideways if sideways else 0.0)
    elif z > 0:
        plane = cv2.projectPoints(at[None], np.zeros(3), np.zeros(3), np.eye(3), np.array(lens.coefficients))[0][0, 0]
    else:
        raise NotSeen(f'the point is behind the camera (z = {z:.2f} m in its frame)')
    pixel = plane * lens.focal + lens.centre
    ray = lens.rays(pixel[None])[0]
    if not ray @ at > distance * math.cos(_APART_RAD):   # NaN, too: beyond where a polynomial turns back
        raise NotSeen('the point is outside of what the lens sees')
    if not (-0.5 <= pixel[0] < lens.width - 0.5 and -0.5 <= pixel[1] < lens.height - 0.5):
        raise NotSeen(f'the point is outside of the picture: at {pixel[0]:.0f}, {pixel[1]:.0f} px of '
                      f'{lens.width}x{lens.height}')
    return float(pixel[0]), float(pixel[1])


class Frames:
    """Moves points between frames, with tf2 where it is installed and needed."""

    def __init__(self, node: Node):
        self._buffer, self._trouble = None, ''
        try:
            import tf2_ros
        except ImportError as error:
            self._trouble = f'tf2_ros cannot be imported ({error}): install ros-$ROS_DISTRO-tf2-ros-py'
            return
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node)

    def moved(self, point: np.ndarray, source: str, target: str, stamp: Time) -> np.ndarray:
        """A point (3,), m. Raises NotSeen where no transform is known (yet)."""
        if source.lstrip('/') == target.lstrip('/'):
            return point
        if self._buffer is None:
            raise NotSeen(f'the point is in the frame {source!r}, the camera in {target!r}, and {self._trouble}, or '
                          f"set RViz's fixed frame to {target!r}")
        try:
            found = self._buffer.lookup_transform(target, source, stamp).transform
        except Exception as error:   # noqa: B902  tf2's own kinds, of a library that may be absent
            raise NotSeen(f'no transform from {source!r} to {target!r}: {error}') from error
        turn, offset = found.rotation, found.translation
        return rotation_of(turn.x, turn.y, turn.z, turn.w) @ point + np.array([offset.x, offset.y, offset.z])


@dataclass(frozen=True, eq=False)
class Click:
    """A point, and the picture that was the newest when it was clicked. `until`: s, monotonic."""

    message: PointStamped
    info: CameraInfo
    until: float


class ClickedPoints:
    """Prints what is at each point. A new one ends the question about the one before."""

    def __init__(self, node: Node, options: argparse.Namespace):
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._asking, self._frames, self._options = Asking(node, options.node), Frames(node), options
        image = node.resolve_topic_name(options.image)
        self._rectified = is_rectified(options.rectified, image)
        self._info_topic = options.camera_info or f'{image.removesuffix("/compressed").rpartition("/")[0]}/camera_info'
        self._info: CameraInfo | None = None
        self._click: Click | None = None
        self._shown = ''
        node.create_subscription(CameraInfo, self._info_topic, self._take_info, qos_profile_sensor_data)
        node.create_subscription(PointStamped, options.clicked_point, self._take_point, 10)
        say(f'Click at a point in RViz; CameraInfo comes from {self._info_topic}. Ctrl-C ends.')

    def run(self, check: Callable[[], None]) -> None:
        """Until `check` raises."""
        try:
            while True:
                self.turn(0.05)
                check()
        finally:
            self._asking.leave(self._executor.spin_once)

    def turn(self, wait_s: float) -> None:
        self._executor.spin_once(wait_s)
        if self._click is not None:
            self._place(self._click)
        before = self._asking.state
        state = self._asking.poll()
        if state == State.RUNNING and self._asking.text not in ('', self._shown):
            self._shown = self._asking.text
            say(f'  ... {self._shown}')
        elif before == State.RUNNING and state == State.SUCCESS:
            say(self._asking.text)
        elif before == State.RUNNING and state == State.FAILURE:
            say(f'{self._asking.error_code}: {self._asking.error_msg}')

    def _take_info(self, message: CameraInfo) -> None:
        self._info = message

    def _take_point(self, message: PointStamped) -> None:
        if self._info is None:
            say(f'Where that is in the picture is not known: no CameraInfo has come on {self._info_topic}')
            return
        self._click = Click(message, self._info, time.monotonic() + TRANSFORM_S)

    def _place(self, click: Click) -> None:
        """Asks about it, as soon as its transform is known."""
        at, frame_id, info = click.message.point, click.message.header.frame_id, click.info
        where = f'{at.x:.2f}, {at.y:.2f}, {at.z:.2f} m in {frame_id}'
        try:
            point = self._frames.moved(np.array([at.x, at.y, at.z]), frame_id, info.header.frame_id,
                                       Time.from_msg(info.header.stamp))
        except NotSeen as unknown:
            if time.monotonic() > click.until:
                self._click = None
                say(f'{where}: {unknown}')
            return
        self._click = None
        try:
            lens = lens_of(info, self._rectified)
            x, y = pixel_of(lens, point)
        except (NotSeen, Unplaceable) as unknown:
            say(f'{where}: {unknown}')
            return
        say(f'{where}: pixel {x:.0f}, {y:.0f}')
        # The picture may have another size than the CameraInfo is for.
        region = Region(points=[x, y], ref_width=lens.width, ref_height=lens.height)
        self._shown = ''
        self._asking.start(Describe.Goal(region=region, stamp=info.header.stamp, camera=self._options.camera,
                                         query=self._options.question), self._options.timeout_s)


def lens_of(info: CameraInfo, rectified: bool) -> Lens:
    """Raises Unplaceable."""
    roi = info.roi
    return Lens.from_info(info.width, info.height, info.distortion_model, tuple(info.d), tuple(info.k), tuple(info.r),
                          tuple(info.p), (info.binning_x, info.binning_y),
                          (roi.x_offset, roi.y_offset, roi.width, roi.height), rectified)


def say(words: str) -> None:
    print(words, flush=True)
