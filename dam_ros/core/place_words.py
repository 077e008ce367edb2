"""Where something is, in the words a person is told.

Distances are rounded down: whoever walks up to a thing shall not meet it sooner than was said. `where` and `distance`
are English, for Description.where; the MESSAGES are what `directions` says, in every language. It knows no pictures.
"""
from __future__ import annotations

import math

from dam_ros.core.catalogues import ENGLISH, known, phrase, Worded

# What `core.shape.place_of` returns.
IN_PICTURE = {
    'upper left': 'in the upper left of the picture', 'top': 'at the top of the picture',
    'upper right': 'in the upper right of the picture', 'left': 'on the left of the picture',
    'middle': 'in the middle of the picture', 'right': 'on the right of the picture',
    'lower left': 'in the lower left of the picture', 'bottom': 'at the bottom of the picture',
    'lower right': 'in the lower right of the picture',
}
_HOUR = "{} o'clock"
_LESS, _AND_A_HALF = 'less than half a metre', '{} and a half metres'
_UNITS = ('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve', 'thirteen',
          'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen')
_TENS = ('ten', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety', 'a hundred')

# -- messages; small letters, as they stand anywhere in a sentence
WITHIN_REACH, HALF_A_METRE, ONE_METRE = 'within reach', 'half a metre', 'one metre'
HALVES = tuple(_AND_A_HALF.format(one) for one in _UNITS[:4])   # from one and a half on
METRES, FAR = '{number} metres', 'more than a hundred metres'
AT_ONE, AT_HOUR = "at 1 o'clock", "at {hour} o'clock"
AHEAD, BEHIND = 'ahead', 'behind'
LEFT, SLIGHTLY_LEFT, DEGREES_LEFT = 'left', 'slightly left', '{degrees} degrees left'
RIGHT, SLIGHTLY_RIGHT, DEGREES_RIGHT = 'right', 'slightly right', '{degrees} degrees right'
PICTURE_CELLS = {cell: f'in the picture, {cell}' for cell in IN_PICTURE}
PICTURE_DEGREES_LEFT = 'in the picture, {degrees} degrees left of the middle'
PICTURE_DEGREES_RIGHT = 'in the picture, {degrees} degrees right of the middle'
DIRECTION_ONLY, DISTANCE_ONLY, BOTH = '{direction}.', '{distance}.', '{direction}, {distance}.'
MESSAGES = (WITHIN_REACH, HALF_A_METRE, ONE_METRE, *HALVES, METRES, FAR, AT_ONE, AT_HOUR, AHEAD, BEHIND, LEFT,
            SLIGHTLY_LEFT, DEGREES_LEFT, RIGHT, SLIGHTLY_RIGHT, DEGREES_RIGHT, *PICTURE_CELLS.values(),
            PICTURE_DEGREES_LEFT, PICTURE_DEGREES_RIGHT, DIRECTION_ONLY, DISTANCE_ONLY, BOTH)

_HALVES_UP_TO_M, _WHOLES_UP_TO_M, _FAR_M = 5, 20, 110   # what a person can use, and a depth camera can tell
_FLOAT = 1e-4   # m; float32 messages say 1.4999999 for one and a half


def where(hour: int, distance_m: float, in_picture: str = '') -> str:
    """One English phrase: "2 o'clock, one and a half metres". What is unknown is left out.

    Args:
        hour: 1..12, 0 unknown: then the place in the picture is said.
        distance_m: m, NaN unknown.
        in_picture: one of IN_PICTURE's keys, '' unknown.
    """
    if not hour:
        return IN_PICTURE.get(in_picture, '')
    clock = _HOUR.format(hour)
    return clock if math.isnan(distance_m) else f'{clock}, {distance(distance_m)}'


def distance(distance_m: float) -> str:
    """A distance >= 0 m in English: halves of a metre, from 5 m on whole metres, from 20 m on tens."""
    text = distance_in(distance_m, ENGLISH).text
    return _LESS if text == WITHIN_REACH else text


def distance_in(distance_m: float, language: str) -> Worded:
    """The same in a language (BCP 47); what is nearer than half a metre is within reach."""
    rounded = distance_m + _FLOAT
    whole, half = math.floor(min(rounded, _FAR_M)), rounded % 1 >= 0.5
    if whole >= _FAR_M:
        return phrase(FAR, language)
    if whole == 0:
        return phrase(HALF_A_METRE if half else WITHIN_REACH, language)
    if half and whole < _HALVES_UP_TO_M:
        return phrase(HALVES[whole - 1], language)
    if whole == 1:
        return phrase(ONE_METRE, language)
    whole = whole if whole < _WHOLES_UP_TO_M else whole // 10 * 10
    return phrase(METRES, language, number=_in_words(whole) if known(language) in ('', ENGLISH) else whole)


def _in_words(whole: int) -> str:
    return _UNITS[whole - 1] if whole < _WHOLES_UP_TO_M else _TENS[whole // 10 - 1]
