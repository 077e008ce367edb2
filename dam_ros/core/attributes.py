"""Everything that can be measured of a region without knowing what it is.

Colours, place, size, shape, surface and the light of the picture, each as a word from a fixed list together with the
number behind it. Large pictures are measured in a cutout of bounded size. It never knows what a thing is called.
"""
from __future__ import annotations

from dataclasses import asdict, dataclass
import math

import cv2
import numpy as np

from dam_ros.core.colours import Colour, colours_of, smooth
from dam_ros.core.shape import Shape, shape_of
from dam_ros.core.surface import Light, Surface, light_of, surface_of

CUTOUT_PX = 384          # long side of the cutout that is measured
_COLOUR_SAMPLES = 20000  # pixels that are asked for their colour
_MARGIN_PX = 3           # around the cutout, so that the edge can be eroded
# Shares of the picture below which a region is called so.
SIZES = ((0.005, 'tiny'), (0.05, 'small'), (0.15, 'medium-sized'), (0.50, 'large'), (0.98, 'very large'))
WHOLE = 'whole'


@dataclass(frozen=True)
class Attributes:
    """What is known of a region.

    Attributes:
        colours: 1 to 3, the largest share first.
        size: a word of SIZES or WHOLE.
        area_fraction: 0..1 of the picture.
        box: (left, top, width, height) px.
        shape, surface: see there.
        light: of the whole picture.
    """

    colours: tuple[Colour, ...]
    size: str
    area_fraction: float
    box: tuple[int, int, int, int]
    shape: Shape
    surface: Surface
    light: Light

    def as_json(self) -> dict:
        """The same as JSON types; floats rounded to four places."""
        return _plain(asdict(self))


@dataclass(frozen=True)
class _Cutout:
    image: np.ndarray   # RGB uint8 (h, w, 3)
    mask: np.ndarray    # uint8 0 or 1 (h, w)
    offset: tuple[int, int]
    scale: float


def measure(image: np.ndarray, mask: np.ndarray) -> Attributes:
    """Measures one region: RGB uint8 (H, W, 3) and bool (H, W) with at least one pixel set."""
    flags = np.ascontiguousarray(mask).view(np.uint8)
    height, width = flags.shape
    box = tuple(int(one) for one in cv2.boundingRect(flags))
    fraction = cv2.countNonZero(flags) / (height * width)
    cutout = _cut(image, flags, box)
    inner = _eroded(cutout.mask)
    pixels = smooth(cutout.image)[inner != 0]
    return Attributes(
        colours=tuple(colours_of(pixels[::max(1, len(pixels) // _COLOUR_SAMPLES)])),
        size=next((word for limit, word in SIZES if fraction < limit), WHOLE), area_fraction=fraction, box=box,
        shape=shape_of(cutout.mask, box, cutout.offset, cutout.scale, (width, height)),
        surface=surface_of(cutout.image, inner), light=light_of(image))


def _cut(image: np.ndarray, flags: np.ndarray, box: tuple[int, int, int, int]) -> _Cutout:
    left, top, box_width, box_height = box
    scale = min(1.0, CUTOUT_PX / max(box_width, box_height))
    margin = math.ceil(_MARGIN_PX / scale)
    x0, y0 = max(0, left - margin), max(0, top - margin)
    window = np.s_[y0:top + box_height + margin, x0:left + box_width + margin]
    image, flags = image[window], flags[window]
    if scale == 1.0:
        return _Cutout(np.ascontiguousarray(image), np.ascontiguousarray(flags), (x0, y0), scale)
    size = (max(1, round(flags.shape[1] * scale)), max(1, round(flags.shape[0] * scale)))
    shares = cv2.resize(flags * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    # Thin lines may fill less than half of every scaled pixel: then the fullest ones stand for them.
    mask = (shares >= min(128, max(1, int(shares.max())))).astype(np.uint8)
    return _Cutout(cv2.resize(image, size, interpolation=cv2.INTER_AREA), mask, (x0, y0), scale)


def _eroded(mask: np.ndarray) -> np.ndarray:
    """The mask without its edge, where colours mix with the neighbour's; thin regions keep theirs."""
    area = cv2.countNonZero(mask)
    for radius in (max(1, round(0.02 * area ** 0.5)), 1):
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        inner = cv2.erode(mask, kernel)
        if cv2.countNonZero(inner) >= 0.4 * area:
            return inner
    return mask


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return round(float(value), 4) if isinstance(value, (float, np.floating)) else value
