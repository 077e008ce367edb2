"""How the surface of a region looks, and in what light the whole picture was taken.

All of it is measured in a cutout of bounded size, so fine means fine for the size of the region. It cannot tell a
blurred thing from a soft one, nor coloured light from a picture of things that all have one colour.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dam_ros.core.colours import oklab

# Thresholds were set by looking at the photographs in examples/photos; docs/attributes.md has the table.
_DARK, _BRIGHT = 0.40, 0.80       # mean OKLab lightness of a dark and of a bright region
_LEAST_PX = 64                    # fewer pixels have no texture
_FINE, _COARSE, _SHADE = 0.018, 0.08, 0.05   # RMS of 0..1 values: grain, contrasts, slow change
_FADED = 0.55                     # a picture is dark if 95 % of it lie below this lightness, half of it below _DARK
# Mean chroma of a tinted picture. Skies, water and leaves fill pictures too, coloured light or not.
_TINT = {'green': 0.08, 'blue': 0.05}
_LEAST_TINT = 0.037
# Names of tints by OKLab hue in degrees, upper limits.
_CASTS = ((20, 'pink'), (40, 'red'), (80, 'orange'), (112, 'yellow'), (190, 'green'), (287, 'blue'), (327, 'purple'),
          (361, 'pink'))
_ALIKE = 0.97                     # share of all chroma within _FAN degrees of the mean hue
_FAN = 50
_NEUTRAL = 0.20                   # at most this share of the pixels that are neither black nor white is grey
_PART = 0.35                      # each ninth of the picture has at least this part of the mean tint


@dataclass(frozen=True)
class Surface:
    """What a region looks like from near.

    Attributes:
        texture: 'plain', 'shaded' (smooth, its brightness changes), 'finely textured', 'patterned' or '' (too small).
        sharpness: 'sharp', 'soft' or '' (too little in it to tell).
        brightness: 'dark', 'bright' or ''.
        lightness: mean OKLab lightness, 0..1.
    """

    texture: str
    sharpness: str
    brightness: str
    lightness: float


@dataclass(frozen=True)
class Light:
    """The light of a whole picture.

    Attributes:
        dark: hardly anything in it is bright.
        cast: the colour that tints nearly all of it, '' none.
        lightness: median OKLab lightness, 0..1.
    """

    dark: bool
    cast: str
    lightness: float


def surface_of(image: np.ndarray, mask: np.ndarray) -> Surface:
    """The surface under a mask: RGB uint8 (h, w, 3), uint8 0 or 1 (h, w) with at least one pixel set."""
    lightness = float(oklab(image[mask != 0])[:, 0].mean())
    brightness = 'dark' if lightness < _DARK else 'bright' if lightness > _BRIGHT else ''
    if cv2.countNonZero(mask) < _LEAST_PX:
        return Surface('', '', brightness, lightness)
    fine, coarse, shade, crisp, edge = _contrasts(image, mask)
    return Surface(_texture(fine, coarse, shade), _sharpness(fine, coarse, crisp, edge), brightness, lightness)


def _texture(fine: float, coarse: float, shade: float) -> str:
    if coarse >= _COARSE:
        return 'patterned'
    if fine >= _FINE and fine >= 0.4 * coarse:
        return 'finely textured'
    return 'shaded' if coarse >= 0.03 or shade >= _SHADE else 'plain'


def _sharpness(fine: float, coarse: float, crisp: float, edge: float) -> str:
    """Only where there are contrasts can one tell; between the two it says nothing."""
    if coarse > 0.03 and (fine < 0.13 * coarse or edge > 0.03 and crisp < 0.30 * edge):
        return 'soft'
    return 'sharp' if edge > 0.06 and crisp > 0.42 * edge else ''


def _contrasts(image: np.ndarray, mask: np.ndarray) -> tuple[float, float, float, float, float]:
    """RMS of grain, contrasts and slow change; strength of the strongest 5 % of edges at a fine and a wider scale."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    values, weight, inside = grey.astype(np.float32) / 255, mask.astype(np.float32), mask != 0
    far = max(2.5, 0.12 * float(weight.sum()) ** 0.5)
    near, small, wide, slow = (_blur(values, weight, sigma) for sigma in (0.8, 1.5, 2.5, far))
    return (_rms(values - small, inside), _rms(small - slow, inside), float(slow[inside].std()),
            _strongest(values - near, inside), _strongest(near - wide, inside))


def _blur(values: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur that takes nothing from outside the mask; sigma in px."""
    if sigma > 5:   # large blurs are made on a smaller picture: as good, and fast
        factor = 4 / sigma
        size = (max(1, round(weight.shape[1] * factor)), max(1, round(weight.shape[0] * factor)))
        total = cv2.resize(values * weight, size, interpolation=cv2.INTER_AREA)
        share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        total, share = cv2.GaussianBlur(total, (0, 0), 4), cv2.GaussianBlur(share, (0, 0), 4)
        total, share = (cv2.resize(one, weight.shape[::-1], interpolation=cv2.INTER_LINEAR) for one in (total, share))
    else:
        total, share = cv2.GaussianBlur(values * weight, (0, 0), sigma), cv2.GaussianBlur(
            weight, (0, 0), sigma)
    return total / np.maximum(share, 1e-6)


def _rms(difference: np.ndarray, inside: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(difference[inside]))))


def _strongest(difference: np.ndarray, inside: np.ndarray) -> float:
    return float(np.percentile(np.abs(difference[inside]), 95))


def light_of(image: np.ndarray) -> Light:
    """The light of a whole picture, RGB uint8 (H, W, 3), from some 20,000 of its pixels."""
    stride = max(1, int((image.shape[0] * image.shape[1] / 20000) ** 0.5))
    sample = image[::stride, ::stride]
    lab = oklab(sample.reshape(-1, 3))
    lightness = lab[:, 0]
    middle = float(np.median(lightness))
    dark = bool(np.percentile(lightness, 95) < _FADED and middle < _DARK)
    return Light(dark, _cast(lab.reshape(sample.shape)), middle)


def _cast(lab: np.ndarray) -> str:
    """The tint of OKLab (h, w, 3): everything has one hue, hardly anything is neutral, and it is so everywhere."""
    shown = _shown(lab)
    if len(shown) < max(10, 0.05 * lab.shape[0] * lab.shape[1]):
        return ''
    chroma, mean = np.hypot(shown[:, 1], shown[:, 2]), shown[:, 1:].mean(axis=0)
    strength = float(np.hypot(*mean))
    if strength < _LEAST_TINT or np.mean(chroma < 0.015) > _NEUTRAL:
        return ''
    along = shown[:, 1:] @ mean / strength
    alike = chroma[along > np.cos(np.radians(_FAN)) * chroma].sum() / chroma.sum()
    if alike < _ALIKE or not _everywhere(lab, mean / strength, strength):
        return ''
    hue = float(np.degrees(np.arctan2(mean[1], mean[0]))) % 360
    name = next(word for limit, word in _CASTS if hue < limit)
    return name if strength >= _TINT.get(name, _LEAST_TINT) else ''


def _everywhere(lab: np.ndarray, direction: np.ndarray, strength: float) -> bool:
    """Whether all but one of the nine parts of the picture have the tint."""
    parts = [_shown(part) for row in np.array_split(lab, 3, axis=0) for part in np.array_split(row, 3, axis=1)]
    least = 0.1 * lab.shape[0] * lab.shape[1] / 9
    untinted = [part for part in parts if len(part) > least and
                float(part[:, 1:].mean(axis=0) @ direction) < _PART * strength]
    return len(untinted) <= 1


def _shown(lab: np.ndarray) -> np.ndarray:
    """The pixels (N, 3) that can have a tint: neither nearly black nor blown out."""
    return lab[(lab[..., 0] > 0.2) & (lab[..., 0] < 0.95)]
