"""Speaks with the best voice that works: tries again, takes the next, ends in silence with captions.

One thread calls everything; what the voices tell from theirs comes through `post`. It knows no policy and no ROS.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
import itertools
import math
from typing import Any

from dam_ros.voices import candidates, create
from dam_ros.voices.protocol import Event, Failed, Finished, Started, Utterance, Voice, VoiceError
from dam_ros.voices.synthesized import now

RETRY_S = 10.0          # how long a voice that failed is left alone
_LONGEST_REST_S = 320.0   # the same of one that lets somebody wait each time: twice as long each time, up to this
_SOON_S = 0.5           # who fails within this lets nobody wait
_START_LIMIT_S = 12.0   # longer than any voice allows itself before its first sample
_END_LIMIT_S = 10.0     # the same, after the sound should be over
_AGAIN = '; the next sentence tries it again'


@dataclass
class _Candidate:
    """A voice that may speak.

    Attributes:
        why: of its last failure, or what does not work although it speaks; '' = nothing.
        failed: it has not been heard since it failed.
        failed_at: s.
        rest_s: how long it then rests; 0 = it has not failed since it last spoke to the end.
        slow: somebody waited for it when it failed.
    """

    name: str
    make: Callable[[], Voice]
    voice: Voice | None = None
    why: str = ''
    failed: bool = False
    failed_at: float = -math.inf
    rest_s: float = 0.0
    slow: bool = False

    def awake(self) -> Voice:
        if self.voice is None:
            self.voice = self.make()
        return self.voice

    def drop(self, wait_s: float = 0.0) -> None:
        voice, self.voice = self.voice, None
        if voice is not None:
            voice.close(wait_s)

    def rest(self, why: str, waited_s: float = 0.0) -> None:
        """It failed, after somebody waited for it this long."""
        self.slow = waited_s > _SOON_S
        self.rest_s = min(2 * self.rest_s, _LONGEST_REST_S) if self.slow and self.rest_s else RETRY_S
        self.why, self.failed, self.failed_at = why, True, now()

    def rested(self, asked: bool) -> bool:
        """Whether it is to be tried. One that let somebody wait is left alone twice as long by answers, so that what
        nobody waits for tries it first."""
        return now() >= self.failed_at + self.rest_s * (2 if asked and self.slow else 1)


@dataclass
class _Sentence:
    """What is being spoken. `started` and `ended`: see `Mouth.say`."""

    token: int
    utterance: Utterance
    aloud: bool
    started: Callable[[float], None]
    ended: Callable[[Finished], None]
    candidate: _Candidate | None = None
    tried_again: bool = False
    since: float = field(default_factory=now)
    limit_s: float = _START_LIMIT_S


class Mouth:
    """`makers`: (name, factory) of the voices in the order of preference; `silent` is added as the last.

    `post(call, *arguments)` makes the call in the thread that owns this object.
    """

    def __init__(self, makers: Sequence[tuple[str, Callable[[], Voice]]], post: Callable[..., None]):
        self._candidates = [_Candidate(name, make) for name, make in makers if name != 'silent']
        self._silent = _Candidate('silent', lambda: create('silent'))
        self._post = post
        self._tokens = itertools.count(1)
        self._sentence: _Sentence | None = None

    def check(self) -> None:
        """Finds out which voice works, down to the first that does. May take some seconds."""
        for candidate in self._candidates:
            try:
                candidate.why = candidate.awake().check()
            except VoiceError as error:
                candidate.why = str(error)
            if not candidate.why:
                return
            candidate.rest(candidate.why)

    def say(self, utterance: Utterance, aloud: bool, started: Callable[[float], None],
            ended: Callable[[Finished], None]) -> None:
        """Instead of what is being spoken. `started(at)` and then, once, `ended(finished)` unless `stop` was called.

        Args:
            aloud: False = pace it only.
        """
        self._sentence = _Sentence(next(self._tokens), utterance, aloud, started, ended)
        self._start()

    def stop(self) -> None:
        """Silence."""
        sentence, self._sentence = self._sentence, None
        if sentence is not None and sentence.candidate is not None and sentence.candidate.voice is not None:
            sentence.candidate.voice.stop()

    def tick(self) -> None:
        """To be called every second or so: replaces a voice that does not even fail."""
        sentence = self._sentence
        if sentence is not None and now() > sentence.since + sentence.limit_s:
            sentence.candidate.drop()
            self._failed(sentence, Failed(f'the voice {sentence.candidate.name} hangs; it was replaced'))

    def note(self, event: Mapping[str, Any]) -> None:
        """Passes an event of the policy to the voices that keep a record. A full disk is a reason in `state`."""
        for candidate in self._candidates:
            if candidate.voice is not None:
                try:
                    candidate.voice.note(event)
                except VoiceError as error:
                    candidate.why = str(error)

    @property
    def name(self) -> str:
        """Of the voice that speaks or spoke last; one that failed does not count until it is heard again."""
        return next((one.name for one in self._candidates if not one.failed), self._silent.name)

    @property
    def audible(self) -> bool:
        return not all(one.failed for one in self._candidates)

    def reasons(self) -> dict[str, str]:
        """Why the voices that do not work do not, and which of them is tried again: name to words."""
        return {one.name: one.why + (_AGAIN if one.failed and one.rested(asked=False) else '')
                for one in self._candidates if one.why}

    def close(self) -> None:
        self._sentence = None
        for candidate in (*self._candidates, self._silent):
            candidate.drop(wait_s=1.0)

    # -- inside

    def _choose(self, aloud: bool, asked: bool) -> _Candidate:
        """The best that is not resting. Where none is, a long rest is over sooner: better late than silent."""
        if not aloud:
            return self._silent
        soon = (one for one in self._candidates if now() >= one.failed_at + RETRY_S)
        return next((one for one in self._candidates if one.rested(asked)), next(soon, self._silent))

    def _start(self) -> None:
        sentence = self._sentence
        sentence.candidate = self._choose(sentence.aloud, sentence.utterance.asked)
        sentence.since, sentence.limit_s = now(), _START_LIMIT_S
        token = sentence.token = next(self._tokens)
        try:
            sentence.candidate.awake().start(sentence.utterance, lambda event: self._post(self._heard, token, event))
        except VoiceError as error:
            self._failed(sentence, Failed(str(error)))

    def _heard(self, token: int, event: Event) -> None:
        sentence = self._sentence
        if sentence is None or sentence.token != token:
            return
        if isinstance(event, Started):
            sentence.since, sentence.limit_s = now(), _END_LIMIT_S + _slowest_s(sentence.utterance)
            if not sentence.utterance.earcon:   # speech-dispatcher's are not its own
                sentence.candidate.failed = False
            sentence.started(event.at)
        elif isinstance(event, Failed):
            self._failed(sentence, event)
        elif self._proves_nothing(sentence, event):
            self._failed(sentence, Failed(sentence.candidate.why))
        else:
            self._finished(sentence, event)

    @staticmethod
    def _proves_nothing(sentence: _Sentence, event: Finished) -> bool:
        """Whether a voice that has failed drops the sentence, as speech-dispatcher does with narration."""
        return sentence.candidate.failed and not (event.audible or event.silenced or sentence.utterance.earcon)

    def _finished(self, sentence: _Sentence, event: Finished) -> None:
        self._sentence, candidate = None, sentence.candidate
        if event.trouble or not candidate.failed:
            candidate.why = event.trouble
        if event.audible and not sentence.utterance.earcon:
            candidate.rest_s = 0.0
        sentence.ended(replace(event, audible=candidate.voice.audible and event.audible))

    def _failed(self, sentence: _Sentence, failed: Failed) -> None:
        candidate = sentence.candidate
        if candidate is self._silent:   # cannot happen, but nobody shall wait for ever
            self._sentence = None
            sentence.ended(Finished(now(), audible=False))
            return
        if failed.again and not sentence.tried_again:
            sentence.tried_again = True
            candidate.why = failed.reason
        else:
            candidate.rest(failed.reason, now() - sentence.since)
            sentence.tried_again = False
        self._start()


def makers_of(name: str, options: Mapping[str, Any]) -> list[tuple[str, Callable[[], Voice]]]:
    """What Mouth takes, for a value of the parameter `voice`; the options are those of `dam_ros.voices`."""
    return [(one, lambda one=one: create(one, options)) for one in candidates({**options, 'voice': name})]


def _slowest_s(utterance: Utterance) -> float:
    """No voice takes longer for this: a character that is spelt out takes a second at most."""
    return len(utterance.text) * 175.0 / max(utterance.rate_wpm, 1.0)
