"""The desk: a request's way from message to answer. Picture, plan, engine, answer. No pixel arithmetic."""
from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
import time
import traceback
from typing import Any

from dam_ros.core.answering import tellings_for
from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.describing import READ
from dam_ros.core.encoded import Encoded
from dam_ros.core.errors import DeadlineExceeded, Failure, Internal
from dam_ros.core.frames import Found
from dam_ros.core.orders import new_id, Order, SceneOrder
from dam_ros.core.speech_acts import SPEAK_ASKED, SPEAK_NO, SPEAK_TOLD
from dam_ros.core.partials import Part
from dam_ros.core.planning import Planned
from dam_ros.core.records import Record, Records
from dam_ros.engine.engine import Engine
from dam_ros.engine.schedule import ASKED, CALLED, SCENE, TOLD, Outcome, Request, Unit
from dam_ros.nodes import messages, planner
from dam_ros.nodes.call import Call
from dam_ros.nodes.cameras import Camera
from dam_ros.nodes.choosing import Choosing
from dam_ros.nodes.descriptions import Descriptions
from dam_ros.nodes.messages import Answered, Subject
from dam_ros.nodes.outlets import Outlets
from dam_ros.nodes.whereabouts import Sight, Transforms

_TICK_S = 0.05
_UNDER_WAY_S = 0.003   # usually 2 ms; frames must not wait for a scene of 64 regions
_URGENCY = {SPEAK_NO: CALLED, SPEAK_TOLD: TOLD, SPEAK_ASKED: ASKED}


class Desk:
    """Lives from configure to cleanup; everything but what says so is called in the engine's thread.

    So a service call is in the executor's thread only once, as a message that comes. Each wake-up of an rclpy executor
    with all the services of a node costs up to a millisecond.

    Args:
        settings: gives the settings as they count now.
        now_ns: ROS time.

    Attributes:
        choosing: which picture each call gets.
        records: what was described, for `about`.
        descriptions: makes the answers.
    """

    def __init__(self, settings: Callable[[], DescribeSettings], engine: Engine, cameras: dict[str, Camera],
                 outlets: Outlets, transforms: Transforms, now_ns: Callable[[], int]):
        self._settings, self._engine, self._cameras = settings, engine, cameras
        self._outlets, self._transforms, self._now_ns, self._ticking = outlets, transforms, now_ns, False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix='plan')
        self._open: set[Call] = set()
        self.choosing = Choosing(settings, engine, now_ns, self._plan)
        kept = settings()
        self.records = Records(kept.remember, kept.remember_mb, kept.refer_for_s)
        self.descriptions = Descriptions(self.records, outlets, transforms, self.in_background, now_ns)

    def close(self) -> None:
        """In any thread, after the engine was closed."""
        self._pool.shutdown()
        self.records.clear()

    def in_background(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """`work` in the thread for pixels, `then` with its result here. What `work` raises is dropped. Thread-safe."""
        future = self._pool.submit(work)
        future.add_done_callback(lambda done: done.exception() or self._engine.soon(then, done.result()))

    # -- calls --------------------------------------------------------------------------------------------------

    def begin(self, order: Order | SceneOrder, arrival_s: float, ended: Callable[[Answered], None],
              feedback: Callable[[Call], None] | None = None,
              on_call: Callable[[Call], None] = lambda call: None) -> None:
        """From a checked order to its answer, which `ended` gets. In the executor's thread.

        Returns when the call is under way: what an executor does next, making a wait set out of all that a node has,
        holds the interpreter for a millisecond, in which the engine could not go on.
        """
        call = Call(order, self._engine.soon, self, ended)
        call.feedback = feedback
        urgency = SCENE if isinstance(order, SceneOrder) else _URGENCY[order.speak]
        call.request = Request(order.id, order.slot, urgency, arrival_s, arrival_s + order.timeout_s, call,
                               order.camera)
        self._open.add(call)
        on_call(call)
        self._engine.submit(call.request)
        call.under_way.wait(_UNDER_WAY_S)

    def choose_picture(self, call: Call) -> None:
        """The engine has taken the request in: which picture?"""
        order = call.order
        call.admitted_s = time.monotonic()
        if not self._ticking:
            self._ticking = True
            self._engine.later(_TICK_S, self._tick)
        call.show(at_once=True)
        if isinstance(order, Order) and order.about:
            self._look_again(call, order)
        elif isinstance(order, Order) and order.picture is not None:
            self._plan(call, order.picture, None)
        else:
            self.choosing.begin(call, self._cameras[order.camera])
        if isinstance(order, Order):
            self.send_partials(call, [call.stream.start(time.monotonic())])

    def _tick(self) -> None:
        """20 times a second while somebody waits: ends what waited too long, sends what partials held back."""
        self._ticking = bool(self._open)   # nothing runs in between, so that an idle node costs next to nothing
        if self._ticking:
            self._engine.later(_TICK_S, self._tick)
        now = time.monotonic()
        self.choosing.tick(now)
        for call in list(self._open):
            if call.stream.behind:
                self.send_partials(call, call.stream.flush(now))

    def uses(self, id: str) -> bool:
        """An open request has this id. In any thread."""
        return any(call.order.id == id for call in list(self._open))

    def clock_jumped(self) -> None:
        """ROS time went back: what is kept belongs to another past. In any thread."""
        for camera in self._cameras.values():
            camera.ring.clear()
        self._transforms.begin_anew()

    # -- picture and plan ---------------------------------------------------------------------------------------

    def _plan(self, call: Call, picture: Any, found: Found | None) -> None:
        """Masks are made in the thread for pixels; then the engine gets its units, or the reason why not."""
        call.request.waiting_for = None   # the picture is here: from now on a deadline is just a deadline
        most = planner.most_pictures(self._engine.status)
        if found is not None:
            call.sight = Sight(self._cameras[call.order.camera], found, self._settings().image_is_rectified)
        try:
            encoded = picture.encoded()   # one, so that the regions of a scene share it in the worker
        except Failure as failure:
            self._provide(call, picture, None, failure)
            return
        except Exception:   # noqa: B902  the caller would wait for its deadline
            self._provide(call, picture, None, _bug())
            return
        future = self._pool.submit(planner.plan, call.order, picture, found, self._settings(), most, call.sight,
                                   self._cameras[call.order.camera].labelling, lambda: call.request.open)
        future.add_done_callback(lambda done: self._engine.soon(self._provide, call, picture, encoded, done.result()))
        self._engine.begin_early(call.request, encoded)   # meanwhile

    def _provide(self, call: Call, picture: Any, encoded: Encoded | None,
                 plan: tuple[list[Planned], int] | Failure) -> None:
        if isinstance(plan, Failure):
            if call.sight is not None:
                call.sight.tried(plan)
            call.subjects[''] = messages.picked(messages.subject_of(call.order), picture)
            self._engine.fail(call.request, plan)
            return
        regions, call.left_out = plan
        units = []
        for index, planned in enumerate(regions):
            id = f'{call.order.id}.{index}' if isinstance(call.order, SceneOrder) else call.order.id
            subject = replace(messages.picked(messages.subject_of(call.order), picture, planned.mask), id=id,
                              tag=planned.region.tag, label=planned.region.label, label_name=planned.name,
                              place=planned.place)
            units.append(self._unit(call, subject, picture, planned, encoded, new_id()))
        self._engine.provide(call.request, units)
        self._engine.soon(call.under_way.set)

    def _look_again(self, call: Call, order: Order) -> None:
        try:
            record = self.records.find(order.about)
        except Failure as failure:
            self._engine.fail(call.request, failure)
            return
        earlier = () if order.query.detail == READ else record.earlier   # only the last picture of a clip is read
        planned = Planned(order.region, record.mask, earlier=earlier)
        subject = replace(messages.picked(messages.subject_of(order), record.picture, record.mask),
                          camera=record.camera, tag=record.tag, label=record.label, label_name=record.label_name,
                          where_frame=record.where_frame, place=record.place)
        unit = self._unit(call, subject, record.picture, planned, record.picture.encoded(), record.look)
        self._engine.provide(call.request, [unit])
        self._engine.soon(call.under_way.set)

    def _unit(self, call: Call, subject: Subject, picture: Any, planned: Planned, encoded: Encoded,
              look: str) -> Unit:
        call.subjects[subject.id] = subject
        spoken = isinstance(call.order, Order) and call.order.speak != SPEAK_NO
        if planned.mask is not None:
            call.keep[subject.id] = Record(subject.id, picture, picture.nbytes, planned.mask, look, subject.camera,
                                           subject.tag, subject.label, subject.label_name, earlier=planned.earlier,
                                           spoken=spoken)
        try:
            work = planner.work(planned, encoded)
        except Failure as failure:   # a damaged picture in the middle of a clip
            work = failure
        return Unit(subject.id, work, look, tellings_for(call.order.query, spoken))

    # -- answers ------------------------------------------------------------------------------------------------

    def unit_finished(self, call: Call, unit: Unit, outcome: Outcome) -> None:
        failure = outcome.failure
        if call.sight is not None:
            call.sight.tried(failure)
        try:
            description = self.descriptions.of(call, unit, outcome)
        except Exception:   # noqa: B902  it would go out as a good answer without a word
            failure = _bug()
            description = self.descriptions.failed(call, unit, failure)
        call.described(description, failure)
        if isinstance(call.order, SceneOrder):
            self._outlets.description(description)
            call.show(at_once=True)

    def finished(self, call: Call, failure: Failure | None) -> None:
        """The one answer."""
        self.choosing.leave(call)
        self._open.discard(call)
        close = self._close_scene if isinstance(call.order, SceneOrder) else self._close_single
        try:
            answered = close(call, failure)
        except Exception:   # noqa: B902  the caller would wait for ever
            bug = _bug()
            answered = Answered(bug, [self.descriptions.refused(call, bug)])
        call.closed = True
        call.under_way.set()
        call.ended(answered)

    def _close_single(self, call: Call, failure: Failure | None) -> Answered:
        if not call.descriptions:   # it ended before its region was known
            call.described(self.descriptions.refused(call, failure), failure)
        description = call.descriptions[0]
        if call.admitted_s:   # Partial.msg: the Description follows its last piece
            spoken = description.brief if call.brief_first else description.text
            self.send_partials(call, call.stream.finish(spoken, time.monotonic(), description.error_code))
        self._outlets.description(description)
        subject = call.subjects.get(call.order.id)
        return Answered(call.failures[0], call.descriptions, subject.mask if subject else None)

    def _close_scene(self, call: Call, failure: Failure | None) -> Answered:
        """Good where at least one region was described before time ran out: the others say themselves that they were
        not reached."""
        if not call.descriptions and failure is not None:
            self._outlets.description(self.descriptions.refused(call, failure))
        if isinstance(failure, DeadlineExceeded) and None in call.failures:
            failure = None
        by_id = {one.id: one for one in call.descriptions}   # they came as they were finished
        return Answered(failure, [by_id[unit.id] for unit in call.request.units if unit.id in by_id],
                        left_out=call.left_out)

    def send_partials(self, call: Call, parts: list[Part]) -> None:
        subject = call.subjects.get(call.order.id) or messages.subject_of(call.order)
        describer = 'tesseract' if call.order.query.detail == READ else self._engine.status.describer
        if subject.speak != SPEAK_NO and any(part.sentence_end for part in parts):
            subject = self.descriptions.placed(call, subject)   # it is to be spoken, with where it is
        for part in parts:
            self._outlets.partial(messages.partial(subject, part, self._now_ns(), describer, call.order.query.language))


def _bug() -> Internal:
    """The exception that is being handled, as an answer."""
    return Internal('bug while answering, please report: ' + traceback.format_exc(limit=-2))
