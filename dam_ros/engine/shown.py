"""A picture as the worker has it: encoded until somebody needs its pixels. It knows no request."""
from __future__ import annotations

import numpy as np

from dam_ros.core.encoded import Encoded
from dam_ros.core.turning import upright


class Shown:
    """A picture of a request, decoded once, and not at all where its looks are kept."""

    def __init__(self, encoded: Encoded):
        self.up = encoded.up
        self._encoded = encoded
        self._pixels: np.ndarray | None = None
        self._upright: np.ndarray | None = None

    def pixels(self) -> np.ndarray:
        """RGB uint8 (H, W, 3), as the camera sees it. Raises as `Encoded.pixels`."""
        if self._pixels is None:
            self._pixels = self._encoded.pixels()
            self._encoded = None
        return self._pixels

    def upright(self) -> np.ndarray:
        """The same turned so that up is up; one array, however many regions look at it."""
        if self._upright is None:
            self._upright = upright(self.pixels(), self.up)
        return self._upright
