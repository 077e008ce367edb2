"""Has described what is worth narrating, one thing at a time. What is worth it is not decided here."""
from __future__ import annotations

from collections.abc import Callable
import math
import uuid

from rclpy.action import ActionClient
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from dam_ros.action import DescribeScene
from dam_ros.core.narrating import Choice
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.msg import Description, Region
from dam_ros.voices.speaker import Speaker
from dam_ros.voices.synthesized import now

_TIMEOUT_S = 20.0   # of what nobody waits for


class Narrator:
    """`settings`: as they count now."""

    def __init__(self, node: Node, speaker: Speaker, settings: Callable[[], SpeechSettings]):
        self._speaker = speaker
        self._client = ActionClient(node, DescribeScene, f'{settings().describe_node}/describe_scene',
                                    callback_group=ReentrantCallbackGroup())
        self._id, self._handle, self._until = '', None, math.inf
        self._told = ''   # id of the last one that was handed on

    def tick(self) -> None:
        """To be called a few times a second."""
        policy = self._speaker.policy
        if self._id and now() > self._until:
            self._end(self._id, None, _TIMEOUT_S)
        may = policy.speaking.may_volunteer(now()) and not policy.speaking.busy and not policy.speaking.camera_turns
        choice = policy.narrating.next(now(), may and self._client.server_is_ready())
        if choice is not None:
            self._describe(choice)

    def cancel(self) -> None:
        """A person asks, or wants silence: nothing is narrated now."""
        if self._id:
            if self._handle is not None:
                self._handle.cancel_goal_async()
            self._end(self._id, None, 0.0)

    def stop(self) -> None:
        """Narration was switched off: nothing of it is told any more."""
        self.cancel()
        if self._told:
            self._speaker.perform(self._speaker.policy.overheard.take_back(now(), self._told))

    def _describe(self, choice: Choice) -> None:
        # A scene of which one region is taken: the nearest, then the largest, of those that are there by then.
        goal = DescribeScene.Goal(id=f'narration-{uuid.uuid4()}', camera=choice.camera, max_regions=1,
                                  order=DescribeScene.Goal.NEAREST, timeout_s=_TIMEOUT_S,
                                  regions=[Region(labels=[label]) for label in choice.labels[:256]])
        self._id, self._handle, self._until = goal.id, None, now() + _TIMEOUT_S + 1.0
        sent = self._client.send_goal_async(goal)
        sent.add_done_callback(lambda done: self._on_accepted(goal.id, done))

    def _on_accepted(self, id: str, sent: Future) -> None:
        if sent.cancelled() or sent.exception() is not None:
            return
        handle = sent.result()
        if id != self._id:
            handle.cancel_goal_async()
        elif handle.accepted:
            self._handle = handle
            handle.get_result_async().add_done_callback(lambda result: self._on_result(id, result))
        else:
            self._end(id, None, 0.0)

    def _on_result(self, id: str, future: Future) -> None:
        if id != self._id or future.cancelled() or future.exception() is not None:
            return
        good = [one for one in future.result().result.descriptions if one.error_code == 0]
        if not good:
            self._end(id, None, 0.0)
            return
        description = good[0]
        engine_s = description.total_s - (description.queue_s if math.isfinite(description.queue_s) else 0.0)
        self._end(id, description.label, max(engine_s, 0.0) if math.isfinite(engine_s) else 0.0)
        description.speak = Description.SPEAK_TOLD
        self._told = description.id
        self._speaker.description(description)

    def _end(self, id: str, label: int | None, engine_s: float) -> None:
        if id == self._id:
            self._id, self._handle, self._until = '', None, math.inf
            self._speaker.policy.narrating.ended(now(), label, engine_s)
