"""When to speak what: the policy, a pure state machine.

Time is a number handed in (seconds of a steady clock), the voice is a list of acts handed out. So there is no thread,
no audio and no ROS here, and every rule can be tested with a clock made of numbers.

The rules: urgent is ended by hush and mute only; what was asked interrupts narration, and the newest question replaces
the older one; narration (told) waits its turn and is dropped when stale; progress is dropped by anything else.
Hush ends everything, keeps what it ended silent, and gives quiet for a while. Mute ends everything; texts go on.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
import math

from dam_ros.core import errors
from dam_ros.core.recent import Recent
from dam_ros.core.speakable import Sentence
from dam_ros.core.speech_acts import Act, Arrived, ASKED, Done, PROGRESS, Request, Speak, SPOKEN, Stop, TOLD, URGENT
from dam_ros.core.speech_settings import SpeechSettings

_SUPERSEDED, _HUSHED, _MUTED = errors.Superseded.code, errors.Hushed.code, errors.Muted.code
_NO_VOICE, _TOO_LATE, _CANCELLED = errors.NoVoice.code, errors.TooLate.code, errors.Cancelled.code
_REMEMBERED = 256   # ids


class Speaking:
    """The state: who speaks, who waits, what was hushed. Every method returns the acts it leads to, in order.

    Attributes:
        muted: True while nothing is to be heard.
        last: the request whose beginning the person heard last (own phrases do not count), or None.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], now: float):
        self._settings, self._born = settings, now
        self.muted = False
        self.last: Request | None = None
        self._current: Request | None = None
        self._number, self._numbers = 0, 0      # of the sentence that sounds now (0 none); counter
        self._aloud = True                      # is it to be heard, or only paced
        self._urgent: deque[Request] = deque()
        self._asked: Request | None = None      # waits behind something urgent
        self._told: deque[Request] = deque()
        self._progress: Request | None = None
        self._hushed_at = self._quiet_until = -math.inf
        self._hushed: Recent[None] = Recent(_REMEMBERED)
        self._heard: Recent[set[str]] = Recent(_REMEMBERED)
        self._acts: list[Act] = []

    # -- what comes in

    def request(self, now: float, request: Request) -> list[Act]:
        """Something to say."""
        self._acts.append(Arrived(request))
        refusal = self._refusal(now, request)
        if refusal or not (request.sentences or request.open):
            self._done(request, refusal)
        else:
            request.idle_since = now
            {TOLD: self._tell, ASKED: self._ask, URGENT: self._warn, PROGRESS: self._report}[request.priority](request)
        return self._go_on(now)

    def extend(self, now: float, key: str, sentences: Sequence[Sentence], *, closed: bool) -> list[Act]:
        """More sentences of an open request; `closed`: these were the last. What has ended meanwhile stays ended."""
        for request in self._all():
            if request.key == key and request.open:
                request.sentences.extend(sentences)
                request.open = not closed
                request.idle_since = now
        return self._go_on(now)

    def cancel(self, now: float, key: str, code: int = _CANCELLED) -> list[Act]:
        """The caller takes one request back."""
        for request in self._all():
            if request.key == key:
                self._end(request, code)
        return self._go_on(now)

    def hush(self, now: float, known: Sequence[str] = ()) -> list[Act]:
        """Silence for everything that was asked for until now. `known`: ids of answers that are still growing."""
        self._hushed_at, self._quiet_until = now, now + self._settings().hush_quiet_s
        self._remember_hushed(known)
        self._end_all(_HUSHED)
        return self._go_on(now)

    def mute(self, now: float, muted: bool) -> list[Act]:
        """Everything ends; while muted, new texts are paced and captioned without a sound."""
        if muted and not self.muted:
            self._end_all(_MUTED)
        self.muted = muted
        return self._go_on(now)

    def end(self, why: str) -> list[Act]:
        """Everything ends because speaking does."""
        for request in self._all():
            self._end(request, _NO_VOICE, why)
        acts, self._acts = self._acts, []
        return acts

    def started(self, now: float, number: int) -> None:
        """The voice says that the first sample of this sentence is out."""
        if number != self._number or self._current is None:
            return
        if self._current.own:
            return
        self.last = self._current
        if self._current.about:
            self.heard_of(self._current.about).add(same(self._current.sentences[self._current.next].text))

    def ended(self, now: float, number: int, *, heard: bool) -> list[Act]:
        """The sentence is over. `heard`: False where no voice worked, or nothing was to be heard."""
        request = self._current
        if number == self._number and request is not None:
            self._number = 0
            if heard:
                request.heard_chars = request.sentences[request.next].end
            elif not request.shortfall:
                request.shortfall = _NO_VOICE if self._aloud else _MUTED
            request.next += 1
            request.idle_since = now
        return self._go_on(now)

    def tick(self, now: float) -> list[Act]:
        """Time has passed. To be called a few times a second."""
        return self._go_on(now)

    # -- what can be asked

    @property
    def busy(self) -> bool:
        return self._current is not None

    def is_hushed(self, about: str, began: float) -> bool:
        """Whether an answer that began then, under this id, has to stay silent."""
        return began < self._hushed_at or about in self._hushed

    def heard_of(self, about: str) -> set[str]:
        """The sentences (in the form of `same`) of this description that the person has heard the beginning of."""
        known = self._heard.get(about)
        return self._heard.put(about, set() if known is None else known)

    def share_heard(self, about: str, source: str) -> None:
        """What was heard of `source` counts for `about` as well: it is the same thing told in more detail."""
        self._heard.put(about, self.heard_of(source))

    # -- rules of arrival

    def _refusal(self, now: float, request: Request) -> int:
        if request.on_demand:
            return SPOKEN
        if self.is_hushed(request.about, request.began):
            return _HUSHED
        if request.volunteered and now < self._quiet_until:
            return _HUSHED
        return _TOO_LATE if request.began < self._born or now > request.valid_until else SPOKEN

    def _warn(self, request: Request) -> None:
        current = self._current
        if current is not None and current.priority == ASKED and self._asked is None:
            self._interrupt()            # an answer a person waits for is resumed at the sentence that was cut
            self._asked, self._current = current, None
        elif current is not None and current.priority != URGENT:
            self._end(current, _SUPERSEDED)
        self._drop_progress()
        self._urgent.append(request)

    def _ask(self, request: Request) -> None:
        if self._asked is not None:
            self._end(self._asked, _SUPERSEDED)
        current = self._current
        # A slow answer to an older question does not talk over the newer one; it comes after it.
        older = current is not None and current.priority == ASKED and request.began < current.began
        if current is not None and current.priority != URGENT and not older:
            self._end(current, _SUPERSEDED)
        self._drop_progress()
        self._asked = request

    def _tell(self, request: Request) -> None:
        if self._current is not None and self._current.priority == PROGRESS:
            self._end(self._current, _SUPERSEDED)
        self._drop_progress()
        self._told.append(request)
        while len(self._told) > self._settings().waiting:
            self._end(self._told[0], _TOO_LATE)

    def _report(self, request: Request) -> None:
        if any(other.priority != PROGRESS for other in self._all()):
            self._done(request, _SUPERSEDED)
            return
        self._drop_progress()
        self._progress = request

    def _drop_progress(self) -> None:
        if self._progress is not None:
            self._end(self._progress, _SUPERSEDED)

    # -- going on

    def _go_on(self, now: float) -> list[Act]:
        self._drop_stale(now)
        while not self._number:
            if self._current is None:
                self._current = self._take_next()
                if self._current is None:
                    break
                self._current.idle_since = now
            if not self._continue(now):
                break
        acts, self._acts = self._acts, []
        return acts

    def _continue(self, now: float) -> bool:
        """Speaks the next sentence of the current request, or ends it. False: wait for more of it."""
        request = self._current
        if request.next < len(request.sentences):
            self._numbers += 1
            self._number, self._aloud = self._numbers, not self.muted
            self._acts.append(Speak(self._number, request, request.sentences[request.next], self._aloud))
        elif request.open and now < request.idle_since + self._settings().hold_s:
            return False
        else:
            self._end(request, request.shortfall)
        return True

    def _take_next(self) -> Request | None:
        if self._urgent:
            return self._urgent.popleft()
        if self._asked is not None:
            taken, self._asked = self._asked, None
            return taken
        if self._told:
            return self._told.popleft()
        taken, self._progress = self._progress, None
        return taken

    def _drop_stale(self, now: float) -> None:
        for request in self._all():
            begun = request is self._current or request.next > 0
            if not begun and now > request.valid_until:
                self._end(request, _TOO_LATE)

    # -- ending

    def _end_all(self, code: int) -> None:
        for request in self._all():
            if code == _HUSHED and request.about:
                self._remember_hushed([request.about])
            self._end(request, code)

    def _end(self, request: Request, code: int, why: str = '') -> None:
        if request is self._current:
            self._interrupt()
            self._current = None
        elif request is self._asked:
            self._asked = None
        elif request is self._progress:
            self._progress = None
        else:
            (self._urgent if request.priority == URGENT else self._told).remove(request)
        self._done(request, code, why)

    def _interrupt(self) -> None:
        if self._number:
            self._number = 0
            self._acts.append(Stop())

    def _done(self, request: Request, code: int, why: str = '') -> None:
        request.open = False
        self._acts.append(Done(request, code, why))

    def _all(self) -> list[Request]:
        waiting = [self._current, *self._urgent, self._asked, *self._told, self._progress]
        return [request for request in waiting if request is not None]

    def _remember_hushed(self, ids: Sequence[str]) -> None:
        for one in ids:
            self._hushed.put(one, None)


def same(sentence: str) -> str:
    """The form in which two sentences are compared: case, space and the last stop do not matter."""
    return ' '.join(sentence.casefold().split()).rstrip('.!?\u3002 ')
