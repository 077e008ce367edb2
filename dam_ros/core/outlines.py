"""Polygons and strokes as masks. It knows no request.

Points are (x, y) in px, the centre of the upper left pixel is (0, 0), any of them may lie outside of the picture.
"""
from __future__ import annotations

import cv2
import numpy as np

_CROSSINGS = 1_000_000   # of edges with rows that are held at once: 60 MB
_MOST = 20_000_000       # that are counted at all, which takes a second: outlines have a few for each row
_SUBPIXEL_BITS = 4       # cv2 draws in sixteenths of a pixel


class TooTangled(ValueError):
    """A polygon that would take too long."""


def fill(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """bool (H, W): the pixels whose centres lie inside, by the even-odd rule; left and upper edges belong to it.

    A polygon too thin for any centre keeps the pixels that its outline goes through. All False where it lies outside.

    Args:
        corners: finite (N, 2), N >= 1. Closed by itself.

    Raises:
        TooTangled: it crosses the rows of the picture more than 20 million times.
    """
    begin = corners.astype(np.float64)
    end = np.roll(begin, -1, axis=0)
    flips = np.zeros((height, width + 1), np.uint8)   # where along a row inside and outside change places
    first = np.clip(np.ceil(np.minimum(begin[:, 1], end[:, 1])), 0, height).astype(np.int64)
    last = np.clip(np.ceil(np.maximum(begin[:, 1], end[:, 1])), 0, height).astype(np.int64)
    crossed = np.cumsum(last - first)
    if crossed[-1] > _MOST:
        raise TooTangled(f'its edges cross rows of pixels {crossed[-1]} times; allowed: at most {_MOST}')
    at = 0
    while at < len(begin):
        done = crossed[at - 1] if at else 0
        to = max(at + 1, int(np.searchsorted(crossed, done + _CROSSINGS, 'right')))
        _cross(begin[at:to], end[at:to], first[at:to], last[at:to], flips)
        at = to
    mask = np.bitwise_xor.accumulate(flips[:, :width], axis=1).view(bool)
    return mask if mask.any() else line(np.vstack([begin, begin[:1]]), height, width)


def stroke(points: np.ndarray, width_px: float, height: int, width: int) -> np.ndarray:
    """bool (H, W): the pixels whose centres are at most half of `width_px` from the line, at least those on it.

    Args:
        points: finite (N, 2), a polyline.
    """
    far = width_px / 2
    margin = int(far) + 2
    begin, end = _clipped(points, -margin, -margin, width - 1 + margin, height - 1 + margin)
    if not len(begin):
        return np.zeros((height, width), bool)
    both = np.vstack([begin, end])   # the part that matters, as a picture of 12 megapixels is mostly not drawn over
    left, top = np.maximum(np.floor(both.min(axis=0)).astype(int) - margin, -margin)
    right, bottom = np.minimum(np.ceil(both.max(axis=0)).astype(int) + margin + 1, (width + margin, height + margin))
    drawn = _segments(begin - (left, top), end - (left, top), bottom - top, right - left)
    if width_px > 1:
        away = cv2.distanceTransform(1 - drawn, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        drawn = (away <= far).view(np.uint8)
    mask = np.zeros((height, width), bool)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, right), min(height, bottom)
    mask[y0:y1, x0:x1] = drawn[y0 - top:y1 - top, x0 - left:x1 - left]
    return mask


def line(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """bool (H, W): the pixels that a polyline through (N, 2) points goes through."""
    return _segments(*_clipped(points, -1, -1, width, height), height, width).view(bool)


def _cross(begin: np.ndarray, end: np.ndarray, first: np.ndarray, last: np.ndarray, flips: np.ndarray) -> None:
    """Flips the pixels from which on each edge lies to the left, in the rows that it crosses."""
    counts = last - first
    rows = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
    (x0, y0), (x_step, y_step) = begin.T, (end - begin).T
    if not len(rows):
        return
    columns = rows - np.repeat(y0, counts)
    columns *= np.repeat(x_step, counts)   # before it is divided: exact where corners are whole numbers
    columns /= np.repeat(y_step, counts)
    columns += np.repeat(x0, counts)
    columns = np.clip(np.ceil(columns), 0, flips.shape[1] - 1).astype(np.int64)
    top, bottom = rows.min(), rows.max() + 1
    counted = np.bincount((rows - top) * flips.shape[1] + columns, minlength=(bottom - top) * flips.shape[1])
    flips[top:bottom] ^= (counted & 1).astype(np.uint8).reshape(bottom - top, -1)


def _clipped(points: np.ndarray, left: float, top: float, right: float, bottom: float) -> tuple:
    """(begin, end), each (M, 2): the segments of a polyline as far as they lie in a rectangle (Liang and Barsky).

    cv2 takes whole numbers of 32 bits, and a float32 may be larger.
    """
    points = np.asarray(points, np.float64)
    begin, end = (points, points) if len(points) == 1 else (points[:-1], points[1:])
    step = end - begin
    enter, leave = np.zeros(len(begin)), np.ones(len(begin))
    inside = np.ones(len(begin), bool)
    for axis, low, high in ((0, left, right), (1, top, bottom)):
        with np.errstate(divide='ignore', invalid='ignore', over='ignore'):
            near, far = (low - begin[:, axis]) / step[:, axis], (high - begin[:, axis]) / step[:, axis]
        still = step[:, axis] == 0
        inside &= ~still | ((begin[:, axis] >= low) & (begin[:, axis] <= high))
        enter = np.where(still, enter, np.maximum(enter, np.minimum(near, far)))
        leave = np.where(still, leave, np.minimum(leave, np.maximum(near, far)))
    inside &= enter <= leave
    begin, step = begin[inside], step[inside]
    low, high = (left, top), (right, bottom)   # what 1e38 px minus 1e38 px leaves is not exact
    return (np.clip(begin + enter[inside, None] * step, low, high),
            np.clip(begin + leave[inside, None] * step, low, high))


def _segments(begin: np.ndarray, end: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 (H, W), 1 where a segment goes."""
    drawn = np.zeros((height, width), np.uint8)
    if len(begin):
        fine = np.round(np.stack([begin, end], axis=1) * 2 ** _SUBPIXEL_BITS).astype(np.int32)
        cv2.polylines(drawn, list(fine), False, 1, shift=_SUBPIXEL_BITS)
    return drawn
