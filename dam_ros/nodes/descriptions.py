"""From what came of a region to its Description: placed, remembered, drawn. It decides no request's life."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import time

from dam_ros.core.errors import Failure, InvalidRequest
from dam_ros.core.masks import StoredMask
from dam_ros.core.orders import new_id
from dam_ros.core.records import Records
from dam_ros.core.viewing import View
from dam_ros.engine.schedule import Outcome, Unit
from dam_ros.msg import Description
from dam_ros.nodes import messages
from dam_ros.nodes.call import Call
from dam_ros.nodes.messages import Subject
from dam_ros.nodes.outlets import Outlets
from dam_ros.nodes.overlays import Background
from dam_ros.nodes.whereabouts import Transforms


class Descriptions:
    """In the engine's thread.

    Attributes:
        unplaced: camera -> what of the place of its last region could not be known, and why.
    """

    def __init__(self, records: Records, outlets: Outlets, transforms: Transforms, in_background: Background,
                 now_ns: Callable[[], int]):
        self._records, self._outlets, self._transforms = records, outlets, transforms
        self._in_background, self._now_ns = in_background, now_ns
        self.unplaced: dict[str, tuple[str, ...]] = {}

    def of(self, call: Call, unit: Unit, outcome: Outcome) -> Description:
        """What came of one region; if it is good, it is remembered and drawn."""
        subject, record = call.subjects[unit.id], call.keep.get(unit.id)
        if outcome.refined is not None:
            mask = StoredMask.from_bits(outcome.refined, subject.mask.shape)
            subject, record = replace(subject, mask=mask), replace(record, mask=mask)
        if outcome.failure is None:
            subject = self._located(call, subject, outcome.refined is not None)
        call.subjects[unit.id] = subject
        description = messages.description(subject, outcome.failure, self._now_ns(), outcome)
        if outcome.failure is None:
            record = replace(record, caption=description.brief, where_frame=subject.where_frame, place=subject.place)
            self._records.add(record)
            self._outlets.overlay(record, self._in_background)
        return description

    def placed(self, call: Call, subject: Subject) -> Subject:
        """The subject with its place as the Description will tell it, as far as that is known by now."""
        return self._located(call, subject, False) if subject.place is not None else subject

    def failed(self, call: Call, unit: Unit, failure: Failure) -> Description:
        """Of a region of which nothing can be told."""
        return messages.description(call.subjects[unit.id], failure, self._now_ns())

    def refused(self, call: Call, failure: Failure) -> Description:
        """Of a call that ended before its regions were known."""
        subject = call.subjects.get('') or messages.subject_of(call.order)
        if not call.admitted_s and isinstance(failure, InvalidRequest):
            subject = replace(subject, id=new_id())   # its id is another one's
        total_s = time.monotonic() - call.request.arrival_s
        return messages.description(subject, failure, self._now_ns(), total_s=total_s)

    def _located(self, call: Call, subject: Subject, refined: bool) -> Subject:
        """With its place as a Description tells it."""
        if subject.where_frame:   # asked about again: it is where it was
            return subject
        view = call.sight.view() if call.sight is not None else View()
        place = subject.place
        if refined or (call.sight is not None and view is not call.sight.first):   # depth has come, or another mask
            place = view.place(subject.mask.array())
        frame, place = self._transforms.tell(place, subject.frame_id, subject.stamp_ns, view.up)
        if call.sight is not None:
            self.unplaced[subject.camera] = place.why
        return replace(subject, where_frame=frame, place=place)
