"""Who has the floor: what sounds, what is paused, who waits, and the acts that each change of it leads to.

It decides nothing; the rules are in `speaking`.
"""
from __future__ import annotations

from collections.abc import Callable

from dam_ros.core.speakable import Sentence
from dam_ros.core.speech_acts import (Act, Arrived, ASKED, Cue, Done, Earcon, PROGRESS, Request, Speak, SPOKEN, Stop,
                                      TOLD, URGENT)
from dam_ros.core.waiting_line import WaitingLine


class Floor:
    """Attributes:
    current: whose turn it is, or None.
    held: what was paused, or None. It is not in the line: only the person lets it go on.
    line: who waits.
    item: what sounds now, or sounded last.
    aloud: whether that is to be heard, or only paced.
    """

    def __init__(self):
        self.current: Request | None = None
        self.held: Request | None = None
        self.line = WaitingLine()
        self.item: Sentence | Earcon | None = None
        self.aloud = True
        self._number, self._numbers = 0, 0   # of what sounds now (0 nothing); counter
        self._acts: list[Act] = []

    @property
    def sounds(self) -> bool:
        return self._number > 0

    def everyone(self) -> list[Request]:
        """All who have not ended."""
        return [one for one in (self.current, self.held) if one is not None] + list(self.line)

    def acts(self) -> list[Act]:
        """What has come of everything since the last call, in order."""
        acts, self._acts = self._acts, []
        return acts

    def add(self, act: Act) -> None:
        self._acts.append(act)

    def arrive(self, request: Request) -> None:
        self._acts.append(Arrived(request))

    def is_sounding(self, number: int) -> bool:
        """Whether this is the number of what sounds now."""
        return self.current is not None and number == self._number

    def go_on(self, now: float, aloud: bool, earcons: bool, patience_s: float) -> bool:
        """The next item of the current request sounds, or the request ends.

        Args:
            aloud: it is to be heard, or else only paced.
            earcons: False = they are only named.
            patience_s: how long more of an open request is waited for.

        Returns: False where nothing can be done but wait for more of it.
        """
        request = self.current
        while request.next < len(request.sentences):
            item = request.sentences[request.next]
            item = item(now) if callable(item) else item
            if isinstance(item, Earcon) and not (aloud and earcons):
                self._acts.append(Cue(item.name))
                item = None
            if item is not None:
                self._speak(item, aloud)
                return True
            request.next += 1
        if request.open and now < request.idle_since + patience_s:
            return False
        self.end(request, request.shortfall)
        return True

    def finished(self, now: float, shortfall: int) -> None:
        """What sounded has come to its end. `shortfall`: 0, or the ErrorCode that says why it was not heard."""
        self._number = 0
        current = self.current
        if isinstance(self.item, Sentence):
            if shortfall:
                current.shortfall = current.shortfall or shortfall
            else:
                current.heard_chars = max(current.heard_chars, self.item.end)
        current.next += 1
        current.idle_since = now

    def take_next(self, now: float, may_begin: Callable[[Request], bool]) -> bool:
        """Whose turn it is; who fails at the last check ends. False where nobody has one."""
        for priority in (URGENT, ASKED, TOLD, PROGRESS):
            while (request := self.line.next(priority)) is not None and may_begin(request):
                self.line.remove(request)
                code = SPOKEN if request.begun or request.check is None else request.check(now)
                if code == SPOKEN:
                    request.idle_since = now
                    self.current = request
                    return True
                self.done(request, code)
        return False

    def drop_stale(self, now: float, code: int) -> None:
        """Who has waited too long ends with this ErrorCode."""
        for request in self.line:
            if not request.begun and now > request.valid_until:
                self.end(request, code)

    def interrupt(self) -> None:
        """What sounds stops, and begins again when its request goes on; with it the words before it that it is
        captioned with."""
        if self.sounds and isinstance(self.item, Sentence) and self.item.caption == '':
            self.current.next -= 1
        self._stop()

    def make_way(self) -> None:
        """The current request waits in the line for its turn to come again."""
        current = self._step_down()
        self.line.add(current)

    def hold(self) -> None:
        """The current request is paused."""
        self.held = self._step_down()

    def end(self, request: Request, code: int, why: str = '') -> None:
        """Whatever sounds of it stops; it gets its answer."""
        if request is self.current:
            self._stop()
            self.current = None
        elif request is self.held:
            self.held = None
        else:
            self.line.remove(request)
        self.done(request, code, why)

    def done(self, request: Request, code: int, why: str = '') -> None:
        """The answer of a request that has no place here (any more)."""
        request.open = False
        self._acts.append(Done(request, code, why))
        if request.on_done is not None:
            request.on_done(code)

    def _speak(self, item: Sentence | Earcon, aloud: bool) -> None:
        self._numbers += 1
        self._number, self.item, self.aloud = self._numbers, item, aloud
        self._acts.append(Speak(self._number, self.current, item, aloud))

    def _stop(self) -> None:
        if self.sounds:
            self._number = 0
            self._acts.append(Stop())

    def _step_down(self) -> Request:
        self.interrupt()
        current, self.current = self.current, None
        return current
