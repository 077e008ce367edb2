"""What an overlay shows of the regions that were described, and where.

Contours, tints, numbers, captions and lines that lead to them. It is told in px, so that a painted picture and
annotations for a viewer show the same. It paints nothing.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dam_ros.core.masks import bounding_box
from dam_ros.drawing.arranging import Places
from dam_ros.drawing.captions import Caption
from dam_ros.drawing.colours import Colour, colour_and_tint
from dam_ros.drawing.contours import Contours, contours_of, nearest_on
from dam_ros.drawing.free_places import Box
from dam_ros.drawing.marks import as_mask, Mark

_LETTER = 0.018                # height of a capital, of the picture's
_LETTER_PX = (7.5, 60.0)       # smaller ones are not legible, larger ones say nothing more
_PORTRAIT = 0.75               # height and width count alike in a picture of 4:3, the smaller of both in others
_APART = 1.2                   # letters: a caption farther from its region than this gets a line that leads there
_FAR = 10.0                    # letters: but no line across half of the picture, where the numbers say it, too
Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Shown:
    """One mark as it is shown. Points are (x, y) in px, the centre of the upper left pixel is (0, 0).

    Attributes:
        number: from 1 on.
        colour: RGB, told apart from what it marks.
        tint: how much of the colour is laid over the region, 0..1.
        mask: bool (H, W).
        box: around its pixels.
        badge: centre of the disc with the number; None where a picture is too small for it.
        leader: from the caption to the contour; None where the caption is beside it, or far away.
    """

    number: int
    colour: Colour
    tint: float
    mask: np.ndarray
    box: Box
    contours: Contours
    badge: Point | None
    caption: Caption | None
    leader: tuple[Point, Point] | None


@dataclass(frozen=True, eq=False)
class Overlay:
    """What is shown on one picture, and its sizes in px.

    Attributes:
        letter_px: height of a capital.
        line_px, rim_px: width of a contour, and of the dark rim on either side of it; a caption's frame is like a rim.
        leader_px: width of the line from a caption to its region.
        badge_px: radius of the disc with a number.
    """

    letter_px: float
    line_px: int
    rim_px: int
    leader_px: int
    badge_px: int
    shown: tuple[Shown, ...]


def lay_out(image: np.ndarray, marks: Sequence[Mark], first: int = 1) -> Overlay:
    """Where everything goes. The same for the same marks; one that is added may move the captions of the others.

    A caption lies inside of the picture and never on another. It covers its region only where no place is free even for
    a shortened text, and then as little of it as it can.

    Args:
        image: RGB uint8 (H, W, 3); its colours are looked at, nothing is drawn on it.
        marks: one without a pixel is not shown.
        first: number of the first mark.
    """
    height, width = image.shape[:2]
    letter_px = float(np.clip(_LETTER * min(height, width * _PORTRAIT), *_LETTER_PX))
    line_px, badge_px = max(2, round(letter_px / 6)), round(letter_px)
    masks = [as_mask(mark.where, image.shape) for mark in marks]
    kept = [at for at, mask in enumerate(masks) if mask.any()]
    masks, marks = [masks[at] for at in kept], [marks[at] for at in kept]
    boxes = [bounding_box(mask) for mask in masks]
    places = Places(height, width, letter_px, masks, boxes)
    badges = [places.badge(at, badge_px) for at in range(len(kept))]   # before any caption, which keeps off them
    shown, used = [], []
    for at, (mask, box, mark) in enumerate(zip(masks, boxes, marks)):
        colour, tint = colour_and_tint(image, mask, box, used)
        used.append(colour)
        caption, contours = places.caption(at, mark, len(kept)), contours_of(mask, box, line_px / 2)
        leader = None
        if caption is not None and not caption.lies_on(mask):
            farthest = _FAR * letter_px if badges[at] else np.inf
            leader = _leader(caption, contours, _APART * letter_px, farthest)
        shown.append(Shown(kept[at] + first, colour, tint, mask, box, contours, badges[at], caption, leader))
    return Overlay(letter_px, line_px, max(1, round(line_px / 3)), max(2, line_px // 2), badge_px, tuple(shown))


def _leader(caption: Caption, contours: Contours, least_px: float, most_px: float) -> tuple[Point, Point] | None:
    """The shortest way, or nearly so, from a caption to a contour; None where it is not as long as that."""
    left, top, width, height = caption.box
    begin = left + width / 2, top + height / 2
    for _ in range(4):   # to and fro until neither end moves
        end = nearest_on(contours.lines, begin)
        begin = min(max(end[0], left), left + width), min(max(end[1], top), top + height)
    return (begin, end) if least_px < np.hypot(end[0] - begin[0], end[1] - begin[1]) <= most_px else None
