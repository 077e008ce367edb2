"""The protocol of segmenters: something pointed at becomes a mask. It knows no segmenter."""
from __future__ import annotations

from typing import Protocol

import numpy as np


class Segmenter(Protocol):
    """Attributes: name: 'grabcut', 'sam', ..."""

    name: str

    def cut_out(self, image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        """The thing in a box, as bool (H, W) with at least one pixel.

        Args:
            image: RGB uint8 (H, W, 3), shared with others: not to be changed.
            box: left, top, right, bottom in px, half open, inside the picture, at least one pixel.

        Raises:
            SegmenterFailed: nothing was found.
        """
        ...
