"""Asks describe_node on behalf of a person, for `more`, `ask`, `read` and `next`. Never waits, never hangs."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
import uuid

from rclpy.action import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from dam_ros.action import Describe
from dam_ros.core import errors, phrases
from dam_ros.core.describing import READ
from dam_ros.core.seeing import GONE
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.steering import Question
from dam_ros.msg import Description
from dam_ros.srv import Cancel
from dam_ros.voices.speaker import Speaker
from dam_ros.voices.synthesized import now

_GRACE_S = 1.0   # over the describer's own deadline, for the way there and back


@dataclass
class _Asked:
    """`sent`: None while the answer that it is about is still being written, and the describer does not know it yet."""

    id: str
    question: Question
    deadline: float
    sent: Future | None = None
    handle: object = None


class DescribeClient:
    """At most one question at a time; a newer one replaces it."""

    def __init__(self, node: Node, speaker: Speaker, settings: Callable[[], SpeechSettings]):
        self._speaker, self._settings = speaker, settings
        self._asked: _Asked | None = None
        # A group of its own: in the node's default one a nested call would wait for itself.
        group = ReentrantCallbackGroup()
        self._client = ActionClient(node, Describe, f'{settings().describe_node}/describe', callback_group=group)
        self._canceller = node.create_client(Cancel, f'{settings().describe_node}/cancel', callback_group=group)

    def ask(self, question: Question) -> bool:
        """False (and it is said aloud) where nobody is there to answer. Its answer goes by on ~/description."""
        policy = self._speaker.policy
        if self._asked is not None:
            self._speaker.perform(policy.speaking.give_up(now(), self._asked.id))
        self.cancel()
        id = f'ask-{uuid.uuid4()}'
        if question.detail == READ:
            policy.overheard.known.reads(id)
        if question.continues:
            policy.overheard.ask_in_full(id, question.about)
        self._speaker.perform(policy.overheard.asked(now(), id))
        gone = policy.seeing.describer(now()) == GONE   # a killed one is in the graph for 20 s more
        if gone or not self._client.server_is_ready():
            self._speaker.perform(policy.no_describer(now(), id))
            return False
        self._asked = _Asked(id, question, now() + self._settings().more_timeout_s + _GRACE_S)
        self._send()
        return True

    def tick(self) -> None:
        """To be called a few times a second: says so where no answer came."""
        if self._asked is not None and self._asked.sent is None:
            self._send()
        if self._asked is not None and now() > self._asked.deadline:
            id = self._asked.id
            self.cancel()
            self._speaker.perform(self._speaker.policy.overheard.failed(now(), id, errors.DeadlineExceeded.code))

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        asked, self._asked = self._asked, None
        if asked is not None and asked.handle is not None:
            asked.handle.cancel_goal_async()   # what is accepted later is cancelled in _on_accepted

    def cancel_others(self, ids: Iterable[str]) -> None:
        """Answers that others asked for, and that were to be spoken."""
        for id in ids:
            if self._canceller.service_is_ready():
                future = self._canceller.call_async(Cancel.Request(id=id))
                future.add_done_callback(lambda done: done.exception())   # whatever it says, nobody waits for it

    def _send(self) -> None:
        asked = self._asked
        if not self._speaker.policy.overheard.is_growing(asked.question.about):
            asked.sent = self._client.send_goal_async(self._goal(asked.id, asked.question))
            asked.sent.add_done_callback(lambda sent: self._on_accepted(asked, sent))

    def _goal(self, id: str, question: Question) -> Describe.Goal:
        # What was still being written has perhaps come to nothing.
        about = question.about if self._speaker.policy.overheard.known.is_askable(question.about) else ''
        goal = Describe.Goal(id=id, about=about, query=question.query, detail=question.detail,
                             timeout_s=self._settings().more_timeout_s, speak=Description.SPEAK_ASKED)
        if not about:
            goal.camera = question.camera
            goal.region.labels = [question.label] if question.label >= 0 else []
        return goal

    def _on_accepted(self, asked: _Asked, sent: Future) -> None:
        if sent.cancelled() or sent.exception() is not None:
            return
        asked.handle = sent.result()
        if asked is not self._asked:
            asked.handle.cancel_goal_async()
        elif asked.handle.accepted:
            asked.handle.get_result_async().add_done_callback(lambda result: self._on_result(asked, result))
        else:
            self._asked = None
            self._speaker.say(phrases.of_failure(errors.NotActive.code), asked.id)

    def _on_result(self, asked: _Asked, future: Future) -> None:
        if asked is not self._asked or future.cancelled() or future.exception() is not None:
            return
        self._asked = None
        result = future.result().result
        if result.error_code == errors.UnknownDescription.code:
            self._speaker.policy.overheard.known.forgotten(asked.question.about)
        description = result.description
        description.id = description.id or asked.id
        description.error_code = result.error_code
        description.speak = Description.SPEAK_ASKED
        # Usually it has gone by on ~/description already; then this one adds nothing.
        self._speaker.description(description)
