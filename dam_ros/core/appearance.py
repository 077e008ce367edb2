"""What a region and its surroundings look like, as 64 bits: how many of them differ says how much has changed.

A perceptual hash (Zauner: Implementation and Benchmarking of Perceptual Image Hash Functions, 2010): whether each of
the lowest frequencies of the discrete cosine transform is above their median. Brightness and contrast do not count,
noise and compression are of high frequencies. Half of the bits are of the region alone, so that another thing in its
place counts, and half of it with what is around, so that another place does.
"""
from __future__ import annotations

import cv2
import numpy as np

WIDTH_PX = 640     # of the grey picture: there, things of 2 % of its width still have a shape
_SIDE = 32         # px to which a crop is scaled
_BITS = 32         # of each of the two crops
_INNER, _OUTER = 0.85, 1.8   # of the sides of the region's box
_FAINT = 6.0       # of a frequency's amplitude: less is noise, and a plain thing has no bits
_LEAST_PX = 12.0   # a crop's side; a smaller one would be noise
# (row, column) of the frequencies, the lowest first; the very lowest is the brightness
_LOWEST = sorted(((row, column) for row in range(_SIDE) for column in range(_SIDE) if row + column),
                 key=lambda one: (sum(one), one))[:_BITS]


def appearance(grey: np.ndarray, box: tuple[float, float, float, float]) -> int:
    """The hash of a region, 0..2^64 - 1.

    Noise and compression change up to 8 of its bits, another thing or another place about 20.

    Args:
        grey: uint8 (h, w), the whole picture.
        box: (left, top, width, height) of the region in px of it.
    """
    bits = np.concatenate([_hash(grey, box, scale) for scale in (_INNER, _OUTER)])
    return int.from_bytes(np.packbits(bits).tobytes(), 'big')


def _hash(grey: np.ndarray, box: tuple[float, float, float, float], scale: float) -> np.ndarray:
    """bool (_BITS,)."""
    frequencies = cv2.dct(_crop(grey, box, scale))
    lowest = np.array([frequencies[one] for one in _LOWEST])
    return lowest > np.median(lowest) + _FAINT


def _crop(grey: np.ndarray, box: tuple[float, float, float, float], scale: float) -> np.ndarray:
    """float32 (_SIDE, _SIDE); beyond the picture its border goes on."""
    left, top, width, height = box
    middle = left + width / 2, top + height / 2
    sides = max(_LEAST_PX, width * scale), max(_LEAST_PX, height * scale)
    low = [int(at - side / 2) for at, side in zip(middle, sides)]
    high = [int(at + side / 2) + 1 for at, side in zip(middle, sides)]
    inside = grey[max(0, low[1]):max(1, high[1]), max(0, low[0]):max(1, high[0])]
    before, after = [max(0, -one) for one in low], [max(0, end - size) for end, size in zip(high, grey.shape[::-1])]
    whole = cv2.copyMakeBorder(inside, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE)
    return cv2.resize(whole, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
