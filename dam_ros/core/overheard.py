"""What is to be spoken of the answers that go by on `~/partial` and `~/description`.

Sentences are spoken as they complete; the Description that follows is the truth and adds what was missed. It reads
messages by their field names and does not know ROS, nor when its requests will be spoken: that is `speaking`'s.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
import math
from typing import Any
import uuid

from dam_ros.core import errors, phrases
from dam_ros.core.answering import first_of
from dam_ros.core.confirming import Confirming
from dam_ros.core.freshness import Freshness
from dam_ros.core.growing import Growing, unheard
from dam_ros.core.heard import same
from dam_ros.core.known_answers import KnownAnswers
from dam_ros.core.recent import Recent
from dam_ros.core.rendering import Answer, answer_of, Rendering
from dam_ros.core.shortening import length
from dam_ros.core.speakable import cut, Sentence
from dam_ros.core.speaking import Speaking
from dam_ros.core.speech_acts import (Act, ASKED, Earcon, ERROR, HEARD, Item, Request, SPEAK_ASKED, SPEAK_TOLD,
                                      TOLD)
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.text import BRIEF_WORDS

_TAKEN_BACK = (errors.Cancelled.code, errors.Superseded.code)
_GROWING = 64    # answers at once; one that never gets its Description is forgotten in time
_SETTLED = 256   # ids
_LAST_PIECE_S = 0.3   # the two topics may overtake each other: how long a Description waits for the last Partial, ...
_OUTCOME_S = 2.0      # ... and how long the last Partial waits for its Description
_COMPARED = 8         # sentences that say whether it is the same again
_READER = 'tesseract'  # Description.describer of what was read and not described


class Overheard:
    """Turns answers into requests of `speaking`. Every method returns the acts it leads to.

    Attributes:
        known: what was described.
        on_failure: told the ErrorCode of each failure that a person is told of.
    """

    def __init__(self, speaking: Speaking, settings: Callable[[], SpeechSettings], rendering: Rendering,
                 freshness: Freshness):
        self._speaking, self._settings = speaking, settings
        self._rendering, self._freshness = rendering, freshness
        self.known = KnownAnswers(settings().remember)
        self.on_failure: Callable[[int], None] = lambda code: None
        self._growing: Recent[Growing] = Recent(_GROWING)
        self._settled: Recent[None] = Recent(_SETTLED)              # ids whose outcome was dealt with
        self._confirming = Confirming(settings, rendering)

    def asked(self, now: float, id: str) -> list[Act]:
        """A person asks something, and the answer will come under this id: says at once that it was heard."""
        if self._confirming.is_done(id) or id in self._settled or self._speaking.silence.covers(id, now):
            return []
        return self._speaking.question(now, id, self._confirming.items(id))

    def partial(self, now: float, partial: Any) -> list[Act]:
        """A piece of a growing answer; `partial` has the fields of Partial.msg."""
        if partial.speak not in (SPEAK_TOLD, SPEAK_ASKED) or partial.id in self._settled:
            return []
        growing, acts = self._growing.get(partial.id), []
        if growing is None:
            # Whoever joins in the middle does not know when it began, so it waits for the Description.
            asked = partial.speak == SPEAK_ASKED
            growing = self._growing.put(partial.id, Growing(now, asked, broken=partial.seq != 0))
            if asked and not (partial.done or partial.piece):
                acts = self.asked(now, partial.id)
        if partial.done and partial.error_code in _TAKEN_BACK:
            return acts + self.take_back(now, partial.id)
        growing.append(partial)
        if self.known.is_reading(partial.id):
            growing.broken = True   # lines are no sentences: they are told as a whole
        if partial.sentence_end and not growing.broken:
            acts = acts + self._hand_on(now, partial, growing)
        if not (partial.done or growing.broken):
            return acts
        if partial.done and growing.outcome is None:
            growing.due = now + _OUTCOME_S
        return acts + self._conclude(now, growing)

    def description(self, now: float, description: Any) -> list[Act]:
        """The outcome of a request; `description` has the fields of Description.msg."""
        if not description.error_code:
            self.known.add(description)
        if description.speak not in (SPEAK_TOLD, SPEAK_ASKED) or description.id in self._settled:
            return []
        growing = self._growing.get(description.id)
        if growing is None:
            return self._settle(now, description, None)
        growing.outcome, growing.due = description, now + _LAST_PIECE_S
        return self._conclude(now, growing) if growing.done or growing.broken else []

    def tick(self, now: float) -> list[Act]:
        """Time has passed. To be called a few times a second."""
        acts: list[Act] = []
        for id in self._growing:
            growing = self._growing.get(id)
            if now > growing.due:
                acts += self._conclude(now, growing) or self._end_without_outcome(now, id, growing)
        limit_s = self._settings().asked_stale_after_s
        for id, since in self._speaking.questions.items():
            if now - since > limit_s:
                acts += self.failed(now, id, errors.DeadlineExceeded.code)
        return acts

    def abandon(self, now: float) -> list[Act]:
        """Nothing more will come of what is growing, and nobody knows any more what was described."""
        self.known.all_forgotten()
        acts: list[Act] = []
        for id in list(self._growing):
            self._forget(id)
            acts += self._speaking.extend(now, _key(id), [], closed=True)
        return acts

    # -- what others want of the answers

    def failed(self, now: float, id: str, code: int, began: float | None = None) -> list[Act]:
        """A question came to nothing: says so in plain words, once, where anyone waits for it."""
        if id in self._settled:
            return self._speaking.give_up(now, id)
        self._forget(id)
        return self._tell_failure(now, id, code, now if began is None else began)

    def say(self, now: float, items: Sequence[Item], about: str = '') -> list[Act]:
        """The system's own words, because a person has just pressed something. `about`: the question they answer."""
        return self._speaking.request(now, Request(f'phrase {uuid.uuid4()}', ASKED, list(items), now, about=about,
                                                   on_demand=True, own=True))

    def is_growing(self, about: str) -> bool:
        """Whether this answer is still being written."""
        return about in self._growing

    def place_of(self, about: str) -> tuple[str, int]:
        """The camera and the label of what was described under this id; '' and -1 where that is not known."""
        known = self._growing.get(about) or self.known.get(about)
        return (known.camera, known.label) if known is not None else ('', -1)

    def take_back(self, now: float, id: str) -> list[Act]:
        """Nobody wants to hear this answer any more, whether it waits, is being told, or is still to come."""
        self._forget(id)
        return (self._speaking.cancel(now, _key(id), errors.Superseded.code)
                + self._speaking.give_up(now, id))

    def rest(self, now: float, about: str) -> list[Item]:
        """What of this description the person has not heard the beginning of."""
        kept = self.known.get(about)
        left = unheard(cut(kept.text), self._speaking.heard.of(about)) if kept is not None else []
        if not left:
            return []
        answer = self._answer(now, kept, now)
        if self.known.is_doubted(about):
            return self._rendering.withheld(answer, left)
        return self._rendering.further(answer, left, math.nan)

    def ask_in_full(self, new: str, about: str) -> None:
        """`more` asks the describer under the id `new`: all its text will be spoken, save what was heard already."""
        self.known.tells_all(new)
        self._speaking.heard.share(new, about)

    def all_of(self, now: float, about: str) -> list[Act]:
        """`more` while the answer is still being written: all of it will be spoken, as soon as it is there."""
        self._growing.get(about).wanted = True
        return self._speaking.add_to(now, about, [Earcon(HEARD)]) or []

    def growing(self) -> list[str]:
        """Ids of answers that were heard of and are not finished: what a hush has to silence too."""
        return list(self._growing)

    # -- inside

    def _conclude(self, now: float, growing: Growing) -> list[Act]:
        """[] where its Description is still to come."""
        return self._settle(now, growing.outcome, growing) if growing.outcome is not None else []

    def _settle(self, now: float, description: Any, growing: Growing | None) -> list[Act]:
        """All that will come of this answer has come."""
        self._forget(description.id)
        if growing is not None and not growing.done:
            growing.broken = True
        if description.error_code:
            if growing is None:
                growing = Growing(now, description.speak == SPEAK_ASKED)
            return self._end_growing(now, description.id, growing, description.error_code)
        if growing and growing.withheld:
            return self._speaking.extend(now, _key(description.id), [], closed=True)
        began = growing.began if growing else now - _known(description.total_s)
        answer = self._answer(now, description, began)
        if growing and growing.said:
            return self._end_told(now, description, growing, answer)
        if growing and answer.asked:
            self._confirming.took(now - growing.began)
        whole = self.known.is_all(description.id) or self.known.is_reading(description.id)
        text = description.text if whole else _short(description.brief) or description.text
        missing = unheard(cut(text), self._speaking.heard.of(description.id))
        if not missing:
            return self._nothing_new(now, description, text)
        items = self._items(description, answer, missing)
        if not items:
            return self._tell_failure(now, description.id, errors.DescriberFailed.code, now) if answer.asked else []
        return self._open(now, description, answer, missing, items)

    def _end_told(self, now: float, description: Any, growing: Growing, answer: Answer) -> list[Act]:
        """Its beginning was handed on; here is what is missing of it."""
        if growing.wanted:
            left = unheard(cut(description.text), growing.said)
        else:
            left = growing.missed(description.text, '' if answer.query else description.brief)
        items = self._rendering.further(answer, left, math.nan)
        if not growing.placed:   # what had to be cut out first has its place only now
            items += self._rendering.where(answer)
        if growing.wanted and not self._speaking.is_open(_key(description.id)):
            return self.say(now, items)
        return self._speaking.extend(now, _key(description.id), items, closed=True)

    def _nothing_new(self, now: float, description: Any, text: str) -> list[Act]:
        if description.speak != SPEAK_ASKED:
            return []
        if not cut(text):
            return self._tell_failure(now, description.id, errors.DescriberFailed.code, now)
        return self.say(now, self._rendering.own_sentences(phrases.ALL_SAID), description.id)

    def _tell_failure(self, now: float, id: str, code: int, began: float) -> list[Act]:
        words = phrases.of_failure(code)
        if self.known.is_reading(id) and code == errors.Unsupported.code:
            words = phrases.CANNOT_READ
        if not words:
            return self._speaking.give_up(now, id)
        self.on_failure(code)
        items = [Earcon(ERROR), *self._rendering.own_sentences(words)]
        valid_until = now + self._settings().asked_stale_after_s
        return self._speaking.request(now, Request(f'failure {id}', ASKED, items, began, valid_until, about=id,
                                                   own=True))

    def _end_without_outcome(self, now: float, id: str, growing: Growing) -> list[Act]:
        """Its last piece came, and no Description."""
        self._forget(id)
        code = growing.code or (0 if growing.said or growing.withheld else errors.DescriberFailed.code)
        return self._end_growing(now, id, growing, code)

    def _end_growing(self, now: float, id: str, growing: Growing, code: int) -> list[Act]:
        """Nothing more comes of it. `code`: why, 0 = it is complete."""
        if growing.said or growing.withheld:
            words = phrases.of_failure(code) if code and growing.asked and growing.said else ''
            items = [Earcon(ERROR), *self._rendering.own_sentences(words)] if words else []
            return self._speaking.extend(now, _key(id), items, closed=True)
        return self._tell_failure(now, id, code, growing.began) if growing.asked else []

    def _hand_on(self, now: float, partial: Any, growing: Growing) -> list[Act]:
        fresh = unheard(growing.complete_sentences(), growing.said | self._speaking.heard.of(partial.id))
        if not fresh or growing.withheld:
            return []
        answer = self._answer(now, partial, growing.began)
        if growing.said:
            growing.said.update(same(sentence.text) for sentence in fresh)
            items = self._rendering.further(answer, fresh, _confidence(partial))
            return self._speaking.extend(now, _key(partial.id), items, closed=False)
        items = self._items(partial, answer, fresh)
        growing.withheld = self.known.is_doubted(partial.id)
        if not (items or growing.withheld):
            return []   # a sentence of which nothing can be said
        growing.said.update(same(sentence.text) for sentence in fresh)
        growing.placed = answer.where is not None
        if answer.asked:
            self._confirming.took(now - growing.began)
        return self._open(now, partial, answer, fresh, items, open_=not growing.withheld) if items else []

    def _items(self, message: Any, answer: Answer, sentences: list[Sentence]) -> list[Item]:
        """What is spoken of the beginning of an answer; [] where nothing of it can be, or nobody asked."""
        if self.known.is_reading(message.id) or message.describer == _READER:
            return self._rendering.letters(sentences, getattr(message, 'abstained', False))
        items = self._rendering.opening(answer, sentences, _confidence(message))
        if items is None:
            self.known.doubt(message.id)
            return self._rendering.abstaining(answer) if answer.asked else []
        return items

    def _open(self, now: float, message: Any, answer: Answer, sentences: list[Sentence], items: list[Item],
              open_: bool = False) -> list[Act]:
        """The request of an answer, with its first sentences."""
        settings = self._settings()
        # What was asked for counts from now: however old the picture is, it is the one that was asked about.
        valid_until = now + settings.asked_stale_after_s if answer.asked else answer.taken + settings.stale_after_s
        priority = ASKED if answer.asked else TOLD
        request = Request(_key(message.id), priority, items, answer.began, valid_until, open=open_, about=message.id,
                          language=message.language)
        text = ' '.join(sentence.text for sentence in sentences[:_COMPARED])
        request.on_begun = lambda when: self._freshness.told(when, answer, text)
        if not answer.asked:
            request.check = lambda when: self._freshness.check(when, answer, text)
        return self._speaking.request(now, request)

    def _answer(self, now: float, message: Any, began: float) -> Answer:
        # More of something is told long after its picture: where it was then was told before.
        return answer_of(message, now, began, placed=not self.known.is_all(message.id))

    def _forget(self, one: str) -> None:
        self._growing.pop(one)
        self._settled.put(one, None)


def _key(one: str) -> str:
    return f'description {one}'


def _short(brief: str) -> str:
    """Not every describer knows how short it has to be."""
    return brief if length(brief) <= BRIEF_WORDS else first_of(brief)


def _confidence(message: Any) -> float:
    """0..1, NaN unknown: also in a message that was never filled in, which says 0."""
    return message.confidence if message.confidence > 0.0 else math.nan


def _known(seconds: float) -> float:
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0
