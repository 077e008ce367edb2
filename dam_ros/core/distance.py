"""What a depth picture says of a region: in which unit, for which pixels, and which depths are of one thing.

It knows neither lenses nor directions; `core.aiming` makes a distance of it.
"""
from __future__ import annotations

import cv2
import numpy as np

from dam_ros.core.errors import complaint
from dam_ros.core.lens import Unplaceable

# REP-118: 32-bit floats are metres, 16-bit unsigned integers millimetres. depth_image_proc takes mono16 for the latter.
UNITS_M = {'32FC1': 1.0, '16UC1': 0.001, 'mono16': 0.001}

_EDGE_PX = 3          # masks and depth miss the outline by a few pixels, and between them lies the background
_EDGE_SHARE = 0.02    # of the side of a square of the same area: masks of large things miss it by more
_KEPT = 0.25          # share of a region that is left of it without its edge; else a narrower edge is taken off
_LEAST_PX = 5         # the median of fewer is at the mercy of a stray value or two
_GAP = 1.10           # one depth to the next farther one: between them is air
_SAME_THING = 1.5     # as far from the median, up and down, goes what is said of one place on a long table or a floor
_ROUNDED = 1.02       # as much longer may a pixel of rounding make one side of a tiny depth picture
_FARTHEST_M = 300.0   # no depth camera and hardly a lidar sees that far: these are millimetres
_LEAST_SHARE = 0.10   # of the region: what a sensor gives for glass, mirrors and black things is the odd stray value


def metres(encoding: str, pixels: np.ndarray) -> np.ndarray:
    """A depth picture as float32 (h, w) in metres along the optical axis; NaN where there is none (0, infinite).

    Args:
        pixels: (h, w), of the native byte order.

    Raises:
        Unplaceable: the encoding does not say the unit.
    """
    unit = UNITS_M.get(encoding)
    if unit is None:
        raise Unplaceable(complaint('depth.encoding', encoding, ', '.join(UNITS_M), 'Others do not say the unit'))
    depth = np.multiply(pixels, np.float32(unit), dtype=np.float32)
    depth[~((depth > 0) & (depth < np.inf))] = np.nan
    return depth


def depths_at(pixels: np.ndarray, shape: tuple[int, int], depth: np.ndarray) -> np.ndarray:
    """The depth of pixels (N, 2) of a picture of this shape (H, W), as (N,) m; NaN unknown.

    Args:
        depth: float32 (h, w) m; of another size it shows the same picture scaled.

    Raises:
        Unplaceable: it is no scaled picture, as the sides have another relation.
    """
    _check_shape(shape, depth.shape)
    x, y = ((pixels.T * 2 + 1) * [[depth.shape[1]], [depth.shape[0]]]) // (2 * np.array([[shape[1]], [shape[0]]]))
    return depth[y, x].astype(np.float64)


def median(depths: np.ndarray) -> float:
    """The median of a region's depths (N,) m, those that are NaN left out; of two in the middle the nearer.

    Raises:
        Unplaceable: these are too many, or it is so far that the depths cannot be metres.
    """
    known = depths[np.isfinite(depths)]
    if known.size < max(_LEAST_PX, _LEAST_SHARE * depths.size):
        raise Unplaceable(f'depth: {known.size} of {depths.size} pixels of the region have one; needed: at least '
                          f'{_LEAST_PX}, and {_LEAST_SHARE:.0%} of them')
    middle = float(np.sort(known)[(known.size - 1) // 2])
    if middle > _FARTHEST_M:
        raise Unplaceable(complaint('depth of the region', round(middle), f'up to {_FARTHEST_M:g} m', 'If the picture '
                                    'is in millimetres, it must be 16UC1'))
    return middle


def one_surface(depths: np.ndarray, typical: float) -> np.ndarray:
    """Which depths (N,) m are of the same thing as the one at `typical`, bool (N,): there is no gap between them."""
    ordered = np.sort(depths)
    gaps = np.flatnonzero(ordered[1:] > _GAP * ordered[:-1])
    at = np.searchsorted(ordered, typical)
    nearest = ordered[max(gaps[gaps < at] + 1, default=0)]
    farthest = ordered[min(gaps[gaps >= at], default=-1)]
    return (depths >= max(nearest, typical / _SAME_THING)) & (depths <= min(farthest, typical * _SAME_THING))


def without_edge(mask: np.ndarray) -> np.ndarray:
    """The bool mask (H, W) without its edge; small and thin regions lose less. The picture's border is no edge."""
    mask = np.ascontiguousarray(mask).view(np.uint8)
    area = cv2.countNonZero(mask)
    widest = max(_EDGE_PX, round(_EDGE_SHARE * area ** 0.5))
    left, top, width, height = cv2.boundingRect(mask)
    window = np.s_[max(0, top - widest):top + height + widest, max(0, left - widest):left + width + widest]
    for radius in (widest, *range(_EDGE_PX, 0, -1)):
        inner = cv2.erode(mask[window], np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
        if cv2.countNonZero(inner) >= _KEPT * area:
            whole = np.zeros_like(mask)
            whole[window] = inner
            return whole.view(bool)
    return mask.view(bool)


def _check_shape(picture: tuple[int, int], depth: tuple[int, int]) -> None:
    """The same relation of the sides, but for a pixel by which one of them was rounded."""
    (height, width), (depth_height, depth_width) = picture, depth
    scales = depth_width / width, depth_height / height
    larger, smaller = max(scales), min(scales)
    odd_px = abs(depth_width - smaller * width) + abs(depth_height - smaller * height)   # one of them is 0
    if odd_px >= 1 or larger > _ROUNDED * smaller:
        raise Unplaceable(complaint('depth', f'{depth_width}x{depth_height} px',
                                    f'{width}x{height} px as the picture, or that scaled with the same width / height'))
