"""A camera and a describe_node as child processes, for `idle` and `ros`. It measures nothing.

    python benchmarks/graph.py NAMESPACE [--compressed] [--labels]     the camera: 1280x720 at 30 Hz until it is ended
"""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

WIDTH, HEIGHT, RATE_HZ = 1280, 720, 30.0
LABEL, LABEL_BOX = 7, (400, 200, 300, 240)   # of the label image: left, top, width, height in px
JPEG_QUALITY = 85


@contextmanager
def child(*words: str) -> Iterator[subprocess.Popen]:
    """A Python process of its own group, with a line-buffered pipe from its stdout; ended at the end."""
    process = subprocess.Popen([sys.executable, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               bufsize=1, start_new_session=True, cwd=tempfile.gettempdir())
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(5.0)
                break
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue


def camera(namespace: str, compressed: bool, labels: bool = False):
    """The camera's process."""
    words = [os.path.abspath(__file__), namespace, *(['--compressed'] if compressed else []),
             *(['--labels'] if labels else [])]
    return child(*words)


def describe_node(namespace: str, **parameters: object):
    """describe_node's process."""
    given = [word for name, value in parameters.items() for word in ('-p', f'{name}:={json.dumps(value)}')]
    return child('-m', 'dam_ros.nodes.describe_node', '--ros-args', '-r', f'__ns:={namespace}', '--log-level', 'warn',
                 *given)


def picture() -> np.ndarray:
    """RGB uint8 (H, W, 3): gradients with noise, so that a JPEG of it has the size of a photograph's."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    plain = np.stack([across * 255 // WIDTH, down * 255 // HEIGHT, (across + down) % 256], axis=2)
    noise = np.random.default_rng(4).integers(-12, 13, plain.shape)
    return np.clip(plain + noise, 0, 255).astype(np.uint8)


def jpeg() -> bytes:
    """The picture as a file."""
    return cv2.imencode('.jpg', picture()[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def label_image() -> np.ndarray:
    """uint8 (H, W): one region."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    left, top, width, height = LABEL_BOX
    labels[top:top + height, left:left + width] = LABEL
    return labels


def _messages(compressed: bool) -> tuple:
    """(picture, label image); made once, only their stamps change."""
    import array

    from sensor_msgs.msg import CompressedImage, Image

    def raw(pixels: np.ndarray, encoding: str) -> Image:
        return Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=pixels.size // HEIGHT,
                     data=array.array('B', pixels.tobytes()))

    if compressed:
        first = CompressedImage(format='rgb8; jpeg compressed bgr8', data=array.array('B', jpeg()))
    else:
        first = raw(picture(), 'rgb8')
    return first, raw(label_image(), 'mono8')


def _publish(namespace: str, compressed: bool, with_labels: bool) -> None:
    import rclpy
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from rclpy.signals import SignalHandlerOptions
    from sensor_msgs.msg import Image
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)   # a signal just ends it
    node = rclpy.create_node('camera', namespace=namespace, start_parameter_services=False)
    image, labels = _messages(compressed)
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
    pictures = node.create_publisher(type(image), 'image/compressed' if compressed else 'image', qos)
    segmentation = node.create_publisher(Image, 'segmentation', qos) if with_labels else None
    next_s = time.monotonic()
    print('there', flush=True)
    while True:
        next_s += 1 / RATE_HZ
        time.sleep(max(0.0, next_s - time.monotonic()))
        now_ns = time.time_ns()
        for message, publisher in ((image, pictures), (labels, segmentation)):
            if publisher is not None:
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(now_ns, 1_000_000_000)
                message.header.frame_id = 'camera_optical_frame'
                publisher.publish(message)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('namespace')
    parser.add_argument('--compressed', action='store_true')
    parser.add_argument('--labels', action='store_true')
    given = parser.parse_args(argv)
    _publish(given.namespace, given.compressed, given.labels)
    return 0


if __name__ == '__main__':
    sys.exit(main())
