"""The outline of a region in words: where it lies, how it is formed, which borders of the picture it touches.

It knows the mask only, nothing of what is inside.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

PLACES = ('upper left', 'top', 'upper right', 'left', 'middle', 'right', 'lower left', 'bottom', 'lower right')
BORDERS = ('left', 'top', 'right', 'bottom')

_WIDE = 1.2           # width / height of the box from which on it is wide; upright is the inverse
_ELONGATED = 0.36     # minor / major axis of the ellipse of inertia
_ROUND = 0.85         # the same, of a round thing
_LIKE_ELLIPSE = 0.92  # overlap (intersection / union) with that ellipse
_LIKE_BOX = 0.90      # share of the smallest turned box that is filled
_RAGGED = 0.70        # share of the convex hull that is filled
_PIECE = 0.05         # share of the region from which on a separate part counts
_LEAST_PX = 30        # fewer (scaled) pixels have no form worth a word


@dataclass(frozen=True)
class Shape:
    """What a mask looks like.

    Attributes:
        place: one of PLACES, the cell of three by three in which the centroid lies.
        centroid: (x, y), 0..1 of the picture's width and height.
        proportion: 'wide', 'upright' or 'even', of the box.
        aspect: width / height of the box, > 0.
        form: 'round', 'oval', 'rectangular', 'irregular' or ''.
        elongated: much longer than thick.
        lean: of what is elongated: 'level', 'vertical', 'rising' or 'falling' (to the right); else ''.
        pieces: how many separate parts of some size, >= 1.
        touches: those of BORDERS that it reaches.
    """

    place: str
    centroid: tuple[float, float]
    proportion: str
    aspect: float
    form: str
    elongated: bool
    lean: str
    pieces: int
    touches: tuple[str, ...]


def shape_of(mask: np.ndarray, box: tuple[int, int, int, int], offset: tuple[float, float], scale: float,
             size: tuple[int, int]) -> Shape:
    """The shape of a region from a scaled cutout of its mask.

    Args:
        mask: uint8 0 or 1 (h, w), the cutout, at least one pixel set.
        box: (left, top, width, height) px of the region in the picture.
        offset: (x, y) px of the cutout's corner in the picture.
        scale: cutout px per picture px, 0..1.
        size: (width, height) px of the picture.
    """
    moments = cv2.moments(mask, binaryImage=True)
    x, y = moments['m10'] / moments['m00'], moments['m01'] / moments['m00']
    centroid = (min(max((offset[0] + (x + 0.5) / scale) / size[0], 0.0), 1.0),
                min(max((offset[1] + (y + 0.5) / scale) / size[1], 0.0), 1.0))
    major, minor, angle = _axes(moments)
    aspect = box[2] / box[3]
    elongated = minor / major < _ELONGATED
    return Shape(
        place=place_of(*centroid), centroid=centroid, aspect=aspect,
        proportion='wide' if aspect >= _WIDE else 'upright' if aspect <= 1 / _WIDE else 'even',
        form=_form(mask, (x, y), major, minor, angle), elongated=elongated,
        lean=_lean(angle) if elongated else '', pieces=_pieces(mask), touches=_touches(box, size))


def place_of(x: float, y: float) -> str:
    """The cell of PLACES for a point, x and y in 0..1 of the picture."""
    return PLACES[min(int(y * 3), 2) * 3 + min(int(x * 3), 2)]


def _touches(box: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[str, ...]:
    left, top, width, height = box
    reached = (left <= 0, top <= 0, left + width >= size[0], top + height >= size[1])
    return tuple(border for border, yes in zip(BORDERS, reached) if yes)


def _axes(moments: dict) -> tuple[float, float, float]:
    """Half axes in px of the ellipse with the same inertia, and its angle in degrees (image axes, -90..90)."""
    area = moments['m00']
    # 1/12: a pixel is a square, not a point, so one pixel and a row of pixels have a thickness too.
    xx, yy, xy = moments['mu20'] / area + 1 / 12, moments['mu02'] / area + 1 / 12, moments['mu11'] / area
    spread = float(np.hypot((xx - yy) / 2, xy))
    large, small = (xx + yy) / 2 + spread, max((xx + yy) / 2 - spread, 1 / 12)
    return 2 * large ** 0.5, 2 * small ** 0.5, float(np.degrees(np.arctan2(2 * xy, xx - yy)) / 2)


def _form(mask: np.ndarray, centre: tuple[float, float], major: float, minor: float, angle: float) -> str:
    area = cv2.countNonZero(mask)
    if area < _LEAST_PX:
        return ''
    ellipse = np.zeros_like(mask)
    cv2.ellipse(ellipse, (centre, (2 * major, 2 * minor), angle), 1, -1)
    overlap = cv2.countNonZero(mask & ellipse) / cv2.countNonZero(mask | ellipse)
    points = cv2.findNonZero(mask)
    hull = cv2.convexHull(points)
    turned = cv2.minAreaRect(hull)[1]
    # Hull and box go through pixel centres: half a pixel is missing on every side.
    if area / ((turned[0] + 1) * (turned[1] + 1)) >= _LIKE_BOX:
        return 'rectangular'
    if overlap >= _LIKE_ELLIPSE:
        return 'round' if minor / major >= _ROUND else 'oval'
    hull_area = cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1
    return 'irregular' if area / hull_area < _RAGGED else ''


def _lean(angle: float) -> str:
    if abs(angle) <= 20:
        return 'level'
    if abs(angle) >= 70:
        return 'vertical'
    return 'falling' if angle > 0 else 'rising'   # y points down in pictures


def _pieces(mask: np.ndarray) -> int:
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    return max(1, int(np.count_nonzero(areas >= _PIECE * areas.sum())))
