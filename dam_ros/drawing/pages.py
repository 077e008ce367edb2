"""Regions, numbers and captions drawn on a picture, for pages and for models. It does not know who described them.

What a camera's picture shows live is drawn by `overlay`.
"""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from dam_ros.drawing.colours import COLOURS, is_light
from dam_ros.drawing.lettering import width_of, wrap, write
from dam_ros.drawing.marks import as_mask, Mark

_STRIP = (24, 24, 28)    # RGB behind captions
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def annotate(image: np.ndarray, marks: Sequence[Mark]) -> np.ndarray:
    """A copy of the picture with every region outlined and numbered, and its caption below.

    Regions are not tinted: their colours are what is described.

    Args:
        image: RGB uint8 (H, W, 3), any size.

    Returns:
        RGB uint8 (H + strip, W, 3); a picture under 320 px width is enlarged first.
    """
    canvas, zoom = np.ascontiguousarray(image).copy(), 1
    if image.shape[1] < 320:
        zoom = -(-320 // image.shape[1])
        canvas = cv2.resize(canvas, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
    letter_px = _letter_px(canvas)
    for number, mark in enumerate(marks):
        _outline(canvas, as_mask(mark.where, image.shape, zoom), COLOURS[number % len(COLOURS)], letter_px)
    for number, mark in enumerate(marks):   # numbers last, so that no later region covers one
        mask = as_mask(mark.where, image.shape, zoom)
        if mask.any():
            _badge(canvas, _badge_point(mask, letter_px), number, letter_px)
    strip = _strip(marks, canvas.shape[1], letter_px)
    return canvas if strip is None else np.vstack([canvas, strip])


def outlined(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int] = (255, 0, 0)) -> np.ndarray:
    """A copy of the picture with a line around the region, just outside of it: nothing of the region is hidden.

    But at the border of the picture, where there is no outside: there the line lies on the region.

    Args:
        image: RGB uint8 (H, W, 3).
        mask: bool (H, W), at least one pixel set.
        colour: RGB.
    """
    canvas = np.ascontiguousarray(image).copy()
    letter_px = _letter_px(canvas)
    reach = _line_px(letter_px) // 2 + 2   # of the line and its rim, to either side
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    _outline(canvas, grown, colour, letter_px)
    shown = mask.copy()   # its smoothed edge reaches further than its width says
    if min(mask.shape) > 8 * reach:
        shown[:reach] = shown[-reach:] = shown[:, :reach] = shown[:, -reach:] = False
    canvas[shown] = image[shown]
    return canvas


def _letter_px(canvas: np.ndarray) -> float:
    return float(np.clip(0.016 * max(canvas.shape[:2]), 7.0, 60.0))


def _outline(canvas: np.ndarray, mask: np.ndarray, colour: tuple, letter_px: float) -> None:
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    thick = _line_px(letter_px)
    for shade, width in ((_BLACK, thick + 2), (colour, thick)):   # dark rim: seen on white, too
        cv2.drawContours(canvas, outlines, -1, shade, width, cv2.LINE_AA)


def _line_px(letter_px: float) -> int:
    return max(2, round(letter_px / 6))


def _badge_point(mask: np.ndarray, letter_px: float) -> tuple[int, int]:
    """(x, y) of the pixel farthest from the region's edge; of a region that a badge would hide, its upper left."""
    padded = np.pad(mask.astype(np.uint8), 1)
    _, deepest_px, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(padded, cv2.DIST_L2, 3))
    if deepest_px > 2.5 * letter_px:
        return x - 1, y - 1
    left, top, _, _ = cv2.boundingRect(mask.astype(np.uint8))
    return round(left - letter_px), round(top - letter_px)


def _badge(canvas: np.ndarray, centre: tuple[int, int], number: int, letter_px: float) -> None:
    radius = round(letter_px * 1.05)
    height, width = canvas.shape[:2]
    x = int(np.clip(centre[0], min(radius + 2, width // 2), max(width - radius - 3, width // 2)))
    y = int(np.clip(centre[1], min(radius + 2, height // 2), max(height - radius - 3, height // 2)))
    colour, text = COLOURS[number % len(COLOURS)], str(number + 1)
    cv2.circle(canvas, (x, y), radius + max(1, round(letter_px / 8)), _BLACK, -1, cv2.LINE_AA)
    cv2.circle(canvas, (x, y), radius, colour, -1, cv2.LINE_AA)
    size = letter_px * (0.9 if len(text) < 2 else 0.7)
    write(canvas, text, x - width_of(text, size) / 2, y + size / 2, size, _BLACK if is_light(colour) else _WHITE,
          bold=True)


def _strip(marks: Sequence[Mark], width: int, letter_px: float) -> np.ndarray | None:
    """The captions on their own ground, (height, W, 3); None where there are none."""
    line_px, edge = round(letter_px * 1.9), round(letter_px)
    indent = round(letter_px * 3.4)
    rows = []   # (number or None, text, is a title)
    for number, mark in enumerate(marks):
        lines = [(one, True) for one in wrap(mark.title, width - indent - edge, letter_px)]
        lines += [(one, False) for one in wrap(mark.text, width - indent - edge, letter_px)]
        rows += [(number if at == 0 else None, *one) for at, one in enumerate(lines)]
    if not rows:
        return None
    gaps = sum(1 for row in rows if row[0] is not None)
    strip = np.full((len(rows) * line_px + gaps * edge + edge, width, 3), _STRIP, np.uint8)
    y = 0
    for number, text, is_title in rows:
        y += line_px + (edge if number is not None else 0)
        if number is not None:
            _badge(strip, (round(letter_px * 1.8), round(y - letter_px / 2)), number, letter_px)
        write(strip, text, indent, y, letter_px, COLOURS[7] if not is_title else (255, 214, 120), bold=is_title)
    return strip
