"""What is to be spoken of the answers that go by on `~/partial` and `~/description`.

Sentences are spoken as they complete; the Description that follows is the truth and adds what was missed. It reads
messages by their field names and does not know ROS, nor when its requests will be spoken: that is `speaking`'s.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
import math
from statistics import median
from typing import Any
import uuid

from dam_ros.core import errors, phrases
from dam_ros.core.freshness import Freshness
from dam_ros.core.heard import same
from dam_ros.core.recent import Recent
from dam_ros.core.rendering import Answer, Rendering, whereabouts
from dam_ros.core.speakable import cut, Sentence
from dam_ros.core.speaking import Speaking
from dam_ros.core.speech_acts import Act, ASKED, Earcon, ERROR, HEARD, Item, Request, TOLD
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.text import whole_sentences

_SPEAK_NO, _SPEAK_TOLD, _SPEAK_ASKED = 0, 1, 2   # Description.SPEAK_*
_TAKEN_BACK = (errors.Cancelled.code, errors.Superseded.code)
_GROWING = 64    # answers at once; one that never gets its Description is forgotten in time
_SETTLED = 256   # ids
_LAST_PIECE_S = 0.3   # the two topics may overtake each other: how long a Description waits for the last Partial
_WAITS = 5            # of so many answers the usual wait is reckoned
_READER = 'tesseract'  # Description.describer of what was read and not described
_LONG_WAIT_S = 3.0    # from there on it is said how long it takes


@dataclass
class _Growing:
    """An answer that is being written: what came of it, and what of that was handed on.

    Attributes:
        began: s, when its first Partial came.
        broken: a piece is missing; only the Description can help.
        done: the last piece was there.
        text: of the part that is being written (brief first, then the text; each begins at offset 0).
        handed: characters of `text` that were handed on.
        length: characters handed on, all parts together.
        said: the sentences handed on, as `same` gives them.
        withheld: it was not certain enough to be told.
        placed: where the thing is was known with the first sentence.
        outcome: the Description that has overtaken the last Partial, and `due`: s, when it counts without that.
    """

    began: float
    broken: bool = False
    done: bool = False
    next_seq: int = 0
    text: str = ''
    handed: int = 0
    length: int = 0
    said: set[str] = field(default_factory=set)
    withheld: bool = False
    placed: bool = False
    outcome: Any = None
    due: float = math.inf


class Overheard:
    """Turns answers into requests of `speaking`. Every method returns the acts it leads to."""

    def __init__(self, speaking: Speaking, settings: Callable[[], SpeechSettings], rendering: Rendering,
                 freshness: Freshness):
        self._speaking, self._settings = speaking, settings
        self._rendering, self._freshness = rendering, freshness
        self._growing: Recent[_Growing] = Recent(_GROWING)
        self._settled: Recent[None] = Recent(_SETTLED)              # ids whose outcome was dealt with
        self._kept: Recent[Any] = Recent(settings().remember)       # Descriptions, for `more`
        self._in_full: Recent[None] = Recent(settings().remember)   # ids that `more` asked for: nothing is behind them
        self._doubted: Recent[None] = Recent(_SETTLED)              # ids that were withheld
        self._readings: Recent[None] = Recent(_SETTLED)             # ids under which a reader answers
        self._confirmed: Recent[None] = Recent(_SETTLED)            # ids of questions that were confirmed
        self._waits: deque[float] = deque(maxlen=_WAITS)            # s, until the last answers

    def reads(self, id: str) -> None:
        """Under this id letters will be read, not a description told."""
        self._readings.put(id, None)

    def asked(self, now: float, id: str) -> list[Act]:
        """A person asks something, and the answer will come under this id: says at once that it was heard."""
        if id in self._confirmed or id in self._settled or self._speaking.silence.covers(id, now):
            return []
        self._confirmed.put(id, None)
        word = self._rendering.own(phrases.HEARD_WORD)
        confirmation: list[Item] = [Earcon(HEARD), lambda _: None if self._settings().earcons else word]
        if self._waits and (usual := median(self._waits)) > _LONG_WAIT_S:
            confirmation.append(self._rendering.own(phrases.HOW_LONG, seconds=round(usual)))
        return self._speaking.question(now, id, confirmation)

    def partial(self, now: float, partial: Any) -> list[Act]:
        """A piece of a growing answer; `partial` has the fields of Partial.msg."""
        if partial.speak not in (_SPEAK_TOLD, _SPEAK_ASKED) or partial.id in self._settled:
            return []
        growing, acts = self._growing.get(partial.id), []
        if growing is None:
            # Whoever joins in the middle does not know when it began, so it waits for the Description.
            growing = self._growing.put(partial.id, _Growing(began=now, broken=partial.seq != 0))
            if partial.speak == _SPEAK_ASKED and not (partial.done or partial.piece):
                acts = self.asked(now, partial.id)
        if partial.done and partial.error_code in _TAKEN_BACK:
            self._forget(partial.id)
            return (acts + self._speaking.cancel(now, _key(partial.id), errors.Superseded.code)
                    + self._speaking.give_up(now, partial.id))
        self._append(growing, partial)
        if partial.id in self._readings:
            growing.broken = True   # lines are no sentences: they are told as a whole
        if partial.sentence_end and not growing.broken:
            acts = acts + self._hand_on(now, partial, growing)
        return acts + (self._conclude(now, growing) if partial.done or growing.broken else [])

    def description(self, now: float, description: Any) -> list[Act]:
        """The outcome of a request; `description` has the fields of Description.msg."""
        if not description.error_code:
            self._kept.put(description.id, description)
        if description.speak not in (_SPEAK_TOLD, _SPEAK_ASKED) or description.id in self._settled:
            return []
        growing = self._growing.get(description.id)
        if growing is None:
            return self._settle(now, description, None)
        growing.outcome, growing.due = description, now + _LAST_PIECE_S
        return self._conclude(now, growing) if growing.done or growing.broken else []

    def tick(self, now: float) -> list[Act]:
        """Time has passed. To be called a few times a second."""
        due = [growing for growing in map(self._growing.get, self._growing) if now > growing.due]
        acts = [act for growing in due for act in self._conclude(now, growing)]
        limit_s = self._settings().asked_stale_after_s
        for id, since in self._speaking.questions.items():
            if now - since > limit_s:
                acts += self.failed(now, id, errors.DeadlineExceeded.code)
        return acts

    def abandon(self, now: float) -> list[Act]:
        """Nothing more will come of what is growing."""
        acts: list[Act] = []
        for id in list(self._growing):
            self._forget(id)
            acts += self._speaking.extend(now, _key(id), [], closed=True)
        return acts

    # -- what others want of the answers

    def failed(self, now: float, id: str, code: int, began: float | None = None) -> list[Act]:
        """A question came to nothing: says so in plain words, where anyone waits for it."""
        words = phrases.of_failure(code)
        if id in self._readings and code == errors.Unsupported.code:
            words = phrases.CANNOT_READ
        if not words:
            return self._speaking.give_up(now, id)
        items = [Earcon(ERROR), *self._rendering.own_sentences(words)]
        return self._own(now, items, id, now if began is None else began)

    def say(self, now: float, items: Sequence[Item], about: str = '') -> list[Act]:
        """The system's own words, because a person has just pressed something. `about`: the question they answer."""
        return self._speaking.request(now, Request(f'phrase {uuid.uuid4()}', ASKED, list(items), now, about=about,
                                                   on_demand=True, own=True))

    def kept(self, about: str) -> Any | None:
        """The Description of this id, None where it is not known (any more)."""
        return self._kept.get(about)

    def rest(self, now: float, about: str) -> list[Item]:
        """What of this description the person has not heard the beginning of."""
        kept = self._kept.get(about)
        left = _not_in(cut(kept.text), self._speaking.heard.of(about)) if kept is not None else []
        if not left:
            return []
        answer = self._answer(kept, now, now)
        if about in self._doubted:
            return self._rendering.withheld(answer, left)
        return self._rendering.further(answer, left, math.nan)

    def ask_in_full(self, new: str, about: str) -> None:
        """`more` asks the describer under the id `new`: all its text will be spoken, save what was heard already."""
        self._in_full.put(new, None)
        self._speaking.heard.share(new, about)

    def is_all(self, about: str) -> bool:
        """Whether the describer has told all it can say under this id."""
        return about in self._in_full

    def growing(self) -> list[str]:
        """Ids of answers that were heard of and are not finished: what a hush has to silence too."""
        return list(self._growing)

    # -- inside

    def _conclude(self, now: float, growing: _Growing) -> list[Act]:
        return self._settle(now, growing.outcome, growing) if growing.outcome is not None else []

    def _settle(self, now: float, description: Any, growing: _Growing | None) -> list[Act]:
        """All that will come of this answer has come."""
        self._forget(description.id)
        if growing is not None and not growing.done:
            growing.broken = True
        if description.error_code:
            return self._settle_failure(now, description, growing)
        if growing and growing.withheld:
            return self._speaking.extend(now, _key(description.id), [], closed=True)
        began = growing.began if growing else now - _known(description.total_s)
        answer = self._answer(description, now - _known(description.age_s), began)
        if growing and growing.said:
            missed = self._rendering.further(answer, self._missed(description, growing), math.nan)
            if not growing.placed:   # what had to be cut out first has its place only now
                missed += self._rendering.where(answer)
            return self._speaking.extend(now, _key(description.id), missed, closed=True)
        whole = description.id in self._in_full or description.id in self._readings
        text = description.text if whole else description.brief or description.text
        missing = _not_in(cut(text), self._speaking.heard.of(description.id))
        if not missing:
            return self._nothing_new(now, description, text)
        return self._open(now, description, answer, missing, open_=False)

    def _nothing_new(self, now: float, description: Any, text: str) -> list[Act]:
        if description.speak != _SPEAK_ASKED:
            return []
        if not text.strip():
            return self.failed(now, description.id, errors.DescriberFailed.code)
        return self.say(now, self._rendering.own_sentences(phrases.ALL_SAID), description.id)

    @staticmethod
    def _missed(description: Any, growing: _Growing) -> list[Sentence]:
        """What the Description adds to what was handed on: what was lost, or a last sentence without its end."""
        left = description.text if growing.broken else growing.text[growing.handed:]
        return _not_in(cut(left), growing.said)

    def _settle_failure(self, now: float, description: Any, growing: _Growing | None) -> list[Act]:
        if growing and growing.said:
            words = phrases.of_failure(description.error_code) if description.speak == _SPEAK_ASKED else ''
            items = [Earcon(ERROR), *self._rendering.own_sentences(words)] if words else []
            return self._speaking.extend(now, _key(description.id), items, closed=True)
        if description.speak != _SPEAK_ASKED:
            return []
        return self.failed(now, description.id, description.error_code, growing.began if growing else now)

    def _own(self, now: float, items: list[Item], about: str, began: float) -> list[Act]:
        valid_until = now + self._settings().asked_stale_after_s
        return self._speaking.request(now, Request(f'failure {about or uuid.uuid4()}', ASKED, items, began, valid_until,
                                                   about=about, own=True))

    def _append(self, growing: _Growing, partial: Any) -> None:
        if partial.seq != growing.next_seq:
            growing.broken = True
        growing.next_seq = partial.seq + 1
        if partial.offset == 0 and growing.text and partial.piece:
            growing.text, growing.handed = '', 0          # the brief is over, the text begins
        if partial.offset != len(growing.text) and partial.piece:
            growing.broken = True
        growing.text += partial.piece
        growing.done = partial.done

    def _hand_on(self, now: float, partial: Any, growing: _Growing) -> list[Act]:
        waiting = growing.text[growing.handed:]
        if not partial.done:   # the piece may hold the beginning of the next sentence as well
            whole = whole_sentences(waiting)
            waiting = waiting[:waiting.index(whole) + len(whole)] if whole else waiting
        new = cut(waiting, growing.length)
        growing.length += len(waiting)
        growing.handed += len(waiting)
        fresh = _not_in(new, growing.said | self._speaking.heard.of(partial.id))
        if not fresh or growing.withheld:
            return []
        first = not growing.said
        growing.said.update(same(sentence.text) for sentence in fresh)
        answer = self._answer(partial, growing.began, growing.began)
        if not first:
            items = self._rendering.further(answer, fresh, _confidence(partial))
            return self._speaking.extend(now, _key(partial.id), items, closed=False)
        if answer.asked:
            self._waits.append(now - growing.began)
        acts = self._open(now, partial, answer, fresh, open_=True)
        growing.withheld = partial.id in self._doubted
        growing.placed = answer.where is not None
        return acts

    def _open(self, now: float, message: Any, answer: Answer, sentences: list[Sentence],
              open_: bool) -> list[Act]:
        """The request of an answer, with its first sentences."""
        if message.id in self._readings or message.describer == _READER:
            items = self._rendering.letters(sentences, getattr(message, 'abstained', False))
        else:
            items = self._rendering.opening(answer, sentences, _confidence(message))
        if items is None:
            self._doubted.put(message.id, None)
            if not answer.asked:
                return []
            items, open_ = self._rendering.abstaining(), False
        settings = self._settings()
        # What was asked for counts from now: however old the picture is, it is the one that was asked about.
        valid_until = now + settings.asked_stale_after_s if answer.asked else answer.taken + settings.stale_after_s
        priority = ASKED if answer.asked else TOLD
        request = Request(_key(message.id), priority, items, answer.began, valid_until, open=open_, about=message.id,
                          language=message.language)
        text = ' '.join(sentence.text for sentence in sentences)
        request.on_begun = lambda when: self._freshness.told(when, answer, text)
        if not answer.asked:
            request.check = lambda when: self._freshness.check(when, answer, text)
        return self._speaking.request(now, request)

    def _answer(self, message: Any, taken: float, began: float) -> Answer:
        stamp = message.header.stamp
        return Answer(id=message.id, asked=message.speak == _SPEAK_ASKED, began=began, taken=taken, query=message.query,
                      language=message.language, camera=message.camera, label=message.label,
                      stamp_ns=stamp.sec * 1_000_000_000 + stamp.nanosec,
                      # More of something is told long after its picture: where it was then was told before.
                      where=None if message.id in self._in_full else whereabouts(message))

    def _forget(self, one: str) -> None:
        self._growing.pop(one)
        self._settled.put(one, None)


def again(request: Request, items: Sequence[Item], now: float) -> Request:
    """The same once more, because a person wants it."""
    return replace(request, key=f'again {uuid.uuid4()}', priority=ASKED, sentences=list(items), began=now,
                   valid_until=math.inf, open=False, on_demand=True, origin=request.origin or request, check=None,
                   on_done=None, next=0, heard_chars=0, shortfall=0)


def _key(one: str) -> str:
    return f'description {one}'


def _not_in(sentences: list[Sentence], said: set[str]) -> list[Sentence]:
    return [sentence for sentence in sentences if same(sentence.text) not in said]


def _confidence(message: Any) -> float:
    """0..1, NaN unknown: also in a message that was never filled in, which says 0."""
    return message.confidence if message.confidence > 0.0 else math.nan


def _known(seconds: float) -> float:
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0
