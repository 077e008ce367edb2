"""Pictures, masks and label images from files, with errors that name the file. It does not know who wants them.

A mask and a label image must be PNG: JPEG smears their values along every edge.
"""
from __future__ import annotations

from pathlib import Path
import struct
import zlib

import cv2
import numpy as np

from dam_ros.core.errors import complaint, invalid, InvalidRequest
from dam_ros.core.images import decode_compressed, MAX_MEGAPIXELS, picture_size

PICTURE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp')
_PNG_GREY, _PNG_PALETTE = 0, 3   # colour types, PNG specification 11.2.2


def read_bytes(path: str | Path, field: str) -> bytes:
    """The whole file. Raises InvalidRequest where it cannot be read."""
    path = Path(path)
    if not path.exists():
        raise invalid(field, str(path), 'a file that exists')
    if not path.is_file():
        raise invalid(field, str(path), 'a file, not a folder or device')
    try:
        return path.read_bytes()
    except OSError as error:
        raise invalid(field, str(path), f'a file that can be read ({error.strerror})') from error


def read_picture(path: str | Path, field: str = 'image', max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """A JPEG, PNG or WebP file as RGB uint8 (H, W, 3), without EXIF rotation; its header is looked at first.

    Raises:
        InvalidRequest: no such file, no picture, damaged, or too many pixels.
    """
    return decode_compressed(read_bytes(path, field), f'{field} {path}', max_megapixels)


def read_mask(path: str | Path, field: str = 'mask', max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """A PNG as bool (H, W): every pixel that is not 0 is inside; with a palette its number counts, not its colour.

    Where some pixels are transparent, the opaque ones are inside (a thing that was cut out of its background).

    Raises:
        InvalidRequest: as `read_picture`, or no PNG.
    """
    pixels, _ = _read_png(path, field, max_megapixels)
    if pixels.ndim == 2:
        return pixels != 0
    if pixels.shape[2] == 4 and not pixels[..., 3].all():
        return pixels[..., 3] != 0
    return pixels[..., :3].any(axis=2)


def read_labels(path: str | Path, field: str = 'label image', max_megapixels: float = MAX_MEGAPIXELS) -> np.ndarray:
    """A grey PNG of 1 to 16 bit, or one with a palette, as label values int32 (H, W), exactly as they were written.

    Raises:
        InvalidRequest: as `read_picture`, or no grey PNG.
    """
    pixels, depth = _read_png(path, field, max_megapixels)
    if pixels.ndim != 2:
        raise invalid(f'{field} {path}', f'{pixels.shape[2]} channels', 'one channel of label values',
                      'Save it as 8 or 16 bit grey')
    if depth < 8:
        pixels = pixels // (255 // (2 ** depth - 1))   # OpenCV stretches 1, 2 and 4 bit to 0..255
    return pixels.astype(np.int32)


def check_same_size(pixels: np.ndarray, image: np.ndarray, field: str) -> None:
    """Raises InvalidRequest unless the mask or label image has the size of the picture."""
    if pixels.shape[:2] != image.shape[:2]:
        raise invalid(field, f'{pixels.shape[1]}x{pixels.shape[0]} px',
                      f'the size of the picture, {image.shape[1]}x{image.shape[0]} px')


def pictures_in(folder: Path, label_suffix: str) -> list[Path]:
    """The pictures of a folder by name; label images and annotated copies beside them are left out."""
    return sorted(one for one in folder.iterdir()
                  if one.suffix.lower() in PICTURE_SUFFIXES and not one.name.endswith(label_suffix)
                  and not one.name.startswith('.') and one.is_file())


def _numbers_of(data: bytes) -> bytes:
    """A PNG with a palette as a grey one of the same numbers: both are stored alike, but for what names the colours."""
    kept, place = [data[:8]], 8
    while place + 12 <= len(data):
        length, name = struct.unpack('>I4s', data[place:place + 8])
        body = data[place + 8:place + 8 + length]
        if name == b'IHDR':
            body = body[:9] + bytes([_PNG_GREY]) + body[10:]
        if name not in (b'PLTE', b'tRNS', b'bKGD', b'hIST', b'sPLT'):
            kept.append(struct.pack('>I4s', len(body), name) + body + struct.pack('>I', zlib.crc32(name + body)))
        place += 12 + length
    return b''.join(kept)


def _read_png(path: str | Path, field: str, max_megapixels: float) -> tuple[np.ndarray, int]:
    data = read_bytes(path, field)
    if data[:8] != b'\x89PNG\r\n\x1a\n' or len(data) < 33:
        raise InvalidRequest(complaint(field, str(path), 'a PNG file', 'Other formats do not keep the values'))
    width, height = picture_size(data)
    if not 0 < width * height <= max_megapixels * 1e6:
        raise invalid(f'{field} {path}', f'{width}x{height} px', f'1 px to {max_megapixels:g} megapixels')
    depth, colour_type = data[24], data[25]
    if colour_type == _PNG_PALETTE:   # as segmentation data sets have it: the numbers count, the colours are for people
        data, colour_type = _numbers_of(data), _PNG_GREY
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise InvalidRequest(complaint(field, str(path), 'a whole PNG file', 'It is damaged or cut off'))
    return pixels, depth if colour_type == _PNG_GREY else 8
