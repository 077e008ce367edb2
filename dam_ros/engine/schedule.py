"""Who is next: the bounded queue, slots and urgency of requests. Pure bookkeeping: no clock, thread or process."""
from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np

from dam_ros.core.answering import Answer
from dam_ros.core.describing import Piece, Query
from dam_ros.core.encoded import Encoded
from dam_ros.core.errors import Busy, Failure, complaint, invalid
from dam_ros.core.masks import StoredMask
from dam_ros.core.segmenting import Prompt

# Urgency, most urgent first: a person asked; a planner asked; one region of many; volunteered narration.
ASKED, CALLED, SCENE, TOLD = range(4)
PREEMPTIBLE = SCENE   # this and what is less urgent is stopped for what is more urgent


@dataclass(frozen=True)
class Work:
    """What the worker needs to look: pictures with their masks, and what the segmenter is to cut out of the last.

    Regions of one request share a picture where it is the same object. A mask that is None is found by following the
    last one.
    """

    pictures: tuple[tuple[Encoded, StoredMask | None], ...]
    prompt: Prompt | None = None


class State(Enum):
    WAITING = 'waiting'
    RUNNING = 'running'
    DONE = 'done'


@dataclass(eq=False)
class Unit:
    """One region of a request.

    Attributes:
        id: of the description that comes of it.
        work: what it is about, or why it cannot be described, which is the answer when its turn has come.
        look: names the look; the same name means the same picture and region.
        parts: tellings in their order, (part, query).
        look_s: NaN until looked; 0 = an old look was used.
        taken: the worker has begun with it.
        again: it was sent to a worker that ended before it took it.
        by: (describer, model) where another than the engine's describer answered it.
    """

    id: str
    work: Work | Failure
    look: str
    parts: list[tuple[str, Query]]
    request: Request | None = None
    state: State = State.WAITING
    answer: Answer = field(default_factory=Answer)
    job: int = 0
    taken: bool = False
    again: bool = False
    started_s: float = float('nan')
    first_s: float = float('nan')
    look_s: float = float('nan')
    refined: np.ndarray | None = None
    by: tuple[str, str] | None = None


class Listener(Protocol):
    """What a request's owner is told, in the engine's thread; it must only hand it on."""

    def admitted(self, request: Request) -> None: ...

    def changed(self, request: Request, unit: Unit | None, phase: str) -> None: ...

    def grown(self, request: Request, unit: Unit, part: str, text: str, piece: Piece) -> None: ...

    def unit_finished(self, request: Request, unit: Unit, outcome: Outcome) -> None: ...

    def finished(self, request: Request, failure: Failure | None) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How one unit ended. Times in s on the steady clock, NaN where it did not come so far."""

    failure: Failure | None
    answer: Answer
    refined: np.ndarray | None
    describer: str
    model: str
    queue_s: float
    look_s: float
    first_s: float
    total_s: float


@dataclass(eq=False)
class Request:
    """One call, from arrival to its one answer.

    Attributes:
        deadline_s: on the clock of time.monotonic.
        waiting_for: what the answer is where the deadline passes before a picture was found.
        camera: what takes turns among equally urgent requests.
        sent: the pictures that the present worker has of it; their places are their names there.
    """

    id: str
    slot: str
    urgency: int
    arrival_s: float
    deadline_s: float
    listener: Listener
    camera: str = ''
    waiting_for: Failure | None = None
    units: list[Unit] = field(default_factory=list)
    sent: list[Encoded] = field(default_factory=list)
    open: bool = True

    def give(self, units: list[Unit]) -> None:
        self.units = units
        for unit in units:
            unit.request = self

    @property
    def running(self) -> bool:
        return any(unit.state is State.RUNNING for unit in self.units)

    @property
    def started(self) -> bool:
        return any(unit.state is not State.WAITING for unit in self.units)


class Schedule:
    """All open requests, in the order of arrival.

    Args:
        queue: how many may wait at once.
    """

    def __init__(self, queue: int):
        self._queue = queue
        self._open: dict[str, Request] = {}
        self._turns: dict[str, int] = {}   # camera -> when it last had one

    def __iter__(self):
        return iter(list(self._open.values()))

    def find(self, id: str) -> list[Request]:
        """The open requests of this id, of whom a unit has it, or all for ''."""
        return [one for one in self._open.values()
                if id in ('', one.id) or any(unit.id == id for unit in one.units)]

    def admit(self, request: Request, retry_after_s: float) -> list[Request]:
        """Takes a request in; returns those that its slot ends.

        Raises:
            InvalidRequest: its id is in use.
            Busy: the queue is full.
        """
        if request.id in self._open:
            raise invalid('id', request.id, 'a name that no open request has', 'Leave it empty to get one')
        superseded = [one for one in self._open.values() if request.slot and one.slot == request.slot]
        waiting = sum(1 for one in self._open.values() if not one.started and one not in superseded)
        if waiting >= self._queue:
            raise Busy(complaint('queue', f'full with {waiting} requests', f'{self._queue} waiting at once (parameter '
                                 'queue)', f'Try again in {retry_after_s:.1f} s'), retry_after_s)
        self._open[request.id] = request
        return superseded

    def remove(self, request: Request) -> None:
        request.open = False
        if self._open.get(request.id) is request:
            del self._open[request.id]

    def next_unit(self) -> Unit | None:
        """The first waiting unit of the most urgent request; of equals, of that whose camera has waited longest."""
        ready = [one for one in self._open.values() if any(unit.state is State.WAITING for unit in one.units)]
        if not ready:
            return None
        # The first of equals: order of arrival.
        request = min(ready, key=lambda one: (one.urgency, self._turns.get(one.camera, 0)))
        return next(unit for unit in request.units if unit.state is State.WAITING)

    def start(self, unit: Unit) -> None:
        """It runs from now on; its camera has had its turn."""
        unit.state = State.RUNNING
        self._turns[unit.request.camera] = max(self._turns.values(), default=0) + 1

    def to_preempt(self) -> Unit | None:
        """A running unit that should make room for what waits: the least urgent, newest first."""
        waiting = self.next_unit()
        running = [unit for one in self._open.values() for unit in one.units if unit.state is State.RUNNING]
        if waiting is None or not running:
            return None
        last = max(reversed(running), key=lambda unit: unit.request.urgency)
        urgency = last.request.urgency
        return last if urgency >= PREEMPTIBLE and urgency > waiting.request.urgency else None

    def ahead(self, request: Request) -> int:
        """How many requests come before this one."""
        before = True
        count = 0
        for one in list(self._open.values()):   # may be read from another thread
            if one is request:
                before = False
            elif one.running or one.urgency < request.urgency or (before and one.urgency == request.urgency):
                count += 1
        return count

    def counts(self) -> tuple[int, int]:
        """(waiting, running) requests."""
        started = sum(1 for one in self._open.values() if one.started)
        return len(self._open) - started, started
