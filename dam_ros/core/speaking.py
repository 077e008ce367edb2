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
from dam_ros.core.floor import Floor
from dam_ros.core.heard import Heard
from dam_ros.core.open_questions import OpenQuestions
from dam_ros.core.silence import Silence
from dam_ros.core.speakable import Sentence
from dam_ros.core.speech_acts import (Act, ASKED, Cue, Earcon, HEARD, Item, OFF, PROGRESS, Request, SPOKEN, TOLD,
                                      URGENT, WORKING)
from dam_ros.core.speech_settings import SpeechSettings

_SUPERSEDED, _HUSHED, _MUTED = errors.Superseded.code, errors.Hushed.code, errors.Muted.code
_NO_VOICE, _TOO_LATE, _CANCELLED = errors.NoVoice.code, errors.TooLate.code, errors.Cancelled.code
_WORKING = (Earcon(WORKING),)
_LONGEST_HOLD_S = 120.0   # where nobody else wants the floor; an answer that never ends must not stay for ever


class Speaking:
    """The state: who speaks, who waits, what was hushed. Every method returns the acts it leads to, in order.

    Attributes:
        heard: what the person has heard the beginning of.
        muted: True while nothing is to be heard.
        silence: what the person has silenced.
        camera_turns: True while the camera turns: nothing is volunteered, as it would be about what is gone by then.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], now: float, working: Sequence[Item] = _WORKING):
        self._settings, self._born, self._working = settings, now, working
        self.heard = Heard()
        self.silence = Silence()
        self.muted = self.camera_turns = False
        self._floor = Floor()
        self._questions = OpenQuestions()
        self._progress_since = math.inf   # when the first progress came of those that nothing else came after

    # -- what comes in

    def request(self, now: float, request: Request) -> list[Act]:
        """Something to say."""
        self._floor.arrive(request)
        if request.priority == ASKED:
            self._questions.answer(request.about)
        refusal = self._refusal(now, request)
        if refusal or not (request.sentences or request.open):
            self._floor.done(request, refusal)
        else:
            request.idle_since = now
            arrive = {TOLD: self._tell, ASKED: self._ask, URGENT: self._warn, PROGRESS: self._report}
            arrive[request.priority](now, request)
        return self._go_on(now)

    def extend(self, now: float, key: str, items: Sequence[Item], *, closed: bool) -> list[Act]:
        """More of an open request; `closed`: this was the last. What has ended meanwhile stays ended."""
        for request in self._floor.everyone():
            if request.key == key and request.open:
                request.sentences.extend(items)
                request.open = not closed
                request.idle_since = now
        return self._go_on(now)

    def add_to(self, now: float, about: str, items: Sequence[Item], *, whole: bool = False) -> list[Act] | None:
        """More behind what is being said of this description. None where nothing is being said of it.

        `whole`: that is all; a second time adds nothing.
        """
        current = self._floor.current
        if current is None or not about or current.about != about or current.own:
            return None
        if not current.whole:
            current.sentences.extend(items)
            current.whole = whole
        return self._go_on(now)

    def is_open(self, key: str) -> bool:
        """Whether this request has not ended, and more of it may come."""
        return any(request.key == key and request.open for request in self._floor.everyone())

    def question(self, now: float, id: str, confirmation: Sequence[Item]) -> list[Act]:
        """A person has asked: what was being said ends, paused or not, the confirmation is given, and until a request
        ASKED comes whose `about` is this id (or `give_up`) nothing is volunteered."""
        self._supersede(self._floor.current)   # also where it is only another earcon
        self._supersede(self._floor.held)
        self._questions.ask(now, id, self._settings().progress_after_s)
        return self.request(now, Request(f'heard {id}', ASKED, list(confirmation), now, on_demand=True, own=True))

    def give_up(self, now: float, id: str) -> list[Act]:
        """No answer will come to this question."""
        self._questions.answer(id)
        return self._go_on(now)

    def cancel(self, now: float, key: str, code: int = _CANCELLED) -> list[Act]:
        """The caller takes one request back."""
        for request in self._floor.everyone():
            if request.key == key:
                self._floor.end(request, code)
        return self._go_on(now)

    # -- what a person presses

    def hush(self, now: float, known: Sequence[str] = ()) -> list[Act]:
        """Silence for everything that was asked for until now. `known`: ids of answers that are still growing."""
        self.silence.hush(now, self._settings().hush_quiet_s, [*known, *self._questions.since])
        self._questions.clear()
        self._end_all(_HUSHED)
        self._floor.add(Cue(OFF))   # to be felt, not heard
        return self._go_on(now)

    def mute(self, now: float, muted: bool) -> list[Act]:
        """Everything ends; while muted, new texts are paced and captioned without a sound."""
        if muted and not self.muted:
            self._end_all(_MUTED)
        self.muted = muted
        return self._go_on(now)

    def pause(self, now: float) -> tuple[bool, list[Act]]:
        """Stops what is being said, or goes on with it at the beginning of the sentence that was interrupted.

        What is urgent goes on: then what waits behind it is paused.

        Returns: whether there was anything to pause or to go on with, and the acts.
        """
        floor = self._floor
        found = True
        if floor.held is not None:
            self._resume(now)
        elif floor.current is not None and floor.current.priority == URGENT and floor.line.asked is not None:
            floor.held = floor.line.asked
            floor.line.remove(floor.held)
        elif floor.current is not None and floor.current.priority != URGENT and floor.current.has_words:
            floor.hold()
        else:
            found = False
        return found, self._go_on(now)

    def quiet(self, now: float, only_answers: bool) -> list[Act]:
        """From now on (or no longer) only what was asked for is spoken, and what is urgent."""
        self.silence.only_answers = only_answers
        for request in self._floor.everyone() if only_answers else ():
            if request.volunteered:
                self._floor.end(request, _HUSHED)
        return self._go_on(now)

    def say_again(self, now: float) -> list[Act]:
        """The sentence that sounds begins again: its rate has changed."""
        self._floor.interrupt()
        return self._go_on(now)

    def end(self, why: str) -> list[Act]:
        """Everything ends because speaking does."""
        for request in self._floor.everyone():
            self._floor.end(request, _NO_VOICE, why)
        return self._floor.acts()

    # -- what the voice tells, and time

    def started(self, now: float, number: int) -> None:
        """The voice says that the first sample of this is out."""
        floor = self._floor
        if not floor.is_sounding(number) or not isinstance(floor.item, Sentence):
            return
        self.heard.begun(now, floor.current, floor.item)
        if floor.current.on_begun is not None:
            floor.current.on_begun(now)

    def ended(self, now: float, number: int, *, heard: bool) -> list[Act]:
        """The item is over. `heard`: False where no voice worked, or nothing was to be heard."""
        if self._floor.is_sounding(number):
            self._floor.finished(now, 0 if heard else _NO_VOICE if self._floor.aloud else _MUTED)
        return self._go_on(now)

    def tick(self, now: float) -> list[Act]:
        """Time has passed. To be called a few times a second."""
        if self._questions.sign_is_due(now, self._settings().working_every_s):
            return self.request(now, Request(f'working {now}', PROGRESS, list(self._working), now, own=True,
                                             on_demand=True))
        return self._go_on(now)

    # -- what can be asked

    @property
    def busy(self) -> bool:
        return self._floor.current is not None

    @property
    def paused(self) -> bool:
        """Whether what was being said waits for the person to go on."""
        return self._floor.held is not None

    @property
    def questions(self) -> dict[str, float]:
        """What was asked and not answered: id to s, when."""
        return self._questions.since

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
        current, waiting = self._floor.current, self._floor.line.asked
        if current is not None and current.priority == ASKED and (waiting is None or waiting.began < current.began):
            self._supersede(waiting)
            self._floor.make_way()    # an answer a person waits for is resumed at the sentence that was cut
        else:
            self._supersede(current)
        self._drop_progress()
        self._floor.line.add(request)

    def _ask(self, now: float, request: Request) -> None:
        floor, waiting = self._floor, self._floor.line.asked
        if waiting is not None and request.began < waiting.began:
            floor.done(request, _SUPERSEDED)   # what waits is the answer to a newer question
            return
        self._supersede(waiting)
        if not request.own:   # the system's own words, as of `status`, leave what is paused to be gone on with
            self._supersede(floor.held)
        current = floor.current
        # A slow answer to an older question does not talk over the newer one; it comes after it.
        older = current is not None and current.priority == ASKED and request.began < current.began
        if current is not None and not older:
            if current.own and floor.sounds and floor.item == Earcon(HEARD):
                del current.sentences[current.next + 1:]   # a tenth of a second: it is not cut by the answer
            else:
                self._supersede(current)
        self._drop_progress()
        floor.line.add(request)

    def _tell(self, now: float, request: Request) -> None:
        if self._floor.current is not None and self._floor.current.priority == PROGRESS:
            self._supersede(self._floor.current)
        self._drop_progress()
        line = self._floor.line
        line.add(request)
        while line.count(TOLD) > self._settings().waiting:
            self._floor.end(line.next(TOLD), _TOO_LATE)

    def _report(self, now: float, request: Request) -> None:
        if any(other.priority != PROGRESS for other in self._floor.everyone()):
            self._floor.done(request, _SUPERSEDED)
            return
        since = self._progress_since
        self._drop_progress()
        self._progress_since = min(since, now, *self._questions.since.values())
        self._floor.line.add(request)

    def _drop_progress(self) -> None:
        self._progress_since = math.inf
        self._supersede(self._floor.line.progress)

    def _supersede(self, request: Request | None) -> None:
        """Something newer takes its place; not that of what is urgent."""
        if request is not None and request.priority != URGENT:
            self._floor.end(request, _SUPERSEDED)

    def _end_all(self, code: int) -> None:
        for request in self._floor.everyone():
            if code == _HUSHED and request.about:
                self.silence.add([request.about])
            self._floor.end(request, code)

    def _resume(self, now: float) -> None:
        """What was paused goes on; behind what is urgent, instead of anything else."""
        floor = self._floor
        held, floor.held = floor.held, None
        held.idle_since, held.valid_until, held.check = now, math.inf, None   # whoever pauses wants it, however late
        self._supersede(floor.current)
        self._supersede(floor.line.asked)
        if floor.current is None:
            floor.current = held
        else:
            floor.line.add(held)

    # -- going on

    def _go_on(self, now: float) -> list[Act]:
        floor = self._floor
        floor.drop_stale(now, _TOO_LATE)
        while not floor.sounds:
            if floor.current is None and not floor.take_next(now, lambda request: self._may_begin(now, request)):
                break
            patience_s = self._settings().hold_s if floor.line else _LONGEST_HOLD_S
            if not floor.go_on(now, not self.muted, self._settings().earcons, patience_s):
                break
        return floor.acts()

    def _may_begin(self, now: float, request: Request) -> bool:
        if request.priority == TOLD:
            return not (self.paused or self._questions or (self.camera_turns and not request.own))
        if request.priority == PROGRESS:
            return not self.paused and now >= self._progress_since + self._settings().progress_after_s
        return True
