"""describe_scene: many regions of one picture, as service and as action."""
from __future__ import annotations

import math
import time

from action_msgs.msg import GoalStatus
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import Camera, box, grey, script, serving, stamp_of  # noqa: E402

from dam_ros.action import DescribeScene as DescribeSceneAction  # noqa: E402
from dam_ros.msg import ErrorCode, Region  # noqa: E402
from dam_ros.srv import DescribeScene  # noqa: E402

pytestmark = pytest.mark.ros
LARGEST, AS_GIVEN, NEAREST = (DescribeScene.Request.LARGEST, DescribeScene.Request.AS_GIVEN,
                              DescribeScene.Request.NEAREST)
AREAS = {3: 100, 8: 900, 20: 400}   # label -> px, of 64x48; 0 is background


def label_image() -> np.ndarray:
    pixels = np.zeros((48, 64), np.uint8)
    pixels[:10, :10], pixels[12:42, :30], pixels[12:32, 40:60] = 3, 8, 20
    return pixels


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', max_frame_age_s=3600.0) as node:
        camera = Camera(node)
        camera.connect()
        node.stamp_ns = camera.show()
        camera.label(node.stamp_ns, label_image())
        node.until(lambda: stamp_of(node.describe(region=Region(labels=[8])).description) == node.stamp_ns)
        yield node


@pytest.mark.parametrize(('order', 'labels'), [(LARGEST, [8, 20, 3]), (AS_GIVEN, [3, 8, 20]), (NEAREST, [8, 20, 3])])
def test_every_region_of_the_label_image_in_order(served, order, labels):
    before = len(served.descriptions)
    answer = served.describe_scene(id=f'order-{order}', order=order)
    assert (answer.error_code, answer.error_msg, answer.left_out) == (0, '', 0)
    assert [one.label for one in answer.descriptions] == labels
    assert [one.id for one in answer.descriptions] == [f'order-{order}.{index}' for index in range(3)]
    for one in answer.descriptions:
        assert one.error_code == 0
        assert one.area_fraction == pytest.approx(AREAS[one.label] / (64 * 48))
        assert one.text == one.brief == f'A rehearsal: {AREAS[one.label]} pixels, nothing seen.'   # detail is BRIEF
        assert stamp_of(one) == served.stamp_ns
    served.until(lambda: len(served.descriptions) >= before + 3)
    assert [repr(one) for one in served.descriptions[before:]] == [repr(one) for one in answer.descriptions]


@pytest.fixture
def feedback(served):
    """What the node publishes; rclpy's client drops the feedback that it reads after the end of its goal."""
    heard = []
    topic = 'describe_node/describe_scene/_action/feedback'
    subscription = served.hear(DescribeSceneAction.Impl.FeedbackMessage, topic, lambda one: heard.append(one.feedback))
    served.meet()
    yield heard
    served.node.destroy_subscription(subscription)


def test_service_and_action_give_the_same_and_the_action_tells_each_region(served, feedback):
    answer = served.describe_scene(id='service')
    goal = served.scene_goal(id='action')
    result = served.ended(goal)
    assert goal.status == GoalStatus.STATUS_SUCCEEDED
    for one, two in zip(answer.descriptions, result.descriptions, strict=True):
        assert (one.label, one.text, one.box, one.header) == (two.label, two.text, two.box, two.header)
    assert (answer.left_out, answer.error_code) == (result.left_out, result.error_code)
    served.until(lambda: len(feedback) == 3)
    assert [(one.done, one.total) for one in feedback] == [(1, 3), (2, 3), (3, 3)]
    assert [repr(one.description) for one in feedback] == [repr(one) for one in result.descriptions]


def test_what_is_left_out_is_counted(served):
    answer = served.describe_scene(max_regions=2)
    assert ([one.label for one in answer.descriptions], answer.left_out) == ([8, 20], 1)
    answer = served.describe_scene(min_area_fraction=0.2)
    assert ([one.label for one in answer.descriptions], answer.left_out) == ([8], 2)
    answer = served.describe_scene(min_area_fraction=1.0)
    assert (answer.error_code, len(answer.descriptions), answer.left_out) == (0, 0, 3)
    assert served.set_parameter('max_regions', 1).successful
    answer = served.describe_scene()
    assert (len(answer.descriptions), answer.left_out) == (1, 2)
    assert served.set_parameter('max_regions', 32).successful


def test_a_bad_region_among_good_ones_fails_alone(served):
    regions = [box(0, 0, 10, 10, tag='a'), box(500, 500, 5, 5, tag='outside'), Region(labels=[99], tag='no label'),
               Region(labels=[3], tag='b')]
    answer = served.describe_scene(id='mixed', regions=regions, order=AS_GIVEN)
    assert answer.error_code == 0
    assert [(one.tag, one.error_code) for one in answer.descriptions] == [
        ('a', 0), ('outside', ErrorCode.EMPTY_REGION), ('no label', ErrorCode.UNKNOWN_LABEL), ('b', 0)]
    assert 'region.box_xywh' in answer.descriptions[1].error_msg
    assert math.isnan(answer.descriptions[1].distance_m)
    assert [one.id for one in answer.descriptions] == [f'mixed.{index}' for index in range(4)]
    by_size = served.describe_scene(regions=regions)
    assert [one.tag for one in by_size.descriptions[:2]] == ['a', 'b']


def test_a_region_that_contradicts_itself_is_named_with_its_number(served):
    answer = served.describe_scene(regions=[Region(), box(1, 1, 0, 1)])
    assert answer.error_code == ErrorCode.INVALID_REQUEST
    assert answer.error_msg.startswith('regions[1]')
    assert answer.descriptions == []


@pytest.mark.parametrize(('fields', 'words'), [
    ({'order': 3}, ['order is 3', 'AS_GIVEN 2']), ({'max_regions': 257}, ['max_regions is 257', '1 to 256']),
    ({'min_area_fraction': math.nan}, ['min_area_fraction is nan', '0 to 1']),
    ({'min_area_fraction': 1.5}, ['min_area_fraction is 1.5']), ({'timeout_s': math.inf}, ['timeout_s is inf']),
    ({'regions': [Region()] * 257}, ['257 regions', 'at most 256']), ({'detail': 9}, ['detail is 9']),
    ({'id': 'a/b'}, ['id is']), ({'query': 'x' * 2001}, ['query'])])
def test_what_is_wrong_with_a_scene_is_said(served, fields, words):
    before = len(served.descriptions)
    answer = served.describe_scene(**fields)
    assert answer.error_code == ErrorCode.INVALID_REQUEST
    assert [one for one in words if one not in answer.error_msg] == [], answer.error_msg
    served.until(lambda: any(one.error_msg == answer.error_msg for one in served.descriptions[before:]))


def test_the_deadline_keeps_what_was_reached(served):
    begun = time.monotonic()
    answer = served.describe_scene(query=script(text='Seen.', first_word_s=0.3), timeout_s=0.7)
    assert time.monotonic() - begun < 1.5
    codes = [one.error_code for one in answer.descriptions]
    assert codes == [0, 0, ErrorCode.DEADLINE_EXCEEDED]
    assert answer.error_code == 0
    assert [one.label for one in answer.descriptions] == [8, 20, 3]   # the largest were described first
    assert served.describe_scene().error_code == 0


def test_a_scene_that_reached_nothing_says_so_itself(served):
    answer = served.describe_scene(query=script(text='Seen.', first_word_s=5.0), timeout_s=0.2)
    assert answer.error_code == ErrorCode.DEADLINE_EXCEEDED
    assert [one.error_code for one in answer.descriptions] == [ErrorCode.DEADLINE_EXCEEDED] * 3


def test_a_scene_is_cancelled_by_its_client_and_by_id(served):
    slow = {'query': script(text='Seen.', first_word_s=5.0)}
    goal = served.scene_goal(**slow)
    served.until(lambda: goal.handle)
    served.spin(0.1)
    goal.cancel()
    assert served.ended(goal, 3.0).error_code == ErrorCode.CANCELLED
    assert goal.status == GoalStatus.STATUS_CANCELED
    other = served.scene_goal(id='mine', **slow)
    served.until(lambda: other.handle)
    served.until(lambda: served.cancel('mine') == 1)
    assert served.ended(other, 3.0).error_code == ErrorCode.CANCELLED
    assert other.status == GoalStatus.STATUS_ABORTED


def test_a_describer_that_fails_fails_each_region(served):
    answer = served.describe_scene(query=script(fail='raise'))
    assert answer.error_code == 0
    assert [one.error_code for one in answer.descriptions] == [ErrorCode.DESCRIBER_FAILED] * 3
    assert served.describe_scene().descriptions[0].error_code == 0


def test_a_single_request_goes_before_the_regions_of_a_scene(served):
    goal = served.scene_goal(query=script(brief='One two three four.', words_per_s=8.0))
    served.until(lambda: len(goal.feedback) == 1)
    begun = time.monotonic()
    assert served.describe(region=Region(labels=[3])).error_code == 0
    assert time.monotonic() - begun < 0.8   # each region takes 0.4 s, two were still to come
    assert goal.result is None
    result = served.ended(goal)
    assert [one.text for one in result.descriptions] == ['One two three four.'] * 3


def test_a_further_question_about_one_region_of_a_scene(served):
    one = served.describe_scene(id='asked').descriptions[1]
    again = served.describe(about='asked.1', query='More?').description
    assert (again.error_code, again.box, again.label) == (0, one.box, one.label)


def test_a_scene_without_a_label_image_needs_regions(served):
    nothing = np.zeros((48, 64), np.uint8)
    regions = [Region(mask=grey(label_image(), padding=3), labels=[8]), Region()]
    answer = served.describe_scene(regions=regions, order=AS_GIVEN)
    assert [round(one.area_fraction * 64 * 48) for one in answer.descriptions] == [900, 64 * 48]
    empty = served.describe_scene(regions=[Region(mask=grey(nothing))])
    assert empty.error_code == 0
    assert empty.descriptions[0].error_code == ErrorCode.EMPTY_REGION
    with serving(frame_wait_s=0.2) as blind:
        answer = blind.describe_scene()
        assert answer.error_code == ErrorCode.NO_FRAME
