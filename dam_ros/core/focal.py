"""The focal crop: the part of the picture around a region that DAM looks at closely. Only arithmetic on boxes."""
from __future__ import annotations

import numpy as np

from dam_ros.core.masks import bounding_box

_LEAST_PX = 48   # a smaller side counts as this long, each side on its own (dam-spec 4)


def focal_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Up to three times the box around the region, cut at the border of the picture and neither moved nor squared.

    Args:
        mask: bool (H, W), at least one pixel set.

    Returns:
        px, half open: (left, top, right, bottom).
    """
    return focal_box_around(bounding_box(mask), *mask.shape)


def focal_box_around(box: tuple[int, int, int, int], height: int, width: int) -> tuple[int, int, int, int]:
    """`focal_box` of a mask whose `bounding_box` is known, in a picture of height x width px."""
    x, y, box_width, box_height = box
    left, right = _stretched(x, box_width, width)
    top, bottom = _stretched(y, box_height, height)
    return left, top, right, bottom


def _stretched(start: int, length: int, limit: int) -> tuple[int, int]:
    side = max(length, _LEAST_PX)
    origin = int(start + length / 2 - side / 2)   # toward zero, as the reference does; -22.5 is -22
    return max(origin - side, 0), min(origin + 2 * side, limit)
