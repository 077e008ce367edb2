"""A real engine with a real worker process, driven without ROS; what its listeners were told, with times."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import threading
import time
import uuid

import numpy as np

from dam_ros.core.answering import tellings_for
from dam_ros.core.describing import NORMAL, Piece, Query
from dam_ros.core.encoded import Encoded, Layout
from dam_ros.core.errors import Failure
from dam_ros.core.masks import StoredMask
from dam_ros.core.segmenting import Prompt
from dam_ros.engine.engine import Engine
from dam_ros.engine.schedule import CALLED, Outcome, Request, Unit, Work
from dam_ros.engine.status import Options

PATIENCE_S = 15.0   # for what must come; a busy machine may be slow, but a test that fails is allowed to be


def until(true: Callable[[], object], what: str, patience_s: float = PATIENCE_S):
    """Polls; the true value. Fails the test naming what did not come."""
    end = time.monotonic() + patience_s
    while not (value := true()):
        assert time.monotonic() < end, f'{what} did not come within {patience_s:g} s'
        time.sleep(0.002)
    return value


def picture(height: int = 6, width: int = 8) -> Work:
    return work((np.zeros((height, width, 3), np.uint8), np.ones((height, width), bool)))


def work(*pictures: tuple[np.ndarray, np.ndarray], prompt: Prompt | None = None) -> Work:
    """Of pairs (RGB uint8 (H, W, 3), bool (H, W))."""
    return Work(tuple((_encoded(image), StoredMask(mask)) for image, mask in pictures), prompt)


def _encoded(image: np.ndarray) -> Encoded:
    height, width = image.shape[:2]
    return Encoded(np.ascontiguousarray(image), Layout('rgb8', width, height, width * 3))


class Heard:
    """A listener that writes everything down; gives the units as soon as the request is admitted."""

    def __init__(self, engine: Engine, units: list[Unit] | None):
        self._engine, self._units = engine, units
        self.events: list[str] = []
        self.phases: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.outcomes: dict[str, Outcome] = {}
        self.order: list[str] = []     # unit ids as they ended
        self.ends: list[Failure | None] = []
        self.ended_s = float('nan')
        self.request: Request | None = None

    def admitted(self, request: Request) -> None:
        self.events.append('admitted')
        if self._units is not None:
            self._engine.provide(request, self._units)

    def changed(self, request: Request, unit: Unit | None, phase: str) -> None:
        self.phases.append(phase)

    def grown(self, request: Request, unit: Unit, part: str, text: str, piece: Piece) -> None:
        self.texts.append((part, text))

    def unit_finished(self, request: Request, unit: Unit, outcome: Outcome) -> None:
        assert unit.id not in self.outcomes, 'a unit was answered twice'
        assert not self.ends, 'a unit was answered after its request'
        self.outcomes[unit.id] = outcome
        self.order.append(unit.id)

    def finished(self, request: Request, failure: Failure | None) -> None:
        self.ended_s = time.monotonic()
        self.ends.append(failure)

    def end(self, patience_s: float = PATIENCE_S) -> Heard:
        until(lambda: self.ends, 'the answer', patience_s)
        return self

    @property
    def outcome(self) -> Outcome:
        """Of the only unit."""
        return next(iter(self.outcomes.values()))

    @property
    def failure(self) -> Failure | None:
        """What the caller of a single region is told."""
        return self.ends[0] or (self.outcome.failure if self.outcomes else None)

    @property
    def code(self) -> int:
        return self.failure.code if self.failure else 0

    @property
    def took_s(self) -> float:
        return self.ended_s - self.request.arrival_s


class Rig:
    """An engine with the describer rehearsal, and short ways to ask it."""

    def __init__(self, describer: str = 'rehearsal', options: dict | None = None, **more):
        self.log: list[tuple[str, str]] = []
        self.states: list[str] = []
        self.engine = Engine(Options(describer, options or {}, **more), self._note,
                             lambda: self.states.append(self.engine.status.state))
        self.all: list[Heard] = []

    def _note(self, level: str, text: str) -> None:
        self.log.append((level, text))

    def unit(self, script: dict | None = None, look: str = '', detail: int = NORMAL, spoken: bool = False,
             about: Work | Failure | None = None, id: str = '', question: str = '', **query) -> Unit:
        question = json.dumps(script) if script else question
        return Unit(id or str(uuid.uuid4()), about or picture(), look or str(uuid.uuid4()),
                    tellings_for(Query(question, detail=detail, **query), spoken))

    def ask(self, script: dict | None = None, *, urgency: int = CALLED, timeout_s: float = 20.0, slot: str = '',
            id: str = '', units: list[Unit] | None = None, provide: bool = True, **unit) -> Heard:
        """Submits one request; with `provide` false its picture never comes."""
        units = units if units is not None else [self.unit(script, **unit)]
        heard = Heard(self.engine, units if provide else None)
        now = time.monotonic()
        heard.request = Request(id or str(uuid.uuid4()), slot, urgency, now, now + timeout_s, heard)
        self.all.append(heard)
        self.engine.submit(heard.request)
        return heard

    def ready(self) -> Rig:
        until(lambda: self.engine.status.state == 'ready', 'a ready worker')
        return self

    def cancel(self, id: str) -> int:
        counted: list[int] = []
        self.engine.cancel(id, counted.append)
        return until(lambda: counted, 'the count')[0]

    def wake(self, patience_s: float = PATIENCE_S) -> tuple[bool, str]:
        said: list[tuple[bool, str]] = []
        self.engine.wake(lambda good, text: said.append((good, text)))
        return until(lambda: said, 'an answer to wake', patience_s)[0]

    @property
    def bugs(self) -> list[str]:
        return [text for _, text in self.log if 'bug' in text]


@contextmanager
def running(describer: str = 'rehearsal', options: dict | None = None, **more) -> Iterator[Rig]:
    """An engine from start to close. At the end: each request has exactly one answer, and no bug was reported."""
    rig = Rig(describer, options, **more)
    rig.engine.start()
    try:
        yield rig
        done = threading.Event()
        rig.engine.refuse(Failure('the test is over'), done.set)
        assert done.wait(PATIENCE_S)
        assert [len(one.ends) for one in rig.all] == [1] * len(rig.all)
        assert rig.bugs == []
    finally:
        rig.engine.close()


def open_files() -> list[str]:
    """What this process holds open, as /proc names it."""
    found = []
    for link in Path('/proc/self/fd').iterdir():
        try:
            found.append(str(link.readlink()))
        except OSError:   # the descriptor of this very listing
            pass
    return found


def alive(pid: int) -> bool:
    """A zombie counts as dead."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False
