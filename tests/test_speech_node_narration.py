"""speech_node that narrates, and asks on behalf of a person, beside a describer that is slow or does not want to."""
from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built interfaces')

from rclpy.action import ActionServer, CancelResponse, GoalResponse   # noqa: E402
from rclpy.callback_groups import ReentrantCallbackGroup   # noqa: E402
from rclpy.task import Future   # noqa: E402

from dam_ros.action import Describe, DescribeScene   # noqa: E402
from dam_ros.core import phrases   # noqa: E402
from dam_ros.msg import Description, ErrorCode   # noqa: E402

from speech_graph import talking   # noqa: E402

pytestmark = pytest.mark.ros


class Narrated:
    """The action `describe_scene` in the client node: it answers when `go_on` is called. `goals`: what was asked."""

    def __init__(self, node):
        self.goals, self._go = [], Future()
        self._server = ActionServer(node.node, DescribeScene, 'describe_node/describe_scene', self._describe,
                                    cancel_callback=lambda _: CancelResponse.ACCEPT,
                                    callback_group=ReentrantCallbackGroup())

    def go_on(self) -> None:
        self._go.set_result(None)

    async def _describe(self, handle):
        self.goals.append(handle.request)
        await self._go
        if handle.is_cancel_requested:
            handle.canceled()
            return DescribeScene.Result(error_code=ErrorCode.CANCELLED)
        handle.succeed()
        label = handle.request.regions[0].labels[0]
        return DescribeScene.Result(descriptions=[Description(
            id='n', brief=f'Thing {label}.', text=f'Thing {label}.', label=label, age_s=0.1, total_s=0.1)])

    def close(self) -> None:
        self._server.destroy()


def narrating_node(node) -> Narrated:
    """A describer with two labels, of which one is being described."""
    narrated = Narrated(node)
    node.see(0.3)
    node.until(lambda: node.present(4, 7) or narrated.goals, what='a goal of narration')
    return narrated


def test_what_is_new_is_described_and_told():
    with talking(narrate='new', narrate_every_s=0.5) as node:
        narrated = narrating_node(node)
        narrated.go_on()
        node.captioned('Thing 4.')
        narrated.close()


def test_switched_off_it_ends_what_is_under_way():
    with talking(narrate='new', narrate_every_s=0.5) as node:
        narrated = narrating_node(node)
        node.set_parameter('narrate', 'off')
        node.captioned(phrases.NARRATION_OFF)
        narrated.go_on()
        node.quiet(2.0)
        narrated.close()


def test_switched_to_what_it_is_already_it_says_so():
    with talking() as node:
        for times in (1, 2):
            node.ask('narration on')
            node.until(lambda: node.captions.count(phrases.NARRATION_ON) == times, what=f'{times} times')   # noqa: B023


def test_questions_that_the_describer_does_not_want_leave_none_open():
    with talking() as node:
        server = ActionServer(node.node, Describe, 'describe_node/describe', lambda handle: Describe.Result(),
                              goal_callback=lambda _: GoalResponse.REJECT, callback_group=ReentrantCallbackGroup())
        node.see(0.5)
        node.ask('What is this?')
        node.ask('What is that?')
        node.captioned(phrases.of_failure(ErrorCode.NOT_ACTIVE))
        node.status = None
        node.until(lambda: node.status, what='diagnostics')
        assert {one.key: one.value for one in node.status.values}['questions open'] == '0'
        server.destroy()
