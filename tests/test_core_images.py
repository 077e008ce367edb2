"""Bytes of cameras and files become the right pixels, or one clear refusal, and never anything in between."""
from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from dam_ros.core.errors import CallerFailure, InvalidRequest, Unsupported
from dam_ros.core.images import (LABELS, PICTURES, check_raw, decode_compressed, decode_compressed_labels,
                                 decode_labels, decode_raw, picture_size)

HEIGHT, WIDTH = 6, 8


def scene(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def yuv(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ITU-R BT.601, studio swing; chroma of each pair of pixels averaged."""
    red, green, blue = (image[..., index].astype(float) for index in range(3))
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    u = 128 - 0.148 * red - 0.291 * green + 0.439 * blue
    v = 128 + 0.439 * red - 0.368 * green - 0.071 * blue
    pairs = [(one[:, ::2] + one[:, 1::2]) / 2 for one in (u, v)]
    return luma, *pairs


def packed_yuv(image: np.ndarray, order: str) -> np.ndarray:
    luma, u, v = yuv(image)
    parts = {'u': u, 'v': v, 'y': luma[:, ::2], 'Y': luma[:, 1::2]}
    return np.stack([parts[one] for one in order], -1).round().clip(0, 255).astype(np.uint8).reshape(HEIGHT, -1)


def mosaic(image: np.ndarray, pattern: str) -> np.ndarray:
    """One colour per pixel; the pattern is that of the first two rows, as ROS names it."""
    out = np.empty((HEIGHT, WIDTH), np.uint8)
    for index, colour in enumerate(pattern):
        rows, columns = slice(index // 2, None, 2), slice(index % 2, None, 2)
        out[rows, columns] = image[rows, columns, 'rgb'.index(colour)]
    return out


def smooth() -> np.ndarray:
    """A picture that survives subsampling and a mosaic: colours change slowly, and differ from each other."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([200 - 2 * x, 60 + 3 * y, 30 + x + y], -1).astype(np.uint8)


def raw_of(encoding: str) -> tuple[np.ndarray, np.ndarray, int]:
    """(the rows that a driver would send, RGB that must come of them, tolerance)."""
    image = scene()
    gray = image[..., 0]
    alpha = np.full((HEIGHT, WIDTH, 1), 17, np.uint8)
    wide = np.random.default_rng(2).integers(0, 1 << 16, (HEIGHT, WIDTH, 3), np.uint16)
    table = {
        'rgb8': (image, image), 'bgr8': (image[..., ::-1], image), '8UC3': (image[..., ::-1], image),
        'rgba8': (np.concatenate([image, alpha], 2), image),
        'bgra8': (np.concatenate([image[..., ::-1], alpha], 2), image),
        '8UC4': (np.concatenate([image[..., ::-1], alpha], 2), image),
        'mono8': (gray, np.stack([gray] * 3, -1)), '8UC1': (gray, np.stack([gray] * 3, -1)),
        'mono16': (wide[..., 0], np.stack([wide[..., 0] // 256] * 3, -1)),
        'rgb16': (wide, wide // 256), 'bgr16': (wide[..., ::-1], wide // 256),
    }
    for name, order in (('uyvy', 'uyvY'), ('yuv422', 'uyvY'), ('yuyv', 'yuYv'), ('yuv422_yuy2', 'yuYv')):
        table[name] = (packed_yuv(smooth(), order), smooth())
    for pattern in ('rggb', 'bggr', 'gbrg', 'grbg'):
        table[f'bayer_{pattern}8'] = (mosaic(smooth(), pattern), smooth())
    rows, wanted = table[encoding]   # an encoding without an entry fails here
    tolerance = 6 if encoding.startswith(('bayer', 'yuv', 'uyvy', 'yuyv')) else 0
    return np.ascontiguousarray(rows), wanted.astype(np.uint8), tolerance


def as_bytes(rows: np.ndarray, padding: int = 0, big: bool = False) -> tuple[int, bytes]:
    """(step, data) with rubbish at the end of each row."""
    if big:
        rows = rows.astype(rows.dtype.newbyteorder('>'))
    flat = np.frombuffer(rows.tobytes(), np.uint8).reshape(HEIGHT, -1)
    padded = np.concatenate([flat, np.full((HEIGHT, padding), 0xee, np.uint8)], 1)
    return padded.shape[1], padded.tobytes()


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
        check_raw(encoding, WIDTH, HEIGHT, step, data)
        got = decode_raw(encoding, WIDTH, HEIGHT, step, big, data)
        assert close(got, wanted, tolerance), f'{encoding}, big-endian {big}'


def test_wrong_colour_orders_would_be_seen():
    """The tolerance for mosaics and 4:2:2 is narrower than any exchange of colours."""
    for encoding, other in (('bayer_rggb8', 'bayer_bggr8'), ('bayer_gbrg8', 'bayer_grbg8'), ('uyvy', 'yuyv')):
        rows, wanted, tolerance = raw_of(encoding)
        step, data = as_bytes(rows)
        assert not close(decode_raw(other, WIDTH, HEIGHT, step, False, data), wanted, tolerance)


@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview, lambda data: __import__('array').array('B', data)])
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
        check_raw('rgb8', **fields)


@pytest.mark.parametrize('encoding', ['', '16UC1', '32FC1', '32SC1', 'jpeg', 'RGB8', '64FC3'])
def test_what_is_no_picture(encoding: str):
    for call in (lambda: decode_raw(encoding, 2, 2, 64, False, bytes(256)),
                 lambda: check_raw(encoding, 2, 2, 64, bytes(256))):
        with pytest.raises(Unsupported, match='image.encoding is .*bgr8'):
            call()


@pytest.mark.parametrize('encoding', ['uyvy', 'yuyv', 'yuv422', 'yuv422_yuy2'])
def test_odd_width_in_a_format_of_pairs(encoding: str):
    with pytest.raises(InvalidRequest, match='7x6'):
        decode_raw(encoding, 7, HEIGHT, 14, False, bytes(14 * HEIGHT))


@pytest.mark.parametrize('size', [(1, 1), (1, 9), (9, 1), (2, 2), (3, 3)])
@pytest.mark.parametrize('encoding', PICTURES)
def test_tiny_pictures_are_decoded_or_refused(encoding: str, size: tuple[int, int]):
    width, height = size
    try:
        got = decode_raw(encoding, width, height, width * 8, False, bytes(width * height * 8))
    except InvalidRequest:
        assert encoding.startswith(('yu', 'uy', 'bayer'))
    else:
        assert got.shape == (height, width, 3)


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


# -- files

def encoded(kind: str, image: np.ndarray, *options: int) -> bytes:
    good, data = cv2.imencode(kind, image, list(options))
    assert good
    return data.tobytes()


FILES = {
    'png': ('.png', ()), 'png gray': ('.png', ()), 'png alpha': ('.png', ()), 'png 16 bit': ('.png', ()),
    'jpeg': ('.jpg', (cv2.IMWRITE_JPEG_QUALITY, 95)), 'jpeg gray': ('.jpg', ()),
    'jpeg progressive': ('.jpg', (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
    'jpeg restarts': ('.jpg', (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)),
    'webp': ('.webp', (cv2.IMWRITE_WEBP_QUALITY, 90)), 'webp lossless': ('.webp', (cv2.IMWRITE_WEBP_QUALITY, 101)),
    'webp alpha': ('.webp', (cv2.IMWRITE_WEBP_QUALITY, 90)),
}


def file_of(name: str, height: int = 37, width: int = 53) -> bytes:
    y, x = np.mgrid[:height, :width]
    image = np.stack([x * 4 % 256, y * 5 % 256, 128 + 0 * x], -1).astype(np.uint8)
    if 'gray' in name:
        image = image[..., 0]
    if 'alpha' in name:
        image = np.concatenate([image, (x * 3 % 256).astype(np.uint8)[..., None]], 2)
    if '16' in name:
        image = image.astype(np.uint16) * 257
    kind, options = FILES[name]
    return encoded(kind, image, *options)


@pytest.mark.parametrize('size', [(37, 53), (1, 1), (16, 300), (300, 16)])
@pytest.mark.parametrize('name', FILES)
def test_size_from_the_header_and_the_decoded_file(name: str, size: tuple[int, int]):
    data = file_of(name, *size)
    assert picture_size(data) == (size[1], size[0])
    got = decode_compressed(data)
    assert (got.shape, got.dtype) == ((*size, 3), np.uint8)


def test_colours_of_a_file_are_rgb():
    image = np.zeros((8, 8, 3), np.uint8)
    image[:] = (10, 20, 200)   # OpenCV writes blue first: this is red
    for kind in ('.png', '.jpg', '.webp'):
        assert np.abs(decode_compressed(encoded(kind, image))[4, 4].astype(int) - (200, 20, 10)).max() <= 12


def forged_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
            + chunk(b'IDAT', zlib.compress(b'')) + chunk(b'IEND', b''))


def forged_jpeg(width: int, height: int) -> bytes:
    whole = file_of('jpeg')
    at = whole.index(b'\xff\xc0')
    return whole[:at + 5] + struct.pack('>HH', height, width) + whole[at + 9:]


def forged_webp(width: int, height: int) -> bytes:
    whole = file_of('webp alpha')
    assert whole[12:16] == b'VP8X'
    return whole[:24] + (width - 1).to_bytes(3, 'little') + (height - 1).to_bytes(3, 'little') + whole[30:]


@pytest.mark.parametrize('forged', [forged_png, forged_jpeg, forged_webp])
def test_too_many_pixels_are_refused_before_decoding(forged, monkeypatch: pytest.MonkeyPatch):
    def decode(*arguments):
        raise AssertionError('it was decoded')
    monkeypatch.setattr(cv2, 'imdecode', decode)
    for read in (decode_compressed, decode_compressed_labels):
        with pytest.raises(InvalidRequest, match='60000x60000 px.*at most 64 megapixels'):
            read(forged(60000, 60000))
    with pytest.raises(InvalidRequest, match='at most 0.001 megapixels'):
        decode_compressed(file_of('png'), max_megapixels=0.001)


@pytest.mark.parametrize('forged', [forged_png, forged_webp])
def test_a_header_that_lies_is_refused(forged):
    with pytest.raises(InvalidRequest):
        decode_compressed(forged(500, 500))


def test_a_chunk_longer_than_the_file_costs_no_memory(monkeypatch: pytest.MonkeyPatch):
    """OpenCV made room for it first: a PNG of 1 kB took 3.8 GB and seconds."""
    whole = bytearray(file_of('png'))
    at = whole.index(b'IDAT') - 4
    whole[at:at + 4] = struct.pack('>I', 0xf0000000)
    monkeypatch.setattr(cv2, 'imdecode', lambda *arguments: pytest.fail('it was decoded'))
    with pytest.raises(InvalidRequest, match='damaged or cut off'):
        decode_compressed(bytes(whole))


def test_no_rotation_from_exif():
    """A camera's picture and its masks share one orientation, that of the pixels."""
    plain = file_of('jpeg', 16, 48)
    # TIFF header, one entry: orientation (0x0112), SHORT, 1 value: 6 = rotate by 90 degrees
    tiff = b'MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0'
    exif = b'Exif\0\0' + tiff
    turned = plain[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + plain[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (48, 16, 3), 'the tag works'
    assert picture_size(turned) == (48, 16)
    assert np.array_equal(decode_compressed(turned), decode_compressed(plain))


def test_a_thumbnail_in_a_jpeg_is_not_taken_for_it():
    plain, small = file_of('jpeg', 40, 80), file_of('jpeg', 4, 4)
    with_thumbnail = plain[:2] + b'\xff\xe1' + struct.pack('>H', len(small) + 2) + small + plain[2:]
    assert picture_size(with_thumbnail) == (80, 40)


@pytest.mark.parametrize('data', [b'', b'\xff', b'\xff\xd8', b'GIF89a' + bytes(40), b'\x89PNG\r\n\x1a\n', bytes(100),
                                  b'RIFF\0\0\0\0WEBP', b'BM' + bytes(60)])
def test_what_is_no_picture_file(data: bytes):
    assert picture_size(data) is None
    for read in (decode_compressed, decode_compressed_labels):
        with pytest.raises(InvalidRequest, match='JPEG, PNG or WebP'):
            read(data)


@pytest.mark.parametrize('name', FILES)
def test_a_broken_file_is_refused_or_read_but_never_more(name: str):
    """Cut anywhere and with bytes changed anywhere: our refusal, or a picture of the header's size."""
    whole, random = file_of(name), np.random.default_rng(4)
    broken = [whole[:at] for at in random.integers(0, len(whole), 60)]
    for _ in range(150):
        changed = bytearray(whole)
        for at in random.integers(0, min(len(whole), random.choice([64, 1 << 20])), 3):
            changed[at] = random.integers(256)
        broken.append(bytes(changed))
    for data in broken:
        for read in (decode_compressed, decode_compressed_labels):
            try:
                got = read(data, max_megapixels=1.0)
            except CallerFailure:
                continue
            assert got.shape[1::-1] == picture_size(data)


def test_labels_from_a_file():
    for kind in (np.uint8, np.uint16):
        labels = np.arange(20 * 30).reshape(20, 30).astype(kind)
        got = decode_compressed_labels(encoded('.png', labels))
        assert got.dtype == kind and np.array_equal(got, labels)
    with pytest.raises(InvalidRequest, match='3 channels'):
        decode_compressed_labels(file_of('png'))
    with pytest.raises(InvalidRequest, match='4 channels'):
        decode_compressed_labels(file_of('png alpha'))
