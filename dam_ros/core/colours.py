"""Names of colours: which of twelve words a person would use for a pixel, and for a region.

The words are the eleven basic terms of Berlin and Kay (1969), with light and dark. The borders between them are
drawn in OKLCh (lightness, chroma and hue of Ottosson's OKLab, 2020), where hue stays the same when a colour gets
lighter or darker. It knows neither objects nor the light a picture was taken in: a white wall in orange light is
orange here.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

NAMES = ('black', 'white', 'grey', 'brown', 'red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink')
BLACK, WHITE, GREY, BROWN, RED, ORANGE, YELLOW, GREEN, BLUE, PURPLE, PINK = range(len(NAMES))

# Lightness at or below which a name gets "dark", and at or above which it gets "light". White and black get neither;
# dark orange is brown and light red is pink, so these have one side only.
_DARK = {GREY: 0.47, BROWN: 0.42, RED: 0.47, GREEN: 0.46, BLUE: 0.44, PURPLE: 0.42, PINK: 0.58, YELLOW: 0.66}
_LIGHT = {GREY: 0.74, BROWN: 0.66, ORANGE: 0.83, YELLOW: 0.955, GREEN: 0.82, BLUE: 0.72, PURPLE: 0.70, PINK: 0.86}

_SHARE = 0.15     # issue: what is named has at least this share of the pixels
_NEAR = 0.065     # distance of two groups that are one colour, shaded or with grain, astride a border between names
_AT_MOST = 3

_LINEAR = np.where(np.arange(256) <= 10, np.arange(256) / 255 / 12.92,
                   ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4).astype(np.float32)
_TO_CONES = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]], np.float32)
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]], np.float32)


@dataclass(frozen=True)
class Colour:
    """One colour of a region.

    Attributes:
        name: one of NAMES.
        tone: 'light', 'dark' or ''.
        share: 0..1 of the region's pixels.
        rgb: the mean of these pixels, 0..255 each.
    """

    name: str
    tone: str
    share: float
    rgb: tuple[int, int, int]

    def __str__(self) -> str:
        return f'{self.tone} {self.name}'.strip()


def oklab(pixels: np.ndarray) -> np.ndarray:
    """RGB uint8 (N, 3) as float32 (N, 3): lightness 0..1, a (green to red), b (blue to yellow), about -0.4..0.4."""
    cones = np.cbrt(_LINEAR[pixels] @ _TO_CONES.T)
    return cones @ _TO_LAB.T


def name_indices(lab: np.ndarray) -> np.ndarray:
    """The index into NAMES for each OKLab colour (N, 3), as uint8 (N,)."""
    lightness = lab[:, 0]
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    named = np.where(_faint(lightness, chroma, hue), GREY, _chromatic(lightness, chroma, hue))
    # Light is warm more often than things are: cream still counts as white.
    warm = (hue > 40) & (hue < 125)
    white = (lightness > 0.875) & (chroma < 0.012) | (lightness > 0.92) & (chroma < np.where(warm, 0.05, 0.02))
    named = np.where(white, WHITE, named)
    # A little blue in the dark is seen as blue, a little red or brown is not.
    black = lightness + np.where((hue > 180) & (hue < 320), 1.6, 1.3) * np.minimum(chroma, 0.15) < 0.295
    return np.where(black, BLACK, named).astype(np.uint8)


def _faint(lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """Where there is too little colour for a colour's name."""
    bright = np.clip((lightness - 0.6) / 0.3, 0, 1)
    dim = np.clip((0.65 - lightness) / 0.2, 0, 1)
    warm = 0.018 + 0.018 * bright
    green = 0.022
    blue = 0.028 - 0.006 * bright + 0.014 * dim   # shade and haze turn grey things bluish
    least = np.where(hue < 205, green, np.where(hue < 300, blue, 0.026))
    return chroma < np.where((hue > 30) & (hue < 125), warm, least)


def _chromatic(lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """Names by hue, for colours that are not faint; (N,) each, hue in degrees."""
    # Two borders move with lightness: lime and neon still are yellow, and pale turquoise is a blue.
    green_from = 113 + 11 * np.clip((lightness - 0.70) / 0.23, 0, 1)
    blue_from = 196 - 14 * np.clip((lightness - 0.70) / 0.20, 0, 1)
    pink_from = np.where(lightness < 0.55, 352, np.where(lightness < 0.68, 335, 327))
    cold = np.select([hue < blue_from, hue < 287, hue < pink_from], [GREEN, BLUE, PURPLE],
                     np.where(lightness < 0.48, RED, PINK))
    named = np.where(hue < green_from, _warm(lightness, chroma, hue), cold)
    # Olive: dark yellow turns green where there is enough of it, else brown.
    olive = np.where(chroma > 0.05, GREEN, BROWN)
    return np.where((hue >= 103) & (hue < 118) & (lightness < 0.66), olive, named)


def _warm(lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """The crowded quarter: pink, red, brown, orange, yellow (hue 0 to 118 degrees)."""
    # The more vivid, the darker a colour may be before it is brown.
    vivid = np.clip((chroma - 0.08) / 0.08, 0, 1)
    orange = np.where(lightness < 0.82 - 0.27 * vivid, BROWN, ORANGE)
    yellow = np.where(lightness < 0.84 - 0.18 * vivid, BROWN, YELLOW)
    beige = (chroma < 0.075) & (lightness < 0.90)
    orange, yellow = np.where(beige, BROWN, orange), np.where(beige & (hue < 92), BROWN, yellow)
    # Towards magenta a light red is pink sooner than towards orange.
    orangeward = np.clip((hue - 4) / 12, 0, 1)
    red_below = 0.50 + orangeward * (0.08 + 1.1 * np.clip(chroma - 0.10, 0, 0.12))
    red = np.where(lightness < red_below, RED, PINK)
    red = np.where((hue > 18) & (chroma < 0.075) & (lightness < 0.66), BROWN, red)
    red = np.where((hue > 10) & (chroma < 0.065) & (lightness < 0.45), BROWN, red)
    red = np.where((hue > 24) & (chroma < 0.10) & (lightness < 0.42), BROWN, red)
    between = np.where((chroma < 0.10) & (lightness > 0.70), PINK, orange)
    between = np.where((chroma >= 0.115) & (hue < np.where(lightness > 0.58, 33, 36)), RED, between)
    return np.select([hue < 32, hue < 46, hue < 79], [red, between, orange], yellow)


def name_of(rgb: tuple[int, int, int]) -> str:
    """The name of one RGB colour (0..255 each), with light or dark: 'dark blue'."""
    lab = oklab(np.array([rgb], np.uint8))
    index = int(name_indices(lab)[0])
    return f'{_common_tone(index, lab)} {NAMES[index]}'.strip()


def colours_of(pixels: np.ndarray) -> list[Colour]:
    """The colours of a region, largest share first: 1 to 3, each with at least 15 % (or the largest alone).

    Args:
        pixels: RGB uint8 (N, 3), N >= 1, smoothed if need be.
    """
    lab = oklab(pixels)
    groups = _absorb(lab, _shade(lab, name_indices(lab)))
    colours = []
    for index, chosen in groups:
        share = float(np.count_nonzero(chosen)) / len(lab)
        if colours and (share < _SHARE or len(colours) == _AT_MOST):
            break
        mean = tuple(int(round(float(one))) for one in pixels[chosen].mean(axis=0))
        colours.append(Colour(NAMES[index], _common_tone(index, lab[chosen]), share, mean))
    return colours


def _shade(lab: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Gives the light greys to white, and the dark ones to black, where these are there: they are their shading."""
    indices = indices.copy()
    grey = indices == GREY
    pale, deep = grey & (lab[:, 0] > _LIGHT[GREY]), grey & (lab[:, 0] < 0.34)
    for target, chosen, least in ((WHITE, pale, 0.25), (BLACK, deep, 1)):
        if np.count_nonzero(indices == target) > least * np.count_nonzero(chosen):
            indices[chosen] = target
    return indices


def _absorb(lab: np.ndarray, indices: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """(name index, bool (N,)) by falling share; a group that lies next to a larger one in colour joins it."""
    counts = np.bincount(indices, minlength=len(NAMES))
    order = [index for index in np.argsort(-counts, kind='stable') if counts[index]]
    masks = {index: indices == index for index in order}
    means = {index: lab[masks[index]].mean(axis=0) for index in order}
    kept: list[int] = []
    for index in order:
        near = min(kept, key=lambda other: _apart(means, index, other), default=index)
        if near != index and _apart(means, index, near) < _NEAR:
            masks[near] = masks[near] | masks[index]
        else:
            kept.append(index)
    return sorted(((int(index), masks[index]) for index in kept), key=lambda one: -np.count_nonzero(one[1]))


def _apart(means: dict, one: int, other: int) -> float:
    """OKLab distance; between colours lightness counts half, as light and shade change that most."""
    weight = 1.0 if {one, other} & {BLACK, WHITE, GREY} else 0.5
    return float(np.linalg.norm((means[one] - means[other]) * (weight, 1, 1)))


def _common_tone(index: int, lab: np.ndarray) -> str:
    """The tone of a group; where both light and dark are there, neither."""
    dark, light = (float(one.mean()) for one in _tones(index, lab))
    if min(dark, light) > 0.25:
        return ''
    return 'dark' if dark > 0.5 else 'light' if light > 0.5 else ''


def _tones(index: int, lab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which colours of one name are dark and which are light, bool (N,) each."""
    dark, light = lab[:, 0] <= _DARK.get(index, -1.0), lab[:, 0] >= _LIGHT.get(index, 2.0)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    if index == YELLOW:   # full yellow is as light as pale yellow, so chroma tells
        light = (light & (chroma < 0.17)) | ((chroma < 0.10) & (lab[:, 0] > 0.80))
    if index == BLUE:     # full blue is as dark as navy, so here too
        dark &= lab[:, 0] < _DARK[BLUE] - 0.6 * np.clip(chroma - 0.08, 0, 0.15)
    return dark, light


def smooth(image: np.ndarray) -> np.ndarray:
    """Takes single odd pixels out of RGB uint8 (H, W, 3), so that grain is not counted as colours."""
    return cv2.medianBlur(image, 3) if min(image.shape[:2]) >= 3 else image
