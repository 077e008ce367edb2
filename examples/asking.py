"""Asks describe_node without ever waiting: for leaves of behaviour trees, windows, and what else is called in turns.

It knows the interfaces only and none of the modules of dam_ros: copy it as it is. Somebody else spins the node, in the
same thread (between two calls of `poll`) or in another.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
import signal
import time

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future

from dam_ros.action import Describe
from dam_ros.msg import ErrorCode

NO_ANSWER = 65535   # in place of an ErrorCode: nobody serves, or whoever did is gone. No code of dam_ros
GRACE_S = 2.0       # the node keeps timeout_s itself; this is for the way there and back, and for a node that has died


class State(Enum):
    IDLE = 'idle'
    RUNNING = 'running'
    SUCCESS = 'success'
    FAILURE = 'failure'


@dataclass(eq=False)
class _Question:
    """What is under way. Each question has its own, so that what is late for an old one is nobody's business."""

    goal: Describe.Goal
    until: float   # s, monotonic
    sent: Future | None = None
    outcome: Future | None = None
    text: str = ''

    def hear(self, message) -> None:
        self.text = message.feedback.text   # the whole text so far, so that a lost one does no harm


class Asking:
    """One question at a time.

    Attributes:
        state: how the last question stands, as of the last `poll`.
        error_code: of ErrorCode, or NO_ANSWER; NONE while it runs.
        error_msg: for people.
        result: Describe.Result, good or bad; None until there is one.
    """

    def __init__(self, node: Node, describe_node: str = '/describe_node'):
        self._client = ActionClient(node, Describe, f'{describe_node}/describe')
        self._name = describe_node
        self._question: _Question | None = None
        self._cancelled: Future | None = None   # done when the node has answered the last cancellation
        self._forget()

    @property
    def text(self) -> str:
        """As it grows; at the end all of it."""
        if self.result is not None:
            return self.result.description.text
        return self._question.text if self._question else ''

    def start(self, goal: Describe.Goal, timeout_s: float) -> None:
        """Asks; what was asked before is cancelled.

        Args:
            timeout_s: s for everything, finding the node included; written into the goal.
        """
        self.cancel()
        self._forget()
        self._question = _Question(goal, time.monotonic() + timeout_s)
        self.state = State.RUNNING
        self.poll()

    def poll(self) -> State:
        """Goes on as far as it can now. Between two calls the node must be spun."""
        if self._question is None:
            return self.state
        now = time.monotonic()
        if self._question.sent is None:
            self._send(now)
        elif not self._question.sent.done():
            self._wait(now)
        elif self._question.outcome is None:
            self._question.outcome = self._question.sent.result().get_result_async()   # a goal is always accepted
        elif self._question.outcome.done():
            self._take(self._question.outcome.result())
        else:
            self._wait(now)
        return self.state

    def cancel(self) -> None:
        """Nobody wants to know any more. Whoever walks away says so: the node has others to serve."""
        question, self._question = self._question, None
        if question is None:
            return
        self.state = State.IDLE
        if question.sent is not None:   # also where it is yet to be accepted
            told = self._cancelled = Future()
            question.sent.add_done_callback(
                lambda sent: sent.result().cancel_goal_async().add_done_callback(lambda _: told.set_result(True)))

    def leave(self, spin_once: Callable[[float], None]) -> None:
        """Cancels, and waits until the node has heard it, GRACE_S at most: for a process that ends right after it.

        Args:
            spin_once: that of the node's executor; gets a time in s.
        """
        self.cancel()
        until = time.monotonic() + GRACE_S
        while self._cancelled is not None and not self._cancelled.done() and time.monotonic() < until:
            spin_once(0.05)

    def _forget(self) -> None:
        self.state, self.error_code, self.error_msg, self.result = State.IDLE, ErrorCode.NONE, '', None

    def _send(self, now: float) -> None:
        question = self._question
        if self._client.server_is_ready():
            question.goal.timeout_s = max(0.05, question.until - now)
            question.sent = self._client.send_goal_async(question.goal, feedback_callback=question.hear)
        elif now > question.until:
            self._fail(f'nobody serves {self._name}/describe; is it running, in this namespace and ROS_DOMAIN_ID?')

    def _wait(self, now: float) -> None:
        if now > self._question.until + GRACE_S:
            self.cancel()   # should it come back
            self._fail(f'{self._name} does not answer any more')

    def _take(self, answer) -> None:
        if answer.status == GoalStatus.STATUS_UNKNOWN:
            self._fail(f'{self._name} does not know this request any more: it was started again')
            return
        self._question, self.result = None, answer.result
        self.error_code, self.error_msg = answer.result.error_code, answer.result.error_msg
        self.state = State.FAILURE if self.error_code else State.SUCCESS

    def _fail(self, message: str) -> None:
        self._question = None
        self.state, self.error_code, self.error_msg = State.FAILURE, NO_ANSWER, message


class CtrlC:
    """Notes it, for `check` between two turns: raised within rclpy's C++ it would come out as some other error.

    For whoever began ROS with SignalHandlerOptions.NO, in the main thread. Pressed twice it is raised at once.
    """

    def __init__(self):
        self._pressed = False
        signal.signal(signal.SIGINT, self._note)

    def check(self) -> None:
        """Raises KeyboardInterrupt where it was pressed."""
        if self._pressed:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: object) -> None:
        if self._pressed:
            signal.default_int_handler(number, frame)
        self._pressed = True
