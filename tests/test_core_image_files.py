"""Files of cameras and disks become the right pixels, or one clear refusal, whatever is in them."""
from __future__ import annotations

from pathlib import Path
import resource
import struct
import subprocess
import sys
import time
import zlib

from camera_pixels import mosaic, narrow
import cv2
import numpy as np
import pytest

from dam_ros.core.errors import CallerFailure, InvalidRequest, Unsupported
from dam_ros.core.images import (compressed_size, decode_compressed, decode_compressed_labels, decode_raw,
                                 picture_size)


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


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def forged_png(width: int, height: int) -> bytes:
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
    for read in (decode_compressed, decode_compressed_labels, compressed_size):
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


def test_many_scans_of_a_small_jpeg_are_not_gone_through():
    """Each goes over all pixels: 20 of them, 2 kB, made 64 megapixels take three times as long."""
    whole = file_of('jpeg progressive')
    scan = whole[whole.rindex(b'\xff\xda'):-2]
    assert decode_compressed(whole).shape == (37, 53, 3)
    begun = time.perf_counter()
    with pytest.raises(InvalidRequest, match='damaged'):
        decode_compressed(whole[:-2] + scan * 20_000 + whole[-2:])
    assert time.perf_counter() - begun < 0.5


@pytest.mark.parametrize('kind', [b'zTXt', b'iTXt', b'iCCP'])
def test_packed_text_of_a_png_is_not_unpacked_without_end(kind: bytes):
    """16 MB of it took 19 s."""
    whole = file_of('png')
    after_header = len(b'\x89PNG\r\n\x1a\n') + 25
    text = chunk(kind, b'a\0\0' + zlib.compress(bytes(1 << 16)))
    begun = time.perf_counter()
    with pytest.raises(InvalidRequest, match='damaged'):
        decode_compressed(whole[:after_header] + text * 5000 + whole[after_header:])
    assert time.perf_counter() - begun < 0.5


def explode() -> None:
    """256 MB of zeros in 256 kB at several places: prints by how many MB each raised the highest memory so far."""
    packer = zlib.compressobj(9)
    packed = b''.join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    header = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 64, 64, 8, 2, 0, 0, 0))
    picture = chunk(b'IDAT', zlib.compress(bytes(64 * 193))) + chunk(b'IEND', b'')
    for kind in (b'IDAT', b'zTXt', b'iTXt', b'iCCP'):
        bomb = header + chunk(kind, packed if kind == b'IDAT' else b'a\0\0' + packed) + picture
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            outcome = decode_compressed(bomb).shape
        except InvalidRequest:
            outcome = 'refused'
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, outcome, sep=';')


def test_bombs_take_no_more_memory_than_their_picture():
    run = subprocess.run([sys.executable, '-c', f'import {Path(__file__).stem} as here; here.explode()'], text=True,
                         capture_output=True, timeout=60, cwd=Path(__file__).parent)
    assert run.returncode == 0, run.stderr
    told = [line.split(';') for line in run.stdout.splitlines()]
    assert len(told) == 4
    for megabytes, outcome in told:
        assert int(megabytes) < 32 and outcome in ('(64, 64, 3)', 'refused'), run.stdout


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


FORMATS = ['', 'jpeg', 'png', 'jpg', 'rgb8; jpeg compressed bgr8', 'bgr8; png compressed bgr8', 'h264', ';;;',
           'rgba8; jpeg compressed', 'rgb16; png compressed bgr16', 'bayer_rggb8; jpeg compressed bgr8',
           '8UC3; png compressed ']


@pytest.mark.parametrize('form', FORMATS)
def test_colours_are_those_of_the_file_whatever_the_format_says(form: str):
    """image_transport's encoders go by way of bgr8, so the file has them right; others write what they like."""
    red = np.full((8, 8, 3), (10, 20, 200), np.uint8)
    for kind in ('.jpg', '.png'):
        got = decode_compressed(encoded(kind, red), form=form)
        assert np.abs(got.astype(int) - (200, 20, 10)).max() <= 12


@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
@pytest.mark.parametrize('bits', [8, 16])
def test_a_mosaic_in_a_png(bits: int, pattern: str):
    """As image_transport sends it: the PNG has one channel, and only the format says that it is no grey picture."""
    y, x = np.mgrid[:6, :8]
    image = np.stack([200 - 2 * x, 60 + 3 * y, 30 + x + y], -1).astype(f'u{bits // 8}')
    rows, name = mosaic(image * (257 if bits == 16 else 1), pattern), f'bayer_{pattern}{bits}'
    got = decode_compressed(encoded('.png', rows), form=f'{name}; png compressed ')
    assert np.array_equal(got, decode_raw(name, 8, 6, 8 * rows.itemsize, False, rows.tobytes()))
    assert np.abs(got[1:-1, 1:-1].astype(int) - image[1:-1, 1:-1]).max() <= 6
    assert np.ptp(decode_compressed(encoded('.png', rows)), axis=2).max() == 0, 'without its format it is grey'


def test_16_bit_of_a_png_become_8_as_those_of_a_raw_picture():
    wide = np.random.default_rng(6).integers(0, 1 << 16, (20, 30, 3), np.uint16)
    assert np.array_equal(decode_compressed(encoded('.png', wide[..., ::-1])), narrow(wide))
    grey = decode_compressed(encoded('.png', wide[..., 0]), form='16UC1; png compressed ')
    assert np.array_equal(grey, narrow(wide[..., :1].repeat(3, 2)))


def test_a_palette():
    palette = bytes([0, 0, 0, 200, 20, 10, 1, 2, 3])
    rows = b''.join(b'\0' + bytes([1, 2, 1, 0]) for _ in range(2))
    data = (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 4, 2, 8, 3, 0, 0, 0))
            + chunk(b'PLTE', palette) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
    assert decode_compressed(data)[1].tolist() == [[200, 20, 10], [1, 2, 3], [200, 20, 10], [0, 0, 0]]


def test_compressed_depth_is_no_picture():
    data = struct.pack('<iff', 0, 100.0, 4.0) + encoded('.png', np.ones((4, 4), np.uint16))
    for read in (decode_compressed, compressed_size):
        with pytest.raises(Unsupported, match='image.format is .16UC1; compressedDepth png.*This is depth'):
            read(data, form='16UC1; compressedDepth png')


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
