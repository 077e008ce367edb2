"""What is to be spoken of the answers that go by on `~/partial` and `~/description`.

Sentences are spoken as they complete; the Description that follows is the truth and adds what was missed. It reads
messages by their field names and does not know ROS, nor when its requests will be spoken: that is `speaking`'s.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import math
from typing import Any
import uuid

from dam_ros.core import errors, phrases
from dam_ros.core.recent import Recent
from dam_ros.core.speakable import cut, Sentence
from dam_ros.core.speaking import same, Speaking
from dam_ros.core.speech_acts import Act, ASKED, Request, TOLD
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.text import whole_sentences

_SPEAK_NO, _SPEAK_TOLD, _SPEAK_ASKED = 0, 1, 2   # Description.SPEAK_*
_TAKEN_BACK = (errors.Cancelled.code, errors.Superseded.code)
_GROWING = 64    # answers at once; one that never gets its Description is forgotten in time
_SETTLED = 256   # ids
_LAST_PIECE_S = 0.3   # the two topics may overtake each other: how long a Description waits for the last Partial


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
    outcome: Any = None
    due: float = math.inf


class Overheard:
    """Turns answers into requests of `speaking`. Every method returns the acts it leads to."""

    def __init__(self, speaking: Speaking, settings: Callable[[], SpeechSettings]):
        self._speaking, self._settings = speaking, settings
        self._growing: Recent[_Growing] = Recent(_GROWING)
        self._settled: Recent[None] = Recent(_SETTLED)              # ids whose outcome was dealt with
        self._kept: Recent[Any] = Recent(settings().remember)       # Descriptions, for `more`
        self._in_full: Recent[None] = Recent(settings().remember)   # ids that `more` asked for: nothing is behind them

    def partial(self, now: float, partial: Any) -> list[Act]:
        """A piece of a growing answer; `partial` has the fields of Partial.msg."""
        if partial.speak not in (_SPEAK_TOLD, _SPEAK_ASKED) or partial.id in self._settled:
            return []
        growing = self._growing.get(partial.id)
        if growing is None:
            # Whoever joins in the middle does not know when it began, so it waits for the Description.
            growing = self._growing.put(partial.id, _Growing(began=now, broken=partial.seq != 0))
        if partial.done and partial.error_code in _TAKEN_BACK:
            self._forget(partial.id)
            return self._speaking.cancel(now, _key(partial.id), errors.Superseded.code)
        self._append(growing, partial)
        speaks = partial.sentence_end and not growing.broken
        acts = self._hand_on(now, partial, growing) if speaks else []
        return acts + self._conclude(now, growing) if partial.done or growing.broken else acts

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
        return [act for growing in due for act in self._conclude(now, growing)]

    def _conclude(self, now: float, growing: _Growing) -> list[Act]:
        return self._settle(now, growing.outcome, growing) if growing.outcome is not None else []

    def _settle(self, now: float, description: Any, growing: _Growing | None) -> list[Act]:
        """All that will come of this answer has come."""
        self._forget(description.id)
        if growing is not None and not growing.done:
            growing.broken = True
        if description.error_code:
            return self._failed(now, description, growing)
        if growing and growing.said:
            return self._speaking.extend(now, _key(description.id), self._missed(description, growing), closed=True)
        text = description.text if description.id in self._in_full else description.brief or description.text
        missing = _not_in(cut(text), self._speaking.heard_of(description.id))
        if not missing and text.strip():
            return self.say(now, phrases.ALL_SAID) if description.speak == _SPEAK_ASKED else []
        began = growing.began if growing else now - _known(description.total_s)
        return self._request(now, description, missing, began, _known(description.age_s))

    @staticmethod
    def _missed(description: Any, growing: _Growing) -> list[Sentence]:
        """What the Description adds to what was handed on: what was lost, or a last sentence without its end."""
        left = description.text if growing.broken else growing.text[growing.handed:]
        return _not_in(cut(left), growing.said)

    def _failed(self, now: float, description: Any, growing: _Growing | None) -> list[Act]:
        asked = description.speak == _SPEAK_ASKED
        words = cut(phrases.of_failure(description.error_code)) if asked else []
        if growing and growing.said:
            return self._speaking.extend(now, _key(description.id), words, closed=True)
        if not words:
            return []
        return self._speaking.request(now, Request(
            f'failure {description.id}', ASKED, words, growing.began if growing else now,
            now + self._settings().asked_stale_after_s, about=description.id, language='en', own=True))

    # -- what a person wants of what was said

    def say(self, now: float, phrase: str) -> list[Act]:
        """One of the system's own phrases, because a person has just pressed something."""
        return self._speaking.request(now, Request(f'phrase {uuid.uuid4()}', ASKED, cut(phrase), now, language='en',
                                                   on_demand=True, own=True))

    def repeat(self, now: float) -> tuple[bool, list[Act]]:
        """What the person heard last, once more from its beginning. (False, acts) where nothing was said yet."""
        last = self._speaking.last
        if last is None:
            return False, self.say(now, phrases.NOTHING_SAID_YET)
        begun = last.sentences[:last.next + 1]
        return True, self._again(now, last, begun)

    def more(self, now: float) -> tuple[str, list[Act]]:
        """The rest of what the person heard last.

        Returns: (id, acts). The id is '' where the acts are all there is to it; otherwise nothing more is known
            here of the description of that id, and the describer should be asked.
        """
        last = self._speaking.last
        if last is None:
            return '', self.say(now, phrases.NOTHING_SAID_YET)
        kept = self._kept.get(last.about)
        if kept is not None:
            rest = _not_in(cut(kept.text), self._speaking.heard_of(last.about))
            if rest:
                return '', self._again(now, last, rest)
        if not last.about or last.about in self._in_full:
            return '', self.say(now, phrases.ALL_SAID)
        return last.about, []

    def ask_in_full(self, new: str, about: str) -> None:
        """`more` asks the describer under the id `new`: all its text will be spoken, save what was heard already."""
        self._in_full.put(new, None)
        self._speaking.share_heard(new, about)

    def growing(self) -> list[str]:
        """Ids of answers that were heard of and are not finished: what a hush has to silence too."""
        return list(self._growing)

    # -- inside

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
        fresh = _not_in(new, growing.said | self._speaking.heard_of(partial.id))
        if not fresh:
            return []
        first = not growing.said
        growing.said.update(same(sentence.text) for sentence in fresh)
        if first:
            return self._request(now, partial, fresh, growing.began, now - growing.began, open_=True)
        return self._speaking.extend(now, _key(partial.id), fresh, closed=False)

    def _request(self, now: float, message: Any, sentences: list[Sentence], began: float, age_s: float,
                 open_: bool = False) -> list[Act]:
        asked, settings = message.speak == _SPEAK_ASKED, self._settings()
        # What was asked for counts from now: however old the picture is, it is the one that was asked about.
        valid_until = now + settings.asked_stale_after_s if asked else now + settings.stale_after_s - age_s
        return self._speaking.request(now, Request(
            _key(message.id), ASKED if asked else TOLD, sentences, began, valid_until, open=open_, about=message.id,
            language=message.language))

    def _again(self, now: float, last: Request, sentences: list[Sentence]) -> list[Act]:
        return self._speaking.request(now, Request(
            f'again {uuid.uuid4()}', ASKED, list(sentences), now, about=last.about, language=last.language,
            rate_wpm=last.rate_wpm, on_demand=True))

    def _forget(self, one: str) -> None:
        self._growing.pop(one)
        self._settled.put(one, None)


def _key(one: str) -> str:
    return f'description {one}'


def _not_in(sentences: list[Sentence], said: set[str]) -> list[Sentence]:
    return [sentence for sentence in sentences if same(sentence.text) not in said]


def _known(seconds: float) -> float:
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0
