"""Pictures and label images out of the bytes that cameras and files bring.

An image is RGB uint8 (H, W, 3), a label image is whole numbers (H, W). Sizes are checked before anything is decoded,
padded rows are honoured, and what makes no sense is refused with the reason. It does not know ROS: it takes the
fields of `sensor_msgs/Image` and `sensor_msgs/CompressedImage` one by one.
"""
from __future__ import annotations

from dataclasses import dataclass
import struct

import cv2
import numpy as np

from dam_ros.core.errors import InvalidRequest, Unsupported, complaint, invalid

MAX_MEGAPIXELS = 64.0   # DescribeRegion.srv: image <= 64 Mpx
_AS_RGB = getattr(cv2, 'IMREAD_COLOR_RGB', 0)   # since OpenCV 4.11; saves another picture of memory


@dataclass(frozen=True)
class Encoding:
    """How one `encoding` string lies in memory, and the OpenCV conversion to RGB (None: as it is)."""

    dtype: str
    channels: int
    to_rgb: int | None


# Names: sensor_msgs/image_encodings.hpp. Depth-like single channels (16UC1, 32SC1) are no pictures.
PICTURES = {
    'rgb8': Encoding('u1', 3, None), '8UC3': Encoding('u1', 3, cv2.COLOR_BGR2RGB),
    'bgr8': Encoding('u1', 3, cv2.COLOR_BGR2RGB), 'rgba8': Encoding('u1', 4, cv2.COLOR_RGBA2RGB),
    'bgra8': Encoding('u1', 4, cv2.COLOR_BGRA2RGB), '8UC4': Encoding('u1', 4, cv2.COLOR_BGRA2RGB),
    'mono8': Encoding('u1', 1, cv2.COLOR_GRAY2RGB), '8UC1': Encoding('u1', 1, cv2.COLOR_GRAY2RGB),
    'mono16': Encoding('u2', 1, cv2.COLOR_GRAY2RGB),
    'rgb16': Encoding('u2', 3, None), 'bgr16': Encoding('u2', 3, cv2.COLOR_BGR2RGB),
    'yuv422': Encoding('u1', 2, cv2.COLOR_YUV2RGB_UYVY), 'uyvy': Encoding('u1', 2, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': Encoding('u1', 2, cv2.COLOR_YUV2RGB_YUY2), 'yuyv': Encoding('u1', 2, cv2.COLOR_YUV2RGB_YUY2),
    # OpenCV names a Bayer pattern by its second row, ROS by its first.
    'bayer_rggb8': Encoding('u1', 1, cv2.COLOR_BayerBG2RGB), 'bayer_bggr8': Encoding('u1', 1, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg8': Encoding('u1', 1, cv2.COLOR_BayerGR2RGB), 'bayer_grbg8': Encoding('u1', 1, cv2.COLOR_BayerGB2RGB),
}
LABELS = {'mono8': 'u1', '8UC1': 'u1', 'mono16': 'u2', '16UC1': 'u2', '32SC1': 'i4'}


def decode_raw(encoding: str, width: int, height: int, step: int, is_bigendian: bool, data,
               field: str = 'image', max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """A `sensor_msgs/Image` as RGB uint8 (H, W, 3).

    Args:
        step: bytes per row, padding included.
        data: anything with the buffer protocol.
        field: how errors call it.

    Raises:
        InvalidRequest: sizes that do not fit together.
        Unsupported: an encoding that is no picture or that we do not know.
    """
    known = PICTURES.get(encoding)
    if known is None:
        raise Unsupported(complaint(f'{field}.encoding', encoding, ', '.join(PICTURES)))
    pixels = _rows(field, known.dtype, known.channels, width, height, step, is_bigendian, data, max_megapixels)
    if pixels.dtype.itemsize == 2:
        pixels = (pixels >> 8).astype(np.uint8)
    if known.to_rgb is None:
        return np.ascontiguousarray(pixels)
    try:
        return cv2.cvtColor(np.ascontiguousarray(pixels), known.to_rgb)
    except cv2.error as error:   # an odd width in 4:2:2
        raise invalid(field, f'{width}x{height} {encoding}', 'sizes that this encoding can have') from error


def decode_labels(encoding: str, width: int, height: int, step: int, is_bigendian: bool, data,
                  field: str = 'segmentation') -> np.ndarray:
    """A label image as uint8, uint16 or int32 (H, W), where possible a view of `data`. Raises as `decode_raw`."""
    if encoding not in LABELS:
        raise Unsupported(complaint(f'{field}.encoding', encoding, ', '.join(LABELS)))
    return _rows(field, LABELS[encoding], 1, width, height, step, is_bigendian, data, MAX_MEGAPIXELS)


def check_raw(encoding: str, width: int, height: int, step: int, data, field: str = 'image') -> None:
    """What `decode_raw` would refuse for its sizes, without decoding. Raises as it."""
    known = PICTURES.get(encoding)
    if known is None:
        raise Unsupported(complaint(f'{field}.encoding', encoding, ', '.join(PICTURES)))
    _check_megapixels(field, width, height, MAX_MEGAPIXELS)
    _check_step(field, np.dtype(known.dtype), known.channels, width, height, step, memoryview(data).nbytes)


def decode_compressed(data, field: str = 'image', max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """A JPEG, PNG or WebP file as RGB uint8 (H, W, 3), no EXIF rotation; its header is looked at first.

    Raises:
        InvalidRequest: too many pixels, or bytes that are none of these or are cut off.
    """
    if _AS_RGB:
        return _decode_file(data, _AS_RGB, field, max_megapixels)
    return cv2.cvtColor(_decode_file(data, cv2.IMREAD_COLOR, field, max_megapixels), cv2.COLOR_BGR2RGB)


def decode_compressed_labels(data, field: str = 'segmentation', max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """A single-channel 8 or 16 bit PNG file as uint8 or uint16 (H, W). Raises as `decode_compressed`."""
    pixels = _decode_file(data, cv2.IMREAD_UNCHANGED, field, max_megapixels)
    if pixels.ndim != 2:
        raise invalid(field, f'{pixels.shape[2]} channels', 'one channel of label values')
    return pixels


def picture_size(data) -> tuple[int, int] | None:
    """(width, height) in px from the header of a JPEG, PNG or WebP file, None where it is none of these."""
    head = bytes(memoryview(data)[:32])
    if head[:8] == b'\x89PNG\r\n\x1a\n' and len(head) >= 24:
        return struct.unpack('>II', head[16:24])
    if head[:4] == b'RIFF' and head[8:12] == b'WEBP' and len(head) >= 30:
        return _webp_size(head)
    return _jpeg_size(memoryview(data)) if head[:2] == b'\xff\xd8' else None


def not_a_picture(field: str) -> InvalidRequest:
    """For bytes that begin like no picture file."""
    return InvalidRequest(f'{field} is no picture we know; allowed: a whole JPEG, PNG or WebP file')


def _decode_file(data, mode: int, field: str, max_megapixels: float) -> np.ndarray:
    size = picture_size(data)
    if size is None:
        raise not_a_picture(field)
    _check_megapixels(field, *size, max_megapixels)
    mode |= cv2.IMREAD_IGNORE_ORIENTATION if mode != cv2.IMREAD_UNCHANGED else 0
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), mode) if _chunks_fit(memoryview(data)) else None
    if pixels is None or pixels.shape[1::-1] != size:
        raise InvalidRequest(f'{field} of {size[0]}x{size[1]} px cannot be decoded; allowed: a whole JPEG, PNG or '
                             'WebP file. It is damaged or cut off')
    return pixels


def _chunks_fit(data: memoryview) -> bool:
    """False for a PNG with a chunk that goes beyond its end: OpenCV 4.14 takes up to 4 GB for it before it looks."""
    at = 8 if data[:8] == b'\x89PNG\r\n\x1a\n' else len(data)
    while at + 8 <= len(data):
        length, kind = struct.unpack('>I4s', data[at:at + 8])
        at += 12 + length
        if at > len(data):
            return False
        if kind == b'IEND':
            break
    return True


def _check_megapixels(field: str, width: int, height: int, limit: float) -> None:
    if width <= 0 or height <= 0:
        raise invalid(field, f'{width}x{height} px', 'at least 1x1 px')
    if width * height > limit * 1e6:
        raise invalid(field, f'{width}x{height} px', f'at most {limit:g} megapixels', 'Scale it down')


def _rows(field: str, dtype: str, channels: int, width: int, height: int, step: int, is_bigendian: bool, data,
          max_megapixels: float) -> np.ndarray:
    """(H, W) or (H, W, C) of the native byte order, without the padding at the end of rows."""
    _check_megapixels(field, width, height, max_megapixels)
    kind = np.dtype(dtype)
    flat = np.frombuffer(data, np.uint8)
    row = _check_step(field, kind, channels, width, height, step, flat.size)
    if flat.size >= step * height:
        rows = flat[:step * height].reshape(height, step)[:, :row]
    else:   # the last row without its padding
        rows = np.lib.stride_tricks.as_strided(flat, (height, row), (step, 1), writeable=False)
    pixels = np.ascontiguousarray(rows).view(kind.newbyteorder('>' if is_bigendian else '<'))
    pixels = pixels.astype(kind, copy=False)
    return pixels if channels == 1 else pixels.reshape(height, width, channels)


def _check_step(field: str, kind: np.dtype, channels: int, width: int, height: int, step: int, size: int) -> int:
    """Bytes of one row without its padding."""
    row = width * channels * kind.itemsize
    if step < row:
        raise invalid(f'{field}.step', step, f'at least {row} bytes for {width} px')
    if size < step * (height - 1) + row:
        raise invalid(f'{field}.data', f'{size} bytes', f'step x height = {step * height} bytes')
    return row


def _webp_size(head: bytes) -> tuple[int, int] | None:
    if head[12:16] == b'VP8X':
        return int.from_bytes(head[24:27], 'little') + 1, int.from_bytes(head[27:30], 'little') + 1
    if head[12:16] == b'VP8L':
        bits = int.from_bytes(head[21:25], 'little')
        return (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1
    if head[12:16] == b'VP8 ':
        return struct.unpack('<H', head[26:28])[0] & 0x3fff, struct.unpack('<H', head[28:30])[0] & 0x3fff
    return None


def _jpeg_size(data: memoryview) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xff:
            return None
        marker = data[at + 1]
        if marker == 0xff:   # fill byte
            at += 1
            continue
        if 0xc0 <= marker <= 0xcf and marker not in (0xc4, 0xc8, 0xcc):   # start of frame
            height, width = struct.unpack('>HH', data[at + 5:at + 9])
            return width, height
        if marker == 0x01 or 0xd0 <= marker <= 0xd8:   # markers without a length
            at += 2
            continue
        at += 2 + struct.unpack('>H', data[at + 2:at + 4])[0]
    return None
