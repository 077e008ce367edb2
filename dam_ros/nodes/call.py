"""One call from its arrival to its one answer, and what goes out meanwhile. All in the engine's thread. No pixels."""
from __future__ import annotations

from collections.abc import Callable
import math
import threading
import time
from typing import Protocol

from dam_ros.core.answering import BRIEF_PART, tellings_for
from dam_ros.core.describing import BRIEF, Piece
from dam_ros.core.errors import Failure
from dam_ros.core.orders import Order, SceneOrder
from dam_ros.core.speech_acts import SPEAK_NO
from dam_ros.core.partials import BriefStream, Part, PartialStream
from dam_ros.core.records import Record
from dam_ros.engine.schedule import Outcome, Request, Unit
from dam_ros.msg import Description
from dam_ros.nodes.messages import Answered, Subject
from dam_ros.nodes.whereabouts import Sight

FEEDBACK_INTERVAL_S = 0.05   # Describe.action: at most 20 a second


class Owner(Protocol):
    """Who answers calls."""

    def choose_picture(self, call: Call) -> None: ...

    def unit_finished(self, call: Call, unit: Unit, outcome: Outcome) -> None: ...

    def finished(self, call: Call, failure: Failure | None) -> None: ...

    def send_partials(self, call: Call, parts: list[Part]) -> None: ...


class Call:
    """The owner of one engine request.

    What the engine tells it is done right after the engine has finished what it is at, so neither meets the other half
    way.

    Args:
        soon: calls in the engine's thread, in the order of asking.
        ended: called with what is answered, once, in the engine's thread.

    Attributes:
        subjects: unit id -> what it is about; filled in by the desk before the units are provided.
        under_way: set as soon as nothing more happens with it at once: it is in the worker, waits, or was answered.
        sight: how its picture was taken, None = not a camera's, or not chosen yet.
        closed: its answer is made.
        descriptions, failures: those of its units so far, in their order; failures has None for good ones.
        pending_until_s: time.monotonic up to which a picture is waited for, NaN where none is.
        admitted_s: time.monotonic at which the engine took it in, 0 = not yet.
        text, phase, shown: for feedback.
    """

    def __init__(self, order: Order | SceneOrder, soon: Callable[..., None], owner: Owner,
                 ended: Callable[[Answered], None]):
        self.order, self.ended = order, ended
        self._soon, self._owner = soon, owner
        self.request: Request | None = None
        self.subjects: dict[str, Subject] = {}
        self.sight: Sight | None = None
        self.keep: dict[str, Record] = {}     # unit id -> what will be remembered of it
        self.descriptions: list[Description] = []
        self.failures: list[Failure | None] = []
        self.left_out = 0
        self.under_way = threading.Event()
        self.closed = False
        self.pending_until_s = math.nan
        self.admitted_s = 0.0
        self.stream = _stream(order)
        self.shown = 0   # regions that went out as feedback
        self.text, self.phase = '', 'queued'
        self.feedback: Callable[[Call], None] | None = None
        self._fed_s = 0.0

    # -- what the engine says -----------------------------------------------------------------------------------

    def admitted(self, request: Request) -> None:
        self._soon(self._owner.choose_picture, self)

    def changed(self, request: Request, unit: Unit | None, phase: str) -> None:
        self._soon(self._show_phase, phase)

    def grown(self, request: Request, unit: Unit, part: str, text: str, piece: Piece) -> None:
        self._soon(self._show_text, unit, part, text, piece)

    def unit_finished(self, request: Request, unit: Unit, outcome: Outcome) -> None:
        self._soon(self._owner.unit_finished, self, unit, outcome)

    def finished(self, request: Request, failure: Failure | None) -> None:
        self._soon(self._owner.finished, self, failure)

    # -- what comes of it ---------------------------------------------------------------------------------------

    def described(self, description: Description, failure: Failure | None) -> None:
        self.descriptions.append(description)
        self.failures.append(failure)

    @property
    def brief_first(self) -> bool:
        """What is to be spoken has a brief telling first; that alone is what ~/partial brings of it."""
        return len(self._parts) > 1

    @property
    def _parts(self) -> list:
        return self.request.units[0].parts if self.request.units else []

    def _show_phase(self, phase: str) -> None:
        self.phase = phase
        self.show(at_once=True)

    def _show_text(self, unit: Unit, part: str, text: str, piece: Piece) -> None:
        if self.closed:
            return
        self.text = text.strip()
        if isinstance(self.order, Order) and part == unit.parts[0][0]:
            self._owner.send_partials(self, self.stream.grow(text, piece, time.monotonic()))
        self.show(at_once=False)

    def show(self, at_once: bool) -> None:
        """Feedback, at every change of phase, else at most 20 times a second."""
        now = time.monotonic()
        if self.feedback is None or self.closed:
            return
        if at_once or now - self._fed_s >= FEEDBACK_INTERVAL_S:
            self._fed_s = now
            self.feedback(self)


def _stream(order: Order | SceneOrder) -> PartialStream:
    """That of the first telling, which is all that ~/partial brings; a scene has none."""
    if not isinstance(order, Order):
        return PartialStream()
    part, _ = tellings_for(order.query, order.speak != SPEAK_NO)[0]
    return BriefStream() if part == BRIEF_PART or order.query.detail == BRIEF else PartialStream()
