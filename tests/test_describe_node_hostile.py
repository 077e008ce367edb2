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
from random_requests import fill  # noqa: E402
from ros_graph import PATIENCE_S, Camera, Served, picture, serving  # noqa: E402
from ros_pictures import stamped  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from dam_ros.core.errors import leaves  # noqa: E402
from dam_ros.describers.rehearsal import FAILURES  # noqa: E402
from dam_ros.msg import ErrorCode, Region  # noqa: E402
from dam_ros.srv import DescribeRegion, DescribeScene  # noqa: E402
from dam_ros.srv import DescribeScene as DescribeSceneService  # noqa: E402

pytestmark = pytest.mark.ros
SECONDS = 8.0
CODES = {0, *(leaf.code for leaf in leaves())} - {ErrorCode.INTERNAL}


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
        yield node


@pytest.fixture(scope='module', autouse=True)
def camera(served: Served):
    camera = Camera(served)
    camera.connect()
    camera.label(camera.show())
    return camera


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


def test_work_for_which_nobody_waits_any_more_keeps_nobody_waiting(served, camera):
    """Thirty tangled polygons take ten seconds; the caller has gone after half of one."""
    tangle = np.random.default_rng(1).uniform(0, 480, 200_000).astype(np.float32)
    shown = picture(640, 480)
    stamp = stamped(Image(), camera.show(width=640, height=480, step=shown.step, data=shown.data)).header.stamp
    served.until(lambda: served.describe(stamp=stamp).error_code == 0)
    began = time.monotonic()
    scene = served.describe_scene(stamp=stamp, regions=[Region(polygon=tangle)] * 30, timeout_s=0.5)
    assert scene.error_code == ErrorCode.DEADLINE_EXCEEDED
    assert served.describe(image=picture(), timeout_s=4.0).error_code == 0
    assert time.monotonic() - began < 6.0
    camera.show()   # for pictures of that size OpenCV keeps a thread more


def test_afterwards_nothing_is_left(served):
    """Threads and files as before another attack; the memory of pictures that were sent is given back."""
    served.describe(image=picture())
    threads_files = served.footprint()
    attacked(served, random.Random(3), SECONDS / 4)
    served.describe(image=picture(), timeout_s=30.0, patience_s=40.0)
    served.until(lambda: served.footprint() == threads_files, 10.0, f'{threads_files}, as before')
    assert len(served.process.children()) == 1
