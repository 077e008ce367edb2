"""An overlay as lines, discs and texts, for viewers that draw them over the picture themselves. It knows no messages.

Points are (x, y) in px from the upper left corner of the picture, so that the centre of its first pixel is (0.5, 0.5).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dam_ros.drawing.captions import Caption
from dam_ros.drawing.colours import is_light
from dam_ros.drawing.contours import with_holes
from dam_ros.drawing.lettering import width_of
from dam_ros.drawing.overlay import Overlay, Shown
from dam_ros.drawing.paint import GROUND, LETTERS, SHEER, SOLID, badge_letter_px, title_colour

Rgba = tuple[float, float, float, float]   # 0..1
_FONT = 1 / 0.72          # size of a font whose capitals are 1 high, in most sans serif fonts
_CLEAR = (0.0, 0.0, 0.0, 0.0)
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Line:
    """Through (N, 2) points; `thickness_px` 0 = only filled."""

    points: np.ndarray
    colour: Rgba
    thickness_px: float
    fill: Rgba = _CLEAR
    closed: bool = True


@dataclass(frozen=True)
class Disc:
    """Filled, with a rim that lies half outside of it."""

    centre: tuple[float, float]
    diameter_px: float
    fill: Rgba
    rim: Rgba
    rim_px: float


@dataclass(frozen=True)
class Text:
    """One line; (x, y) is its lower left corner, on which the letters stand."""

    position: tuple[float, float]
    text: str
    font_px: float
    colour: Rgba
    ground: Rgba


@dataclass(frozen=True, eq=False)
class Annotations:
    """What is drawn first comes first."""

    lines: tuple[Line, ...]
    discs: tuple[Disc, ...]
    texts: tuple[Text, ...]


def annotations_of(overlay: Overlay) -> Annotations:
    """The same marks at the same places in the same colours as `paint.paint` paints."""
    lines = [line for one in overlay.shown for line in _tints(one)]
    lines += [line for one in overlay.shown for line in _outlines(one, overlay)]
    lines += [_ground(one.caption, one, overlay) for one in overlay.shown if one.caption]
    texts = [text for one in overlay.shown for text in _texts(one, overlay)]
    return Annotations(tuple(lines), tuple(_disc(one, overlay) for one in overlay.shown if one.badge), tuple(texts))


def _tints(one: Shown) -> list[Line]:
    return [Line(with_holes(one.contours, at) + 0.5, _CLEAR, 0.0, _rgba(one.colour, one.tint))
            for at in range(len(one.contours.outer))]


def _outlines(one: Shown, overlay: Overlay) -> list[Line]:
    found = [(line, True, overlay.line_px) for line in one.contours.lines]
    found += [(np.array(one.leader), False, overlay.leader_px)] if one.leader else []
    return [Line(line + 0.5, colour, thick + wider, closed=closed) for line, closed, thick in found
            for colour, wider in ((_rgba(_BLACK), 2 * overlay.rim_px), (_rgba(one.colour), 0))]


def _ground(caption: Caption, one: Shown, overlay: Overlay) -> Line:
    left, top, width, height = caption.box
    corners = np.array([(left, top), (left + width, top), (left + width, top + height), (left, top + height)])
    return Line(corners, _rgba(one.colour), overlay.rim_px, _rgba(GROUND, SHEER if caption.covers else SOLID))


def _disc(one: Shown, overlay: Overlay) -> Disc:
    x, y = one.badge
    return Disc((x + 0.5, y + 0.5), 2.0 * overlay.badge_px + overlay.rim_px, _rgba(one.colour), _rgba(_BLACK),
                overlay.rim_px)


def _texts(one: Shown, overlay: Overlay) -> list[Text]:
    """Numbers and lines.

    A caption's number has a ground instead of a disc: which of two fillings a viewer draws above is open.
    """
    letter_px, number = badge_letter_px(one.number, overlay), str(one.number)
    colour = _rgba(_BLACK if is_light(one.colour) else _WHITE)
    found = []
    for centre, ground in _numbers(one):
        position = centre[0] - width_of(number, letter_px) / 2 + 0.5, centre[1] + letter_px / 2 + 0.5
        found.append(Text(position, number, letter_px * _FONT, colour, ground))
    for line in one.caption.form.lines if one.caption else ():
        position = one.caption.left + line.x + 0.5, one.caption.top + line.y + 0.5
        shade = title_colour(one.colour) if line.is_title else LETTERS
        found.append(Text(position, line.text, overlay.letter_px * _FONT, _rgba(shade),
                          _rgba(GROUND, SHEER) if one.caption.covers else _CLEAR))
    return found


def _numbers(one: Shown) -> list[tuple[tuple[float, float], Rgba]]:
    """(centre, ground) of the number beside the region and of that in the caption."""
    found = [(one.badge, _CLEAR)] if one.badge else []
    if one.caption:
        x, y = one.caption.form.number
        found.append(((one.caption.left + x, one.caption.top + y), _rgba(one.colour)))
    return found


def _rgba(colour: tuple[int, int, int], alpha: float = 1.0) -> Rgba:
    return colour[0] / 255, colour[1] / 255, colour[2] / 255, alpha
