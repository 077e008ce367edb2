"""Pictures, label images and depth out of the bytes that cameras and files bring.

An image is RGB uint8 (H, W, 3), a label image is whole numbers (H, W). Sizes are checked before anything is decoded,
padded rows are honoured, and what makes no sense is refused with the reason. It does not know ROS: it takes the
fields of `sensor_msgs/Image` and `sensor_msgs/CompressedImage` one by one.
"""
from __future__ import annotations

import struct

import cv2
import numpy as np

from dam_ros.core.encodings import DEPTHS, LABELS, PICTURES, Chroma, Encoding, narrowed
from dam_ros.core.errors import InvalidRequest, Unsupported, complaint, invalid

MAX_MEGAPIXELS = 64.0   # DescribeRegion.srv: image <= 64 Mpx
_JPEG, _PNG = b'\xff\xd8', b'\x89PNG\r\n\x1a\n'
_MOST_SCANS = 100   # of a JPEG; encoders make about ten
_MOST_TEXTS = 100   # of a PNG
_AS_RGB = getattr(cv2, 'IMREAD_COLOR_RGB', 0)   # since OpenCV 4.11; saves another picture of memory


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
    known = _known(PICTURES, encoding, field)
    height, width = raw_size(encoding, width, height, step, data, field, max_megapixels)
    kind, flat = np.dtype(known.dtype), np.frombuffer(data, np.uint8)
    if known.chroma is None:
        return narrowed(known.to_rgb(_rows(kind, known.channels, width, height, step, is_bigendian, flat)))
    luma = _rows(kind, 1, width, height, step, is_bigendian, flat[:step * height])
    strides, rows = known.chroma.strides, height // known.chroma.shared
    chroma = _rows(kind, 1, strides * width, rows, strides * step, is_bigendian, flat[step * height:])
    return known.to_rgb(np.concatenate([luma, chroma.reshape(-1, width)]))


def raw_size(encoding: str, width: int, height: int, step: int, data, field: str = 'image',
             max_megapixels: float = MAX_MEGAPIXELS) -> tuple[int, int]:
    """(height, width) in px of a `sensor_msgs/Image`, without decoding it. Raises as `decode_raw`.

    With chroma in a plane of its own, `height` is that of the picture (common_interfaces, pull request 264). Drivers
    that count the rows of both planes are understood by the size of `data`.
    """
    known, size = _known(PICTURES, encoding, field), memoryview(data).nbytes
    if known.chroma is not None and size == step * height:
        shared, both = known.chroma.shared, known.chroma.shared + known.chroma.strides
        height = height * shared // both if height % both == 0 else height
    _check_megapixels(field, width, height, max_megapixels)
    _check_shape(field, encoding, known, width, height)
    _check_step(field, np.dtype(known.dtype), known.channels, width, height, step, size, known.chroma)
    return height, width


def decode_labels(encoding: str, width: int, height: int, step: int, is_bigendian: bool, data,
                  field: str = 'segmentation') -> np.ndarray:
    """A label image as uint8, uint16 or int32 (H, W), where possible a view of `data`. Raises as `decode_raw`."""
    return _numbers(LABELS, encoding, width, height, step, is_bigendian, data, field)


def decode_depth(encoding: str, width: int, height: int, step: int, is_bigendian: bool, data,
                 field: str = 'depth') -> np.ndarray:
    """A depth image as it came, uint16 or float32 (H, W), where possible a view of `data`. Raises as `decode_raw`."""
    return _numbers(DEPTHS, encoding, width, height, step, is_bigendian, data, field)


def decode_compressed(data, field: str = 'image', max_megapixels: float = MAX_MEGAPIXELS,
                      form: str = '') -> np.ndarray:
    """A JPEG, PNG or WebP file as RGB uint8 (H, W, 3), no EXIF rotation; its header is looked at first.

    Args:
        form: `format` of a `sensor_msgs/CompressedImage`. Of colours it says nothing that the file does not: what
            image_transport makes has the right ones, whatever the camera's encoding (compressed_publisher.cpp
            converts to BGR, OpenCV's order, before it encodes). But a Bayer mosaic is in a PNG as it came.

    Raises:
        InvalidRequest: too many pixels, or bytes that are none of these or are cut off.
        Unsupported: depth.
    """
    compressed_size(data, field, max_megapixels, form)
    mosaic = PICTURES.get(form.partition(';')[0].strip()) if form.startswith('bayer_') else None
    if mosaic is not None and bytes(data[:len(_PNG)]) == _PNG:
        pixels = _decode_file(data, cv2.IMREAD_UNCHANGED, field)
        if pixels.ndim == 2 and min(pixels.shape) >= mosaic.least:
            return narrowed(mosaic.to_rgb(pixels))
    if _AS_RGB:
        return narrowed(_decode_file(data, _AS_RGB | cv2.IMREAD_ANYDEPTH, field))
    pixels = narrowed(_decode_file(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH, field))
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def compressed_size(data, field: str = 'image', max_megapixels: float = MAX_MEGAPIXELS,
                    form: str = '') -> tuple[int, int]:
    """(height, width) in px of a JPEG, PNG or WebP file, from its header. Raises as `decode_compressed`."""
    if 'compressedDepth' in form:   # a header of its own before a PNG
        raise Unsupported(complaint(f'{field}.format', form, 'a picture', 'This is depth: take the topic of pictures'))
    size = picture_size(data)
    if size is None:
        raise not_a_picture(field, form)
    _check_megapixels(field, *size, max_megapixels)
    return size[1], size[0]


def decode_compressed_labels(data, field: str = 'segmentation', max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """A single-channel 8 or 16 bit PNG file as uint8 or uint16 (H, W). Raises as `decode_compressed`."""
    compressed_size(data, field, max_megapixels)
    pixels = _decode_file(data, cv2.IMREAD_UNCHANGED, field)
    if pixels.ndim != 2:
        raise invalid(field, f'{pixels.shape[2]} channels', 'one channel of label values')
    return pixels


def picture_size(data) -> tuple[int, int] | None:
    """(width, height) in px from the header of a JPEG, PNG or WebP file, None where it is none of these."""
    head = bytes(memoryview(data)[:32])
    if head[:8] == _PNG and len(head) >= 24:
        return struct.unpack('>II', head[16:24])
    if head[:4] == b'RIFF' and head[8:12] == b'WEBP' and len(head) >= 30:
        return _webp_size(head)
    return _jpeg_size(memoryview(data)) if head[:2] == _JPEG else None


def not_a_picture(field: str, form: str = '') -> InvalidRequest:
    """For bytes that begin like no picture file. Args: form: what is said of them, such as CompressedImage.format."""
    said = f' (its format is {form[:40]!r})' if form else ''
    return InvalidRequest(f'{field} is no picture we know{said}; allowed: a whole JPEG, PNG or WebP file')


def _decode_file(data, mode: int, field: str) -> np.ndarray:
    """Of a file whose size was checked."""
    size = picture_size(data)
    mode |= cv2.IMREAD_IGNORE_ORIENTATION if mode != cv2.IMREAD_UNCHANGED else 0
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), mode) if _worth_decoding(memoryview(data)) else None
    if pixels is None or pixels.shape[1::-1] != size:
        raise InvalidRequest(f'{field} of {size[0]}x{size[1]} px cannot be decoded; allowed: a whole JPEG, PNG or '
                             'WebP file. It is damaged or cut off')
    return pixels


def _worth_decoding(data: memoryview) -> bool:
    """False for a small file that would cost much: damaged, or made for that."""
    if data[:2] == _JPEG:   # each scan goes over all pixels again: 100 kB could take a minute
        return bytes(data).count(b'\xff\xda') <= _MOST_SCANS
    return data[:len(_PNG)] != _PNG or _chunks_fit(data)


def _chunks_fit(data: memoryview) -> bool:
    """False for a PNG with a chunk that goes beyond its end: OpenCV 4.14 takes up to 4 GB for it before it looks; and
    for one with many chunks of packed text, which libpng unpacks one after the other, 10 ms each."""
    at, texts = len(_PNG), 0
    while at + 8 <= len(data):
        length, kind = struct.unpack('>I4s', data[at:at + 8])
        at += 12 + length
        texts += kind in (b'zTXt', b'iTXt', b'iCCP')
        if at > len(data) or texts > _MOST_TEXTS:
            return False
        if kind == b'IEND':
            break
    return True


def _check_megapixels(field: str, width: int, height: int, limit: float) -> None:
    if width <= 0 or height <= 0:
        raise invalid(field, f'{width}x{height} px', 'at least 1x1 px')
    if width * height > limit * 1e6:
        raise invalid(field, f'{width}x{height} px', f'at most {limit:g} megapixels', 'Scale it down')


def _known(table: dict, encoding: str, field: str):
    if encoding not in table:
        raise Unsupported(complaint(f'{field}.encoding', encoding, ', '.join(table)))
    return table[encoding]


def _numbers(table: dict[str, str], encoding: str, width: int, height: int, step: int, is_bigendian: bool, data,
             field: str) -> np.ndarray:
    """(H, W) of one number per pixel."""
    kind, flat = np.dtype(_known(table, encoding, field)), np.frombuffer(data, np.uint8)
    _check_megapixels(field, width, height, MAX_MEGAPIXELS)
    _check_step(field, kind, 1, width, height, step, flat.size)
    return _rows(kind, 1, width, height, step, is_bigendian, flat)


def _rows(kind: np.dtype, channels: int, width: int, height: int, step: int, is_bigendian: bool,
          flat: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) of the native byte order, without the padding at the end of rows."""
    row = width * channels * kind.itemsize
    if flat.size >= step * height:
        rows = flat[:step * height].reshape(height, step)[:, :row]
    else:   # the last row without its padding
        rows = np.lib.stride_tricks.as_strided(flat, (height, row), (step, 1), writeable=False)
    pixels = np.ascontiguousarray(rows).view(kind.newbyteorder('>' if is_bigendian else '<'))
    pixels = pixels.astype(kind, copy=False)
    return pixels if channels == 1 else pixels.reshape(height, width, channels)


def _check_shape(field: str, encoding: str, known: Encoding, width: int, height: int) -> None:
    if width % known.width_of or height % known.height_of:
        sides = 'an even width' + (' and height' if known.height_of > 1 else '')
        raise invalid(field, f'{width}x{height} px', f'{sides}, as in {encoding} pixels share their colour')
    if min(width, height) < known.least:
        raise invalid(field, f'{width}x{height} px', f'at least {known.least}x{known.least} px of {encoding}')


def _check_step(field: str, kind: np.dtype, channels: int, width: int, height: int, step: int, size: int,
                chroma: Chroma | None = None) -> None:
    """The last row may come without its padding."""
    row = width * channels * kind.itemsize
    if step < row:
        raise invalid(f'{field}.step', step, f'at least {row} bytes for {width} px')
    whole, last = step * height, step - row
    if chroma is not None:
        whole, last = whole + chroma.strides * step * (height // chroma.shared), chroma.strides * last
    if size < whole - last:
        how = 'step x height' if chroma is None else f'step x height x {whole / (step * height):g}'
        raise invalid(f'{field}.data', f'{size} bytes', f'{how} = {whole} bytes')


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
