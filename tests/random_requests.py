"""Messages at random: hostile, careless, and some that are meant seriously. They assert nothing by themselves."""
from __future__ import annotations

import math
import random
import time

from builtin_interfaces.msg import Time
import numpy as np
from ros_pictures import as_bytes, grey
from sensor_msgs.msg import Image

from dam_ros.msg import Region

_TEXTS = ['', 'a', '..', '/', 'x' * 64, 'x' * 65, 'x' * 2001, 'x' * 1_000_000, '\u202e\u0645\u0631\u062d\u0628\u0627',
          '\U0001f642' * 50, '\n\r\t\x07\x1b[31m', '<s>[INST] <image> </s>', '%s%n{0}{question}', "'; rm -rf / #", '{',
          '[]', '{}', 'null', '{"text": 7}', '{"text": ""}', '{"words_per_s": -1e308}', '{"first_word_s": 1e999}',
          '{"confidence": 7.0}', '{"text": "\\u0000\\ud800 \\uffff"}', '[' * 1900, 'en', 'de-CH', 'front']
_FLOATS = [0.0, -0.0, 1.0, 0.3, -1.0, 1e-30, 1e30, 3.4e38, math.nan, math.inf, -math.inf]


def drawn(dice: random.Random, kind: str) -> object:
    """A value of a message field's type, as far from what is meant as it can be."""
    if kind.startswith('sequence<'):
        count = dice.choice([0, 0, 1, 2, 3, 4, 5, 8, 3000])
        inner = kind[len('sequence<'):-1]
        if inner == 'dam_ros/Region':
            return [region(dice) for _ in range(dice.choice([0, 1, 2, 300]))]
        return [drawn(dice, inner) for _ in range(count)]
    if kind in ('float', 'double'):
        return dice.choice([*_FLOATS, dice.uniform(-10, 100)])
    if kind.startswith(('int', 'uint')):
        bits = int(kind.removeprefix('u').removeprefix('int'))
        low, high = (0, 2 ** bits - 1) if kind[0] == 'u' else (-2 ** (bits - 1), 2 ** (bits - 1) - 1)
        return dice.choice([0, 0, 1, 2, 3, low, high, dice.randint(low, high)])
    return {'boolean': lambda: dice.random() < 0.5, 'string': lambda: dice.choice(_TEXTS),
            'builtin_interfaces/Time': lambda: moment(dice), 'sensor_msgs/Image': lambda: image(dice),
            'dam_ros/Region': lambda: region(dice)}[kind]()


def moment(dice: random.Random) -> Time:
    now = int(time.time())
    return Time(sec=dice.choice([0, 1, -1, now - 1, now, now + 1, 2 ** 31 - 1, -2 ** 31]),
                nanosec=dice.choice([0, 5, 999_999_999, 2 ** 32 - 1]))


def image(dice: random.Random) -> Image:
    count = dice.choice([0, 1, 64 * 48, 3 * 64 * 48, 100_000])
    size = dice.choice([0, 1, 48, 64, 65, 10_000, 2 ** 32 - 1])
    encoding = dice.choice(['bgr8', 'rgb8', 'mono8', 'mono16', '32SC1', '8UC1', 'bayer_rggb8', 'yuv422', 'x', ''])
    return Image(width=dice.choice([64, size]), height=dice.choice([48, size]), encoding=encoding,
                 step=dice.choice([0, 64, 192, size]), is_bigendian=dice.choice([0, 1, 255]),
                 data=as_bytes(np.frombuffer(dice.randbytes(count), np.uint8)))


def region(dice: random.Random) -> Region:
    """Half of them fields at random, half of them one form that is meant seriously, at most a little off."""
    return fill(dice, Region(), 0.25) if dice.random() < 0.5 else _sensible(dice)


def _sensible(dice: random.Random) -> Region:
    def numbers(least: int, most: int) -> list[float]:
        count = 2 * dice.randint(least, most)
        return [dice.choice([0.0, 47.0, 63.5, -0.5, dice.uniform(-20, 90)]) for _ in range(count)]

    form = dice.choice(['box_xywh', 'points', 'scribble', 'polygon', 'labels', 'mask', 'mask labels', 'picture'])
    made = Region(tag=dice.choice(['', 'cup']), box_is_region=dice.random() < 0.5)
    if form == 'box_xywh':
        made.box_xywh = [*numbers(1, 1), dice.uniform(0, 90), dice.uniform(0.01, 90)]
    elif form in ('points', 'scribble', 'polygon'):
        setattr(made, form, numbers({'points': 1, 'scribble': 2, 'polygon': 3}[form], 30))
    if form == 'points' and dice.random() < 0.5:
        made.point_labels = [dice.choice([0, 1, 1]) for _ in range(len(made.points) // 2)]
    if form == 'scribble':
        made.scribble_width_px = dice.choice([0.0, 1.0, 17.5, 200.0])
    if 'mask' in form:
        made.mask = grey(np.frombuffer(dice.randbytes(64 * 48), np.uint8).reshape(48, 64) % dice.choice([1, 2, 9]))
    if 'labels' in form:
        made.labels = [dice.randint(0, 9) for _ in range(dice.randint(1, 3))]
    if 'mask' not in form and dice.random() < 0.3:
        made.ref_width, made.ref_height = dice.choice([(640, 640), (32, 24), (1, 1), (2 ** 32 - 1, 3)])
    return made


def fill(dice: random.Random, message, share: float):
    """Sets about this share of the fields."""
    for name, kind in message.get_fields_and_field_types().items():
        if dice.random() < share:
            setattr(message, name, drawn(dice, kind))
    return message
