"""A region's mask, kept small: some hundred bytes instead of a byte per pixel. It knows only masks."""
from __future__ import annotations

import zlib

import numpy as np

from dam_ros.core.regions import bounding_box


class StoredMask:
    """A bool mask (H, W) with at least one pixel, packed.

    Attributes:
        shape: (H, W).
        box: left, top, width, height in px.
        area_px: how many pixels are set.
        area_fraction: the same, 0..1 of the picture.
        packed: the mask as `unpacked` takes it.
    """

    def __init__(self, mask: np.ndarray):
        self.shape = mask.shape
        self.box = bounding_box(mask)
        self.area_px = int(np.count_nonzero(mask))
        self.area_fraction = self.area_px / mask.size
        self.packed = zlib.compress(np.packbits(mask), 1)

    @classmethod
    def from_bits(cls, bits: np.ndarray, shape: tuple[int, int]) -> StoredMask:
        """Out of `np.packbits(mask)`."""
        return cls(_of_bits(bits, shape))

    @property
    def nbytes(self) -> int:
        return len(self.packed)

    def array(self) -> np.ndarray:
        """bool (H, W)."""
        return unpacked(self.packed, self.shape)


def unpacked(packed, shape: tuple[int, int]) -> np.ndarray:
    """bool (H, W) out of `StoredMask.packed`."""
    return _of_bits(np.frombuffer(zlib.decompress(packed), np.uint8), shape)


def _of_bits(bits: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).view(bool)
