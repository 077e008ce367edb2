"""Which colour marks a region, so that it is seen on it and told apart from the others. It knows no places."""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from dam_ros.drawing.free_places import Box

Colour = tuple[int, int, int]
# Distinct in hue and in lightness, so that they also differ for the colour-blind (after Okabe and Ito, 2008).
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167), (0, 114, 178),
           (235, 235, 235))
_DISTINCT = 45.0         # Lab units: a colour nearer than this to what it marks is not taken
_SHIFT = 10.0            # Lab units by which a tint moves a region's colour
_LEAST, _MOST = 0.1, 0.3   # but so much of the tint's colour
_SAMPLES = 128           # pixels along a region's box that are looked at


def colour_and_tint(image: np.ndarray, mask: np.ndarray, box: Box, used: Sequence[Colour]) -> tuple[Colour, float]:
    """A colour, RGB, and how much of it is laid over the region, 0..1.

    The first of our colours that is not used and not that of the region itself; else the one least like the region.

    Args:
        image: RGB uint8 (H, W, 3).
        mask: bool (H, W), at least one pixel set.
        box: around its pixels.
        used: colours that other marks have; all of them = from the start again.
    """
    mean = _mean(image, mask, box)
    apart = {one: float(np.linalg.norm(_lab(one) - _lab(mean))) for one in COLOURS}
    free = [one for one in COLOURS if one not in used[len(used) // len(COLOURS) * len(COLOURS):]]
    colour = next((one for one in free if apart[one] >= _DISTINCT), max(free, key=apart.get))
    return colour, float(np.clip(_SHIFT / max(apart[colour], 1.0), _LEAST, _MOST))


def is_light(colour: Colour) -> bool:
    """Black letters are read better on it than white ones (luma of BT.601)."""
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2] > 110


def _mean(image: np.ndarray, mask: np.ndarray, box: Box) -> tuple[float, float, float]:
    left, top, width, height = box
    step_y, step_x = max(1, height // _SAMPLES), max(1, width // _SAMPLES)
    some = np.s_[top:top + height:step_y, left:left + width:step_x]
    pixels, chosen = np.ascontiguousarray(image[some]), np.ascontiguousarray(mask[some]).view(np.uint8)
    return cv2.mean(pixels, chosen if chosen.any() else None)[:3]


def _lab(colour: Sequence[float]) -> np.ndarray:
    """CIE L*a*b* of RGB 0..255."""
    return cv2.cvtColor(np.float32([[colour]]) / 255, cv2.COLOR_RGB2Lab)[0, 0]
