"""Lets the policy have a mouth: performs its acts with a voice and tells it what became of them.

One thread calls everything. It knows no ROS: captions, cues, feedback and results go out through the Listeners.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dam_ros.core.captions import Captions
from dam_ros.core.errors import Cancelled, Hushed, Muted, NoVoice, Superseded, TooLate
from dam_ros.core.policy import Policy
from dam_ros.core.speakable import Sentence
from dam_ros.core.speech_acts import (Act, Arrived, ASKED, Cue, Done, Earcon, PRIORITY_NAMES, Request, Speak, Stop,
                                      URGENT)
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.voices.mouth import Mouth
from dam_ros.voices.protocol import Finished, Utterance
from dam_ros.voices.synthesized import now

_ENDINGS = {0: 'spoken', Cancelled.code: 'cancelled', Superseded.code: 'superseded', Hushed.code: 'hushed',
            Muted.code: 'muted', NoVoice.code: 'no voice', TooLate.code: 'too late'}
_CUT = (Superseded.code, Cancelled.code)


@dataclass(frozen=True)
class Listeners:
    """Who is told what happens.

    Attributes:
        sentence: (request, sentence): it is spoken now, or would be.
        caption: (text): it is to be shown now.
        cue: (name): an earcon, one of CUES, sounds now, or would.
        done: (done): the one outcome of a request.
    """

    sentence: Callable[[Request, Sentence], None]
    caption: Callable[[str], None]
    cue: Callable[[str], None]
    done: Callable[[Done], None]


class Speaker:
    """Policy and Mouth as one.

    Args:
        settings: the settings as they count now.

    Attributes:
        spoken: how many requests were spoken to the end.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], mouth: Mouth, listeners: Listeners):
        self._settings, self.mouth, self._listeners = settings, mouth, listeners
        self.policy = Policy(settings, now())
        self.captions = Captions(settings, listeners.caption)
        self._captioned = ''   # key of the request that was shown last
        self.spoken = 0
        self._put_off: list[tuple[str, dict[str, object]]] = []

    def request(self, request: Request) -> None:
        self.perform(self.policy.speaking.request(now(), request))

    def partial(self, partial: Any) -> None:
        self.perform(self.policy.overheard.partial(now(), partial))

    def description(self, description: Any) -> None:
        self.perform(self.policy.overheard.description(now(), description))

    def say(self, message: str, about: str = '', **values: object) -> None:
        """One of the system's own phrases, as an answer to a person. `about`: the question that it answers."""
        policy = self.policy
        self.perform(policy.overheard.say(now(), policy.rendering.own_sentences(message, **values), about))

    def volunteer(self, message: str, **values: object) -> None:
        """One of the system's own phrases, of its own accord; what cuts it short or silences it only puts it off.

        While muted it is told with its first word, which goes out as a caption.
        """
        begun = []

        def ended(code: int) -> None:
            if code in (Superseded.code, Hushed.code) or code == Muted.code and not begun:
                self._put_off.append((message, values))
        items = self.policy.rendering.own_sentences(message, **values)
        self.perform(self.policy.volunteer(now(), items, f'own {now()}', ended, on_begun=begun.append))

    def cancel(self, key: str) -> None:
        self.perform(self.policy.speaking.cancel(now(), key))

    def hush(self) -> None:
        # The sound first, then the books.
        self.mouth.stop()
        self.captions.clear()
        self.perform(self.policy.speaking.hush(now(), self.policy.overheard.growing()))
        self.mouth.note({'event': 'hush', 'at': now()})

    def mute(self, muted: bool) -> None:
        self.perform(self.policy.speaking.mute(now(), muted))
        self.mouth.note({'event': 'mute' if muted else 'unmute', 'at': now()})

    def tick(self) -> None:
        """To be called a few times a second."""
        self.mouth.tick()
        self.captions.tick(now())
        self.perform(self.policy.tick(now()))
        if self._put_off and self.policy.speaking.may_volunteer(now()) and not self.policy.speaking.busy:
            message, values = self._put_off.pop(0)
            self.volunteer(message, **values)

    def end(self, why: str) -> None:
        """Silence; every open request is answered."""
        self.perform(self.policy.speaking.end(why))

    def close(self) -> None:
        self.mouth.close()

    def perform(self, acts: Sequence[Act]) -> None:
        """Does what the policy has decided."""
        for act in acts:
            if isinstance(act, Stop):
                self.mouth.stop()
            elif isinstance(act, Speak):
                self._speak(act)
            elif isinstance(act, Done):
                self._done(act)
            elif isinstance(act, Cue):
                self._listeners.cue(act.name)
            else:
                self._arrived(act)

    def _speak(self, act: Speak) -> None:
        self.mouth.say(self._utterance(act), act.aloud, lambda at: self._started(act, at),
                       lambda finished: self._ended(act, finished))
        if isinstance(act.item, Earcon):
            self._listeners.cue(act.item.name)
        else:
            self._show(act.request, act.item)
            self._listeners.sentence(act.request, act.item)

    def _utterance(self, act: Speak) -> Utterance:
        request, settings = act.request, self._settings()
        asked = request.priority in (ASKED, URGENT)
        if isinstance(act.item, Earcon):
            return Utterance(earcon=act.item.name, volume=settings.volume, group=request.key, asked=asked)
        return Utterance(act.item.text, act.item.language or request.language or settings.language,
                         request.rate_wpm or settings.rate_wpm, request.key, pitch=settings.pitch,
                         volume=settings.volume, voice_name=settings.voice_name, asked=asked)

    def _show(self, request: Request, sentence: Sentence) -> None:
        caption = sentence.text if sentence.caption is None else sentence.caption
        if caption:
            new, self._captioned = request.key != self._captioned, request.key
            self.captions.add(now(), request.key, caption, at_once=new and request.priority in (ASKED, URGENT))

    def _started(self, act: Speak, at: float) -> None:
        self.policy.speaking.started(now(), act.number)
        what = {'earcon': act.item.name} if isinstance(act.item, Earcon) else {'sentence': act.item.text}
        self.mouth.note({'event': 'first_sample', 'at': at, 'id': act.request.key, **what})

    def _ended(self, act: Speak, finished: Finished) -> None:
        speaking, request = self.policy.speaking, act.request
        if finished.silenced:   # by the screen reader's key: a hush for this alone
            speaking.silence.add([request.about] if request.about else [])
            self.perform(speaking.cancel(now(), request.key, Hushed.code))
        else:
            if isinstance(act.item, Sentence):
                self.captions.spoken(request.key)
            self.perform(speaking.ended(now(), act.number, heard=finished.audible))

    def _arrived(self, act: Arrived) -> None:
        request = act.request
        self.mouth.note({'event': 'request', 'at': now(), 'id': request.key, 'about': request.about,
                         'priority': PRIORITY_NAMES[request.priority], 'text': request.text})

    def _done(self, act: Done) -> None:
        self.spoken += act.code == 0
        if act.code == Hushed.code:
            self.captions.silence(act.request.key)
        elif act.code in _CUT:
            self.captions.drop(act.request.key)
        self.mouth.note({'event': 'end', 'at': now(), 'id': act.request.key, 'reason': _ENDINGS.get(act.code, '?'),
                         'error_code': act.code, 'spoken_chars': act.request.heard_chars})
        self._listeners.done(act)
