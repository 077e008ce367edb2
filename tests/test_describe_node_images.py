"""Pictures as cameras and callers send them: padded, big-endian, compressed, broken."""
from __future__ import annotations

import os
import time

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import TESTS, Camera, as_bytes, box, grey, number_in, picture, serving, stamp_of, stamped  # noqa: E402
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402

from dam_ros.msg import ErrorCode, Region  # noqa: E402

pytestmark = pytest.mark.ros
RED_AT = 23
ON_PATH = {'PYTHONPATH': f'{TESTS}:{os.environ.get("PYTHONPATH", "")}'}


def pixels_with_red(width: int = 64, height: int = 48) -> np.ndarray:
    """RGB, red from column RED_AT on, for 10 columns."""
    pixels = np.full((height, width, 3), 240, np.uint8)
    pixels[:, RED_AT:RED_AT + 10] = (220, 10, 10)
    return pixels


def raw(pixels: np.ndarray, encoding: str, padding: int = 0, is_bigendian: bool = False, **changes) -> Image:
    """A message of RGB pixels in an encoding of three or four channels of 8 or 16 bit."""
    channels = {'rgb': pixels, 'bgr': pixels[:, :, ::-1]}[encoding[:3]]
    if 'a' in encoding:
        channels = np.dstack([channels, np.full(pixels.shape[:2], 255, np.uint8)])
    if encoding.endswith('16'):
        channels = channels.astype('>u2' if is_bigendian else '<u2') * 257
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(channels).view(np.uint8).reshape(height, -1)
    noise = np.random.default_rng(2).integers(0, 256, (height, padding), np.uint8)
    message = Image(width=width, height=height, encoding=encoding, step=rows.shape[1] + padding,
                    is_bigendian=is_bigendian, data=as_bytes(np.hstack([rows, noise])))
    for name, value in changes.items():
        setattr(message, name, value)
    return message


@pytest.fixture(scope='module')
def served():
    """The describer says at which column the picture is red."""
    with serving(describer='watching_describer:create', environment=ON_PATH, image_reliability='reliable',
                 frame_wait_s=0.3) as node:
        yield node


@pytest.fixture(scope='module')
def camera(served):
    camera = Camera(served)
    camera.connect()
    return camera


def broken(changes: dict) -> Image:
    message = picture()
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def seen(answer) -> str:
    assert answer.error_msg == ''
    return answer.description.text


@pytest.mark.parametrize('is_bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 1, 24])
@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgba8', 'bgra8', 'rgb16', 'bgr16'])
def test_padded_rows_and_byte_orders_are_seen_right(served, encoding, padding, is_bigendian):
    image = raw(pixels_with_red(), encoding, padding, is_bigendian)
    region = Region(mask=grey(np.pad(np.ones((48, 3), np.uint8), ((0, 0), (40, 21))), padding=padding))
    assert seen(served.describe(image=image, region=region)) == (f'Seen: the picture is red at {RED_AT}, the region '
                                                                 'begins at 40.')


def test_the_last_row_may_lack_its_padding(served):
    image = raw(pixels_with_red(), 'bgr8', 24)
    image.data = image.data[:-24]
    assert f'red at {RED_AT}' in seen(served.describe(image=image))


def test_big_endian_mono16_as_picture_and_as_label_image(served):
    labels = np.zeros((48, 64), '>u2')
    labels[:, 30:] = 258   # 0x0102: 513 in the other order
    image = grey(labels, 'mono16')
    image.is_bigendian = 1
    assert 'begins at 30' in seen(served.describe(image=picture(), region=Region(mask=image, labels=[258])))
    assert served.describe(image=picture(), region=Region(mask=image, labels=[513])).error_code == \
        ErrorCode.UNKNOWN_LABEL
    assert seen(served.describe(image=image))


BROKEN = [
    ({'step': 100}, ['image.step is 100', '192 bytes for 64 px']),
    ({'data': as_bytes(np.zeros(5000, np.uint8))}, ['image.data', '5000 bytes', '9216']),
    ({'data': as_bytes(np.zeros(0, np.uint8))}, ['image.data', '0 bytes']),
    ({'height': 0}, ['64x0 px', 'at least 1x1']),
    ({'width': 100_000, 'height': 100_000, 'step': 300_000}, ['100000x100000', '64 megapixels']),
    ({'width': 2 ** 32 - 1, 'height': 2 ** 32 - 1, 'step': 2 ** 32 - 1}, ['4294967295', '64 megapixels']),
    ({'encoding': 'h264'}, ['image.encoding', 'h264', 'bgr8']), ({'encoding': ''}, ['image.encoding', "''", 'bgr8']),
    ({'encoding': '32FC1', 'step': 256}, ['image.encoding', '32FC1', 'bgr8']),
]


@pytest.mark.parametrize(('changes', 'words'), BROKEN, ids=lambda one: '+'.join(map(str, one)))
def test_a_broken_picture_of_the_caller_is_refused_naming_the_field(served, changes, words):
    answer = served.describe(image=broken(changes))
    assert answer.error_code == (ErrorCode.UNSUPPORTED if 'encoding' in changes else ErrorCode.INVALID_REQUEST)
    assert [one for one in words if one not in answer.error_msg] == [], answer.error_msg
    assert seen(served.describe(image=raw(pixels_with_red(), 'rgb8')))


@pytest.mark.parametrize('field', ['step', 'data', 'encoding'])
def test_a_broken_mask_is_refused_naming_the_field(served, field):
    mask = grey(np.ones((48, 64), np.uint8))
    setattr(mask, field, {'step': 3, 'data': as_bytes(np.zeros(7, np.uint8)), 'encoding': 'rgb8'}[field])
    answer = served.describe(image=picture(), region=Region(mask=mask))
    assert f'region.mask.{field}' in answer.error_msg
    assert answer.error_code in (ErrorCode.INVALID_REQUEST, ErrorCode.UNSUPPORTED)


@pytest.mark.parametrize(('changes', 'words'), [one for one in BROKEN if 'width' not in one[0]],
                         ids=lambda one: '+'.join(map(str, one)))
def test_a_broken_picture_of_the_camera_is_no_fault_of_the_caller_and_the_next_is_good(served, camera, changes, words):
    stamp_ns = camera.show(**changes)
    answer = served.until(lambda: (one := served.describe(timeout_s=5.0)).error_code and one)
    assert answer.error_code == ErrorCode.NO_FRAME
    assert "the camera's picture" in answer.error_msg
    assert stamp_of(answer.description) in (0, stamp_ns)
    good = camera.show()
    served.until(lambda: stamp_of(served.describe().description) == good)


def test_a_broken_label_image_of_the_camera(served, camera):
    stamp_ns = camera.show()
    camera.label(stamp_ns, np.ones((48, 64), np.float32), encoding='32FC1')
    answer = served.until(lambda: (one := served.describe(region=Region(labels=[1]))).error_code and one)
    assert answer.error_code == ErrorCode.NO_LABEL_IMAGE
    assert 'segmentation.encoding' in answer.error_msg and '32FC1' in answer.error_msg
    stamp_ns = camera.show()
    camera.label(stamp_ns)
    served.until(lambda: served.describe(region=Region(labels=[1])).error_code == 0)


def test_padded_and_16_bit_label_images_of_the_camera(served, camera):
    labels = np.zeros((48, 64), np.uint16)
    labels[:, 50:] = 1000
    camera.label(camera.show(), labels, encoding='mono16', padding=6)
    served.until(lambda: served.describe(region=Region(labels=[1000])).error_code == 0)
    assert 'begins at 50' in seen(served.describe(region=Region(labels=[1000])))


def jpeg(extension: str, pixels: np.ndarray) -> bytes:
    return cv2.imencode(extension, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()


def test_compressed_pictures_and_garbage_among_them():
    with serving(describer='watching_describer:create', environment=ON_PATH, image_transport='compressed',
                 image_reliability='reliable') as served:
        publisher = served.node.create_publisher(CompressedImage, 'image/compressed', 10)

        def show(data: bytes) -> int:
            stamp_ns = time.time_ns()
            publisher.publish(stamped(CompressedImage(format='jpeg', data=data), stamp_ns))
            return stamp_ns

        whole = {extension: jpeg(extension, pixels_with_red(320, 240)) for extension in ('.jpg', '.png', '.webp')}

        def heard() -> bool:
            show(whole['.png'])
            served.spin(0.05)
            return number_in(served.status.get('image'), 'frames') > 0

        served.until(heard)
        for data in whole.values():
            stamp_ns = show(data)
            answer = served.until(lambda: stamp_of((one := served.describe()).description) == stamp_ns and one)   # noqa: B023
            assert answer.description.box.width == 320
            place = int(answer.description.text.split(' at ')[1].split(',')[0])
            assert abs(place - RED_AT) <= 2   # JPEG blurs colours
        bomb = whole['.png'][:16] + (60_000).to_bytes(4, 'big') * 2 + whole['.png'][24:]
        show(bomb)   # of the whole picture: its mask, too, would have been 3.6 GB, in the node
        served.until(lambda: 'at most 64 megapixels' in served.describe(timeout_s=5.0).error_msg)
        for garbage in (b'', bomb, b'\xff\xd8\xff', b'no picture at all', whole['.jpg'][:60], whole['.png'][:400],
                        whole['.jpg'][:200] + os.urandom(50)):
            show(garbage)
            served.until(lambda: (one := served.describe(timeout_s=5.0)).error_code == ErrorCode.NO_FRAME
                         and "the camera's picture" in one.error_msg)
            good = show(whole['.jpg'])
            served.until(lambda: stamp_of(served.describe().description) == good)   # noqa: B023
        assert served.describe(region=box(10, 10, 20, 20)).error_code == 0
