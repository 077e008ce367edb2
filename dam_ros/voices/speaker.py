"""Lets the policy have a mouth: performs its acts with a voice and tells it what became of them.

One thread calls everything. It knows no ROS: captions, feedback and results go out through the functions given to it.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dam_ros.core.overheard import Overheard
from dam_ros.core.speakable import Sentence
from dam_ros.core.speaking import Speaking
from dam_ros.core.speech_acts import Act, Arrived, Done, PRIORITY_NAMES, Request, Speak, Stop
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.voices.mouth import Mouth
from dam_ros.voices.protocol import Utterance
from dam_ros.voices.synthesized import now

_ENDINGS = {0: 'spoken', 10202: 'cancelled', 10203: 'superseded', 10400: 'hushed', 10401: 'muted', 10402: 'no voice',
            10403: 'too late'}


class Speaker:
    """Speaking, Overheard and Mouth as one.

    Args:
        settings: the settings as they count now.
        on_sentence: (request, sentence): it is spoken now, or would be.
        on_done: (done): the one outcome of a request.

    Attributes:
        spoken: how many requests were spoken to the end.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], mouth: Mouth,
                 on_sentence: Callable[[Request, Sentence], None], on_done: Callable[[Done], None]):
        self._settings, self.mouth = settings, mouth
        self._on_sentence, self._on_done = on_sentence, on_done
        self.speaking = Speaking(settings, now())
        self.overheard = Overheard(self.speaking, settings)
        self.spoken = 0

    def request(self, request: Request) -> None:
        self._perform(self.speaking.request(now(), request))

    def partial(self, partial: Any) -> None:
        self._perform(self.overheard.partial(now(), partial))

    def description(self, description: Any) -> None:
        self._perform(self.overheard.description(now(), description))

    def phrase(self, phrase: str) -> None:
        """One of the system's own sentences, as an answer to a person."""
        self._perform(self.overheard.say(now(), phrase))

    def cancel(self, key: str) -> None:
        self._perform(self.speaking.cancel(now(), key))

    def hush(self) -> None:
        # The sound first, then the books.
        self.mouth.stop()
        self._perform(self.speaking.hush(now(), self.overheard.growing()))
        self.mouth.note({'event': 'hush', 'at': now()})

    def mute(self, muted: bool) -> None:
        self._perform(self.speaking.mute(now(), muted))
        self.mouth.note({'event': 'mute' if muted else 'unmute', 'at': now()})

    def repeat(self) -> bool:
        """False where nothing was said yet."""
        found, acts = self.overheard.repeat(now())
        self._perform(acts)
        return found

    def more(self) -> str:
        """The id of the description that the describer should be asked about, '' where there is no need."""
        about, acts = self.overheard.more(now())
        self._perform(acts)
        return about

    def tick(self) -> None:
        """To be called a few times a second."""
        self.mouth.tick()
        self._perform(self.overheard.tick(now()))
        self._perform(self.speaking.tick(now()))

    def end(self, why: str) -> None:
        """Silence; every open request is answered."""
        self._perform(self.speaking.end(why))

    def close(self) -> None:
        self.mouth.close()

    def _perform(self, acts: Sequence[Act]) -> None:
        for act in acts:
            if isinstance(act, Stop):
                self.mouth.stop()
            elif isinstance(act, Speak):
                self._speak(act)
            elif isinstance(act, Done):
                self._done(act)
            else:
                self._arrived(act)

    def _speak(self, act: Speak) -> None:
        request, settings = act.request, self._settings()
        utterance = Utterance(act.sentence.text, request.language or settings.language,
                              request.rate_wpm or settings.rate_wpm, request.key)
        self.mouth.say(utterance, act.aloud, lambda at: self._started(act, at),
                       lambda at, audible: self._ended(act, audible))
        self._on_sentence(request, act.sentence)

    def _started(self, act: Speak, at: float) -> None:
        self.speaking.started(now(), act.number)
        self.mouth.note({'event': 'first_sample', 'at': at, 'id': act.request.key, 'sentence': act.sentence.text})

    def _ended(self, act: Speak, audible: bool) -> None:
        self._perform(self.speaking.ended(now(), act.number, heard=audible))

    def _arrived(self, act: Arrived) -> None:
        request = act.request
        self.mouth.note({'event': 'request', 'at': now(), 'id': request.key, 'about': request.about,
                         'priority': PRIORITY_NAMES[request.priority],
                         'text': ' '.join(sentence.text for sentence in request.sentences)})

    def _done(self, act: Done) -> None:
        self.spoken += act.code == 0
        self.mouth.note({'event': 'end', 'at': now(), 'id': act.request.key, 'reason': _ENDINGS.get(act.code, '?'),
                         'error_code': act.code, 'spoken_chars': act.request.heard_chars})
        self._on_done(act)
