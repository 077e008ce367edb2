"""Serialized images read where they lie: the same as rclpy's deserialization, and nonsense is told as such."""
from __future__ import annotations

from dataclasses import replace
import json
import random
import struct

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')

from camera_pixels import as_sent  # noqa: E402
from rclpy.serialization import serialize_message  # noqa: E402
from ros_pictures import as_bytes, stamped  # noqa: E402
from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402

from dam_ros.core.encoded import Encoded, Layout  # noqa: E402
from dam_ros.core.errors import NoFrame  # noqa: E402
from dam_ros.core.frames import Frame  # noqa: E402
from dam_ros.nodes.pictures import (CameraPicture, peek_header, read_compressed, read_depth, read_info,  # noqa: E402
                                    read_raw)

FRAME_IDS = ['', 'a', 'ab', 'abc', 'camera_optical_frame', 'schräg']


def image(frame_id: str = 'camera', encoding: str = 'rgb8', height: int = 3, width: int = 5, **changes) -> Image:
    pixels = np.random.default_rng(1).integers(0, 256, (height, width * 3), np.uint8)
    message = stamped(Image(height=height, width=width, encoding=encoding, step=width * 3, data=as_bytes(pixels),
                            **changes), 1_700_000_000_123_456_789)
    message.header.frame_id = frame_id
    return message


@pytest.mark.parametrize('frame_id', FRAME_IDS)
@pytest.mark.parametrize('encoding', ['', 'rgb8', 'mono8', '32SC1', 'bayer_rggb8'])
@pytest.mark.parametrize('is_bigendian', [0, 1])
def test_every_field_of_an_image(frame_id: str, encoding: str, is_bigendian: int):
    message = image(frame_id, encoding, is_bigendian=is_bigendian)
    data = serialize_message(message)
    read = read_raw(data)
    for name in ('height', 'width', 'encoding', 'is_bigendian', 'step'):
        assert getattr(read.layout, name) == getattr(message, name), name
    assert bytes(read.data) == bytes(message.data)
    assert peek_header(data) == (1_700_000_000_123_456_789, frame_id)


@pytest.mark.parametrize('frame_id', FRAME_IDS)
@pytest.mark.parametrize('form', ['', 'jpeg', 'rgb8; jpeg compressed bgr8'])
def test_the_file_in_a_compressed_image(frame_id: str, form: str):
    message = CompressedImage(format=form, data=as_bytes(np.arange(100, dtype=np.uint8)))
    message.header.frame_id = frame_id
    read = read_compressed(serialize_message(message))
    assert (bytes(read.data), read.form) == (bytes(range(100)), form)


def test_compressed_depth_among_pictures_is_told_as_such():
    message = CompressedImage(format='16UC1; compressedDepth png', data=as_bytes(np.zeros(60, np.uint8)))
    picture = CameraPicture(Frame(1, 'camera', serialize_message(message), True))
    for read in (picture.size, picture.pixels):
        with pytest.raises(NoFrame, match='cannot be used: image.format .*This is depth'):
            read()


def test_the_worker_gets_what_the_node_has():
    for one in (read_raw(serialize_message(image())), replace(read_compressed(serialize_message(CompressedImage(
            format='bayer_rggb8; png compressed '))), source='camera')):
        assert Encoded.from_json(json.loads(json.dumps(one.as_json())), one.data).as_json() == one.as_json()


def test_the_other_byte_order():
    """As a publisher on a big-endian machine would send it."""
    text = b'rgb8\0'
    body = struct.pack('>iII', 7, 9, 4) + b'cam\0' + struct.pack('>III', 1, 2, len(text)) + text + b'\0' + b'\0\0' + (
        struct.pack('>II', 6, 6) + bytes(range(6)))
    read = read_raw(b'\0\0\0\0' + body)
    assert (read.layout, bytes(read.data)) == (Layout('rgb8', 2, 1, 6), bytes(range(6)))
    assert peek_header(b'\0\0\0\0' + body) == (7_000_000_009, 'cam')


@pytest.mark.parametrize('compressed', [False, True])
def test_what_is_cut_off_anywhere_or_garbled_is_no_frame(compressed: bool):
    message = CompressedImage(format='jpeg', data=as_bytes(np.zeros(40, np.uint8))) if compressed else image()
    data = serialize_message(message)
    chance = random.Random(3)
    garbled = [data[:4] + bytes(chance.randrange(256) for _ in data[4:]) for _ in range(200)]
    for bad in [*(data[:end] for end in range(4, len(data) - 1)), *garbled]:
        picture = CameraPicture(Frame(1, 'camera', bad, compressed))
        for read in (picture.size, picture.pixels):
            with pytest.raises(NoFrame):
                read()


def test_pixels_of_a_padded_picture():
    pixels = np.random.default_rng(2).integers(0, 256, (4, 32), np.uint8)
    message = Image(height=4, width=10, encoding='rgb8', step=32, data=as_bytes(pixels))
    picture = CameraPicture(Frame(1, 'camera', serialize_message(message)))
    assert picture.size() == (4, 10)
    np.testing.assert_array_equal(picture.pixels(), pixels[:, :30].reshape(4, 10, 3))


# -- depth and camera info

@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
@pytest.mark.parametrize('is_bigendian', [0, 1])
def test_depth_with_padded_rows(encoding: str, is_bigendian: int):
    values = np.arange(40).reshape(5, 8).astype('u2' if encoding == '16UC1' else 'f4') + 300
    step, data = as_sent(values, 5, padding=4, big=bool(is_bigendian))
    message = Image(height=5, width=8, encoding=encoding, is_bigendian=is_bigendian, step=step, data=data)
    read, pixels = read_depth(Frame(1, 'camera', serialize_message(message)))
    assert read == encoding
    np.testing.assert_array_equal(pixels, values)


@pytest.mark.parametrize('changes', [{'encoding': 'rgb8'}, {'step': 3}, {'data': as_bytes(np.zeros(9, np.uint8))},
                                     {'width': 0}])
def test_depth_that_cannot_be_used(changes: dict):
    message = Image(**{'height': 5, 'width': 8, 'encoding': '16UC1', 'step': 16,
                       'data': as_bytes(np.zeros(80, np.uint8)), **changes})
    with pytest.raises(NoFrame, match='the depth image at .* cannot be used: depth'):
        read_depth(Frame(1, 'camera', serialize_message(message)))


def test_camera_info_as_the_lens_takes_it():
    message = CameraInfo(width=640, height=480, distortion_model='plumb_bob', d=[0.1, 0.2, 0.3, 0.4, 0.5],
                         k=[500.0, 0.0, 320.0, 0.0, 501.0, 240.0, 0.0, 0.0, 1.0],
                         r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
                         p=[400.0, 0.0, 310.0, 1.0, 0.0, 401.0, 230.0, 2.0, 0.0, 0.0, 1.0, 0.0],
                         binning_x=2, binning_y=4)
    message.roi.x_offset, message.roi.y_offset, message.roi.width, message.roi.height = 1, 2, 300, 200
    read = read_info(Frame(1, 'camera', serialize_message(message)))
    assert read == {'width': 640, 'height': 480, 'distortion_model': 'plumb_bob', 'd': tuple(message.d),
                    'k': tuple(message.k), 'r': tuple(message.r), 'p': tuple(message.p), 'binning': (2, 4),
                    'roi': (1, 2, 300, 200)}


def test_camera_info_that_is_cut_off():
    data = serialize_message(CameraInfo(d=[0.0] * 5))
    for end in (4, 12, 40, len(data) // 2):
        with pytest.raises(NoFrame, match='the camera info'):
            read_info(Frame(1, 'camera', data[:end]))
