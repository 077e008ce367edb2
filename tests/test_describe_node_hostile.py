"""Requests at random: whatever the fields hold, there is one answer with a code of ours, and the node lives on."""
from __future__ import annotations

from collections import Counter
import json
import math
import random
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from builtin_interfaces.msg import Time  # noqa: E402
from ros_graph import PATIENCE_S, Camera, Served, as_bytes, picture, serving  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from dam_ros.core.errors import leaves  # noqa: E402
from dam_ros.describers.rehearsal import FAILURES  # noqa: E402
from dam_ros.msg import ErrorCode, Region  # noqa: E402
from dam_ros.srv import DescribeRegion, DescribeScene  # noqa: E402
from dam_ros.srv import DescribeScene as DescribeSceneService  # noqa: E402

pytestmark = pytest.mark.ros
SECONDS = 8.0
CODES = {0, *(leaf.code for leaf in leaves())} - {ErrorCode.INTERNAL}
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
    return fill(dice, Region(), 0.25)


def fill(dice: random.Random, message, share: float):
    """Sets about this share of the fields."""
    for name, kind in message.get_fields_and_field_types().items():
        if dice.random() < share:
            setattr(message, name, drawn(dice, kind))
    return message


def request(dice: random.Random):
    """Mostly a request with a few odd fields; sometimes one that tells the describer to misbehave."""
    if dice.random() < 0.25:
        message = fill(dice, DescribeScene.Request(), 0.3)
    else:
        message = fill(dice, DescribeRegion.Request(), dice.choice([0.1, 0.3, 0.8]))
        if dice.random() < 0.5:
            message.image = picture()
            message.stamp = message.not_before = Time()
    if dice.random() < 0.1:
        message.query = json.dumps({'fail': dice.choice([one for one in FAILURES if one not in ('exit', 'kill')]),
                                    'fail_after_words': 1})
    if not math.isfinite(message.timeout_s) or not 0.05 <= message.timeout_s <= 2 or dice.random() < 0.5:
        message.timeout_s = dice.choice([message.timeout_s, 0.05, 0.2, 0.5])
    if message.timeout_s == 0 or 2 < message.timeout_s < 601:
        message.timeout_s = 0.3
    return message


def attacked(served: Served, dice: random.Random, seconds: float) -> Counter:
    """Sends requests, a few at a time, for some seconds; returns how often each code was answered."""
    open_, codes, end_s = [], Counter(), time.monotonic() + seconds
    while time.monotonic() < end_s or open_:
        while len(open_) < 6 and time.monotonic() < end_s:
            message = request(dice)
            scene = isinstance(message, DescribeScene.Request)
            name = 'describe_scene' if scene else 'describe_region'
            kind = DescribeSceneService if scene else DescribeRegion
            open_.append((time.monotonic(), served.ask(kind, f'describe_node/{name}', message)))
        served.executor.spin_once(0.02)
        for begun, future in list(open_):
            if future.done():
                codes[future.result().error_code] += 1
                open_.remove((begun, future))
            assert time.monotonic() - begun < PATIENCE_S, 'a request is not answered\n' + served.log()[-3000:]
    return codes


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', stop_grace_s=0.3, frame_wait_s=0.1) as node:
        camera = Camera(node)
        camera.connect()
        camera.label(camera.show())
        yield node


@pytest.mark.parametrize('seed', [1, 2])
def test_hostile_requests_are_each_answered_with_a_code_of_ours(served, seed):
    codes = attacked(served, random.Random(seed), SECONDS / 2)
    assert sum(codes.values()) > 20
    assert set(codes) <= CODES, served.log()[-3000:]
    assert len(codes) >= 3
    assert 'bug' not in served.log(), served.log()[-3000:]
    served.cancel('')
    answer = served.describe(image=picture(), timeout_s=30.0, patience_s=40.0)
    assert (answer.error_code, answer.error_msg) == (0, '')


def test_afterwards_nothing_is_left(served):
    """Threads and files as before another attack; the memory of pictures that were sent is given back."""
    served.describe(image=picture())
    threads_files = served.footprint()
    attacked(served, random.Random(3), SECONDS / 4)
    served.describe(image=picture(), timeout_s=30.0, patience_s=40.0)
    served.until(lambda: served.footprint() == threads_files, 10.0, f'{threads_files}, as before')
    assert len(served.process.children()) == 1
