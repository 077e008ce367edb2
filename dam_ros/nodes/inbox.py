"""Hands work from other threads to the executor's thread. It does not know what the work is."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
import traceback
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future


class Inbox:
    """`post` from any thread; the call happens in the executor of `node`, in the order of posting.

    Setting an rclpy Future from a foreign thread does not wake the executor on Jazzy (3 s later the caller had
    no answer); a triggered guard condition does, within a millisecond.
    """

    def __init__(self, node: Node):
        self._node = node
        self._calls: deque[tuple[Callable[..., Any], tuple]] = deque()
        self._guard = node.create_guard_condition(self._drain, ReentrantCallbackGroup())

    def post(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Thread-safe. What the call raises is logged as a bug and goes no further."""
        self._calls.append((call, arguments))
        try:
            self._guard.trigger()
        except Exception:   # noqa: B902  the node is being destroyed: nobody waits any more
            self._calls.clear()

    def resolve(self, future: Future, result: Any) -> None:
        """Thread-safe: the coroutine that awaits `future` goes on with `result`; later results are ignored."""
        self.post(_set_once, future, result)

    def _drain(self) -> None:
        while self._calls:
            call, arguments = self._calls.popleft()
            try:
                call(*arguments)
            except Exception:   # noqa: B902  would end `spin`, and every caller would wait for ever
                self._node.get_logger().error('bug, please report:\n' + traceback.format_exc())


def _set_once(future: Future, result: Any) -> None:
    if not future.done():
        future.set_result(result)
