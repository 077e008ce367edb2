"""What a person can press or say: services, the topics hush and ask. What comes of it is decided in core."""
from __future__ import annotations

from collections.abc import Callable
import traceback
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import Empty, String
from std_srvs.srv import SetBool, Trigger

from dam_ros.core import phrases
from dam_ros.core.commands import command_of
from dam_ros.core.speech_settings import FASTEST_WPM, SLOWEST_WPM, SpeechSettings
from dam_ros.core.steering import Condition, Reply
from dam_ros.nodes.describe_client import DescribeClient
from dam_ros.nodes.narrator import Narrator
from dam_ros.voices.speaker import Speaker
from dam_ros.voices.synthesized import now

_FASTER = 1.15   # one press; a change of less is hard to hear
_STEP_WPM = 5.0


class Commands:
    """Every command is a service `~/name`; the words of them that come on `~/ask` are the same commands.

    Args:
        condition: what `status` tells.
        caption_next: () -> bool: a caption waited, and is shown now.
    """

    def __init__(self, node: Node, speaker: Speaker, client: DescribeClient, narrator: Narrator,
                 settings: Callable[[], SpeechSettings], condition: Callable[[], Condition],
                 caption_next: Callable[[], bool], subscribe: Callable[..., None]):
        self._node, self._speaker, self._client, self._narrator = node, speaker, client, narrator
        self._settings, self._condition, self._caption_next = settings, condition, caption_next
        self._group = ReentrantCallbackGroup()
        steering = speaker.policy.steering
        self._commands: dict[str, Callable[[], Reply]] = {
            'hush': self._hush, 'next': self._next, 'faster': self._faster, 'slower': self._slower,
            'status': lambda: steering.status(now(), self._condition()),
            **{name: self._steer(getattr(steering, name))
               for name in ('repeat', 'more', 'back', 'pause', 'quiet', 'help', 'read', 'spell')}}
        for name, command in self._commands.items():
            self._offer(Trigger, name, lambda _, command=command: self._carry_out(command))
        self._offer(SetBool, 'mute', lambda request: self._carry_out(lambda: self._mute(request.data)))
        self._words = {**self._commands, 'mute': lambda: self._mute(True), 'unmute': lambda: self._mute(False),
                       'narrate_on': lambda: self._narrate('new'), 'narrate_off': lambda: self._narrate('off')}
        subscribe(Empty, '~/hush', lambda _: self._hush(), 10)
        subscribe(String, '~/ask', lambda message: self.heard(message.data), 10)

    def heard(self, words: str) -> None:
        """What a person said, from a speech-to-text node: a command, or a question about the last thing."""
        command = self._words.get(command_of(words))
        self._carry_out(command or (lambda: self._speaker.policy.steering.ask(now(), words)))

    def _carry_out(self, command: Callable[[], Reply]) -> tuple[bool, str]:
        reply = command()
        self._speaker.perform(reply.acts)
        if reply.question is None:
            return reply.ok, reply.message
        self._narrator.cancel()
        if self._client.ask(reply.question):
            return reply.ok, reply.message
        return False, f'{self._settings().describe_node} is not running'

    def _offer(self, kind: type, name: str, answer: Callable[[Any], tuple[bool, str]]) -> None:
        def serve(request, response):
            try:
                response.success, response.message = answer(request)
            except Exception as error:   # noqa: B902  would end `spin`, and the caller would wait for ever
                self._node.get_logger().error('bug, please report:\n' + traceback.format_exc())
                response.success, response.message = False, f'bug, please report: {error}'
            return response
        self._node.create_service(kind, f'~/{name}', serve, callback_group=self._group)

    @staticmethod
    def _steer(command: Callable[[float], Reply]) -> Callable[[], Reply]:
        return lambda: command(now())

    def _hush(self) -> Reply:
        policy = self._speaker.policy
        open_ids = {*policy.overheard.growing(), *policy.speaking.questions}
        self._speaker.hush()
        self._client.cancel()
        self._client.cancel_others(open_ids)
        self._narrator.cancel()
        return Reply(True, f'silent; nothing is volunteered for {self._settings().hush_quiet_s:g} s')

    def _mute(self, muted: bool) -> Reply:
        self._speaker.mute(muted)
        if not muted:
            self._speaker.say(phrases.UNMUTED)
        return Reply(True, 'muted; captions go on' if muted else 'speaking')

    def _next(self) -> Reply:
        if self._caption_next():
            return Reply(True, 'the next caption')
        return self._speaker.policy.steering.next(now())

    def _narrate(self, mode: str) -> Reply:
        if mode == self._settings().narrate:   # nothing changes, and that it is so is said
            self._speaker.say(phrases.of_narration(mode, self._speaker.policy.narrating.low_battery))
        self._node.set_parameters([Parameter('narrate', value=mode)])
        return Reply(True, f'narrate: {mode}')

    def _faster(self) -> Reply:
        return self._change_rate(_FASTER, phrases.FASTEST)

    def _slower(self) -> Reply:
        return self._change_rate(1.0 / _FASTER, phrases.SLOWEST)

    def _change_rate(self, factor: float, at_the_end: str) -> Reply:
        before = self._settings().rate_wpm
        rate = min(max(round(before * factor / _STEP_WPM) * _STEP_WPM, SLOWEST_WPM), FASTEST_WPM)
        if rate == before:
            self._speaker.say(at_the_end)
            return Reply(False, f'{before:g} words per minute is the limit')
        self._node.set_parameters([Parameter('rate_wpm', value=rate)])
        return Reply(True, f'{rate:g} words per minute')
