"""The outlines of a mask as closed lines of few points. It knows only masks.

Points are (x, y) in px, the centre of the upper left pixel is (0, 0).
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dam_ros.drawing.free_places import Box, coarse

_LINES = 48          # more pieces and holes than this are specks, or noise
_POINTS = 400        # of all lines together: a viewer gets them over the network with each picture
_FINE = 1600         # cells along a region's box


@dataclass(frozen=True, eq=False)
class Contours:
    """Closed lines, each int32 (N, 2), N >= 1, the largest first.

    Attributes:
        outer: around the pieces.
        holes: around what is left out within them.
        holes_of: for each of `outer` which of `holes` lie in it.
    """

    outer: tuple[np.ndarray, ...]
    holes: tuple[np.ndarray, ...]
    holes_of: tuple[tuple[int, ...], ...]

    @property
    def lines(self) -> tuple[np.ndarray, ...]:
        return self.outer + self.holes


def contours_of(mask: np.ndarray, box: Box, slack_px: float) -> Contours:
    """At most 48 lines with at most 400 points; what they leave out is smallest first.

    Args:
        mask: bool (H, W), at least one pixel set.
        box: around its pixels.
        slack_px: how far a line may be from the mask's edge; many points make it more.
    """
    left, top, width, height = box
    every = -(-max(width, height) // _FINE)   # px that become one: lines of large regions need not be that exact
    part = coarse(mask[top:top + height, left:left + width], every)
    found, tree = cv2.findContours(part.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    order = sorted(range(len(found)), key=lambda at: -_extent(found[at]))[:_LINES]
    outer = [at for at in order if tree[0, at, 3] < 0]
    holes = [at for at in order if tree[0, at, 3] in outer]
    points = [line * every + (every // 2 + left, every // 2 + top) for line in _simplified(
        [found[at] for at in outer + holes], slack_px / every)]
    points = [np.minimum(line, (left + width - 1, top + height - 1)) for line in points]
    return Contours(tuple(points[:len(outer)]), tuple(points[len(outer):]), tuple(
        tuple(which for which, hole in enumerate(holes) if tree[0, hole, 3] == at) for at in outer))


def with_holes(contours: Contours, at: int) -> np.ndarray:
    """int32 (N, 2): an outer line that goes into each of its holes and back on the same way.

    For viewers that fill a polygon but know no holes: filled, the holes stay empty.
    """
    line = contours.outer[at]
    for hole in (contours.holes[which] for which in contours.holes_of[at]):
        apart = ((line[:, None] - hole[None]) ** 2).sum(axis=2)   # (N, M)
        go, come = np.unravel_index(apart.argmin(), apart.shape)
        there = np.roll(hole, -come, axis=0)
        line = np.vstack([line[:go + 1], there, there[:1], line[go:]])
    return line


def nearest_on(lines: tuple[np.ndarray, ...], point: tuple[float, float]) -> tuple[float, float]:
    """The point of closed lines that is nearest to another one."""
    begin = np.vstack(lines).astype(np.float64)
    step = np.vstack([np.roll(line, -1, axis=0) for line in lines]) - begin
    length = np.maximum((step ** 2).sum(axis=1), 1e-9)
    part = np.clip(((np.asarray(point) - begin) * step).sum(axis=1) / length, 0, 1)
    on = begin + part[:, None] * step
    x, y = on[((on - point) ** 2).sum(axis=1).argmin()]
    return float(x), float(y)


def _extent(line: np.ndarray) -> int:
    _, _, width, height = cv2.boundingRect(line)
    return width * height


def _simplified(lines: list[np.ndarray], slack_px: float) -> list[np.ndarray]:
    while True:
        simple = [cv2.approxPolyDP(line, slack_px, True)[:, 0] for line in lines]
        if sum(map(len, simple)) <= _POINTS:
            return simple
        slack_px *= 1.6
