#!/usr/bin/env python3
"""A planner's client: asks what something is, follows the words as they come, acts on the code, cancels with Ctrl-C.

    python examples/planner.py                                    # the newest picture
    python examples/planner.py --label 2                          # region 2 of its label image
    python examples/planner.py --box 100 80 200 160 --question 'What colour is it?'

It knows the interfaces only and none of the modules of dam_ros: copy from it what you need.
"""
from __future__ import annotations

import argparse
import sys
import time

from action_msgs.msg import GoalStatus
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from dam_ros.action import Describe
from dam_ros.msg import ErrorCode

SOON = (ErrorCode.BUSY, ErrorCode.LOADING)   # the same request again after retry_after_s may succeed
GRACE_S = 2.0   # the node keeps timeout_s itself; this is for the way there and back, and for a node that has died


class NoAnswer(Exception):
    """Nobody serves the action, or whoever did is gone."""


class Planner:
    """Asks describe_node, one thing at a time."""

    def __init__(self, node: Node, describe_node: str):
        self._node = node
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._client = ActionClient(node, Describe, f'{describe_node}/describe')
        self._text = ''

    def ask(self, goal: Describe.Goal, patience_s: float) -> Describe.Result:
        """The answer, good or bad, within `patience_s` (s). Asks again where that is worth it. Raises NoAnswer."""
        until = time.monotonic() + patience_s
        if not self._client.wait_for_server(patience_s):
            raise NoAnswer('nobody serves describe; is describe_node running, in this namespace and ROS_DOMAIN_ID?')
        while True:
            goal.timeout_s = max(0.05, until - time.monotonic())
            result = self._ask_once(goal)
            again_s = result.retry_after_s
            if result.error_code not in SOON or time.monotonic() + again_s >= until:
                return result
            print(f'  {result.error_msg}; again in {again_s:.1f} s')
            time.sleep(again_s)

    def _ask_once(self, goal: Describe.Goal) -> Describe.Result:
        self._text = ''
        sent = self._client.send_goal_async(goal, feedback_callback=self._grow)
        try:
            handle = self._wait(sent, GRACE_S)
            answer = self._wait(handle.get_result_async(), goal.timeout_s + GRACE_S)
        except KeyboardInterrupt:   # whoever walks away says so: the node has others to serve
            handle = self._wait(sent, GRACE_S)
            self._wait(handle.cancel_goal_async(), GRACE_S)
            answer = self._wait(handle.get_result_async(), GRACE_S)
        if answer.status == GoalStatus.STATUS_UNKNOWN:
            raise NoAnswer('describe_node does not know this request any more: it was started again')
        return answer.result

    def _wait(self, future, patience_s: float):
        until = time.monotonic() + patience_s   # spin_until_future_complete leaves a callback behind at every turn
        while not future.done() and time.monotonic() < until:
            self._executor.spin_once(max(0.0, until - time.monotonic()))
        if not future.done():
            raise NoAnswer('describe_node does not answer any more')
        return future.result()

    def _grow(self, message) -> None:
        """Feedback holds the whole text so far, so that a lost one does no harm."""
        if message.feedback.text != self._text:
            self._text = message.feedback.text
            print(f'  ... {self._text}')


def goal_of(options: argparse.Namespace) -> Describe.Goal:
    goal = Describe.Goal(query=options.question)
    if options.label is not None:
        goal.region.labels = [options.label]
    elif options.box:
        goal.region.box_xywh = options.box
        goal.region.box_is_region = True   # the box as it is; without this the thing is cut out of it
    return goal


def show(result: Describe.Result) -> int:
    """Prints it. Returns the exit code."""
    about = result.description
    if result.error_code:
        print(f'{result.error_code}: {result.error_msg}')
        return 1
    stamp = about.header.stamp
    print(f'{about.text}\n  {about.describer}, picture of {stamp.sec}.{stamp.nanosec:09d} in {about.header.frame_id}, '
          f'box {about.box.x_offset},{about.box.y_offset} {about.box.width}x{about.box.height}, {about.total_s:.2f} s')
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description='Ask describe_node what something is.')
    region = parser.add_mutually_exclusive_group()
    region.add_argument('--label', type=int, help='value in the label image')
    region.add_argument('--box', type=float, nargs=4, metavar=('X', 'Y', 'W', 'H'), help='px: left, top, width, height')
    parser.add_argument('--question', default='', help='default: describe it')
    parser.add_argument('--node', default='/describe_node', help='default: /describe_node')
    parser.add_argument('--patience-s', type=float, default=20.0, help='s, default 20')
    options = parser.parse_args()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)   # else Ctrl-C ends ROS before we can cancel
    node = rclpy.create_node('planner')
    try:
        return show(Planner(node, options.node).ask(goal_of(options), options.patience_s))
    except NoAnswer as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())
