"""A region of a picture prepared for a reader of letters: cut out, made grey, turned level, its surroundings wiped.

It knows no reader. All pictures here are uint8, letters of either brightness.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

MARGIN = 0.04            # of the region's shorter side: masks often cut into the letters at their edge
REAL = 0.97              # a mask that fills less of its box than this is a shape, and what lies outside of it no letter
_LEVEL_MAX_DEG = 15.0    # lines that slope more are not searched for: each degree costs, and letters lean too
_LEVEL_SIDE_PX = 400     # longer side of the picture in which the slope is searched
MAX_PIXELS = 2_500_000   # of what a reader gets: room for 2000 words, and tesseract takes about 2 s for so many
_STANDS_OUT = 12         # of 255, by which letters differ from what is around them


@dataclass(frozen=True)
class Sheet:
    """What is to be read.

    Attributes:
        grey: uint8 (H, W), the region upright and level, on one plain shade.
        letter_px: about how tall its letters are, NaN where none stand out.
    """

    grey: np.ndarray
    letter_px: float

    def at(self, letter_px: float) -> np.ndarray:
        """The same with letters about so tall, within a plain border; uint8 (H', W')."""
        scale = letter_px / self.letter_px if np.isfinite(self.letter_px) else 2.0
        return self.scaled(scale)

    def scaled(self, scale: float) -> np.ndarray:
        height, width = self.grey.shape
        scale = float(np.clip(scale, 0.05, 8.0))
        scale = min(scale, (MAX_PIXELS / (height * width)) ** 0.5)
        size = max(8, round(width * scale)), max(8, round(height * scale))
        grown = cv2.resize(self.grey, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
        return cv2.copyMakeBorder(grown, 16, 16, 16, 16, cv2.BORDER_CONSTANT, value=float(_paper(grown)))


def sheet(image: np.ndarray, mask: np.ndarray) -> Sheet:
    """Args: image: RGB uint8 (H, W, 3); mask: bool (H, W), at least one pixel set; both upright."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    margin = round(MARGIN * min(width, height)) + 2
    rows = slice(max(0, top - margin), top + height + margin)
    columns = slice(max(0, left - margin), left + width + margin)
    grey = cv2.cvtColor(np.ascontiguousarray(image[rows, columns]), cv2.COLOR_RGB2GRAY)
    inside = mask[rows, columns].astype(np.uint8)
    if inside.sum() < REAL * width * height:
        inside = cv2.dilate(inside, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
        paper = _paper(grey[inside > 0])
        grey = np.where(inside > 0, grey, paper).astype(np.uint8)
    grey = _levelled(grey)
    return Sheet(grey, letter_height(grey))


def _paper(grey: np.ndarray) -> int:
    """The shade behind the letters: they take the smaller part of what they are written on."""
    return int(np.median(grey))


def _levelled(grey: np.ndarray) -> np.ndarray:
    """Turned so that lines of letters run level."""
    degrees = slope(grey)
    if abs(degrees) < 1.0:   # tesseract bears that
        return grey
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    sine, cosine = abs(turn[0, 1]), abs(turn[0, 0])
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return cv2.warpAffine(grey, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT,
                          borderValue=float(_paper(grey)))


def slope(grey: np.ndarray) -> float:
    """Degrees by which lines of letters fall to the right; 0 where no direction stands out.

    Along lines of letters, rows of edges and rows without alternate; in any other direction they blur into each other.
    """
    small = min(1.0, _LEVEL_SIDE_PX / max(grey.shape))
    grey = cv2.resize(grey, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
    edges = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0))
    height, width = edges.shape

    def ups_and_downs(degrees: float) -> float:
        shear = np.float32([[1, 0, 0], [-np.tan(np.radians(degrees)), 1, np.tan(np.radians(degrees)) * width / 2]])
        rows = cv2.warpAffine(edges, shear, (width, height)).sum(axis=1)
        return float(np.square(np.diff(rows)).sum())

    coarse = np.arange(-_LEVEL_MAX_DEG, _LEVEL_MAX_DEG + 0.1, 1.0)
    found = [ups_and_downs(one) for one in coarse]
    best = int(np.argmax(found))
    if found[best] < 1.2 * found[len(found) // 2]:
        return 0.0
    return float(coarse[best])


def letter_height(grey: np.ndarray) -> float:
    """About how tall the letters are, px; NaN where nothing looks like letters.

    What is darker or brighter than its surroundings falls into parts; those of a likely shape vote with their height.
    """
    block = max(11, min(grey.shape) // 4 | 1)
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    noise = float(np.median(cv2.absdiff(smooth, cv2.medianBlur(smooth, 5))))   # without it specks have most votes
    stands_out = _STANDS_OUT + 5 * noise
    best, most = float('nan'), 0.0
    for kind, least in ((cv2.THRESH_BINARY, -stands_out), (cv2.THRESH_BINARY_INV, stands_out)):
        parts = cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, kind, block, least)
        heights = _likely_heights(cv2.connectedComponentsWithStats(parts)[2][1:], grey.shape)
        for height in np.unique(heights):
            votes = float(((heights > height / 1.4) & (heights < height * 1.4)).sum() * height ** 0.5)
            if votes > most:
                best, most = float(height), votes
    return best


def _likely_heights(stats: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """px, of the parts that look like letters and are not cut off by the edge. Args: stats: as OpenCV gives them."""
    x, y, width, height, area = stats.T
    whole = (x > 0) & (y > 0) & (x + width < shape[1]) & (y + height < shape[0])
    slim = (width <= 4 * height) & (height <= 12 * width)
    return height[whole & slim & (height >= 4) & (area > 0.15 * width * height)]
