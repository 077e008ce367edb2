"""Paints an overlay onto a picture. Where things go was decided before."""
from __future__ import annotations

import cv2
import numpy as np

from dam_ros.drawing.captions import Caption
from dam_ros.drawing.colours import Colour, is_light
from dam_ros.drawing.lettering import baseline_of, smooth, width_of
from dam_ros.drawing.overlay import Overlay, Point, Shown

GROUND = (20, 20, 24)                    # RGB behind letters
LETTERS = (245, 245, 245)
SOLID, SHEER = 0.82, 0.6                 # how much of the ground is laid over the picture, beside and over a region
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_BITS = 4                                # cv2 draws in sixteenths of a pixel


def paint(image: np.ndarray, overlay: Overlay) -> np.ndarray:
    """A copy of RGB uint8 (H, W, 3) with the overlay on it."""
    canvas = np.ascontiguousarray(image).copy()
    for one in overlay.shown:
        _tint(canvas, one)
    for one in overlay.shown:
        _lines(canvas, one.contours.lines, True, one.colour, overlay.line_px, overlay.rim_px)
    for one in overlay.shown:
        if one.leader:
            _lines(canvas, (np.array(one.leader),), False, one.colour, overlay.leader_px, overlay.rim_px)
    for one in overlay.shown:   # what is read lies on everything else
        if one.badge:
            _badge(canvas, one.badge, one, overlay)
        if one.caption:
            _caption(canvas, one.caption, one, overlay)
    return canvas


def title_colour(colour: Colour) -> Colour:
    """Of letters on the dark ground: half way to white."""
    return tuple((one + 255) // 2 for one in colour)


def badge_letter_px(number: int, overlay: Overlay) -> float:
    """Height of a number on its disc."""
    return overlay.letter_px * (1.0, 0.8, 0.6)[min(len(str(number)), 3) - 1]


def _tint(canvas: np.ndarray, one: Shown) -> None:
    left, top, width, height = one.box
    box = np.s_[top:top + height, left:left + width]
    region, mask = canvas[box], np.ascontiguousarray(one.mask[box]).view(np.uint8)
    cv2.copyTo(_under(region, one.colour, one.tint), mask, region)


def _lines(canvas: np.ndarray, lines: tuple, closed: bool, colour: Colour, line_px: int, rim_px: int) -> None:
    """With a dark rim, so that they are seen on light ground, too."""
    fine = [np.round(np.asarray(one) * 2 ** _BITS).astype(np.int32) for one in lines]
    for shade, thick in ((_BLACK, line_px + 2 * rim_px), (colour, line_px)):
        cv2.polylines(canvas, fine, closed, shade, thick, cv2.LINE_AA, _BITS)


def _badge(canvas: np.ndarray, centre: Point, one: Shown, overlay: Overlay) -> None:
    radius = overlay.badge_px
    x, y = (round(value * 2 ** _BITS) for value in centre)
    cv2.circle(canvas, (x, y), (radius + overlay.rim_px) << _BITS, _BLACK, -1, cv2.LINE_AA, _BITS)
    cv2.circle(canvas, (x, y), radius << _BITS, one.colour, -1, cv2.LINE_AA, _BITS)
    letter_px, text = badge_letter_px(one.number, overlay), str(one.number)
    _write(canvas, text, centre[0] - width_of(text, letter_px) / 2, centre[1] + letter_px / 2, letter_px,
           _BLACK if is_light(one.colour) else _WHITE, bold=True)


def _caption(canvas: np.ndarray, caption: Caption, one: Shown, overlay: Overlay) -> None:
    left, top, right, bottom = (round(value) for value in (
        caption.left, caption.top, caption.left + caption.form.width, caption.top + caption.form.height))
    ground = canvas[top:bottom, left:right]
    share = SHEER if caption.covers else SOLID
    ground[:] = _under(ground, GROUND, share)
    cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), one.colour, overlay.rim_px)
    _badge(canvas, (caption.left + caption.form.number[0], caption.top + caption.form.number[1]), one, overlay)
    for line in caption.form.lines:
        colour = title_colour(one.colour) if line.is_title else LETTERS
        _write(canvas, line.text, caption.left + line.x, caption.top + line.y, overlay.letter_px, colour, line.is_title,
               rimmed=caption.covers)


def _write(canvas: np.ndarray, text: str, x: float, y: float, letter_px: float, colour: Colour, bold: bool = False,
           rimmed: bool = False) -> None:
    """Smooth letters; what would lie outside of the picture is cut off."""
    letters = smooth(text, letter_px, bold)
    left, top = round(x), round(y) - baseline_of(letter_px)
    right, bottom = min(left + letters.shape[1], canvas.shape[1]), min(top + letters.shape[0], canvas.shape[0])
    letters = letters[max(0, -top):bottom - top, max(0, -left):right - left]
    under = canvas[max(0, top):bottom, max(0, left):right]
    if not letters.size:
        return
    if rimmed:
        around = 2 * round(letter_px / 8) + 1
        _blend(under, cv2.dilate(letters, np.ones((around, around), np.uint8)), _BLACK)
    _blend(under, letters, colour)


def _under(pixels: np.ndarray, colour: Colour, share: float) -> np.ndarray:
    """A copy of pixels under so much, 0..1, of a colour."""
    return cv2.add(cv2.convertScaleAbs(pixels, alpha=1 - share), tuple(round(one * share) for one in colour) + (0,))


def _blend(under: np.ndarray, share: np.ndarray, colour: Colour) -> None:
    """Lays a colour over pixels, by uint8 shares."""
    rest = cv2.multiply(under, cv2.merge([cv2.bitwise_not(share)] * 3), scale=1 / 255)
    under[:] = cv2.add(rest, cv2.merge([cv2.convertScaleAbs(share, alpha=one / 255) for one in colour]))
