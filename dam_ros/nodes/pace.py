"""Lets answers leave no faster than a client with default settings can take them. It does not know what they say."""
from __future__ import annotations

from collections.abc import Callable
import threading
import time

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future

from dam_ros.nodes.inbox import Inbox

# rclpy's and rclcpp's clients keep the last 10 answers that they have not taken yet, and lose the older ones.
_BURST = 4
_INTERVAL_S = 0.01   # after a burst, one each: a client may be away for 60 ms, with camera frames or without a core
_HURRY_S = 0.03      # this near to its deadline an answer waits no longer


class Pace:
    """Of 200 refusals sent at once a client with the default queue of 10 lost up to 133 and waited for ever."""

    def __init__(self, node: Node, inbox: Inbox):
        self._inbox, self._lock = inbox, threading.Lock()
        self._queue: list[tuple[float, Callable[[], None]]] = []
        self._credit, self._last_s = float(_BURST), time.monotonic()
        self._timer = node.create_timer(_INTERVAL_S, self._release, ReentrantCallbackGroup(),
                                        Clock(clock_type=ClockType.STEADY_TIME))
        self._timer.cancel()

    def leave(self, deadline_s: float, send: Callable[[], None]) -> None:
        """Calls `send` when it is this answer's turn: at once unless many left just now, else in the executor's thread
        and before its deadline. Thread-safe.

        Args:
            deadline_s: on the clock of time.monotonic.
        """
        now = time.monotonic()
        with self._lock:
            self._credit = min(float(_BURST), self._credit + (now - self._last_s) / _INTERVAL_S)
            self._last_s = now
            at_once = deadline_s - now < _HURRY_S or (self._credit >= 1 and not self._queue)
            if at_once:
                self._credit = max(0.0, self._credit - 1)
            else:
                self._queue.append((deadline_s, send))
        if at_once:
            send()
        else:
            self._inbox.post(self._wind)

    async def turn(self, deadline_s: float) -> None:
        """As `leave`, awaited in the executor's thread."""
        turn = Future()
        self.leave(deadline_s, lambda: turn.set_result(None))
        await turn

    def _wind(self) -> None:
        if self._queue and self._timer.is_canceled():
            self._timer.reset()

    def _release(self) -> None:
        with self._lock:
            self._credit = 0.0
            self._last_s = time.monotonic()
            leaving = self._queue[:1] + [one for one in self._queue[1:] if one[0] - self._last_s < _HURRY_S]
            for one in leaving:
                self._queue.remove(one)
            if not self._queue:
                self._timer.cancel()
        for _, send in leaving:
            send()
