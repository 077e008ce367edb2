"""ROS image messages as pictures that are decoded only when somebody looks. It knows no request."""
from __future__ import annotations

import array
from dataclasses import dataclass
import struct

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image

from dam_ros.core import images
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


@dataclass(frozen=True)
class RawImage:
    """The fields of a serialized sensor_msgs/Image; `data` is a view of it."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: memoryview


def read_raw(data: bytes) -> RawImage | Image:
    """An Image without the 3 MB that rclpy's deserialization copies. Raises struct.error, ValueError for nonsense."""
    if data[0] or data[1] > 1:   # another encapsulation than plain CDR
        return deserialize_message(data, Image)
    fields = _Fields(data)
    height, width, encoding = fields.number(), fields.number(), fields.text()
    return RawImage(height, width, encoding, fields.byte(), fields.number(), fields.sequence())


def read_compressed(data: bytes) -> memoryview:
    """The file in a serialized sensor_msgs/CompressedImage. Raises struct.error, ValueError for nonsense."""
    if data[0] or data[1] > 1:
        return memoryview(deserialize_message(data, CompressedImage).data)
    fields = _Fields(data)
    fields.text()
    return fields.sequence()


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

    Raises (from `size` and `pixels`): NoFrame where the frame is damaged or of an encoding that is no picture; the
        caller did nothing wrong, and the next one may be good.
    """

    def __init__(self, frame: Frame):
        self._frame = frame
        self.stamp_ns, self.frame_id = frame.stamp_ns, frame.frame_id
        self.nbytes = len(frame.data)

    def size(self) -> tuple[int, int]:
        """(height, width) in px, from its header."""
        return self._reading(self._size)

    def pixels(self) -> np.ndarray:
        """RGB uint8 (H, W, 3)."""
        return self._reading(self._pixels)

    def _reading(self, read):
        try:
            return read()
        except CallerFailure as failure:
            raise NoFrame(f"the camera's picture at {self.stamp_ns / NS:.3f} cannot be used: {failure}") from failure
        except (struct.error, ValueError, IndexError, RuntimeError) as error:   # nonsense
            raise NoFrame(f"the camera's picture at {self.stamp_ns / NS:.3f} is damaged: {error}") from error

    def _size(self) -> tuple[int, int]:
        if self._frame.compressed:
            size = images.picture_size(read_compressed(self._frame.data))
            if size is None:
                raise images.not_a_picture('image')
            return size[1], size[0]
        message = read_raw(self._frame.data)
        images.check_raw(message.encoding, message.width, message.height, message.step, message.data)
        return message.height, message.width

    def _pixels(self) -> np.ndarray:
        if self._frame.compressed:
            return images.decode_compressed(read_compressed(self._frame.data))
        return _decode(read_raw(self._frame.data))


class OwnPicture:
    """The picture in a request. Raises InvalidRequest or Unsupported when made, where its fields do not fit."""

    def __init__(self, message: Image):
        images.check_raw(message.encoding, message.width, message.height, message.step, message.data)
        self._message = message
        stamp = message.header.stamp
        self.stamp_ns, self.frame_id = stamp.sec * NS + stamp.nanosec, message.header.frame_id
        self.nbytes = len(message.data)

    def size(self) -> tuple[int, int]:
        return self._message.height, self._message.width

    def pixels(self) -> np.ndarray:
        return _decode(self._message)


def read_labels(frame: Frame) -> np.ndarray:
    """The label image of a camera as whole numbers (H, W). Raises NoLabelImage where it cannot be used."""
    try:
        return label_image(read_raw(frame.data), 'segmentation')
    except (CallerFailure, struct.error, ValueError, IndexError, RuntimeError) as error:
        raise NoLabelImage(f'the label image at {frame.stamp_ns / NS:.3f} cannot be used: {error}') from error


def label_image(message: Image | RawImage, field: str) -> np.ndarray:
    """A label image in a message, as whole numbers (H, W). Raises InvalidRequest, Unsupported."""
    return images.decode_labels(message.encoding, message.width, message.height, message.step,
                                bool(message.is_bigendian), message.data, field)


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


def _decode(message: Image | RawImage) -> np.ndarray:
    return images.decode_raw(message.encoding, message.width, message.height, message.step,
                             bool(message.is_bigendian), message.data)
