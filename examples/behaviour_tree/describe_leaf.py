"""A leaf for py_trees that describes a region by the action of describe_node; all that thinks is in ../asking.py.

    leaf = DescribeRegion('what is it', node, goal=lambda: Describe.Goal(slot='look'), timeout_s=8.0)

needs examples/ and examples/behaviour_tree/ on PYTHONPATH, or copies of both files. Works with py_trees_ros as well,
whose tree spins the node between two ticks; with plain py_trees that is your loop's part.
"""
from __future__ import annotations

from collections.abc import Callable

from asking import Asking, State
import py_trees
from py_trees.common import Access, Status
from rclpy.node import Node

from dam_ros.action import Describe

_STATUS = {State.RUNNING: Status.RUNNING, State.SUCCESS: Status.SUCCESS, State.FAILURE: Status.FAILURE}


class DescribeRegion(py_trees.behaviour.Behaviour):
    """Writes `description` (dam_ros/msg/Description, None until there is one) and `error_code` on the blackboard.

    Args:
        goal: what to ask, made anew whenever the leaf begins.
        timeout_s: s, for everything.
    """

    def __init__(self, name: str, node: Node, goal: Callable[[], Describe.Goal], timeout_s: float,
                 describe_node: str = '/describe_node'):
        super().__init__(name)
        self._asking, self._goal, self._timeout_s = Asking(node, describe_node), goal, timeout_s
        self._board = self.attach_blackboard_client(name=name)
        for key in ('description', 'error_code'):
            self._board.register_key(key, access=Access.WRITE)

    def initialise(self) -> None:
        self._asking.start(self._goal(), self._timeout_s)

    def update(self) -> Status:
        state, result = self._asking.poll(), self._asking.result
        self._board.error_code = self._asking.error_code
        self._board.description = result.description if result else None
        self.feedback_message = self._asking.error_msg or self._asking.text
        return _STATUS[state]

    def terminate(self, new_status: Status) -> None:
        self._asking.cancel()   # the tree went elsewhere; after an answer there is nothing to cancel
