"""Asks describe_node for all it can say of an earlier description, for `~/more`. Never waits, never hangs."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import uuid

from rclpy.action import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from dam_ros.action import Describe
from dam_ros.core import errors, phrases
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.msg import Description
from dam_ros.voices.speaker import Speaker
from dam_ros.voices.synthesized import now

_GRACE_S = 1.0   # over the describer's own deadline, for the way there and back


@dataclass
class _Question:
    id: str
    deadline: float
    sent: Future
    handle: object = None


class DescribeClient:
    """At most one question at a time; a newer one replaces it."""

    def __init__(self, node: Node, speaker: Speaker, settings: Callable[[], SpeechSettings]):
        self._speaker, self._settings = speaker, settings
        self._question: _Question | None = None
        # A group of its own: in the node's default one a nested call would wait for itself.
        self._client = ActionClient(node, Describe, f'{settings().describe_node}/describe',
                                    callback_group=ReentrantCallbackGroup())

    def ask(self, about: str) -> bool:
        """Asks in full about this description. False (and it is said aloud) where nobody is there to answer."""
        self.cancel()
        if not self._client.server_is_ready():
            self._speaker.phrase(phrases.NO_DESCRIBER)
            return False
        timeout_s = self._settings().more_timeout_s
        goal = Describe.Goal(id=f'more-{uuid.uuid4()}', about=about, detail=Describe.Goal.FULL,
                             timeout_s=timeout_s, speak=Description.SPEAK_ASKED)
        self._speaker.overheard.ask_in_full(goal.id, about)
        question = _Question(goal.id, now() + timeout_s + _GRACE_S, self._client.send_goal_async(goal))
        self._question = question
        question.sent.add_done_callback(lambda sent: self._on_accepted(question, sent))
        return True

    def tick(self) -> None:
        """To be called a few times a second: says so where no answer came."""
        if self._question is not None and now() > self._question.deadline:
            self.cancel()
            self._speaker.phrase(phrases.of_failure(errors.DeadlineExceeded.code))

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        question, self._question = self._question, None
        if question is None:
            return
        if question.handle is not None:
            question.handle.cancel_goal_async()
        elif not question.sent.done():
            question.sent.cancel()   # and what is accepted later is cancelled in _on_accepted

    def _on_accepted(self, question: _Question, sent: Future) -> None:
        if sent.cancelled() or sent.exception() is not None:
            return
        question.handle = sent.result()
        if question is not self._question:
            question.handle.cancel_goal_async()
        elif question.handle.accepted:
            question.handle.get_result_async().add_done_callback(lambda result: self._on_result(question, result))
        else:
            self._question = None
            self._speaker.phrase(phrases.of_failure(errors.NotActive.code))

    def _on_result(self, question: _Question, future: Future) -> None:
        if question is not self._question or future.cancelled() or future.exception() is not None:
            return
        self._question = None
        result = future.result().result
        description = result.description
        description.id = description.id or question.id
        description.error_code = result.error_code
        description.speak = Description.SPEAK_ASKED
        # Usually it has gone by on ~/description already; then this one adds nothing.
        self._speaker.description(description)
