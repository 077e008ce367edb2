"""Whether a camera can see: from small grey pictures to one state, which does not flicker. Times are steady seconds.

What is measured (`measured`), on a picture of at most 320 px width:

* brightness: what 1 % of the pixels exceed, single noisy pixels smoothed away. A night scene has lights, a dark room
  has none.
* contrast: how much the clearest 1 % of its details differ from what is around them, as a share of the light there,
  less what noise alone would give. Grey values are about the 2.2th root of light.
* blur: the sigma of the Gaussian with which its sharpest strong edges are blurred, by the ratio of their gradient to
  that of the picture blurred once more (Zhuo, Sim: Defocus map estimation from a single image, Pattern Recognition
  44, 2011). It does not depend on how strong the edges are. Motion blurs across its direction only, so edges along it
  stay sharp.

What all of this cannot know: a plain wall close by, thick fog, paper on the lens and a finger all have no contrast
anywhere, and a lens cap is as dark as a night without lights.
"""
from __future__ import annotations

from dataclasses import dataclass
import math

import cv2
import numpy as np

GOOD, NO_PICTURE, FROZEN, DARK, COVERED, BLURRED, OFF = range(7)   # msg/Sight.msg

WIDTH_PX = 320
SETTLE_S = 1.0          # what is seen counts when it has been so for so long
_BACK = 1.3             # so much better than its limit must be what was bad, until it is good
_CLIPPED = 250.0        # pixels as bright show no noise: pictures may be the same and the camera well
_GAMMA = 2.2
_BLACK = 8.0            # grey levels added to a surrounding, so that in the blacks noise is no contrast
_FINE, _COARSE = 1.5, 5.0       # px, sigmas between which details are looked for
_NOISE_LEFT = 0.5       # of the noise's sigma 0.19 remain after `_FINE`, and 1 % of the pixels exceed 2.6 of these
_REBLUR = 1.5           # px, sigma of the second blur
_PRESMOOTH = 0.7        # px, against noise
_EDGES = 0.05           # the strongest edges, as a share of the pixels
_LEAST_GRADIENT = 0.5   # grey levels per px
_SHARPEST = 75          # percentile of the ratios: the sharper quarter of them


@dataclass(frozen=True)
class Limits:
    """The parameters sight_...; see `describe_settings`.

    Attributes:
        dark: grey value 0..255.
        contrast: share 0..1.
        blur: of the picture's width.
        frozen_s: 0 = never.
    """

    lost_s: float = 3.0
    frozen_s: float = 5.0
    dark: float = 24.0
    contrast: float = 0.05
    blur: float = 0.005


@dataclass(frozen=True)
class Measured:
    """See the module's text; blur is a share of the picture's width, inf where no edge rises above the noise."""

    brightness: float
    contrast: float
    blur: float


def measured(grey: np.ndarray) -> Measured:
    """Args: grey: uint8 (h, w), at most WIDTH_PX wide."""
    pixels = grey.astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(pixels, (0, 0), sigma) for sigma in (_FINE, _COARSE))
    noise = _noise(pixels)
    detail = math.sqrt(max(0.0, _exceeded(np.abs(fine - coarse) / (coarse + _BLACK)) ** 2
                           - (_NOISE_LEFT * noise / (float(coarse.mean()) + _BLACK)) ** 2))
    return Measured(_exceeded(fine), min(1.0, _GAMMA * detail), _blur_px(pixels, noise) / grey.shape[1])


def judged(found: Measured, limits: Limits, before: int) -> int:
    """GOOD, DARK, COVERED or BLURRED. Args: before: what it was, which it remains a little beyond the limit."""
    def limit(state: int) -> float:
        return _BACK if before == state else 1.0

    if found.brightness < limits.dark * limit(DARK):
        return DARK
    if found.contrast < limits.contrast * limit(COVERED):
        return COVERED
    return BLURRED if found.blur > limits.blur / limit(BLURRED) else GOOD


class Sighting:
    """One camera, from the moment on at which pictures are expected."""

    def __init__(self, begun_s: float):
        self._expected_s = begun_s      # since then, or since the last picture, the next is waited for
        self._seen = OFF                # of the pictures' pixels, as it counts
        self._next, self._next_s = OFF, 0.0      # as it would count when it stays so
        self._same_s: float | None = None        # since then all pictures are the very same
        self._may_be_same = False

    def came(self, at_s: float, same: bool) -> None:
        """A picture that could be read. Args: at_s: when it came. same: its pixels are those of the one before."""
        self._expected_s = at_s
        self._same_s = (at_s if self._same_s is None else self._same_s) if same else None

    def looks(self, at_s: float, found: Measured, limits: Limits) -> None:
        """How such a picture looks; not each has to be looked at."""
        now = judged(found, limits, self._seen)
        self._may_be_same = now == DARK or (now == COVERED and found.brightness >= _CLIPPED)
        if now != self._next:
            self._next, self._next_s = now, at_s
        if self._seen == OFF or at_s - self._next_s >= SETTLE_S:
            self._seen = now

    def state(self, now_s: float, limits: Limits) -> int:
        """One of the states of msg/Sight.msg."""
        if now_s - self._expected_s > limits.lost_s:
            return NO_PICTURE
        return FROZEN if self.frozen(now_s, limits) else self._seen

    def frozen(self, now_s: float, limits: Limits) -> bool:
        """Not so where all pixels are black or white: there a camera that works sends the very same, too."""
        return (limits.frozen_s > 0 and self._same_s is not None and now_s - self._same_s >= limits.frozen_s
                and not self._may_be_same)


def _exceeded(values: np.ndarray) -> float:
    """What 1 % of them exceed."""
    flat = values.ravel()
    at = len(flat) - 1 - len(flat) // 100
    return float(np.partition(flat, at)[at])


def _noise(pixels: np.ndarray) -> float:
    """Sigma of the noise in grey levels, by the differences that no smooth surface has: median of the Laplacian."""
    size = np.median(np.abs(cv2.Laplacian(pixels, cv2.CV_32F)[::2, ::2]))
    return float(size) / 0.6745 / math.sqrt(20)   # the median of |normal|; 4, 1, 1, 1, 1 squared and summed


def _blur_px(pixels: np.ndarray, noise: float) -> float:
    once = cv2.GaussianBlur(pixels, (0, 0), _PRESMOOTH)
    gradient = _gradient(once)
    flat = gradient.ravel()
    at = int(len(flat) * (1 - _EDGES))
    edges = gradient >= max(_LEAST_GRADIENT, 3 * noise, float(np.partition(flat, at)[at]))
    if not edges.any():
        return math.inf
    again = _gradient(cv2.GaussianBlur(once, (0, 0), _REBLUR))
    ratio = float(np.percentile(gradient[edges] / np.maximum(again[edges], 1e-3), _SHARPEST))
    if ratio <= 1.0:   # the second blur changes nothing
        return math.inf
    return math.sqrt(max(0.0, _REBLUR ** 2 / (ratio ** 2 - 1) - _PRESMOOTH ** 2))


def _gradient(pixels: np.ndarray) -> np.ndarray:
    """Grey levels per px."""
    return cv2.magnitude(*(cv2.Sobel(pixels, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1))))
