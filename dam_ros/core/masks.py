"""A region's mask, kept small: some hundred bytes instead of a byte per pixel. It knows only masks."""
from __future__ import annotations

import zlib

import numpy as np


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


def bounding_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """(left, top, width, height) in px of the smallest box around a mask with at least one pixel."""
    rows = np.flatnonzero(mask.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[top:bottom].any(axis=0))
    left = int(columns[0])
    return left, top, int(columns[-1]) + 1 - left, bottom - top


def unpacked(packed, shape: tuple[int, int]) -> np.ndarray:
    """bool (H, W) out of `StoredMask.packed`."""
    return _of_bits(np.frombuffer(zlib.decompress(packed), np.uint8), shape)


def _of_bits(bits: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).view(bool)
