"""How a describer's sentences become what a person is told: words, doubt, caution, and where the thing is.

It decides nothing about when; it knows no messages, only what was read of them.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
import math

from dam_ros.core import caution, phrases
from dam_ros.core.directions import direction, Whereabouts
from dam_ros.core.headings import Headings
from dam_ros.core.phrases import phrase, Worded
from dam_ros.core.speakable import cut, pronounceable, Sentence
from dam_ros.core.speech_acts import Earcon, Item, SPEAK_ASKED, UNSURE
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.wording import as_spoken

_TELL_PLACES = ('attributes',)   # describers whose text says itself where in the picture something is
_AT_ONCE = 8   # sentences; wording one takes up to 1 ms, and somebody may say "stop" meanwhile


@dataclass(frozen=True)
class Answer:
    """What is known of an answer before its first word is spoken.

    Attributes:
        asked: a person waits for it; otherwise it is volunteered.
        query: the question, '' = describe.
        language: BCP 47, of its sentences.
        stamp_ns: of the picture, in the describer's clock.
        taken: s, when the picture was taken, in ours (the steady clock).
        began: s, when it was asked for.
    """

    id: str
    asked: bool
    began: float
    taken: float
    query: str = ''
    language: str = ''
    camera: str = ''
    label: int = -1
    stamp_ns: int = 0
    where: Whereabouts | None = None


def answer_of(message: object, now: float, began: float, placed: bool) -> Answer:
    """Of a message with the fields of Description.msg (or Partial.msg) that has just come.

    Args:
        began: s, when it was asked for.
        placed: where the thing is is to be told.
    """
    stamp = message.header.stamp
    known = math.isfinite(message.age_s) and message.age_s > 0.0   # 0: never filled in
    return Answer(id=message.id, asked=message.speak == SPEAK_ASKED, began=began,
                  taken=now - message.age_s if known else min(began, now), query=message.query,
                  language=message.language, camera=message.camera, label=message.label,
                  stamp_ns=stamp.sec * 1_000_000_000 + stamp.nanosec, where=whereabouts(message) if placed else None)


class Rendering:
    """Makes items of sentences. `settings`: as they count now."""

    def __init__(self, settings: Callable[[], SpeechSettings], headings: Headings):
        self._settings, self._headings = settings, headings

    def own(self, message: str, **values: object) -> Sentence:
        """One of the system's own phrases, in the language of the listener, as one sentence."""
        worded = phrase(message, self._settings().language, **values)
        return Sentence(worded.text, 0, 0, language=worded.language)

    def own_sentences(self, message: str, **values: object) -> list[Item]:
        """The same of a phrase of several sentences."""
        return spoken(phrase(message, self._settings().language, **values))

    def opening(self, answer: Answer, sentences: Sequence[Sentence], confidence: float) -> list[Item] | None:
        """The beginning of an answer. None: not even its beginning is certain enough, see `abstaining`.

        Args:
            sentences: the first, and others that came with it.
            confidence: of the first, 0..1, NaN unknown.
        """
        settings = self._settings()
        if confidence < settings.abstain_below:
            return None
        told, later = self._told(answer, sentences)
        if not told:
            return []
        items: list[Item] = [lambda now: self._age(now, answer)] if answer.asked else []
        items += self._cautioned(answer, told)
        items += self._doubted(told[:1], confidence < settings.doubt_below, phrases.PERHAPS)
        return items + self.where(answer) + told[1:] + later

    def where(self, answer: Answer) -> list[Item]:
        """Where the thing is; whether that holds is looked at when its turn comes. [] where it is not to be said."""
        if not self._settings().say_where or answer.query or answer.where is None:
            return []
        return [lambda now: self._direction(now, answer)]

    def further(self, answer: Answer, sentences: Sequence[Sentence], confidence: float) -> list[Item]:
        """Sentences after the beginning; `confidence` is theirs."""
        told, later = self._told(answer, sentences)
        doubted = self._doubted(told, confidence < self._settings().doubt_below, phrases.UNCERTAIN)
        if self._claims_safety(told):
            doubted.insert(0, self.own(phrases.CANNOT_TELL_SAFE))
        return doubted + later

    def withheld(self, answer: Answer, sentences: Sequence[Sentence]) -> list[Item]:
        """What was kept back for doubt, now that the person wants it all the same."""
        told, later = self._told(answer, sentences)
        return self._cautioned(answer, told) + self._doubted(told, True, phrases.PERHAPS) + later

    def letters(self, sentences: Sequence[Sentence], none: bool) -> list[Item]:
        """What a reader has read, which is never certain. `none`: it has found nothing that it can read."""
        if none:
            return [self.own(phrases.NO_LETTERS)]
        first = self.own(phrases.TEXT_PERHAPS)
        return [replace(first, text=first.text[:1].upper() + first.text[1:]), *sentences]

    def abstaining(self, answer: Answer) -> list[Item]:
        """Instead of an answer."""
        return [*self._cautioned(answer, []), Earcon(UNSURE), self.own(phrases.NOT_SURE)]

    # -- inside

    def _told(self, answer: Answer, sentences: Sequence[Sentence]) -> tuple[list[Sentence], list[Item]]:
        """As a person says it: the first of them now, the others when their turn comes."""
        told: list[Sentence] = []
        for place, one in enumerate(sentences):
            if len(told) == _AT_ONCE:
                return told, [item for later in sentences[place:] for item in self._later(answer, later)]
            worded = self._worded(answer, one)
            if worded is not None:
                told.append(worded)
        return told, []

    def _later(self, answer: Answer, sentence: Sentence) -> list[Item]:
        def cautioned(_now: float) -> Sentence | None:
            claims = answer.asked and caution.claims_safety(sentence.text)
            return self.own(phrases.CANNOT_TELL_SAFE) if claims else None
        return [cautioned, lambda _: self._worded(answer, sentence)]

    def _worded(self, answer: Answer, one: Sentence) -> Sentence | None:
        """None where nothing is left to be said; what claims safety is never volunteered."""
        if not pronounceable(one.text) or (not answer.asked and caution.claims_safety(one.text)):
            return None
        language = answer.language or self._settings().language
        worded = replace(one, text=as_spoken(one.text, language), source=one.text, language=answer.language)
        return worded if pronounceable(worded.text) else None   # of marks alone nothing is left

    def _cautioned(self, answer: Answer, told: Sequence[Sentence]) -> list[Item]:
        return [self.own(phrases.CANNOT_TELL_SAFE)] if self._touches_safety(answer, told) else []

    def _age(self, now: float, answer: Answer) -> Sentence | None:
        """How old the picture is that a person asked about, where that matters."""
        age_s = now - answer.taken
        if age_s <= self._settings().old_picture_s and not self._tells_gone_place(now, answer):
            return None
        return self.own(phrases.PICTURE_AGE, seconds=max(round(age_s), 1))

    def _tells_gone_place(self, now: float, answer: Answer) -> bool:
        """Its own words say where in the picture it is, and the camera has turned since."""
        return answer.where is not None and answer.where.told and not self._holds(now, answer)

    def _holds(self, now: float, answer: Answer) -> bool:
        return self._headings.still_holds(now, answer.camera, answer.stamp_ns, now - answer.taken)

    def _doubted(self, told: list[Sentence], doubtful: bool, message: str) -> list[Item]:
        """The words of doubt are a sentence of their own, as their language may be another one; but one caption."""
        if not (doubtful and told):
            return list(told)
        doubt, first = self.own(message), told[0]
        announced = replace(doubt, start=first.start, end=first.start, caption=f'{doubt.text} {first.text}')
        return [Earcon(UNSURE), announced, replace(first, caption=''), *told[1:]]

    def _touches_safety(self, answer: Answer, told: Sequence[Sentence]) -> bool:
        return caution.asks_about_safety(answer.query) or self._claims_safety(told)

    @staticmethod
    def _claims_safety(told: Sequence[Sentence]) -> bool:
        return any(caution.claims_safety(one.source) for one in told)

    def _direction(self, now: float, answer: Answer) -> Sentence | None:
        worded = direction(answer.where, self._settings(), self._settings().language, self._holds(now, answer))
        return None if worded is None else Sentence(worded.text, 0, 0, language=worded.language)


def spoken(worded: Worded) -> list[Item]:
    """The sentences of the system's own words."""
    return [replace(one, language=worded.language) for one in cut(worded.text)]


def whereabouts(message: object) -> Whereabouts | None:
    """What a message with the fields of Description.msg (or Partial.msg) says of the place; None where it says nothing.

    A message that was never filled in says 0 m, straight ahead: where neither an hour nor words are there, its numbers
    mean nothing, and 0 m mean that the distance is unknown.
    """
    if not (message.where or message.clock_hour):
        return None
    return Whereabouts(bearing_rad=message.bearing_rad if message.clock_hour else math.nan,
                       clock_hour=message.clock_hour, distance_m=message.distance_m or math.nan, where=message.where,
                       in_camera_frame=message.where_frame in ('', message.header.frame_id),
                       told=message.describer in _TELL_PLACES)
