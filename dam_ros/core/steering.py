"""What a person wants of what was said: again, more, before, after, wait, how it is spelt, how you are.

All of it refers to what the person has heard, not to what was computed last. What only the describer can answer is
returned as a Question; who asks it is not known here.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
import math
import uuid

from dam_ros.core import phrases
from dam_ros.core.describing import FULL, NORMAL, READ
from dam_ros.core.overheard import Overheard
from dam_ros.core.phrases import joined, phrase
from dam_ros.core.present_labels import PresentLabels
from dam_ros.core.rendering import Rendering
from dam_ros.core.seeing import GOOD, RUNNING, Seeing, UNKNOWN
from dam_ros.core.speakable import pronounceable, Sentence
from dam_ros.core.speaking import Speaking
from dam_ros.core.speech_acts import Act, ASKED, Item, Request
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.spelling import spelled


@dataclass(frozen=True)
class Question:
    """What the describer is asked on behalf of a person.

    Attributes:
        about: id of an earlier description; '' = the newest picture, or of it `label` (-1: all of it) of `camera`.
        query: '' = describe.
        detail: as in DescribeRegion.
        continues: what was heard of `about` is not told again.
    """

    about: str = ''
    camera: str = ''
    label: int = -1
    query: str = ''
    detail: int = NORMAL
    continues: bool = False


@dataclass(frozen=True)
class Reply:
    """What comes of a command.

    Attributes:
        ok: whether it could be done.
        message: what is done, for whoever called the service.
        acts: to be performed at once.
        question: to be asked, None = nothing.
    """

    ok: bool
    message: str
    acts: Sequence[Act] = ()
    question: Question | None = None


@dataclass(frozen=True)
class Condition:
    """What `status` tells that is not known here. `charge`: 0..1, NaN unknown. `narration`: 'off', 'new', 'all'."""

    narration: str
    charge: float = math.nan


class Steering:
    """`settings`: as they count now."""

    def __init__(self, settings: Callable[[], SpeechSettings], speaking: Speaking, overheard: Overheard,
                 rendering: Rendering, seeing: Seeing, present: PresentLabels):
        self._settings, self._speaking, self._overheard = settings, speaking, overheard
        self._rendering, self._seeing, self._present = rendering, seeing, present

    def repeat(self, now: float) -> Reply:
        """What the person heard last, once more from its beginning."""
        uttered = self._speaking.heard.uttered
        if uttered is None:
            return self._cannot(now, phrases.NOTHING_SAID_YET)
        return self._say_again(now, uttered, 'repeating')

    def back(self, now: float) -> Reply:
        """What was heard before the last thing."""
        before = self._speaking.heard.beside(-1)
        if before is None:
            nothing = self._speaking.heard.last is None
            return self._cannot(now, phrases.NOTHING_SAID_YET if nothing else phrases.NOTHING_BEFORE)
        return self._say_again(now, before, 'saying what was said before')

    def next(self, now: float) -> Reply:
        """What was heard after the last thing; behind the newest, what stands next to it in the picture."""
        heard = self._speaking.heard
        after = heard.beside(1)
        if after is not None:
            return self._say_again(now, after, 'saying what was said after it')
        camera, label = self._overheard.place_of(heard.last.about) if heard.last is not None else ('', -1)
        others = [thing.label for thing in self._present.things(camera)]
        later = others[others.index(label) + 1:] if label in others else others
        if not later:
            return self._cannot(now, phrases.NOTHING_SAID_YET if heard.last is None else phrases.NOTHING_AFTER)
        return Reply(True, f'asking about label {later[0]}', question=Question(camera=camera, label=later[0]))

    def more(self, now: float) -> Reply:
        """The rest of what the person heard last."""
        last = self._speaking.heard.last
        if last is None:
            return self._cannot(now, phrases.NOTHING_SAID_YET)
        if self._overheard.is_growing(last.about):
            return Reply(True, 'the rest comes as it is written', self._overheard.all_of(now, last.about))
        rest = self._overheard.rest(now, last.about)
        if rest:
            acts = self._speaking.add_to(now, last.about, rest, whole=True)   # the sentence that sounds is not cut
            message = 'saying all that is known of it'
            return self._perform(now, _again(last, rest, now), message) if acts is None else Reply(True, message, acts)
        if not self._overheard.known.is_askable(last.about) or self._overheard.known.is_all(last.about):
            return self._cannot(now, phrases.ALL_SAID, ok=True)
        question = Question(about=last.about, detail=FULL, continues=True)
        return Reply(True, f'asked for all that can be said of {last.about}', question=question)

    def ask(self, now: float, query: str) -> Reply:
        """A question in words, about the last thing; where that was long ago, about the newest picture."""
        heard = self._speaking.heard
        recent = heard.last is not None and now - heard.when <= self._settings().refer_for_s
        about = heard.last.about if recent else ''
        if not pronounceable(query):   # what speech-to-text makes of a cough
            return Reply(False, 'there are no words in it')
        return Reply(True, 'asked', question=Question(about=self._subject(about), query=query.strip()))

    def read(self, now: float) -> Reply:
        """The letters in what was heard last."""
        last = self._speaking.heard.last
        about = self._subject(last.about) if last is not None else ''
        return Reply(True, f'reading {about or "the newest picture"}', question=Question(about=about, detail=READ))

    def spell(self, now: float) -> Reply:
        """The last word that was heard, letter by letter."""
        spoken = self._speaking.heard.spoken
        word = spoken.text if spoken is not None else ''
        language = spoken.language or self._settings().language if spoken is not None else ''
        letters = spelled(word, language) if word else ''
        if not letters:
            return self._cannot(now, phrases.NO_WORD_TO_SPELL)
        sentence = Sentence(letters, 0, 0, language=language)
        return Reply(True, letters, self._overheard.say(now, [sentence]))

    def pause(self, now: float) -> Reply:
        """Waits, or goes on."""
        found, acts = self._speaking.pause(now)
        if not found:
            return self._cannot(now, phrases.NOTHING_TO_PAUSE)
        return Reply(True, 'waiting; once more goes on' if self._speaking.paused else 'going on', acts)

    def quiet(self, now: float) -> Reply:
        """Only what is asked for is spoken, or everything again."""
        only = not self._speaking.silence.only_answers
        acts = self._speaking.quiet(now, only)
        acts += self._overheard.say(now, self._rendering.own_sentences(phrases.QUIET_ON if only else phrases.QUIET_OFF))
        return Reply(True, 'only what is asked for is spoken' if only else 'everything is spoken again', acts)

    def help(self, now: float) -> Reply:
        """The commands."""
        items = [item for one in phrases.HELP for item in self._rendering.own_sentences(one)]
        return Reply(True, ' '.join(one.text for one in items), self._overheard.say(now, items))

    def status(self, now: float, condition: Condition) -> Reply:
        """How it is, in one sentence."""
        text = joined(self._status(now, condition))
        sentence = Sentence(text.text, 0, 0, language=text.language)
        return Reply(True, text.text, self._overheard.say(now, [sentence]))

    # -- inside

    def _status(self, now: float, condition: Condition) -> list:
        def own(message: str, **values: object):
            return phrase(message, self._settings().language, **values)

        running = self._seeing.describer(now) == RUNNING
        sees, age_s = self._seeing.sees(), self._seeing.picture_age_s(now)
        if not running:
            parts = [own(phrases.STARTING if self._seeing.describer(now) == UNKNOWN else phrases.NO_DESCRIBER)]
        elif sees is None:
            parts = []
        elif sees.state == GOOD:
            parts = [own(phrases.READY)]
        else:
            parts = [phrases.of_sight(sees.state, self._settings().language, sees.camera)]
        if math.isfinite(age_s):
            parts.append(own(phrases.PICTURE_AGE, seconds=round(age_s, 1)))
        elif running and (sees is None or sees.state == GOOD):
            parts.append(own(phrases.NO_PICTURE))
        narration = {'off': phrases.NARRATION_IS_OFF, 'new': phrases.NARRATION_IS_NEW, 'all': phrases.NARRATION_IS_ALL}
        parts.append(own(narration[condition.narration]))
        parts += [own(words) for words, said in ((phrases.IS_QUIET, self._speaking.silence.only_answers),
                                                 (phrases.IS_MUTED, self._speaking.muted),
                                                 (phrases.PAUSED, self._speaking.paused)) if said]
        if math.isfinite(condition.charge):
            parts.append(own(phrases.BATTERY, percent=round(condition.charge * 100)))
        return parts

    def _subject(self, about: str) -> str:
        """What a question about it can be about; '' = the newest picture."""
        return about if self._overheard.known.is_askable(about) or self._overheard.is_growing(about) else ''

    def _cannot(self, now: float, message: str, ok: bool = False) -> Reply:
        text = self._rendering.own(message).text
        return Reply(ok, text, self._overheard.say(now, self._rendering.own_sentences(message)))

    def _say_again(self, now: float, thing: Request, message: str) -> Reply:
        begun: list[Item] = thing.sentences[:thing.next + 1]
        return self._perform(now, _again(thing, begun, now), message)

    def _perform(self, now: float, request: Request, message: str) -> Reply:
        return Reply(True, message, self._speaking.request(now, request))


def _again(request: Request, items: Sequence[Item], now: float) -> Request:
    """The same once more, because a person wants it."""
    return replace(request, key=f'again {uuid.uuid4()}', priority=ASKED, sentences=list(items), began=now,
                   valid_until=math.inf, open=False, on_demand=True, origin=request.origin or request, check=None,
                   on_done=None, next=0, heard_chars=0, shortfall=0)
