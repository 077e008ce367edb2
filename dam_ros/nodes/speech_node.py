"""speech_node: speaks what describe_node says and what others want said. It knows topics, not rules or voices."""
from __future__ import annotations

from collections.abc import Callable
import math
import sys
import traceback
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data, QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import BatteryState
from std_msgs.msg import String

from dam_ros.core import phrases
from dam_ros.core.battery import Battery
from dam_ros.core.recording import Recording
from dam_ros.core.remembered import Remembered
from dam_ros.core.speakable import Sentence
from dam_ros.core.speech_acts import PRIORITY_NAMES, Request
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.steering import Condition
from dam_ros.nodes.commands import Commands
from dam_ros.nodes.describe_client import DescribeClient
from dam_ros.nodes.describer_watch import DescriberWatch
from dam_ros.nodes.inbox import Inbox
from dam_ros.nodes.narrator import Narrator
from dam_ros.nodes.parameters import Parameters
from dam_ros.nodes.say_action import SayAction
from dam_ros.nodes.sound import make_mouth
from dam_ros.nodes.speech_health import SpeechHealth
from dam_ros.nodes.spinning import run
from dam_ros.voices.speaker import Listeners, Speaker
from dam_ros.voices.synthesized import now

_TICK_S = 0.1
_DIAGNOSTICS_S = 1.0
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
        settings = self._settings()
        self._recording = Recording(settings.record_to) if settings.record_to else None
        mouth = make_mouth(self, settings, self._inbox)
        self._remembered = Remembered(settings.state_dir, self.get_fully_qualified_name())
        self._parameter_wpm = settings.rate_wpm
        self.set_parameters([Parameter('rate_wpm', value=self._remembered.rate(settings.rate_wpm))])
        self._rate_wpm, self._narrate = self._settings().rate_wpm, settings.narrate
        self._caption = self.create_publisher(String, '~/caption', _LATCHED)
        self._cue = self.create_publisher(String, '~/cue', 10)
        self._say = SayAction(self, self._inbox, self._settings)
        self._speaker = Speaker(self._settings, mouth, Listeners(self._on_sentence, self._show, self._feel,
                                                                 self._say.on_done))
        self._battery = Battery()
        self._client = DescribeClient(self, self._speaker, self._settings)
        self._narrator = Narrator(self, self._speaker, self._settings)
        self._watch = DescriberWatch(self, self._speaker, self._settings, self._subscribe)
        self._watch.on_gone = self._client.cancel
        self._commands = Commands(self, self._speaker, self._client, self._narrator, self._settings, self._condition,
                                  self._caption_by_hand, self._subscribe)
        self._subscribe(BatteryState, 'battery', self._on_battery, qos_profile_sensor_data)   # hears reliable ones, too
        self._say.serve(self._speaker)
        self._health = SpeechHealth(self, self._speaker, self._watch, self._remembered, self._settings)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_timer(_TICK_S, self._safely(self._tick), callback_group=self._group)
        self.create_timer(_DIAGNOSTICS_S, self._safely(self._diagnose), callback_group=self._group)
        self._health.tell_voice()
        self._introduce()

    def end(self) -> None:
        """Silence; who waits for a result gets one."""
        self._client.cancel()
        self._narrator.cancel()
        self._speaker.end('speech_node is ending')

    def close(self) -> None:
        """The voices' processes, threads and files are given back."""
        self._speaker.close()
        if self._recording is not None:
            self._recording.close()

    def _settings(self) -> SpeechSettings:
        return self._declared.current

    def _subscribe(self, kind: type, name: str, callback: Callable[[Any], None], qos: Any) -> None:
        self.create_subscription(kind, name, self._safely(callback), qos, callback_group=self._group)

    def _safely(self, callback: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments):
            try:
                callback(*arguments)
            except Exception:   # noqa: B902  would end `spin`
                self.get_logger().error('bug, please report:\n' + traceback.format_exc())
        return call

    # -- what goes out

    def _on_sentence(self, request: Request, sentence: Sentence) -> None:
        if self._recording is not None:
            self._recording.said(sentence.text, PRIORITY_NAMES[request.priority], request.about)
        self._say.on_sentence(request, sentence)

    def _show(self, caption: str) -> None:
        self._caption.publish(String(data=caption))

    def _feel(self, cue: str) -> None:
        self._cue.publish(String(data=cue))

    def _caption_by_hand(self) -> bool:
        return self._caption.get_subscription_count() > 0 and self._speaker.captions.by_hand(now())

    def _diagnose(self) -> None:
        self._health.tell_voice()
        array = DiagnosticArray(status=self._health.statuses())
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    # -- what goes on

    def _introduce(self) -> None:
        settings, policy = self._settings(), self._speaker.policy
        if self._recording is not None:   # before any word that goes into the record
            self._speaker.volunteer(phrases.RECORDING)
        if settings.greeting == 'always' or (settings.greeting == 'first' and not self._remembered.introduced):
            items = [policy.rendering.own(one) for one in phrases.FIRST_START]
            self._speaker.perform(policy.volunteer(now(), items, 'greeting',
                                                   lambda code: code or self._remembered.keep_introduced()))

    def _tick(self) -> None:
        self._follow_parameters()
        self._speaker.tick()
        self._client.tick()
        self._watch.tick()
        self._narrator.tick()

    def _follow_parameters(self) -> None:
        settings, policy = self._settings(), self._speaker.policy
        if settings.rate_wpm != self._rate_wpm:
            self._rate_wpm = settings.rate_wpm
            self._remembered.keep_rate(settings.rate_wpm, self._parameter_wpm)
            if policy.speaking.busy:
                self._speaker.perform(policy.speaking.say_again(now()))
            else:
                self._speaker.say(phrases.RATE, rate=round(settings.rate_wpm))
        if settings.narrate != self._narrate:
            self._narrate = settings.narrate
            if settings.narrate == 'off':
                self._narrator.stop()
            self._speaker.say(phrases.of_narration(settings.narrate, self._battery.low))

    def _on_battery(self, state: BatteryState) -> None:
        charging = state.power_supply_status in (BatteryState.POWER_SUPPLY_STATUS_CHARGING,
                                                 BatteryState.POWER_SUPPLY_STATUS_FULL)
        charge = state.percentage if 0.0 <= state.percentage <= 1.0 else math.nan
        if self._battery.read(charge, charging, self._settings().battery_low):
            self._speaker.policy.narrating.low_battery = self._battery.low
            self._speaker.volunteer(phrases.of_battery(self._battery.low, charging, self._settings().narrate))

    def _condition(self) -> Condition:
        return Condition(self._speaker.policy.narrating.mode, self._battery.charge)


def main() -> int:
    return run(SpeechNode)


if __name__ == '__main__':
    sys.exit(main())
