"""Requests at random through every check, without a node: what is wrong is a Failure of ours, never anything else."""
from __future__ import annotations

from collections import Counter
import random
import secrets

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from builtin_interfaces.msg import Time  # noqa: E402
from random_requests import fill, region  # noqa: E402
from rclpy.serialization import serialize_message  # noqa: E402
from ros_pictures import grey, picture  # noqa: E402

from dam_ros.core.describe_settings import DescribeSettings  # noqa: E402
from dam_ros.core.errors import Failure  # noqa: E402
from dam_ros.core.frames import Found, Frame  # noqa: E402
from dam_ros.nodes import planner  # noqa: E402
from dam_ros.nodes.labelling import Labelling  # noqa: E402
from dam_ros.nodes.messages import order_of, scene_order_of  # noqa: E402
from dam_ros.nodes.pictures import CameraPicture  # noqa: E402
from dam_ros.srv import DescribeRegion, DescribeScene  # noqa: E402

pytestmark = pytest.mark.ros
STAMP_NS = 1_700_000_000_000_000_000
_SETTINGS = {kind: DescribeSettings(label_kind=kind) for kind in ('instances', 'classes')}
_LABELS = (np.arange(48 * 64) // 300 % 7).astype(np.uint8).reshape(48, 64)


def found(labels: np.ndarray = _LABELS) -> Found:
    def frame(message) -> Frame:
        return Frame(STAMP_NS, 'camera_optical_frame', bytes(serialize_message(message)))

    return Found(frame(picture(stamp_ns=STAMP_NS)), frame(grey(labels, stamp_ns=STAMP_NS)))


def drawn(dice: random.Random):
    """A request whose region at least may be good."""
    if dice.random() < 0.2:
        message = fill(dice, DescribeScene.Request(), 0.05)
        message.regions = [region(dice) for _ in range(dice.choice([0, 1, 5]))]
        return message
    message = fill(dice, DescribeRegion.Request(), dice.choice([0.0, 0.03, 0.5]))
    message.region = region(dice)
    if dice.random() < 0.3:
        message.image, message.stamp, message.not_before = picture(), Time(), Time()
    return message


def outcome(message, settings: DescribeSettings, shown: Found) -> str:
    """'planned', or the name of the failure."""
    try:
        if isinstance(message, DescribeScene.Request):
            order, own = scene_order_of(message, settings), None
        else:
            order = order_of(message, settings)
            own = order.picture
    except Failure as failure:
        return type(failure).__name__
    seen = own or CameraPicture(shown.picture)
    plan = planner.plan(order, seen, None if own else shown, settings, 8, None, Labelling({}))
    if isinstance(plan, Failure):
        assert type(plan).__name__ != 'Internal', plan
        return type(plan).__name__
    for planned in plan[0]:
        assert planned.failure is not None or planned.mask.shape == seen.size()
    return 'planned'


def tried(seed: int, count: int) -> Counter:
    dice, shown = random.Random(seed), found()
    seen: Counter = Counter()
    for _ in range(count):
        seen[outcome(drawn(dice), _SETTINGS[dice.choice(['instances', 'classes'])], shown)] += 1
    print(f'seed {seed}: {dict(seen)}')
    return seen


def check(seed: int, count: int) -> None:
    seen = tried(seed, count)
    assert seen['planned'] > 0.1 * count, 'too few come through to say anything'
    assert {'InvalidRequest', 'EmptyRegion'} <= set(seen)


@pytest.mark.parametrize('seed', [1, secrets.randbits(32)], ids=['fixed', 'any'])
def test_a_thousand_requests_end_in_a_plan_or_a_failure_of_ours(seed: int):
    check(seed, 500)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize('seed', [2, secrets.randbits(32)], ids=['fixed', 'any'])
def test_ten_thousand_requests_end_in_a_plan_or_a_failure_of_ours(seed: int):
    check(seed, 5000)
