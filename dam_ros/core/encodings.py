"""How each `encoding` of `sensor_msgs/Image` lies in memory, and its way to RGB.

Names and layouts: sensor_msgs/image_encodings.hpp and, where that refers to them, the kernel's V4L2 pages. It checks
nothing; `core.images` does.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np


@dataclass(frozen=True)
class Chroma:
    """The second plane of a picture: U and V side by side, below the brightness.

    Attributes:
        strides: its rows are so many times as long as those of the brightness.
        shared: so many rows of the brightness have one of it.
    """

    strides: int
    shared: int


@dataclass(frozen=True)
class Encoding:
    """See the module's text.

    Attributes:
        dtype, channels: of one pixel in a row (of the brightness, where chroma is apart).
        to_rgb: from (H, W) or (H, W, C) of that dtype to RGB (H, W, 3), 8 or 16 bit.
        width_of, height_of: sizes must be multiples of these px.
        least: no side may be shorter, in px.
    """

    dtype: str
    channels: int
    to_rgb: Callable[[np.ndarray], np.ndarray]
    chroma: Chroma | None = None
    width_of: int = 1
    height_of: int = 1
    least: int = 1


def narrowed(pixels: np.ndarray) -> np.ndarray:
    """16 bit as 8 bit: 65535 becomes 255, rounded, as cv_bridge does it (cv_bridge.cpp, toCvCopyImpl).

    A camera that fills only the lower 12 bits gives a dark picture: nothing in the message tells how many there are.
    """
    return cv2.convertScaleAbs(pixels, alpha=255 / 65535) if pixels.dtype == np.uint16 else pixels


def _by(code: int) -> Callable[[np.ndarray], np.ndarray]:
    return partial(cv2.cvtColor, code=code)


def _nv24(planes: np.ndarray) -> np.ndarray:
    """(3 H, W): OpenCV has no such conversion, but U Y V Y is two pixels with the chroma of one."""
    height, width = planes.shape[0] // 3, planes.shape[1]
    luma, chroma = planes[:height], planes[height:].reshape(height, width, 2)
    doubled = np.stack([chroma[..., 0], luma, chroma[..., 1], luma], -1).reshape(height, 2 * width, 2)
    return np.ascontiguousarray(cv2.cvtColor(doubled, cv2.COLOR_YUV2RGB_UYVY)[:, ::2])


def _colours(depth: str, names: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]]) -> dict[str, Encoding]:
    return {name: Encoding(depth, channels, to_rgb) for name, (channels, to_rgb) in names.items()}


_BGR, _BGRA, _GREY = _by(cv2.COLOR_BGR2RGB), _by(cv2.COLOR_BGRA2RGB), _by(cv2.COLOR_GRAY2RGB)
_RGBA, _UYVY, _YUYV = _by(cv2.COLOR_RGBA2RGB), _by(cv2.COLOR_YUV2RGB_UYVY), _by(cv2.COLOR_YUV2RGB_YUY2)
# OpenCV names a Bayer pattern by its second row, ROS by its first.
_BAYER = {'rggb': _by(cv2.COLOR_BayerBG2RGB), 'bggr': _by(cv2.COLOR_BayerRG2RGB),
          'gbrg': _by(cv2.COLOR_BayerGR2RGB), 'grbg': _by(cv2.COLOR_BayerGB2RGB)}
_YUV_OVER_UV = Chroma(1, 2)
# The channels of 8UC3, 16UC4 and the like are in OpenCV's order. Alpha is left out.
PICTURES = {
    **_colours('u1', {'rgb8': (3, np.ascontiguousarray), 'bgr8': (3, _BGR), 'rgba8': (4, _RGBA), 'bgra8': (4, _BGRA),
                      'mono8': (1, _GREY), '8UC1': (1, _GREY), '8UC3': (3, _BGR), '8UC4': (4, _BGRA)}),
    **_colours('u2', {'rgb16': (3, np.ascontiguousarray), 'bgr16': (3, _BGR), 'rgba16': (4, _RGBA),
                      'bgra16': (4, _BGRA), 'mono16': (1, _GREY), '16UC1': (1, _GREY), '16UC3': (3, _BGR),
                      '16UC4': (4, _BGRA)}),
    **{name: Encoding('u1', 2, to_rgb, width_of=2) for name, to_rgb in (
        ('uyvy', _UYVY), ('yuv422', _UYVY), ('yuyv', _YUYV), ('yuv422_yuy2', _YUYV))},
    'nv12': Encoding('u1', 1, _by(cv2.COLOR_YUV2RGB_NV12), _YUV_OVER_UV, width_of=2, height_of=2),
    'nv21': Encoding('u1', 1, _by(cv2.COLOR_YUV2RGB_NV21), _YUV_OVER_UV, width_of=2, height_of=2),
    'nv24': Encoding('u1', 1, _nv24, Chroma(2, 1)),
    # OpenCV 4.14 makes smaller mosaics black.
    **{f'bayer_{pattern}{bits}': Encoding(f'u{bits // 8}', 1, to_rgb, least=3)
       for bits in (8, 16) for pattern, to_rgb in _BAYER.items()},
}
LABELS = {'mono8': 'u1', '8UC1': 'u1', 'mono16': 'u2', '16UC1': 'u2', '32SC1': 'i4'}
DEPTHS = {'16UC1': 'u2', 'mono16': 'u2', '32FC1': 'f4'}   # mm, mm, m: REP 118, depth_image_proc
