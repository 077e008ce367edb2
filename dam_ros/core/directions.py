"""In which direction something is, and how far, as one short sentence for the person who listens.

The clock face is the person's only where it was declared that the camera faces as the person does; otherwise a
direction is one within the picture. It does not know where the numbers come from, nor whether they are still true.
"""
from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Protocol

from dam_ros.core import place_words as words
from dam_ros.core.catalogues import phrase, Worded

PERSON, CAMERA = 'person', 'camera'
CLOCK, LEFT_RIGHT, DEGREES = 'clock', 'left_right', 'degrees'

_AHEAD_DEG, _SLIGHTLY_DEG, _BEHIND_DEG = 15, 45, 150   # up to where something is ahead, slightly aside, aside
_MIDDLE_DEG = 10    # the middle third of a picture that is 60 degrees wide
_STEP_DEG = 10
_CELLS = {phrase_: cell for cell, phrase_ in words.IN_PICTURE.items()}


class DirectionSettings(Protocol):
    """clock_reference: PERSON or CAMERA. direction_words: CLOCK, LEFT_RIGHT or DEGREES."""

    clock_reference: str
    direction_words: str


@dataclass(frozen=True)
class Whereabouts:
    """What a Description says of the place, by the names of its fields.

    Attributes:
        bearing_rad: -pi..pi, left positive, NaN unknown.
        clock_hour: 1..12, 0 unknown.
        distance_m: >= 0 m, NaN unknown.
        where: its English words, '' unknown.
        in_camera_frame: bearing and hour are seen from the camera, and not from another frame.
        told: the answer's own words say already where in the picture it is.
    """

    bearing_rad: float = math.nan
    clock_hour: int = 0
    distance_m: float = math.nan
    where: str = ''
    in_camera_frame: bool = True
    told: bool = False


def direction(place: Whereabouts, settings: DirectionSettings, language: str, fresh: bool = True) -> Worded | None:
    """One sentence: "At 2 o'clock, one and a half metres." None where nothing is known.

    Args:
        language: BCP 47.
        fresh: whether the camera still looks as it did; otherwise neither direction nor distance holds: None.
    """
    where = _where(place, settings, language) if fresh else None
    return None if where is None else _sentence(where)


def _where(place: Whereabouts, settings: DirectionSettings, language: str) -> Worded | None:
    side = _of_person(place, settings) if settings.clock_reference == PERSON else _in_picture(place, settings)
    parts = {}
    if side is not None:
        message, values = side
        parts['direction'] = phrase(message, language, **values).text
    if math.isfinite(place.distance_m):
        parts['distance'] = words.distance_in(place.distance_m, language).text
    if not parts:
        return None
    template = words.BOTH if len(parts) == 2 else words.DIRECTION_ONLY if 'direction' in parts else words.DISTANCE_ONLY
    return phrase(template, language, **parts)


def _of_person(place: Whereabouts, settings: DirectionSettings) -> tuple[str, dict] | None:
    """(message, its values), seen from the person; None unknown."""
    if settings.direction_words == CLOCK and place.clock_hour:
        return (words.AT_ONE, {}) if place.clock_hour == 1 else (words.AT_HOUR, {'hour': place.clock_hour})
    if not math.isfinite(place.bearing_rad):
        return _cell(place)
    degrees = math.degrees(place.bearing_rad)
    if abs(degrees) > 180 - _AHEAD_DEG or settings.direction_words == LEFT_RIGHT and abs(degrees) > _BEHIND_DEG:
        return words.BEHIND, {}
    if settings.direction_words == DEGREES:
        return _in_degrees(degrees, words.AHEAD, words.DEGREES_LEFT, words.DEGREES_RIGHT)
    if abs(degrees) <= _AHEAD_DEG:
        return words.AHEAD, {}
    if abs(degrees) <= _SLIGHTLY_DEG:
        return (words.SLIGHTLY_LEFT if degrees > 0 else words.SLIGHTLY_RIGHT), {}
    return (words.LEFT if degrees > 0 else words.RIGHT), {}


def _in_picture(place: Whereabouts, settings: DirectionSettings) -> tuple[str, dict] | None:
    """(message, its values) within the picture; None where it is told, or known in another frame only."""
    if place.told:
        return None
    if not place.in_camera_frame or not math.isfinite(place.bearing_rad):
        return _cell(place)
    degrees = math.degrees(place.bearing_rad)
    if settings.direction_words == DEGREES:
        return _in_degrees(degrees, words.PICTURE_CELLS['middle'], words.PICTURE_DEGREES_LEFT,
                           words.PICTURE_DEGREES_RIGHT)
    cell = 'middle' if abs(degrees) <= _MIDDLE_DEG else 'left' if degrees > 0 else 'right'
    return words.PICTURE_CELLS[cell], {}


def _cell(place: Whereabouts) -> tuple[str, dict] | None:
    cell = _CELLS.get(place.where)
    return None if cell is None or place.told else (words.PICTURE_CELLS[cell], {})


def _in_degrees(degrees: float, ahead: str, left: str, right: str) -> tuple[str, dict]:
    steps = round(abs(degrees) / _STEP_DEG) * _STEP_DEG
    return (left if degrees > 0 else right, {'degrees': steps}) if steps else (ahead, {})


def _sentence(where: Worded) -> Worded:
    return Worded(where.text[:1].upper() + where.text[1:], where.language)
