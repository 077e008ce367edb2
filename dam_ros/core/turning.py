"""Pictures of cameras that are mounted sideways or upside down, turned so that up is up.

Which way is told by the edge of the picture that is up in the world. Requests and answers are in the pixels of the
picture as it came; only who describes it sees it turned.
"""
from __future__ import annotations

import numpy as np

_QUARTERS = {'top': 0, 'left': 3, 'bottom': 2, 'right': 1}   # counter-clockwise, as np.rot90 counts


def upright(pixels: np.ndarray, up: str) -> np.ndarray:
    """A picture or mask (H, W, ...), turned by whole quarters; the array itself where nothing is to be done.

    Args:
        up: 'top', 'left', 'right' or 'bottom': this edge becomes the upper one.
    """
    return np.ascontiguousarray(np.rot90(pixels, _QUARTERS[up])) if _QUARTERS[up] else pixels


def in_world(bearing_rad: float, elevation_rad: float, up: str) -> tuple[float, float]:
    """A direction in the camera's optical frame, told about the axis that is up in the world.

    Args:
        bearing_rad, elevation_rad: left and up positive, as the picture came; NaN unknown.
    """
    if not _QUARTERS[up]:
        return bearing_rad, elevation_rad
    level = np.cos(elevation_rad)
    forward, left, above = level * np.cos(bearing_rad), level * np.sin(bearing_rad), np.sin(elevation_rad)
    for _ in range(_QUARTERS[up]):   # the picture's right edge becomes its upper one
        left, above = above, -left
    return float(np.arctan2(left, forward)), float(np.arctan2(above, np.hypot(forward, left)))
