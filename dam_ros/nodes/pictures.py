"""ROS image messages as pictures that are decoded only when somebody looks. It knows no request."""
from __future__ import annotations

import array
from dataclasses import asdict, replace
import struct
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from dam_ros.core import images
from dam_ros.core.encoded import Encoded, Layout
from dam_ros.core.errors import CallerFailure, NoFrame, NoLabelImage
from dam_ros.core.frames import NS, Frame


def peek_header(data: bytes) -> tuple[int, str]:
    """(stamp in ns, frame_id) of a serialized message that begins with a std_msgs/Header, without deserializing it.

    CDR (OMG formal/02-06-51 ch. 15): 4 bytes of encapsulation whose second says the byte order, then int32 sec,
    uint32 nanosec, uint32 length of frame_id with its closing NUL, and its characters.
    """
    order = '<' if data[1] & 1 else '>'
    sec, nanosec, length = struct.unpack_from(order + 'iII', data, 4)
    return sec * NS + nanosec, bytes(data[16:16 + max(0, length - 1)]).decode('utf-8', 'replace')


def read_raw(data: bytes) -> Encoded:
    """An Image without the 3 MB that rclpy's deserialization copies. Raises struct.error, ValueError for nonsense."""
    if data[0] or data[1] > 1:   # another encapsulation than plain CDR
        return encoded(deserialize_message(data, Image))
    fields = _Fields(data)
    height, width, encoding = fields.number(), fields.number(), fields.text()
    is_bigendian, step = bool(fields.byte()), fields.number()
    return Encoded(fields.sequence(), Layout(encoding, width, height, step, is_bigendian))


def read_compressed(data: bytes) -> Encoded:
    """The file in a serialized sensor_msgs/CompressedImage. Raises struct.error, ValueError for nonsense."""
    if data[0] or data[1] > 1:
        message = deserialize_message(data, CompressedImage)
        return Encoded(memoryview(message.data), form=message.format)
    fields = _Fields(data)
    form = fields.text()
    return Encoded(fields.sequence(), form=form)


def encoded(message: Image) -> Encoded:
    """A message that was deserialized."""
    return Encoded(message.data, Layout(message.encoding, message.width, message.height, message.step,
                                        bool(message.is_bigendian)))


class _Fields:
    """The fields behind the header of a serialized message, one after the other; numbers are aligned to their size."""

    def __init__(self, data: bytes):
        self._data, self._order = memoryview(data), '<' if data[1] & 1 else '>'
        self._at = 12
        self.text()   # frame_id

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> int:
        at = self._at + -self._at % 4
        self._at = at + 4
        return struct.unpack_from(self._order + 'I', self._data, at)[0]

    def text(self) -> str:
        return bytes(self.sequence()).rstrip(b'\0').decode('utf-8', 'replace')

    def sequence(self) -> memoryview:
        length = self.number()
        self._at += length
        if self._at > len(self._data):
            raise ValueError(f'it ends within {length} bytes')
        return self._data[self._at - length:self._at]


class CameraPicture:
    """A frame of a camera.

    Raises (from all but `nbytes`): NoFrame where the frame is damaged or of an encoding that is no picture; the caller
        did nothing wrong, and the next one may be good.
    """

    def __init__(self, frame: Frame):
        self._frame = frame
        self.stamp_ns, self.frame_id = frame.stamp_ns, frame.frame_id
        self.nbytes = len(frame.data)

    def encoded(self) -> Encoded:
        """As it came."""
        source = f"the camera's picture at {self.stamp_ns / NS:.3f}"
        try:
            read = read_compressed if self._frame.compressed else read_raw
            return replace(read(self._frame.data), source=source, up=self._frame.up)
        except (struct.error, ValueError, IndexError, RuntimeError) as error:   # nonsense
            raise NoFrame(f'{source} is damaged: {error}') from error

    def size(self) -> tuple[int, int]:
        """(height, width) in px, from its header."""
        return self.encoded().size()

    def pixels(self) -> np.ndarray:
        """RGB uint8 (H, W, 3)."""
        return self.encoded().pixels()


class OwnPicture:
    """The picture in a request. Raises InvalidRequest or Unsupported when made, where its fields do not fit."""

    def __init__(self, message: Image):
        self._encoded = encoded(message)
        self._size = self._encoded.size()
        stamp = message.header.stamp
        self.stamp_ns, self.frame_id = stamp.sec * NS + stamp.nanosec, message.header.frame_id
        self.nbytes = len(message.data)

    def encoded(self) -> Encoded:
        return self._encoded

    def size(self) -> tuple[int, int]:
        return self._size

    def pixels(self) -> np.ndarray:
        return self._encoded.pixels()


def read_labels(frame: Frame) -> np.ndarray:
    """The label image of a camera as whole numbers (H, W). Raises NoLabelImage where it cannot be used."""
    try:
        return label_image(read_raw(frame.data), 'segmentation')
    except (CallerFailure, struct.error, ValueError, IndexError, RuntimeError) as error:
        raise NoLabelImage(f'the label image at {frame.stamp_ns / NS:.3f} cannot be used: {error}') from error


def read_depth(frame: Frame) -> tuple[str, np.ndarray]:
    """(encoding, uint16 or float32 (H, W)) of a depth image. Raises NoFrame where it cannot be used."""
    try:
        one = read_raw(frame.data)
        return one.layout.encoding, images.decode_depth(**asdict(one.layout), data=one.data)
    except (CallerFailure, struct.error, ValueError, IndexError, RuntimeError) as error:
        raise NoFrame(f'the depth image at {frame.stamp_ns / NS:.3f} cannot be used: {error}') from error


def read_info(frame: Frame) -> dict[str, Any]:
    """What `core.lens.Lens.from_info` takes, of a serialized sensor_msgs/CameraInfo. Raises NoFrame as `read_depth`."""
    try:
        one = deserialize_message(frame.data, CameraInfo)
    except Exception as error:   # noqa: B902  rmw's own, which have no common class
        raise NoFrame(f'the camera info at {frame.stamp_ns / NS:.3f} cannot be used: {error}') from error
    roi = one.roi
    return {'width': one.width, 'height': one.height, 'distortion_model': one.distortion_model, 'd': tuple(one.d),
            'k': tuple(one.k), 'r': tuple(one.r), 'p': tuple(one.p), 'binning': (one.binning_x, one.binning_y),
            'roi': (roi.x_offset, roi.y_offset, roi.width, roi.height)}


def label_image(picture: Encoded, field: str) -> np.ndarray:
    """A label image in a message, as whole numbers (H, W). Raises InvalidRequest, Unsupported."""
    return images.decode_labels(**asdict(picture.layout), data=picture.data, field=field)


def image_message(pixels: np.ndarray, encoding: str, stamp_ns: int, frame_id: str) -> Image:
    """uint8 (H, W) or (H, W, 3) as a message."""
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
    message.step = pixels.shape[1] * (pixels.shape[2] if pixels.ndim == 3 else 1)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, NS)
    message.header.frame_id = frame_id
    data = array.array('B')   # an ndarray takes a thousand times as long
    data.frombytes(np.ascontiguousarray(pixels).data)
    message.data = data
    return message
