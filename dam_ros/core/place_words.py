"""Where something is, in the words a person is told. English; another language is another set of these tables.

Distances are rounded down: whoever walks up to a thing shall not meet it sooner than was said. It knows no pictures.
"""
from __future__ import annotations

import math

# What `core.shape.place_of` returns.
IN_PICTURE = {
    'upper left': 'in the upper left of the picture', 'top': 'at the top of the picture',
    'upper right': 'in the upper right of the picture', 'left': 'on the left of the picture',
    'middle': 'in the middle of the picture', 'right': 'on the right of the picture',
    'lower left': 'in the lower left of the picture', 'bottom': 'at the bottom of the picture',
    'lower right': 'in the lower right of the picture',
}
_HOUR = "{} o'clock"
_LESS, _HALF, _ONE, _MORE = 'less than half a metre', 'half a metre', 'one metre', 'more than a hundred metres'
_METRES, _AND_A_HALF, _HUNDRED = '{} metres', '{} and a half metres', 'a hundred'
_UNITS = ('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve', 'thirteen',
          'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen')
_TENS = ('ten', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety', _HUNDRED)

_HALVES_UP_TO_M, _WHOLES_UP_TO_M, _FAR_M = 5, 20, 110   # what a person can use, and a depth camera can tell
_FLOAT = 1e-4   # m; float32 messages say 1.4999999 for one and a half


def where(hour: int, distance_m: float, in_picture: str = '') -> str:
    """One phrase: "2 o'clock, one and a half metres". What is unknown is left out.

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
    """A distance >= 0 m in words: halves of a metre, from 5 m on whole metres, from 20 m on tens."""
    rounded = distance_m + _FLOAT
    if rounded >= _FAR_M:
        return _MORE
    if rounded >= _WHOLES_UP_TO_M:
        return _METRES.format(_TENS[int(rounded // 10) - 1])
    whole, half = int(rounded), rounded % 1 >= 0.5 and rounded < _HALVES_UP_TO_M
    if whole == 0:
        return _HALF if half else _LESS
    if half:
        return _AND_A_HALF.format(_UNITS[whole - 1])
    return _ONE if whole == 1 else _METRES.format(_UNITS[whole - 1])
