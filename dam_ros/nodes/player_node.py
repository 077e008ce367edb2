"""player_node: a photo, a folder, a video file, a webcam or a bag as the topics of a camera and its segmentation.

Pictures and their label images carry the same stamp. It does not know who listens.
"""
from __future__ import annotations

import array
from collections import deque
import json
import signal
import threading
import time
import traceback

import cv2
import numpy as np
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String
from std_srvs.srv import Trigger

from dam_ros.core.errors import Failure
from dam_ros.core.player_settings import PlayerSettings
from dam_ros.core.playing import Frame, kind_of, open_source, Source
from dam_ros.core.settings import SettingsError
from dam_ros.nodes.parameters import Parameters
from dam_ros.nodes.player_bag import Bag
from dam_ros.nodes.spinning import run

_LATE_S = 0.5    # more behind than this: go on from now, instead of hurrying after
_LABELS = {'mono8': np.uint8, 'mono16': np.uint16, '32SC1': np.int32}


class PlayerNode(Node):
    """Publishes `image` (and/or `image/compressed`), `segmentation` and `~/playing`; serves `~/next`.

    `~/playing` is a latched String in JSON: name of the file that is on and the stamp of its first picture.

    Attributes:
        exit_code: 0, or 2 where the source failed while it was played.

    Raises:
        SettingsError: parameters or a source that cannot be played, in words.
    """

    def __init__(self):
        super().__init__('player_node')
        self.exit_code = 0
        self._settings = Parameters(self, PlayerSettings).current
        try:
            self._source: Source = Bag(self._settings) if kind_of(self._settings.source) == 'bag' else \
                open_source(self._settings)
        except Failure as failure:
            self.destroy_node()
            raise SettingsError(str(failure)) from failure
        self._make_publishers()
        self.create_service(Trigger, '~/next', self._on_next, callback_group=ReentrantCallbackGroup())
        self._letters = _Letters(self._settings)
        self._late_labels: deque[tuple[float, Image]] = deque()
        self._first_stamp_ns: tuple[int, int] | None = None   # of this pass: recorded, and sent
        self._name = ''
        self._ending = threading.Event()
        self.get_logger().info(f'plays {self._source.title}')
        self._thread = threading.Thread(target=self._play, name='player', daemon=True)
        self._thread.start()

    def end(self):
        """No more pictures."""
        self._ending.set()
        self._thread.join(2.0)   # a webcam may keep its thread longer; it dies with the process

    def _make_publishers(self):
        reliable = self._settings.reliability == 'reliable'
        qos = QoSProfile(depth=self._settings.depth, reliability=ReliabilityPolicy.RELIABLE if reliable
                         else ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE)
        transport = self._settings.image_transport
        self._image = self.create_publisher(Image, 'image', qos) if transport != 'compressed' else None
        self._jpeg = self.create_publisher(CompressedImage, 'image/compressed', qos) if transport != 'raw' else None
        self._labels = self.create_publisher(Image, 'segmentation', qos)
        latched = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                             durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._playing = self.create_publisher(String, '~/playing', latched)

    def _on_next(self, _request, response):
        try:
            response.message, response.success = self._source.next(), True
        except Failure as failure:
            response.message = failure.message
        return response

    # -- the player's own thread

    def _play(self):
        try:
            self._wait_for_subscribers()
            while not self._ending.is_set() and self._play_once() and self._settings.loop:
                pass
            self._wait_until(self._late_labels[-1][0] if self._late_labels else 0.0)
        except Failure as failure:
            self.get_logger().error(failure.message)
            self.exit_code = 2
        except Exception:   # noqa: B902  a bug of ours: say so and end, instead of a camera that is silent
            if not self._ending.is_set():
                self.get_logger().error('bug, please report:\n' + traceback.format_exc())
                self.exit_code = 2
        if not self._ending.is_set():
            signal.raise_signal(signal.SIGTERM)   # the node's own orderly end

    def _play_once(self) -> int:
        """One pass. Returns how many frames were sent."""
        began, sent = time.monotonic(), 0
        self._first_stamp_ns = None
        for frame in self._source.frames():
            if frame.at_s is not None:
                began = max(began, time.monotonic() - frame.at_s - _LATE_S)
                self._wait_until(began + frame.at_s)
            self._send_labels(time.monotonic())
            if self._ending.is_set():
                break
            self._send(frame)
            sent += 1
            self._report_problems()
        self._report_problems()
        if not sent and not self._ending.is_set():
            self.get_logger().error(f'{self._source.title} has no frames any more')
            self.exit_code = 2
        return sent

    def _report_problems(self):
        problems = getattr(self._source, 'problems', [])
        while problems:
            self.get_logger().warning(f'left out: {problems.pop(0)}')

    def _wait_for_subscribers(self):
        wanted = self._settings.wait_for_subscribers
        publishers = [one for one in (self._image, self._jpeg) if one is not None]
        while wanted and not self._ending.is_set():
            if max(one.get_subscription_count() for one in publishers) >= wanted:
                return
            self._ending.wait(0.02)

    def _wait_until(self, due: float):
        """Sleeps until `due` (steady clock, s) or the end; label images whose time comes go out meanwhile."""
        while not self._ending.is_set():
            now = time.monotonic()
            self._send_labels(now)
            if now >= due:
                return
            first = self._late_labels[0][0] if self._late_labels else due
            self._ending.wait(max(0.0, min(due, first) - now))

    def _send_labels(self, now: float):
        while self._late_labels and self._late_labels[0][0] <= now:
            self._labels.publish(self._late_labels.popleft()[1])

    def _send(self, frame: Frame):
        stamp = self._stamp(frame)
        if frame.name != self._name:
            self._name = frame.name
            self._playing.publish(String(data=json.dumps(
                {'name': frame.name, 'first_stamp': {'sec': stamp.sec, 'nanosec': stamp.nanosec}})))
        if frame.image is not None:
            for publisher, write in ((self._image, self._letters.picture), (self._jpeg, self._letters.jpeg)):
                if publisher is not None:
                    publisher.publish(_stamped(write(frame.image), stamp))
        if frame.labels is not None:
            message = _stamped(self._letters.labels(frame.labels), stamp)
            if self._settings.label_delay_s:
                self._late_labels.append((time.monotonic() + self._settings.label_delay_s, message))
            else:
                self._labels.publish(message)

    def _stamp(self, frame: Frame):
        """Now; recorded frames keep the distances of their stamps, so that pairs stay pairs."""
        if frame.stamp_ns is None:
            return self.get_clock().now().to_msg()
        if self._settings.stamps == 'original':
            return Time(nanoseconds=frame.stamp_ns).to_msg()
        if self._first_stamp_ns is None:
            self._first_stamp_ns = frame.stamp_ns, self.get_clock().now().nanoseconds
        recorded_ns, sent_ns = self._first_stamp_ns
        return Time(nanoseconds=max(0, sent_ns + round((frame.stamp_ns - recorded_ns) / self._source.speed))).to_msg()


class _Letters:
    """Messages of frames. A photo is written once and only stamped anew, as filling a message is what costs time."""

    def __init__(self, settings: PlayerSettings):
        self._settings, self._written = settings, {}

    def picture(self, image: np.ndarray) -> Image:
        return self._once('picture', image, self._write_picture)

    def jpeg(self, image: np.ndarray) -> CompressedImage:
        return self._once('jpeg', image, self._write_jpeg)

    def labels(self, labels: np.ndarray) -> Image:
        return self._once('labels', labels, self._write_labels)

    def _once(self, what, pixels, write):
        known, message = self._written.get(what, (None, None))
        if known is not pixels:
            message = write(pixels)
            message.header.frame_id = self._settings.frame_id
            self._written[what] = (pixels, message)
        return message

    def _write_picture(self, image):
        pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if self._settings.encoding == 'bgr8' else image
        return _image(self._settings.encoding, pixels)

    def _write_jpeg(self, image):
        _, data = cv2.imencode('.jpg', cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
                               [cv2.IMWRITE_JPEG_QUALITY, self._settings.jpeg_quality])
        return CompressedImage(format='bgr8; jpeg compressed bgr8', data=_bytes(data))

    def _write_labels(self, labels):
        encoding = self._settings.label_encoding
        if encoding == 'auto':
            highest = int(labels.max())
            encoding = '32SC1' if labels.min() < 0 or highest > 65535 else 'mono16' if highest > 255 else 'mono8'
        return _image(encoding, labels.astype(_LABELS[encoding]))


def _stamped(message, stamp):
    """A message with its own header that shares the data of `message`."""
    copy = type(message)()
    for name in message.get_fields_and_field_types():
        if name != 'header':
            setattr(copy, name, getattr(message, name))
    copy.header.frame_id, copy.header.stamp = message.header.frame_id, stamp
    return copy


def _image(encoding: str, pixels: np.ndarray) -> Image:
    height, width = pixels.shape[:2]
    return Image(height=height, width=width, encoding=encoding, is_bigendian=0, step=pixels.nbytes // height,
                 data=_bytes(pixels))


def _bytes(pixels: np.ndarray) -> array.array:
    data = array.array('B')   # rclpy takes this without looking at each byte; a numpy array costs 136 ms
    data.frombytes(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data)
    return data


def main() -> int:
    """Exit code: 0, or 2 for parameters or a source that cannot be played."""
    made: list[PlayerNode] = []

    def make() -> PlayerNode:
        made.append(PlayerNode())
        return made[0]

    return run(make) or (made[0].exit_code if made else 0)


if __name__ == '__main__':
    raise SystemExit(main())
