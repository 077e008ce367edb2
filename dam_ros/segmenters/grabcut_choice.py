"""Which of several guesses is the thing: one whose colours end at its border, and that has a likely size.

The few weights were fitted to the IoU of guesses on the photographs of examples/photos, leaving out one photograph at
a time; fitted to either half of them alone they are the same within a tenth (docs/segmenters.md).
"""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_COLOURS = 32
_RING = 0.12                              # width of what is right outside, of the guess's size
_BOX_OVERLAP, _BOX_TIGHT = 0.32, 0.47     # what overlap costs, and filling the box from side to side brings, in IoU
_SEED_OVERLAP, _SEED_SIZE = 0.6, 0.023
_LIKELY = 0.037                           # share of the picture that people's regions have most often
_SPAN = 1.0                               # likely size of a thing, of the squared length of a stroke over it
_TRUST = 5.0                              # in the expected IoU: exp(_TRUST * IoU) is a guess's weight in the vote


class Palette:
    """A picture in few colours of its own."""

    def __init__(self, lab: np.ndarray):
        pixels = lab.reshape(-1, 3).astype(np.float32) * np.float32([100 / 255, 1, 1])
        cv2.setRNGSeed(0)
        _, codes, _ = cv2.kmeans(pixels, min(_COLOURS, len(pixels)), None, (cv2.TERM_CRITERIA_MAX_ITER, 6, 0), 1,
                                 cv2.KMEANS_PP_CENTERS)
        self._codes = codes.reshape(lab.shape[:2])

    def overlap(self, mask: np.ndarray, but_border: bool = False) -> float:
        """How alike the colours in a mask and right outside of it are (Bhattacharyya coefficient), 0..1.

        Args:
            but_border: leave out the pixels on both sides of the border: they are mixtures, and of a small thing most.
        """
        pixels, pixel = mask.view(np.uint8), np.ones((3, 3), np.uint8)
        width = max(1, round(_RING * np.sqrt(np.count_nonzero(mask)))) + but_border
        shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
        ring = cv2.dilate(pixels, shape) > (cv2.dilate(pixels, pixel) if but_border else pixels)
        inner = cv2.erode(pixels, pixel) > 0 if but_border else mask
        if not ring.any():
            return 1.0
        return float(np.sqrt(self._shares(inner if inner.any() else mask) * self._shares(ring)).sum())

    def _shares(self, mask: np.ndarray) -> np.ndarray:
        counts = np.bincount(self._codes[mask], minlength=_COLOURS)
        return counts / counts.sum()


def best_in_box(palette: Palette, guesses: Sequence[np.ndarray], box: tuple[int, int, int, int]) -> np.ndarray:
    """The guess that differs most from what is around it and reaches the sides of the box, as people draw boxes."""
    def worth(mask: np.ndarray) -> float:
        columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        tight = (columns[-1] + 1 - columns[0]) / (box[2] - box[0]) * (rows[-1] + 1 - rows[0]) / (box[3] - box[1])
        return _BOX_TIGHT * tight - _BOX_OVERLAP * palette.overlap(mask)
    return max(guesses, key=worth)


def likely_share(seeds: np.ndarray) -> float:
    """How much of the picture a thing takes that was pointed at with these pixels, 0..1."""
    columns, rows = np.flatnonzero(seeds.any(0)), np.flatnonzero(seeds.any(1))
    span = (columns[-1] - columns[0]) ** 2 + (rows[-1] - rows[0]) ** 2
    return min(0.9, max(_LIKELY, _SPAN * span / seeds.size))


def vote(palette: Palette, guesses: Sequence[np.ndarray], likely: float = _LIKELY) -> np.ndarray:
    """The guess with which all agree most, each heard by how likely it is a thing.

    From one point no guess is sure, so the likeliest one is often quite wrong; one in the middle of them seldom is.
    """
    worth = np.array([-_SEED_OVERLAP * palette.overlap(one) - _SEED_SIZE * np.log(one.mean() / likely) ** 2
                      for one in guesses])
    weights = np.exp(_TRUST * (worth - worth.max()))
    flat = np.array([one.ravel() for one in guesses], np.float32)
    common = flat @ flat.T
    areas = flat.sum(1)
    agreement = common / (areas[:, None] + areas[None] - common)
    return guesses[int((agreement @ weights).argmax())]


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks, at least one of them with a pixel."""
    return np.count_nonzero(one & other) / max(1, np.count_nonzero(one | other))
