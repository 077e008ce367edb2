"""Our pictures beside those of other libraries: rosbags-image, and cv_bridge where it is installed and works.

Pictures are decoded in the model's process, whose Python may have neither, and both take some nonsense for pictures; so
`core.images` goes by OpenCV alone. Where the libraries and we mean the same, the pixels are the same; where not, the
difference is told here, case by case.
"""
from __future__ import annotations

import array
from collections.abc import Callable
from types import SimpleNamespace

from camera_pixels import as_sent, rows_of
import cv2
import numpy as np
import pytest

from dam_ros.core.errors import Failure
from dam_ros.core.images import PICTURES, decode_compressed, decode_raw

HEIGHT, WIDTH = 48, 64
SCENE = np.random.default_rng(11).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
PLANAR = ('nv12', 'nv21', 'nv24')
WIDE = [name for name, one in PICTURES.items() if one.dtype == 'u2']


def message(encoding: str, padding: int = 0, big: bool = False) -> SimpleNamespace:
    """The fields of a sensor_msgs/Image of SCENE."""
    step, data = as_sent(rows_of(encoding, SCENE), HEIGHT, padding, big)
    return SimpleNamespace(width=WIDTH, height=HEIGHT, encoding=encoding, step=step, is_bigendian=int(big),
                           data=array.array('B', data))


def ours(one: SimpleNamespace) -> np.ndarray:
    return decode_raw(one.encoding, one.width, one.height, one.step, bool(one.is_bigendian), one.data)


def difference(one: np.ndarray, other: np.ndarray) -> int:
    assert (one.shape, one.dtype) == (other.shape, other.dtype)
    return int(np.abs(one.astype(int) - other.astype(int)).max())


# -- rosbags-image

@pytest.fixture(scope='module')
def rosbags_image() -> SimpleNamespace:
    return pytest.importorskip('rosbags.image', reason='./dev test installs it')


NAMED = [name for name in PICTURES if name != 'nv24' and 'UC' not in name]   # that rosbags-image has, too


@pytest.mark.parametrize('encoding', NAMED)
def test_the_same_pixels_as_rosbags_image(rosbags_image: SimpleNamespace, encoding: str):
    """For 16 bit one level less at most: it cuts off where we round."""
    one = message(encoding)
    if encoding in PLANAR:   # there the height counts the rows of both planes
        one.height = HEIGHT * 3 // 2
    theirs = rosbags_image.image_to_cvimage(one, 'rgb8')
    assert difference(ours(one), theirs) <= (encoding in WIDE)
    if encoding in WIDE:
        assert (ours(one) >= theirs).all()


@pytest.mark.parametrize('encoding', [name for name in PICTURES if 'UC' in name])
def test_encodings_that_only_count_channels(rosbags_image: SimpleNamespace, encoding: str):
    """It leaves their colours to its caller; we take OpenCV's order, in which such pictures are made."""
    one = message(encoding)
    theirs = rosbags_image.image_to_cvimage(one)
    to_rgb = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}[PICTURES[encoding].channels]
    wanted = cv2.cvtColor(theirs, to_rgb)
    assert difference(ours(one), wanted if wanted.dtype == np.uint8 else np.rint(wanted / 257).astype(np.uint8)) == 0


@pytest.mark.parametrize('encoding', ['mono16', 'rgb16', 'bgr16', 'bayer_rggb16'])
def test_big_endian_beside_rosbags_image(rosbags_image: SimpleNamespace, encoding: str):
    one = message(encoding, big=True)
    assert difference(ours(one), rosbags_image.image_to_cvimage(one, 'rgb8')) <= 1


@pytest.mark.parametrize('kind', ['.png', '.jpg'])
@pytest.mark.parametrize('grey', [False, True])
def test_files_beside_rosbags_image(rosbags_image: SimpleNamespace, kind: str, grey: bool):
    data = cv2.imencode(kind, SCENE[..., 0] if grey else SCENE)[1].tobytes()
    theirs = rosbags_image.compressed_image_to_cvimage(SimpleNamespace(data=data, format='jpeg'))
    wanted = cv2.cvtColor(theirs, cv2.COLOR_GRAY2RGB if grey else cv2.COLOR_BGR2RGB)
    assert difference(decode_compressed(data), wanted) == 0


def refused_or_other(read: Callable[[], np.ndarray], wanted: np.ndarray) -> bool:
    try:
        return not np.array_equal(read(), wanted)
    except Exception:   # noqa: B902  any refusal will do
        return True


def test_why_rosbags_image_is_not_what_decodes_pictures(rosbags_image: SimpleNamespace):
    """Where one of these is no longer so, docs/log.md should be told."""
    padded = message('rgb8', padding=8)
    assert np.array_equal(ours(padded), SCENE)
    assert refused_or_other(lambda: rosbags_image.image_to_cvimage(padded, 'rgb8'), SCENE), 'rows are sheared'
    depth = SimpleNamespace(width=WIDTH, height=HEIGHT, encoding='32FC1', step=WIDTH * 4, is_bigendian=0,
                            data=array.array('B', bytes(WIDTH * HEIGHT * 4)))
    assert rosbags_image.image_to_cvimage(depth, 'mono8').shape == (HEIGHT, WIDTH), 'metres as grey levels'
    with pytest.raises(Failure, match='32FC1'):
        ours(depth)
    short = message('rgb8')
    short.step = 1
    assert np.array_equal(rosbags_image.image_to_cvimage(short, 'rgb8'), SCENE), 'a step that cannot be'
    with pytest.raises(Failure, match='image.step'):
        ours(short)


# -- cv_bridge

def working_cv_bridge() -> object | None:
    """None where it is not installed, or does not work: built against numpy 1 it breaks beside numpy 2."""
    try:
        import cv_bridge
        from sensor_msgs.msg import Image
        bridge = cv_bridge.CvBridge()
        one = Image(width=2, height=1, encoding='rgb8', step=6, data=array.array('B', bytes(range(6))))
        return bridge if bridge.imgmsg_to_cv2(one, 'bgr8').tolist() == [[[2, 1, 0], [5, 4, 3]]] else None
    except Exception:   # noqa: B902  whatever it is, there is nothing to compare with
        return None


BRIDGE = working_cv_bridge()
bridged = pytest.mark.skipif(BRIDGE is None, reason='there is no cv_bridge that works')
# What cv_bridge (8b42d66, Jazzy) has: of the others it knows no colours, and for uyvy and yuyv no memory.
WITH_COLOURS = [name for name in PICTURES if 'UC' not in name and name not in (*PLANAR, 'uyvy', 'yuyv')]


@bridged
@pytest.mark.parametrize('padding', [0, 24])   # whole pixels in every encoding: with others its Python shears the rows
@pytest.mark.parametrize('encoding', WITH_COLOURS)
def test_the_same_pixels_as_cv_bridge(encoding: str, padding: int):
    from sensor_msgs.msg import Image
    one = message(encoding, padding)
    assert difference(ours(one), BRIDGE.imgmsg_to_cv2(Image(**vars(one)), 'rgb8')) == 0
