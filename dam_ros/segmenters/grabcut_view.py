"""A part of a picture, scaled down: where things of the picture are in it, and back."""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

DOT = 0.015   # radius of a point, of the view's longest side


class View:
    """What GrabCut sees.

    Attributes:
        rgb: uint8 (h, w, 3), both sides at most `side_px`; never larger than the part itself.
        lab: the same in CIELAB.
    """

    def __init__(self, image: np.ndarray, part: tuple[int, int, int, int], side_px: int):
        self._picture = image.shape[:2]
        self._left, self._top, right, bottom = part
        self._size = right - self._left, bottom - self._top   # px of the picture: width, height
        scale = min(1.0, side_px / max(self._size))
        width, height = (max(1, round(one * scale)) for one in self._size)
        self._scale = width / self._size[0], height / self._size[1]
        self.rgb = cv2.resize(image[self._top:bottom, self._left:right], (width, height), interpolation=cv2.INTER_AREA)
        self.lab = cv2.cvtColor(self.rgb, cv2.COLOR_RGB2LAB)

    def box(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """The same box here, at least one pixel large."""
        height, width = self.lab.shape[:2]
        left, right = (round((one - self._left) * self._scale[0]) for one in (box[0], box[2]))
        top, bottom = (round((one - self._top) * self._scale[1]) for one in (box[1], box[3]))
        left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
        return left, top, max(min(right, width), left + 1), max(min(bottom, height), top + 1)

    def marked(self, points: Sequence[tuple[float, float]], dot: float = DOT) -> np.ndarray:
        """bool (h, w): a dot at each point that is in view; `dot` is its radius, of the view's longest side."""
        dots = np.zeros(self.lab.shape[:2], np.uint8)
        for x, y in points:
            column, row = self._pixel(x, y)
            if 0 <= column < dots.shape[1] and 0 <= row < dots.shape[0]:
                cv2.circle(dots, (column, row), round(dot * max(dots.shape)), 1, -1)
        return dots.view(bool)

    def drawn(self, mask: np.ndarray) -> np.ndarray:
        """bool (h, w): every pixel in which there is one of the mask, however thin it is."""
        here = np.zeros(self.lab.shape[:2], bool)
        rows, columns = np.nonzero(mask[self._top:self._top + self._size[1], self._left:self._left + self._size[0]])
        here[(rows * self._scale[1]).astype(int), (columns * self._scale[0]).astype(int)] = True
        return here

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        return (int(np.floor((x + 0.5 - self._left) * self._scale[0])),
                int(np.floor((y + 0.5 - self._top) * self._scale[1])))

    def in_picture(self, mask: np.ndarray) -> tuple[int, int, int, int]:
        """The bounding box of a mask (h, w) in px of the picture: left, top, right, bottom."""
        columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        left, right = (self._left + one / self._scale[0] for one in (columns[0], columns[-1] + 1))
        top, bottom = (self._top + one / self._scale[1] for one in (rows[0], rows[-1] + 1))
        return (int(left), int(top), min(int(np.ceil(right)), self._picture[1]),
                min(int(np.ceil(bottom)), self._picture[0]))

    def share(self, mask: np.ndarray) -> float:
        """How much of the picture a mask (h, w) takes, 0..1."""
        pixels = np.count_nonzero(mask) / self._scale[0] / self._scale[1]
        return pixels / self._picture[0] / self._picture[1]

    def seen_by(self, other: View, mask: np.ndarray) -> np.ndarray:
        """A mask (h, w) of this view in another view of the same picture, which need not show all of it."""
        ratio = other._scale[0] / self._scale[0], other._scale[1] / self._scale[1]
        # Centres of pixels lie at halves: x' = ((x + 0.5) / scale + left - left') * scale' - 0.5
        offset = ((self._left - other._left) * other._scale[0] + 0.5 * ratio[0] - 0.5,
                  (self._top - other._top) * other._scale[1] + 0.5 * ratio[1] - 0.5)
        matrix = np.float64([[ratio[0], 0, offset[0]], [0, ratio[1], offset[1]]])
        moved = cv2.warpAffine(mask.astype(np.uint8) * 255, matrix, other.lab.shape[1::-1], flags=cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REPLICATE)
        return moved > 127

    def whole(self, mask: np.ndarray) -> np.ndarray:
        """bool (H, W) of the picture, smooth where it was scaled down; nothing out of view."""
        found = np.zeros(self._picture, bool)
        soft = mask.astype(np.uint8) * 255
        if min(self._scale) < 1:
            soft = cv2.GaussianBlur(soft, (0, 0), 1.0)
        found[self._top:self._top + self._size[1], self._left:self._left + self._size[0]] = cv2.resize(
            soft, self._size, interpolation=cv2.INTER_LINEAR) > 127
        return found
