"""Bytes of cameras become the right pixels, or one clear refusal, and never anything in between."""
from __future__ import annotations

import array

from camera_pixels import as_sent, narrow, rows_of
import numpy as np
import pytest

from dam_ros.core.errors import InvalidRequest, Unsupported
from dam_ros.core.images import (DEPTHS, LABELS, PICTURES, decode_depth, decode_labels, decode_raw, raw_size)

HEIGHT, WIDTH = 6, 8
YUV = ('yuv', 'uyvy', 'yuyv', 'nv')


def scene() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def smooth() -> np.ndarray:
    """A picture that survives subsampling and a mosaic: colours change slowly, and differ from each other."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([200 - 2 * x, 60 + 3 * y, 30 + x + y], -1).astype(np.uint8)


def raw_of(encoding: str) -> tuple[np.ndarray, np.ndarray, int]:
    """(the rows that a driver would send, RGB that must come of them, tolerance)."""
    if encoding.startswith(('bayer', *YUV)):
        return rows_of(encoding, smooth()), smooth(), 6
    image = scene()
    grey = 'mono' in encoding or encoding.endswith('C1')
    return rows_of(encoding, image), image[..., :1].repeat(3, 2) if grey else image, 0


def as_bytes(rows: np.ndarray, padding: int = 0, big: bool = False) -> tuple[int, bytes]:
    return as_sent(rows, HEIGHT, padding, big)


def close(got: np.ndarray, wanted: np.ndarray, tolerance: int) -> bool:
    assert (got.dtype, got.shape) == (np.uint8, (HEIGHT, WIDTH, 3))
    inner = np.s_[1:-1, 1:-1] if tolerance else np.s_[:]   # a mosaic has nothing to go by at the border
    return np.abs(got[inner].astype(int) - wanted[inner].astype(int)).max() <= tolerance


@pytest.mark.parametrize('padding', [0, 1, 5])
@pytest.mark.parametrize('encoding', PICTURES)
def test_every_encoding(encoding: str, padding: int):
    rows, wanted, tolerance = raw_of(encoding)
    for big in (False, True):
        step, data = as_bytes(rows, padding, big)
        assert raw_size(encoding, WIDTH, HEIGHT, step, data) == (HEIGHT, WIDTH)
        got = decode_raw(encoding, WIDTH, HEIGHT, step, big, data)
        assert close(got, wanted, tolerance), f'{encoding}, big-endian {big}'


def test_wrong_colour_orders_would_be_seen():
    """The tolerance for mosaics and 4:2:2 is narrower than any exchange of colours."""
    for encoding, other in (('bayer_rggb8', 'bayer_bggr8'), ('bayer_gbrg8', 'bayer_grbg8'), ('uyvy', 'yuyv'),
                            ('nv12', 'nv21'), ('bayer_rggb16', 'bayer_grbg16')):
        rows, wanted, tolerance = raw_of(encoding)
        step, data = as_bytes(rows)
        assert not close(decode_raw(other, WIDTH, HEIGHT, step, False, data), wanted, tolerance)


@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview, lambda data: array.array('B', data)])
def test_any_buffer_will_do(kind):
    rows, wanted, _ = raw_of('bgr8')
    step, data = as_bytes(rows)
    assert np.array_equal(decode_raw('bgr8', WIDTH, HEIGHT, step, False, kind(data)), wanted)


def test_the_last_row_may_come_without_its_padding():
    rows, wanted, _ = raw_of('rgb8')
    step, data = as_bytes(rows, padding=7)
    assert np.array_equal(decode_raw('rgb8', WIDTH, HEIGHT, step, False, data[:-7]), wanted)
    assert np.array_equal(decode_raw('rgb8', WIDTH, HEIGHT, step, False, data + b'more'), wanted)


def test_what_comes_out_does_not_change_with_the_message():
    rows, wanted, _ = raw_of('rgb8')
    step, data = as_bytes(rows)
    message = bytearray(data)
    got = decode_raw('bgr8', WIDTH, HEIGHT, step, False, message)
    message[:] = bytes(len(message))
    assert np.array_equal(got, wanted[..., ::-1])


@pytest.mark.parametrize('changes, words', [
    ({'data': b'\0' * (HEIGHT * WIDTH * 3 - 1)}, 'image.data'), ({'data': b''}, 'image.data'),
    ({'step': WIDTH * 3 - 1}, 'image.step'), ({'step': 0}, 'image.step'), ({'step': 1 << 32}, 'image.data'),
    ({'width': 0}, 'at least 1x1'), ({'height': 0}, 'at least 1x1'),
    ({'width': 60000, 'height': 60000, 'step': 180000}, 'at most 64 megapixels'),
    ({'width': 1 << 31, 'step': 3 << 31, 'height': 1}, 'at most 64 megapixels')])
def test_sizes_that_do_not_fit(changes: dict, words: str):
    fields = {'width': WIDTH, 'height': HEIGHT, 'step': WIDTH * 3, 'data': b'\0' * (HEIGHT * WIDTH * 3)} | changes
    with pytest.raises(InvalidRequest, match=words):
        decode_raw('rgb8', is_bigendian=False, **fields)
    with pytest.raises(InvalidRequest, match=words):
        raw_size('rgb8', **fields)


@pytest.mark.parametrize('encoding', ['', '32FC1', '32SC1', '8SC1', '8UC2', '16SC1', 'jpeg', 'RGB8', 'h264', '64FC3'])
def test_what_is_no_picture(encoding: str):
    for call in (lambda: decode_raw(encoding, 2, 2, 64, False, bytes(256)),
                 lambda: raw_size(encoding, 2, 2, 64, bytes(256))):
        with pytest.raises(Unsupported, match='image.encoding is .*bgr8'):
            call()


@pytest.mark.parametrize('encoding', ['uyvy', 'yuyv', 'yuv422', 'yuv422_yuy2'])
def test_odd_width_in_a_format_of_pairs(encoding: str):
    with pytest.raises(InvalidRequest, match=f'7x6.*an even width.*{encoding}'):
        decode_raw(encoding, 7, HEIGHT, 14, False, bytes(14 * HEIGHT))


@pytest.mark.parametrize('size', [(7, 6), (8, 5), (7, 5)])
@pytest.mark.parametrize('encoding', ['nv12', 'nv21'])
def test_odd_sides_where_four_pixels_share_their_colour(encoding: str, size: tuple[int, int]):
    width, height = size
    with pytest.raises(InvalidRequest, match=f'{width}x{height}.*an even width and height'):
        decode_raw(encoding, width, height, 8, False, bytes(8 * height * 2))


@pytest.mark.parametrize('encoding', ['nv12', 'nv21', 'nv24'])
def test_height_may_count_the_rows_of_both_planes(encoding: str):
    """As some drivers, and rosbags-image, have it; the size of the data tells."""
    rows, wanted, tolerance = raw_of(encoding)
    for padding in (0, 3):
        step, data = as_bytes(rows, padding)
        assert raw_size(encoding, WIDTH, len(rows), step, data) == (HEIGHT, WIDTH)
        assert close(decode_raw(encoding, WIDTH, len(rows), step, False, data), wanted, tolerance)


@pytest.mark.parametrize('encoding', ['nv12', 'nv21', 'nv24'])
def test_the_second_plane_must_be_there(encoding: str):
    rows, wanted, tolerance = raw_of(encoding)
    step, data = as_bytes(rows, padding=5)
    last = 10 if encoding == 'nv24' else 5
    assert close(decode_raw(encoding, WIDTH, HEIGHT, step, False, data[:-last]), wanted, tolerance)
    factor = '3' if encoding == 'nv24' else '1.5'
    with pytest.raises(InvalidRequest, match=f'image.data is .*step x height x {factor} = {len(data)} bytes'):
        decode_raw(encoding, WIDTH, HEIGHT, step, False, data[:-last - 1])


def test_16_bit_colours_span_all_of_8_bit():
    every = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    got = decode_raw('mono16', 256, 256, 512, False, every.tobytes())[..., 0]
    assert np.array_equal(got, narrow(every))
    assert (got[0, 0], got[-1, -1]) == (0, 255)
    for encoding, step in (('rgb16', slice(None)), ('bgr16', slice(None, None, -1)), ('16UC3', slice(None, None, -1))):
        wide = np.random.default_rng(2).integers(0, 1 << 16, (HEIGHT, WIDTH, 3), np.uint16)
        assert np.array_equal(decode_raw(encoding, WIDTH, HEIGHT, WIDTH * 6, False, wide[..., step].tobytes()),
                              narrow(wide)), encoding


@pytest.mark.parametrize('size', [(1, 1), (1, 9), (9, 1), (2, 2), (3, 3)])
@pytest.mark.parametrize('encoding', PICTURES)
def test_tiny_pictures_are_decoded_or_refused(encoding: str, size: tuple[int, int]):
    width, height = size
    try:
        got = decode_raw(encoding, width, height, width * 8, False, bytes(width * height * 24))
    except InvalidRequest:
        assert encoding.startswith(('bayer', *YUV))
    else:
        assert got.shape == (height, width, 3)


def test_a_mosaic_too_small_for_its_colours_is_no_black_picture():
    """OpenCV makes nothing of it, without a word."""
    for width, height in ((2, 9), (9, 2)):
        with pytest.raises(InvalidRequest, match='at least 3x3 px of bayer_rggb8'):
            decode_raw('bayer_rggb8', width, height, width, False, b'\xff' * 18)
    assert decode_raw('bayer_rggb8', 3, 3, 3, False, b'\xff' * 9).min() == 255


def test_the_field_is_named_as_the_caller_knows_it():
    with pytest.raises(InvalidRequest, match=r'^region\.mask\.step is 3'):
        decode_labels('mono8', 8, 6, 3, False, bytes(48), 'region.mask')


# -- label images

@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('encoding', LABELS)
def test_labels(encoding: str, padding: int, big: bool):
    kind = np.dtype(LABELS[encoding])
    limits = np.iinfo(kind)
    values = np.random.default_rng(3).integers(limits.min, limits.max, (HEIGHT, WIDTH), kind, endpoint=True)
    values[0, :2] = limits.min, limits.max
    step, data = as_bytes(values, padding, big)
    got = decode_labels(encoding, WIDTH, HEIGHT, step, big, data)
    assert got.dtype == kind and got.dtype.isnative
    assert np.array_equal(got, values)


def test_labels_of_a_plain_message_are_not_copied():
    data = bytes(HEIGHT * WIDTH)
    got = decode_labels('mono8', WIDTH, HEIGHT, WIDTH, False, data)
    assert np.shares_memory(got, np.frombuffer(data, np.uint8))


@pytest.mark.parametrize('encoding', ['rgb8', '32FC1', ''])
def test_what_is_no_label_image(encoding: str):
    with pytest.raises(Unsupported, match='segmentation.encoding'):
        decode_labels(encoding, 2, 2, 8, False, bytes(16))


# -- depth

@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('encoding', DEPTHS)
def test_depth(encoding: str, padding: int, big: bool):
    values = np.random.default_rng(5).uniform(0, 60000, (HEIGHT, WIDTH)).astype(DEPTHS[encoding])
    if encoding == '32FC1':
        values[0, :2] = np.nan, np.inf
    step, data = as_bytes(values, padding, big)
    got = decode_depth(encoding, WIDTH, HEIGHT, step, big, data)
    assert got.dtype == values.dtype and got.dtype.isnative
    assert np.array_equal(got, values, equal_nan=encoding == '32FC1')


@pytest.mark.parametrize(('encoding', 'step', 'error'), [
    ('rgb8', 24, Unsupported), ('16SC1', 16, Unsupported), ('64FC1', 64, Unsupported), ('16UC1', 15, InvalidRequest),
    ('32FC1', 40, InvalidRequest)])
def test_what_is_no_depth(encoding: str, step: int, error: type):
    with pytest.raises(error, match='^depth'):
        decode_depth(encoding, WIDTH, HEIGHT, step, False, bytes(32 * HEIGHT))
