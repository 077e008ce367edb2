"""Why nothing can be heard, in words: the diagnostics of speech_node. It changes nothing."""
from __future__ import annotations

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.node import Node

from dam_ros.core.remembered import Remembered
from dam_ros.core.seeing import GONE, RUNNING
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.nodes.describer_watch import DescriberWatch, SKEW_S
from dam_ros.voices.speaker import Speaker
from dam_ros.voices.synthesized import now

_UNTOLD = 3   # narrations in a row that were not told: one may be bad luck

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class SpeechHealth:
    """`settings`: as they count now."""

    def __init__(self, node: Node, speaker: Speaker, watch: DescriberWatch, remembered: Remembered,
                 settings: Callable[[], SpeechSettings]):
        self._node, self._speaker, self._watch = node, speaker, watch
        self._remembered, self._settings = remembered, settings
        self._told_voice = self._told_trouble = ''

    def statuses(self) -> list[DiagnosticStatus]:
        """One of the voice, one of the describer it listens to."""
        return [self._voice(), self._describer()]

    def tell_voice(self) -> None:
        """Logs each change of the voice once, and why the rate cannot be kept."""
        mouth = self._speaker.mouth
        if mouth.name != self._told_voice:
            self._told_voice = mouth.name
            level, words = self._of_voice()
            if level == OK:
                self._node.get_logger().info(words)
            else:   # two calls: rclpy refuses another severity from the same line
                self._node.get_logger().warning(words)
        if self._remembered.trouble != self._told_trouble:
            self._told_trouble = self._remembered.trouble
            self._node.get_logger().warning(self._told_trouble or 'the state is kept again')

    def _voice(self) -> DiagnosticStatus:
        mouth, speaking = self._speaker.mouth, self._speaker.policy.speaking
        facts = {'voice': mouth.name, 'wanted': self._settings().voice, 'rate [words/min]': self._settings().rate_wpm,
                 'muted': speaking.muted, 'paused': speaking.paused, 'only answers': speaking.silence.only_answers,
                 'speaking': speaking.busy, 'questions open': len(speaking.questions), 'spoken': self._speaker.spoken,
                 **{f'{name} does not work': why for name, why in mouth.reasons().items()}}
        level, words = self._of_voice()
        if self._remembered.trouble:
            facts['not remembered'] = self._remembered.trouble
        return self._status('voice', mouth.name, level, words, facts)

    def _of_voice(self) -> tuple[bytes, str]:
        mouth, speaking = self._speaker.mouth, self._speaker.policy.speaking
        why = '; '.join(f'{name}: {reason}' for name, reason in mouth.reasons().items())
        if not mouth.audible and self._settings().voice != 'silent':
            return WARN, f'nothing can be heard, texts go out on ~/caption only. {why}'
        if speaking.muted:
            return WARN, 'muted; ~/mute with false ends it'
        if speaking.paused:
            return WARN, 'paused; ~/pause goes on'
        return OK, f'speaking with {mouth.name}' + (f' ({why})' if why else '')

    def _describer(self) -> DiagnosticStatus:
        seeing, skew_s, untold = (self._speaker.policy.seeing, self._watch.skew_s,
                                  self._speaker.policy.narrating.untold)
        state = seeing.describer(now())
        facts = {'describer': state, 'picture age [s]': round(seeing.picture_age_s(now()), 2),
                 'clock difference [s]': round(skew_s, 2), 'narration': self._speaker.policy.narrating.mode,
                 'described and not told, in a row': untold}
        name = self._settings().describe_node
        if state == GONE:
            words = (f'{name} sends nothing. Is it running, in the same namespace? The parameter describe_node says '
                     'whose topics are used')
            return self._status('describer', name, ERROR, words, facts)
        if abs(skew_s) > SKEW_S:
            words = (f"the clock of {name}'s machine is {abs(skew_s):.1f} s {'behind' if skew_s > 0 else 'ahead of'} "
                     'ours. Ages are not reckoned from it, but stamps of the two cannot be compared: set the clocks by '
                     'NTP or PTP (chrony)')
            return self._status('describer', name, WARN, words, facts)
        if untold >= _UNTOLD:
            words = (f'the last {untold} things to be narrated were described too late to be told: later than '
                     f'stale_after_s ({self._settings().stale_after_s:g} s) after their picture, or they were gone. '
                     'A faster model or a larger stale_after_s helps')
            return self._status('describer', name, WARN, words, facts)
        return self._status('describer', name, OK, 'there' if state == RUNNING else 'not heard of yet', facts)

    def _status(self, what: str, hardware: str, level: bytes, words: str, facts: dict) -> DiagnosticStatus:
        status = DiagnosticStatus(name=f'{self._node.get_fully_qualified_name()}: {what}', hardware_id=hardware,
                                  level=level, message=words)
        status.values = [KeyValue(key=key, value=str(value)) for key, value in facts.items()]
        return status
