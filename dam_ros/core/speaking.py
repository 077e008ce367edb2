"""When to speak what: the policy, a pure state machine.

Time is a number handed in (seconds of a steady clock), the voice is a list of acts handed out. So there is no thread,
no audio and no ROS here, and every rule can be tested with a clock made of numbers.

The rules: urgent is ended by hush and mute only; what was asked interrupts narration, and the newest question replaces
the older one; narration (told) waits its turn and is dropped when stale; progress is dropped by anything else, and told
only where somebody waits long. Until a question is answered nothing is volunteered. Hush ends everything, keeps what it
ended silent, and gives quiet for a while. Mute ends everything; texts go on.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
import math

from dam_ros.core import errors
from dam_ros.core.heard import Heard
from dam_ros.core.silence import Silence
from dam_ros.core.speakable import Sentence
from dam_ros.core.speech_acts import (Act, Arrived, ASKED, Cue, Done, Earcon, HEARD, Item, OFF, PROGRESS, Request,
                                      Speak, SPOKEN, Stop, TOLD, URGENT, WORKING)
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.core.waiting_line import WaitingLine

_SUPERSEDED, _HUSHED, _MUTED = errors.Superseded.code, errors.Hushed.code, errors.Muted.code
_NO_VOICE, _TOO_LATE, _CANCELLED = errors.NoVoice.code, errors.TooLate.code, errors.Cancelled.code
_WORKING = (Earcon(WORKING),)
_LONGEST_HOLD_S = 120.0   # where nobody else wants the floor; an answer that never ends must not stay for ever


class Speaking:
    """The state: who speaks, who waits, what was hushed. Every method returns the acts it leads to, in order.

    Attributes:
        heard: what the person has heard the beginning of.
        muted: True while nothing is to be heard.
        paused: True while what was being said waits for the person to go on.
        silence: what the person has silenced.
        camera_turns: True while the camera turns: nothing is volunteered, as it would be about what is gone by then.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], now: float, working: Sequence[Item] = _WORKING):
        self._settings, self._born, self._working = settings, now, working
        self.heard = Heard()
        self.silence = Silence()
        self.muted = self.paused = self.camera_turns = False
        self._current: Request | None = None
        self._number, self._numbers = 0, 0      # of what sounds now (0 nothing); counter
        self._item: Sentence | Earcon | None = None
        self._aloud = True                      # is it to be heard, or only paced
        self._line = WaitingLine()
        self._questions: dict[str, float] = {}  # asked and not answered: id to when
        self._next_working = math.inf
        self._progress_since = math.inf         # when the first progress came of those that nothing else came after
        self._acts: list[Act] = []

    # -- what comes in

    def request(self, now: float, request: Request) -> list[Act]:
        """Something to say."""
        self._acts.append(Arrived(request))
        if request.priority == ASKED:
            self._questions.pop(request.about, None)
        refusal = self._refusal(now, request)
        if refusal or not (request.sentences or request.open):
            self._done(request, refusal)
        else:
            request.idle_since = now
            arrive = {TOLD: self._tell, ASKED: self._ask, URGENT: self._warn, PROGRESS: self._report}
            arrive[request.priority](now, request)
        return self._go_on(now)

    def extend(self, now: float, key: str, items: Sequence[Item], *, closed: bool) -> list[Act]:
        """More of an open request; `closed`: this was the last. What has ended meanwhile stays ended."""
        for request in self._all():
            if request.key == key and request.open:
                request.sentences.extend(items)
                request.open = not closed
                request.idle_since = now
        return self._go_on(now)

    def question(self, now: float, id: str, confirmation: Sequence[Item]) -> list[Act]:
        """A person has asked: what was being said ends, the confirmation is given, and until a request ASKED comes
        whose `about` is this id (or `give_up`) nothing is volunteered."""
        if self._current is not None and self._current.priority != URGENT:
            self._end(self._current, _SUPERSEDED)   # also where it is only another earcon
        self._questions[id] = now
        self._next_working = now + self._settings().progress_after_s
        return self.request(now, Request(f'heard {id}', ASKED, list(confirmation), now, on_demand=True, own=True))

    def give_up(self, now: float, id: str) -> list[Act]:
        """No answer will come to this question."""
        self._questions.pop(id, None)
        return self._go_on(now)

    def cancel(self, now: float, key: str, code: int = _CANCELLED) -> list[Act]:
        """The caller takes one request back."""
        for request in self._all():
            if request.key == key:
                self._end(request, code)
        return self._go_on(now)

    # -- what a person presses

    def hush(self, now: float, known: Sequence[str] = ()) -> list[Act]:
        """Silence for everything that was asked for until now. `known`: ids of answers that are still growing."""
        self.silence.hush(now, self._settings().hush_quiet_s, [*known, *self._questions])
        self._questions.clear()
        self.paused = False
        self._end_all(_HUSHED)
        self._acts.append(Cue(OFF))   # to be felt, not heard
        return self._go_on(now)

    def mute(self, now: float, muted: bool) -> list[Act]:
        """Everything ends; while muted, new texts are paced and captioned without a sound."""
        if muted and not self.muted:
            self.paused = False
            self._end_all(_MUTED)
        self.muted = muted
        return self._go_on(now)

    def pause(self, now: float) -> tuple[bool, list[Act]]:
        """Stops what is being said, or goes on with it at the beginning of the sentence that was interrupted.

        Returns: whether there was anything to pause or to go on with, and the acts.
        """
        if not self.paused and (self._current is None or self._current.own):
            return False, self._go_on(now)
        self.paused = not self.paused
        if self.paused:
            self._interrupt_for_now()
        return True, self._go_on(now)

    def quiet(self, now: float, only_answers: bool) -> list[Act]:
        """From now on (or no longer) only what was asked for is spoken, and what is urgent."""
        self.silence.only_answers = only_answers
        for request in self._all() if only_answers else ():
            if request.volunteered:
                self._end(request, _HUSHED)
        return self._go_on(now)

    def say_again(self, now: float) -> list[Act]:
        """The sentence that sounds begins again: its rate has changed."""
        self._interrupt_for_now()
        return self._go_on(now)

    def end(self, why: str) -> list[Act]:
        """Everything ends because speaking does."""
        for request in self._all():
            self._end(request, _NO_VOICE, why)
        acts, self._acts = self._acts, []
        return acts

    # -- what the voice tells, and time

    def started(self, now: float, number: int) -> None:
        """The voice says that the first sample of this is out."""
        request = self._current
        if number != self._number or request is None or not isinstance(self._item, Sentence):
            return
        self.heard.begun(now, request, self._item)
        if request.on_begun is not None:
            request.on_begun(now)

    def ended(self, now: float, number: int, *, heard: bool) -> list[Act]:
        """The item is over. `heard`: False where no voice worked, or nothing was to be heard."""
        request = self._current
        if number == self._number and request is not None:
            self._number = 0
            if isinstance(self._item, Sentence):
                if heard:
                    request.heard_chars = max(request.heard_chars, self._item.end)
                elif not request.shortfall:
                    request.shortfall = _NO_VOICE if self._aloud else _MUTED
            request.next += 1
            request.idle_since = now
        return self._go_on(now)

    def tick(self, now: float) -> list[Act]:
        """Time has passed. To be called a few times a second."""
        if self._questions and now >= self._next_working:
            self._next_working = now + self._settings().working_every_s
            return self.request(now, Request(f'working {now}', PROGRESS, list(self._working), now, own=True,
                                             on_demand=True))
        return self._go_on(now)

    # -- what can be asked

    @property
    def busy(self) -> bool:
        return self._current is not None

    @property
    def questions(self) -> dict[str, float]:
        """What was asked and not answered: id to s, when."""
        return dict(self._questions)

    def may_volunteer(self, now: float) -> bool:
        """Whether something TOLD would be taken now, and could be spoken soon."""
        return not (self.silence.lasts(now) or self._questions or self.paused)

    # -- rules of arrival

    def _refusal(self, now: float, request: Request) -> int:
        if self.silence.refuses(now, request):
            return _HUSHED
        late = request.began < self._born or now > request.valid_until
        return _TOO_LATE if late and not request.on_demand else SPOKEN

    def _warn(self, now: float, request: Request) -> None:
        current, waiting = self._current, self._line.asked
        if current is not None and current.priority == ASKED and waiting is not None and waiting.began < current.began:
            self._end(waiting, _SUPERSEDED)
        if current is not None and current.priority == ASKED and self._line.asked is None:
            self._interrupt_for_now()    # an answer a person waits for is resumed at the sentence that was cut
            self._current = None
            self._line.add(current)
        elif current is not None and current.priority != URGENT:
            self._end(current, _SUPERSEDED)
        self._drop_progress()
        self._line.add(request)

    def _ask(self, now: float, request: Request) -> None:
        waiting = self._line.asked
        if waiting is not None and request.began < waiting.began:
            self._done(request, _SUPERSEDED)   # what waits is the answer to a newer question
            return
        if waiting is not None:
            self._end(waiting, _SUPERSEDED)
        current = self._current
        # A slow answer to an older question does not talk over the newer one; it comes after it.
        older = current is not None and current.priority == ASKED and request.began < current.began
        if current is not None and current.priority != URGENT and not older:
            if current.own and self._number and self._item == Earcon(HEARD):
                del current.sentences[current.next + 1:]   # a tenth of a second: it is not cut by the answer
            else:
                self._end(current, _SUPERSEDED)
        self.paused = False
        self._drop_progress()
        self._line.add(request)

    def _tell(self, now: float, request: Request) -> None:
        if self._current is not None and self._current.priority == PROGRESS:
            self._end(self._current, _SUPERSEDED)
        self._drop_progress()
        self._line.add(request)
        while self._line.count(TOLD) > self._settings().waiting:
            self._end(self._line.next(TOLD), _TOO_LATE)

    def _report(self, now: float, request: Request) -> None:
        if any(other.priority != PROGRESS for other in self._all()):
            self._done(request, _SUPERSEDED)
            return
        since = self._progress_since
        self._drop_progress()
        self._progress_since = min(since, now, *self._questions.values())
        self._line.add(request)

    def _drop_progress(self) -> None:
        self._progress_since = math.inf
        if self._line.progress is not None:
            self._end(self._line.progress, _SUPERSEDED)

    # -- going on

    def _go_on(self, now: float) -> list[Act]:
        self._drop_stale(now)
        while not self._number:
            if self._current is None:
                self._current = self._take_next(now)
                if self._current is None:
                    break
                self._current.idle_since = now
            elif self.paused and self._current.priority != URGENT:
                break
            if not self._continue(now):
                break
        acts, self._acts = self._acts, []
        return acts

    def _continue(self, now: float) -> bool:
        """Speaks the next item of the current request, or ends it. False: wait for more of it."""
        request = self._current
        while request.next < len(request.sentences):
            item = request.sentences[request.next]
            item = item(now) if callable(item) else item
            if isinstance(item, Earcon) and (self.muted or not self._settings().earcons):
                self._acts.append(Cue(item.name))
                item = None
            if item is None:
                request.next += 1
                continue
            self._numbers += 1
            self._number, self._item, self._aloud = self._numbers, item, not self.muted
            self._acts.append(Speak(self._number, request, item, self._aloud))
            return True
        if request.open and now < request.idle_since + (self._settings().hold_s if self._line else _LONGEST_HOLD_S):
            return False
        self._end(request, request.shortfall)
        return True

    def _take_next(self, now: float) -> Request | None:
        for priority in (URGENT, ASKED, TOLD, PROGRESS):
            while (request := self._line.next(priority)) is not None and self._may_begin(now, request):
                self._line.remove(request)
                code = SPOKEN if request.begun or request.check is None else request.check(now)
                if code == SPOKEN:
                    return request
                self._done(request, code)
        return None

    def _may_begin(self, now: float, request: Request) -> bool:
        if request.priority == TOLD:
            return not (self.paused or self._questions or (self.camera_turns and not request.own))
        if request.priority == PROGRESS:
            return not self.paused and now >= self._progress_since + self._settings().progress_after_s
        return request.priority == URGENT or not self.paused

    def _drop_stale(self, now: float) -> None:
        for request in self._all():
            if request is not self._current and not request.begun and now > request.valid_until:
                self._end(request, _TOO_LATE)

    # -- ending

    def _end_all(self, code: int) -> None:
        for request in self._all():
            if code == _HUSHED and request.about:
                self.silence.add([request.about])
            self._end(request, code)

    def _end(self, request: Request, code: int, why: str = '') -> None:
        if request is self._current:
            self._interrupt()
            self._current = None
            self.paused = self.paused and self._line.asked is not None   # else nothing is left to go on with
        else:
            self._line.remove(request)
        self._done(request, code, why)

    def _interrupt_for_now(self) -> None:
        """It goes on at the sentence that was cut; where that is shown with the words before it, at these."""
        if self._number and isinstance(self._item, Sentence) and self._item.caption == '':
            self._current.next -= 1
        self._interrupt()

    def _interrupt(self) -> None:
        if self._number:
            self._number = 0
            self._acts.append(Stop())

    def _done(self, request: Request, code: int, why: str = '') -> None:
        request.open = False
        self._acts.append(Done(request, code, why))
        if request.on_done is not None:
            request.on_done(code)

    def _all(self) -> list[Request]:
        return ([] if self._current is None else [self._current]) + list(self._line)
