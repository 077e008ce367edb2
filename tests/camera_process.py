"""A camera in a process of its own, for tests: python camera_process.py NAMESPACE [--OPTION VALUE]...

A red block and its label move from picture to picture, to the place that the stamp says (`place_at`), so that a wrong
pair gives itself away. It obeys lines on stdin: `send N` publishes N pictures at the rate and then says `sent N FIRST
LAST` (stamps in ns) on stdout; `end` ends it.
"""
from __future__ import annotations

import argparse
import array
from collections import deque
import sys
import time

import numpy as np

BLOCK_PX, LABEL = 32, 7
_STRIDE_PX, _PERIOD_NS = 11, 1_000_000_000 // 30


def place_at(stamp_ns: int, width: int) -> int:
    """Left edge of the block, in px."""
    return stamp_ns // _PERIOD_NS * _STRIDE_PX % (width - BLOCK_PX)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument('namespace')
    parser.add_argument('--width', type=int, default=1280)
    parser.add_argument('--height', type=int, default=720)
    parser.add_argument('--rate', type=float, default=30.0, help='Hz')
    parser.add_argument('--label_delay', type=float, default=-1.0, help='s after the picture; below 0 = no labels')
    parser.add_argument('--reliability', default='reliable', choices=['reliable', 'best_effort'])
    return parser.parse_args()


class _Source:
    """Pictures and label images of one size."""

    def __init__(self, width: int, height: int):
        self._picture = np.full((height, width, 3), 200, np.uint8)
        self._labels = np.zeros((height, width), np.uint8)

    def messages(self, stamp_ns: int) -> tuple:
        left = place_at(stamp_ns, self._labels.shape[1])
        self._picture[:] = 200
        self._picture[:, left:left + BLOCK_PX] = (0, 0, 220)   # BGR
        self._labels[:] = 0
        self._labels[:, left:left + BLOCK_PX] = LABEL
        return _message(self._picture, 'bgr8', stamp_ns), _message(self._labels, 'mono8', stamp_ns)


def _message(pixels: np.ndarray, encoding: str, stamp_ns: int):
    from sensor_msgs.msg import Image
    data = array.array('B')
    data.frombytes(pixels.data)
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding,
                    step=pixels.size // pixels.shape[0], data=data)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    message.header.frame_id = 'camera_optical_frame'
    return message


class _Sender:
    def __init__(self, given: argparse.Namespace):
        import rclpy
        from rclpy.qos import QoSProfile, ReliabilityPolicy
        from sensor_msgs.msg import Image
        rclpy.init()
        node = rclpy.create_node('camera', namespace=given.namespace)
        offered = {'reliable': ReliabilityPolicy.RELIABLE, 'best_effort': ReliabilityPolicy.BEST_EFFORT}
        qos = QoSProfile(depth=10, reliability=offered[given.reliability])
        self._given, self._source = given, _Source(given.width, given.height)
        self._pictures = node.create_publisher(Image, 'image', qos)
        self._labels = node.create_publisher(Image, 'segmentation', qos) if given.label_delay >= 0 else None
        self._late: deque[tuple[float, object]] = deque()

    def send(self, count: int) -> tuple[int, int]:
        """Returns the stamps of the first and the last picture, in ns."""
        begun_s, stamps = time.monotonic(), []
        for number in range(count):
            self._wait_until(begun_s + number / self._given.rate)
            stamps.append(time.time_ns())
            picture, labels = self._source.messages(stamps[-1])
            self._pictures.publish(picture)
            if self._labels is not None:
                self._late.append((time.monotonic() + self._given.label_delay, labels))
        while self._late:
            self._wait_until(self._late[0][0])
        return stamps[0], stamps[-1]

    def _wait_until(self, then_s: float) -> None:
        """Label images that are due meanwhile go out."""
        while True:
            while self._late and self._late[0][0] <= time.monotonic():
                self._labels.publish(self._late.popleft()[1])
            next_s = min(then_s, self._late[0][0]) if self._late else then_s
            if time.monotonic() >= then_s:
                return
            time.sleep(max(0.0, next_s - time.monotonic()))


def main() -> None:
    sender = _Sender(_arguments())
    print('there', flush=True)
    for line in sys.stdin:
        word, _, count = line.strip().partition(' ')
        if word != 'send':
            return
        first, last = sender.send(int(count))
        print(f'sent {count} {first} {last}', flush=True)


if __name__ == '__main__':
    main()
