"""Messages as tests need them, and the client of `ros_graph` as a camera. They assert nothing by themselves."""
from __future__ import annotations

import array
import json
import math
import time
from typing import Any

import numpy as np
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from dam_ros.msg import Description, Region

NS = 1_000_000_000
_RELIABLE = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)


def as_bytes(pixels: np.ndarray) -> array.array:
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(pixels).tobytes())
    return data


def stamped(message: Any, stamp_ns: int) -> Any:
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, NS)
    message.header.frame_id = message.header.frame_id or 'camera_optical_frame'
    return message


def stamp_of(message: Any) -> int:
    """ns."""
    return message.header.stamp.sec * NS + message.header.stamp.nanosec


def picture(width: int = 64, height: int = 48, stamp_ns: int = 0, **changes: Any) -> Image:
    """A grey bgr8 picture."""
    message = Image(width=width, height=height, encoding='bgr8', step=3 * width,
                    data=array.array('B', b'\x80') * (3 * width * height))
    for name, value in changes.items():
        setattr(message, name, value)
    return stamped(message, stamp_ns)


def grey(pixels: np.ndarray, encoding: str = 'mono8', stamp_ns: int = 0, padding: int = 0) -> Image:
    """A mask or label image (H, W) of the dtype that the encoding needs, with `padding` bytes of noise per row."""
    height, width = pixels.shape
    step = width * pixels.dtype.itemsize
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(height, step)
    if padding:
        noise = np.random.default_rng(1).integers(0, 256, (height, padding), np.uint8)
        rows = np.hstack([rows, noise])
    return stamped(Image(width=width, height=height, encoding=encoding, step=step + padding, data=as_bytes(rows)),
                   stamp_ns)


def box(left: float, top: float, width: float, height: float, **changes: Any) -> Region:
    """The box as it is."""
    return Region(box_xywh=[float(one) for one in (left, top, width, height)], **{'box_is_region': True, **changes})


def unknown_floats(description: Description) -> dict[str, float]:
    """Those that nothing in this version can know, by name."""
    one = description
    return {'bearing_rad': one.bearing_rad, 'elevation_rad': one.elevation_rad, 'distance_m': one.distance_m,
            'position.x': one.position.x, 'position.y': one.position.y, 'position.z': one.position.z}


def script(**options: Any) -> str:
    """A question that tells the describer `rehearsal` what to do this once."""
    return json.dumps(options)


class Camera:
    """The client as a camera: pictures and label images with stamps of its choice, both reliable.

    The node must have `image_reliability: reliable`, or it changes its subscription at some time in the first second.
    """

    def __init__(self, served: Any, prefix: str = ''):
        self._served = served
        self._image = served.node.create_publisher(Image, prefix + 'image', _RELIABLE)
        self._labels = served.node.create_publisher(Image, prefix + 'segmentation', _RELIABLE)
        self._parts = [f'{part} {prefix[:-1]}'.strip() for part in ('image', 'segmentation')]

    def show(self, stamp_ns: int = 0, **changes: Any) -> int:
        """Publishes a picture; returns its stamp in ns, now where none is given."""
        stamp_ns = stamp_ns or time.time_ns()
        self._image.publish(picture(stamp_ns=stamp_ns, **changes))
        return stamp_ns

    def label(self, stamp_ns: int, pixels: np.ndarray | None = None, **changes: Any) -> None:
        """Publishes a label image; without pixels: 1 in the left half, 2 in the right."""
        if pixels is None:
            pixels = np.repeat(np.array([[1, 2]], np.uint8), 32, axis=1).repeat(48, axis=0)
        self._labels.publish(grey(pixels, stamp_ns=stamp_ns, **changes))

    def connect(self) -> None:
        """Until the node hears both topics: diagnostics count what has come."""
        def heard() -> bool:
            self.label(self.show())
            self._served.spin(0.1)
            return all(number_in(self._served.status.get(part), 'frames') > 0 for part in self._parts)

        self._served.until(heard, what='the node hears the camera')


def number_in(status: Any, key: str) -> float:
    """A number among the values of a DiagnosticStatus, NaN where there is none."""
    values = {one.key: one.value for one in status.values} if status else {}
    return float(values.get(key, math.nan))
