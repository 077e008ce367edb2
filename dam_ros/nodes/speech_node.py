"""speech_node: speaks what describe_node says and what others want said. It knows topics, not rules or voices."""
from __future__ import annotations

from collections.abc import Callable
import sys
import traceback
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from std_msgs.msg import Empty, String
from std_srvs.srv import SetBool, Trigger

from dam_ros.core.errors import complaint
from dam_ros.core.settings import SettingsError
from dam_ros.core.speakable import Sentence
from dam_ros.core.speech_acts import Request
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.msg import Description, Partial
from dam_ros.nodes.describe_client import DescribeClient
from dam_ros.nodes.inbox import Inbox
from dam_ros.nodes.parameters import Parameters
from dam_ros.nodes.say_action import SayAction
from dam_ros.nodes.spinning import run
from dam_ros.voices.mouth import makers_of, Mouth
from dam_ros.voices.speaker import Speaker

_TICK_S = 0.2
_DIAGNOSTICS_S = 1.0
# Volatile: an old sentence must not be spoken to someone who joins late.
_ANSWERS = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE, durability=QoSDurabilityPolicy.VOLATILE)
_LATCHED = QoSProfile(depth=1, reliability=QoSReliabilityPolicy.RELIABLE,
                      durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


class SpeechNode(Node):
    """See `docs/speech.md`.

    Raises:
        SettingsError: parameters that cannot be used; one line for each.
    """

    def __init__(self):
        super().__init__('speech_node')
        self._declared = Parameters(self, SpeechSettings)
        self._group = ReentrantCallbackGroup()
        self._inbox = Inbox(self)
        self._mouth = self._make_mouth()
        self._say = SayAction(self, self._inbox, self._settings)
        self._speaker = Speaker(self._settings, self._mouth, self._on_sentence, self._say.on_done)
        self._describer = DescribeClient(self, self._speaker, self._settings)
        self._caption = self.create_publisher(String, '~/caption', _LATCHED)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._told_voice = ''
        self._listen()
        self._serve()
        self._tell_voice()

    def end(self) -> None:
        """Silence; who waits for a result gets one."""
        self._describer.cancel()
        self._speaker.end('speech_node is ending')

    def close(self) -> None:
        """The voices' processes, threads and files are given back."""
        self._speaker.close()

    def _settings(self) -> SpeechSettings:
        return self._declared.current

    def _make_mouth(self) -> Mouth:
        settings = self._settings()
        if settings.voice == 'wav' and not settings.wav_dir:
            raise SettingsError(complaint('wav_dir', '', 'a folder', 'The voice wav needs one'))
        options = {name: getattr(settings, name) for name in ('wav_dir', 'wav_mode', 'language', 'rate_wpm')}
        mouth = Mouth(makers_of(settings.voice, options), self._inbox.post)
        mouth.check()
        if settings.voice == 'wav' and mouth.reasons():
            mouth.close()
            raise SettingsError(f"voice wav does not work: {mouth.reasons()['wav']}")
        return mouth

    def _listen(self) -> None:
        describer = self._settings().describe_node
        # Where both wait, the executor takes them in this order: a Description must not overtake the first Partial.
        self._subscribe(Partial, f'{describer}/partial', self._speaker.partial, _ANSWERS)
        self._subscribe(Description, f'{describer}/description', self._speaker.description, _ANSWERS)
        self._subscribe(Empty, '~/hush', lambda _: self._hush(), 10)

    def _serve(self) -> None:
        self._say.serve(self._speaker)
        self._offer(Trigger, '~/hush', self._on_hush)
        self._offer(Trigger, '~/repeat', self._on_repeat)
        self._offer(Trigger, '~/more', self._on_more)
        self._offer(SetBool, '~/mute', self._on_mute)
        self.create_timer(_TICK_S, self._safely(self._tick), callback_group=self._group)
        self.create_timer(_DIAGNOSTICS_S, self._safely(self._diagnose), callback_group=self._group)

    def _subscribe(self, kind: type, name: str, callback: Callable[[Any], None], qos: Any) -> None:
        self.create_subscription(kind, name, self._safely(callback), qos, callback_group=self._group)

    def _offer(self, kind: type, name: str, answer: Callable[[Any], tuple[bool, str]]) -> None:
        def serve(request, response):
            try:
                response.success, response.message = answer(request)
            except Exception as error:   # noqa: B902  would end `spin`, and the caller would wait for ever
                self.get_logger().error('bug, please report:\n' + traceback.format_exc())
                response.success, response.message = False, f'bug, please report: {error}'
            return response
        self.create_service(kind, name, serve, callback_group=self._group)

    def _safely(self, callback: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments):
            try:
                callback(*arguments)
            except Exception:   # noqa: B902  would end `spin`
                self.get_logger().error('bug, please report:\n' + traceback.format_exc())
        return call

    # -- what a person presses

    def _hush(self) -> None:
        self._speaker.hush()
        self._describer.cancel()

    def _on_hush(self, _request: Trigger.Request) -> tuple[bool, str]:
        self._hush()
        return True, f'silent; nothing is volunteered for {self._settings().hush_quiet_s:g} s'

    def _on_repeat(self, _request: Trigger.Request) -> tuple[bool, str]:
        return (True, 'repeating') if self._speaker.repeat() else (False, 'nothing was said yet')

    def _on_more(self, _request: Trigger.Request) -> tuple[bool, str]:
        about = self._speaker.more()
        if not about:
            return True, 'saying all that is known of it'
        if self._describer.ask(about):
            return True, f'asked {self._settings().describe_node} for all it can say of {about}'
        return False, f'{self._settings().describe_node} is not running'

    def _on_mute(self, request: SetBool.Request) -> tuple[bool, str]:
        self._speaker.mute(request.data)
        return True, 'muted; captions go on' if request.data else 'speaking'

    # -- what goes out

    def _on_sentence(self, request: Request, sentence: Sentence) -> None:
        self._caption.publish(String(data=sentence.text))
        self._say.on_sentence(request, sentence)

    def _tick(self) -> None:
        self._speaker.tick()
        self._describer.tick()

    def _diagnose(self) -> None:
        self._tell_voice()
        status = DiagnosticStatus(name=f'{self.get_fully_qualified_name()}: voice', hardware_id=self._mouth.name)
        status.level, status.message = self._health()
        facts = {'voice': self._mouth.name, 'wanted': self._settings().voice, 'muted': self.muted,
                 'speaking': self._speaker.speaking.busy, 'spoken': self._speaker.spoken,
                 **{f'{name} does not work': why for name, why in self._mouth.reasons().items()}}
        status.values = [KeyValue(key=key, value=str(value)) for key, value in facts.items()]
        array = DiagnosticArray(status=[status])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    @property
    def muted(self) -> bool:
        return self._speaker.speaking.muted

    def _health(self) -> tuple[bytes, str]:
        reasons = self._mouth.reasons()
        why = '; '.join(f'{name}: {reason}' for name, reason in reasons.items())
        if not self._mouth.audible and self._settings().voice != 'silent':
            return DiagnosticStatus.WARN, f'nothing can be heard, texts go out on ~/caption only. {why}'
        if self.muted:
            return DiagnosticStatus.WARN, 'muted; ~/mute with false ends it'
        return DiagnosticStatus.OK, f'speaking with {self._mouth.name}' + (f' ({why})' if why else '')

    def _tell_voice(self) -> None:
        """Logs each change of the voice once."""
        if self._mouth.name != self._told_voice:
            self._told_voice = self._mouth.name
            level, words = self._health()
            if level == DiagnosticStatus.OK:
                self.get_logger().info(words)
            else:   # two calls: rclpy refuses another severity from the same line
                self.get_logger().warning(words)


def main() -> int:
    return run(SpeechNode)


if __name__ == '__main__':
    sys.exit(main())
