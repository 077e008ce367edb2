"""A quick look at a picture as it came: small and grey, without decoding all of it. For what is looked at all the time.

A JPEG is decoded at a half, a quarter or an eighth of its size, a raw picture is scaled down before its colours are
looked at. It does not know what is looked for.
"""
from __future__ import annotations

import cv2
import numpy as np

from dam_ros.core.encoded import Encoded, Layout
from dam_ros.core.encodings import PICTURES, narrowed
from dam_ros.core.errors import CallerFailure, NoFrame

_REDUCED = ((8, cv2.IMREAD_REDUCED_GRAYSCALE_8), (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
            (2, cv2.IMREAD_REDUCED_GRAYSCALE_2), (1, cv2.IMREAD_GRAYSCALE))
_LUMA_AT = {'uyvy': 1, 'yuv422': 1, 'yuyv': 0, 'yuv422_yuy2': 0}   # of the two bytes of a pixel (V4L2)
_BLACK, _WHITE = 16, 235   # of the brightness of YUV, as OpenCV converts it to RGB
_TO_GREY = {**{f'{order}{bits}': code for bits in (8, 16) for order, code in (
                ('rgb', cv2.COLOR_RGB2GRAY), ('bgr', cv2.COLOR_BGR2GRAY), ('rgba', cv2.COLOR_RGBA2GRAY),
                ('bgra', cv2.COLOR_BGRA2GRAY))},
            **{f'{bits}UC{channels}': code for bits in (8, 16) for channels, code in (
                (3, cv2.COLOR_BGR2GRAY), (4, cv2.COLOR_BGRA2GRAY))}}


def grey(picture: Encoded, width: int) -> np.ndarray:
    """The picture in grey as uint8 (h, w), w at most `width` px, the sides in the same relation.

    Raises:
        NoFrame: it is damaged, or of an encoding that is no picture.
    """
    height_px, width_px = picture.size()
    target = min(width, width_px), max(1, round(height_px * min(width, width_px) / width_px))
    try:
        small = _of_file(picture.data, width, width_px) if picture.layout is None else _of_rows(
            picture, picture.layout, height_px, target)
    except (CallerFailure, ValueError, cv2.error) as error:
        raise NoFrame(f'{picture.source or "the picture"} cannot be used: {error}') from error
    return resized(small, target)


def resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scaled to (width, height) by the mean of what falls together; the array itself where it has that size."""
    return pixels if pixels.shape[1::-1] == size else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _of_file(data, width: int, width_px: int) -> np.ndarray:
    jpeg = bytes(memoryview(data)[:2]) == b'\xff\xd8'   # others are decoded whole, and reduced by leaving pixels out
    mode = next(mode for factor, mode in _REDUCED if factor == 1 or jpeg and width_px >= factor * width)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), mode | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise NoFrame('it cannot be decoded')
    return pixels


def _of_rows(picture: Encoded, layout: Layout, height: int, target: tuple[int, int]) -> np.ndarray:
    """uint8 (h, w) of a raw picture whose sizes were checked."""
    known, encoding = PICTURES[layout.encoding], layout.encoding
    colour = _TO_GREY.get(encoding)
    mosaic = encoding.startswith('bayer_')   # scaled down, it is its brightness
    swapped = layout.is_bigendian and known.dtype != 'u1'
    if layout.width < (4 if mosaic else 2) * target[0] or swapped:   # small or rare
        return cv2.cvtColor(picture.pixels(), cv2.COLOR_RGB2GRAY)
    row = layout.width * known.channels * np.dtype(known.dtype).itemsize
    flat = np.frombuffer(picture.data, np.uint8)
    rows = np.lib.stride_tricks.as_strided(flat, (height, row), (layout.step, 1), writeable=False)
    rows = np.ascontiguousarray(rows) if layout.step % np.dtype(known.dtype).itemsize else rows
    small = resized(rows.view(known.dtype).reshape(height, layout.width, known.channels), target)
    if encoding in _LUMA_AT:
        small = np.ascontiguousarray(small[..., _LUMA_AT[encoding]])
    if encoding in _LUMA_AT or known.chroma is not None:
        return cv2.convertScaleAbs(cv2.subtract(small, _BLACK), alpha=255 / (_WHITE - _BLACK))
    return narrowed(cv2.cvtColor(small, colour) if colour is not None else small)
