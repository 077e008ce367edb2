"""speech-dispatcher, which screen readers speak through: our sentences take their turn among theirs.

It plays by itself, so this is a voice and no synthesizer. Answers are sent as `message`, which waits for the screen
reader's, narration as `notification`, which is dropped where anything else speaks; nothing as `important`, which nobody
could interrupt. Cancelled are our own messages only.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
import math
import os

from dam_ros.core.speakable import pronounceable, speakable
from dam_ros.voices import earcons, loudness
from dam_ros.voices.espeak_voices import best_language, plain, primary
from dam_ros.voices.pace import Pace
from dam_ros.voices.protocol import Finished, Listener, Output, Run, Stopped, Utterance, VoiceError
from dam_ros.voices.ssip import Ssip
from dam_ros.voices.synthesized import now
from dam_ros.voices.threaded import Threaded

# Words per minute that a rate of -100, 0 and 100 is: EspeakMinRate, EspeakNormalRate and EspeakMaxRate of
# /etc/speech-dispatcher/modules/espeak-ng.conf as 0.11 installs it. Other synthesizers only come near.
_RATES_WPM = (80.0, 170.0, 449.0)
_FIRST_S = 2.0     # how long one that was not heard yet, or not since it failed, may take to begin
_TURN_S = 3.0      # how long an answer waits for others to end
_ASK_S = 0.5       # how often the server is asked whether it lives
_CANCEL_S = 0.5    # how long the server may take to cancel


class Speechd(Threaded):
    """`place`: as `ssip.address` has it; '' = that. `earcons_to`: where earcons are played, beside the server."""

    audible = True

    def __init__(self, place: str = '', earcons_to: Output | None = None):
        self._place = place
        self._link: Ssip | None = None
        self._pace, self._heard = Pace(), False
        self._earcons = _Earcons(earcons_to)
        super().__init__('speechd')

    def start(self, utterance: Utterance, listen: Listener) -> None:
        one, other = (self._earcons, super()) if utterance.earcon else (super(), self._earcons)
        other.stop()
        one.start(utterance, listen)

    def stop(self) -> None:
        self._earcons.stop()
        super().stop()

    def check(self) -> str:
        try:
            self._connected().close()
        except VoiceError as error:
            return str(error)
        return ''

    def names(self) -> Mapping[str, str]:
        """The voices of the synthesizer that the server uses: name to language."""
        try:
            with closing(self._connected()) as link:
                voices = _voices(link)
        except VoiceError:
            return {}
        # espeak-ng's are listed with each of a hundred variants, as NAME+VARIANT.
        variants = {f"+{name.partition('+')[2]}": '' for name in voices if '+' in name}
        return {**{name: language for name, language in voices.items() if '+' not in name}, **variants}

    def speak(self, utterance: Utterance, run: Run, began: Callable[[float], None]) -> Finished:
        text = speakable(utterance.text)
        if not pronounceable(text):
            began(now())
            return Finished(now())
        try:
            if self._link is None:
                self._link = self._connected()
            return self._say(self._link, utterance, text, run, began)
        except VoiceError:
            self._hang_up()
            self._pace.forget()
            self._heard = False
            raise

    def close(self, wait_s: float = 1.0) -> None:
        self._earcons.close(wait_s)
        super().close(wait_s)

    def give_back(self) -> None:
        self._hang_up()

    def _connected(self) -> Ssip:
        link = Ssip(self._place)
        try:
            user = os.environ.get('USER') or os.getuid()
            link.adjust('CLIENT_NAME', f'{user}:dam_ros:speech')
            link.adjust('NOTIFICATION ALL', 'ON')
            link.adjust('SSML_MODE', 'OFF')
            if not link.command('LIST OUTPUT_MODULES'):
                raise VoiceError('speech-dispatcher has no synthesizer. sudo apt-get install '
                                 'speech-dispatcher-espeak-ng, and start it again')
        except VoiceError:
            link.close()
            raise
        return link

    def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _say(self, link: Ssip, utterance: Utterance, text: str, run: Run, began: Callable[[float], None]) -> Finished:
        run.adopt(link.wake)
        try:
            _prepare(link, utterance)
            return self._follow(link, link.speak(text), utterance, run, began)
        finally:
            run.release(link.wake)

    def _follow(self, link: Ssip, message: str, utterance: Utterance, run: Run,
                began: Callable[[float], None]) -> Finished:
        # Narration that never begins was dropped by the server, as others speak; whatever else ends early, a person
        # ends.
        begun, cut_by_person = math.nan, utterance.asked
        deadline = now() + (_TURN_S if self._heard else _FIRST_S)
        while now() < deadline:
            kind = link.event(message, min(now() + _ASK_S, deadline))
            if run.stopped.is_set():
                link.command('CANCEL SELF', _CANCEL_S)
                raise Stopped
            if kind == 'BEGIN':
                begun, cut_by_person, self._heard = now(), True, True
                deadline = begun + self._pace.limit_s(utterance)
                began(begun)
            elif kind == 'END':
                if math.isfinite(begun):
                    self._pace.took(utterance, now() - begun)
                return Finished(now())
            elif kind == 'CANCELED':
                return Finished(now(), audible=False, silenced=cut_by_person)
            elif not kind:
                link.command('GET RATE')   # raises where the server hangs
        raise VoiceError('speech-dispatcher answers, but does not speak: its synthesizer hangs, or others speak '
                         'without an end. Start it again')


class _Earcons(Threaded):
    """Sounds by our own player, as SSIP knows only those that lie with the server; in a thread of their own, as they
    are to sound also while the server hangs. Without a player (None) speech goes on."""

    def __init__(self, output: Output | None):
        self._output = output
        super().__init__('earcons beside speechd')

    def speak(self, utterance: Utterance, run: Run, began: Callable[[float], None]) -> Finished:
        if self._output is None:
            return Finished(now(), audible=False)
        sound = loudness.at(utterance.volume, earcons.sound_of(utterance.earcon))
        try:
            return Finished(self._output.play(sound, utterance, run, began))
        except VoiceError as error:
            return Finished(now(), audible=False, trouble=f'earcons are not heard: {error}')

    def give_back(self) -> None:
        if self._output is not None:
            self._output.close()


def _prepare(link: Ssip, utterance: Utterance) -> None:
    """What was never asked to differ stays as the user has it in speech-dispatcher's own settings."""
    link.adjust('PRIORITY', 'message' if utterance.asked else 'notification')
    link.adjust('RATE', str(rate_of(utterance.rate_wpm)))
    link.adjust('LANGUAGE', utterance.language)
    if utterance.pitch != 50 or link.adjusted('PITCH'):
        link.adjust('PITCH', str(_bounded(2 * utterance.pitch - 100)))
    if utterance.volume != 100 or link.adjusted('VOLUME'):
        link.adjust('VOLUME', str(_bounded(2 * utterance.volume - 100)))
    if utterance.voice_name or link.adjusted('SYNTHESIS_VOICE'):
        link.adjust('SYNTHESIS_VOICE', _voice(link, utterance))


def _voice(link: Ssip, utterance: Utterance) -> str:
    """The named voice where it speaks the language; NULL leaves it to the language."""
    wanted, _, variant = (plain(part) for part in utterance.voice_name.partition('+'))
    fitting = {}   # language to voice
    for name, language in _voices(link).items():
        own, _, shape = (plain(part) for part in name.partition('+'))
        if shape == variant and wanted in ('', own, language):
            fitting.setdefault(language, name)
    near = best_language(utterance.language, tuple(fitting))
    return fitting.get(near) or next((name for language, name in fitting.items()
                                      if primary(language) == primary(utterance.language)), 'NULL')


def _voices(link: Ssip) -> dict[str, str]:
    rows = [line.split('\t') for line in link.listed('SYNTHESIS_VOICES')]
    return {row[0]: row[1].lower() for row in rows if len(row) > 1}


def rate_of(rate_wpm: float) -> int:
    """-100..100, as SSIP has it."""
    low, usual, high = _RATES_WPM
    share = (rate_wpm - usual) / (usual - low if rate_wpm < usual else high - usual)
    return _bounded(round(100.0 * share))


def _bounded(value: int) -> int:
    return max(-100, min(100, value))
