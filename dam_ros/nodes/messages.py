"""Requests as core values, answers as messages. Every Description and Partial is made here, from NaN. No pixels."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
import math
import time
from typing import Any

import numpy as np
from sensor_msgs.msg import Image, RegionOfInterest

from dam_ros.core import orders
from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.describing import BRIEF, READ
from dam_ros.core.errors import Failure, invalid
from dam_ros.core.frames import NS
from dam_ros.core.masks import StoredMask
from dam_ros.core.orders import Order, SceneOrder
from dam_ros.core.speech_acts import SPEAK_ASKED
from dam_ros.core.partials import Part
from dam_ros.core.placing import Place
from dam_ros.core.regions import MAX_TAG, Region
from dam_ros.engine.schedule import Outcome
from dam_ros.msg import Description, Partial
from dam_ros.msg import Region as RegionMessage
from dam_ros.nodes.pictures import OwnPicture, encoded, label_image

_BACKWARDS_S = -1.0   # a picture from further in the future means that the clocks disagree


def order_of(message: Any, settings: DescribeSettings) -> Order:
    """A DescribeRegion request or Describe goal, checked. Raises a Failure of the caller's."""
    region = region_of(message.region)
    stamp_ns = orders.nanoseconds('stamp', message.stamp.sec, message.stamp.nanosec)
    not_before_ns = orders.nanoseconds('not_before', message.not_before.sec, message.not_before.nanosec)
    own = _own_picture(message.image)
    if own is not None:
        orders.check_own_picture(stamp_ns, not_before_ns, region)
    orders.check_about(message.about, {'image': own is not None, 'stamp': bool(stamp_ns),
                                       'not_before': bool(not_before_ns), 'region': region.form != 'picture',
                                       'clip_s': message.clip_s != 0})
    clip_s = orders.checked_clip(message.clip_s, own is not None, settings)
    orders.check_reading(message.detail, clip_s)
    if message.detail == READ:
        region = orders.as_read(region)
    return Order(
        id=orders.checked_id(message.id), slot=orders.checked_slot(message.slot),
        camera=orders.checked_camera(message.camera, settings.cameras), picture=own, region=region, about=message.about,
        wish=orders.wish(stamp_ns, not_before_ns, message.max_age_s, region.needs_label_image, settings, clip_s),
        query=orders.query(message.query, message.detail, message.language, message.max_tokens, settings,
                           message.temperature, message.top_p, message.seed),
        timeout_s=orders.number('timeout_s', message.timeout_s, 0.05, 600.0, settings.default_timeout_s),
        speak=orders.checked_speak(message.speak), return_mask=message.return_mask)


def scene_order_of(message: Any, settings: DescribeSettings) -> SceneOrder:
    """A DescribeScene request or goal, checked. Raises a Failure of the caller's."""
    most = orders.scene_limits(message.order, message.max_regions, message.min_area_fraction, len(message.regions),
                               settings)
    regions = tuple(_numbered(index, one) for index, one in enumerate(message.regions))
    if message.detail == READ:
        regions = tuple(orders.as_read(one) for one in regions)
    needs_labels = not regions or any(one.needs_label_image for one in regions)
    stamp_ns = orders.nanoseconds('stamp', message.stamp.sec, message.stamp.nanosec)
    not_before_ns = orders.nanoseconds('not_before', message.not_before.sec, message.not_before.nanosec)
    return SceneOrder(
        id=orders.checked_id(message.id), slot=orders.checked_slot(message.slot),
        camera=orders.checked_camera(message.camera, settings.cameras),
        wish=orders.wish(stamp_ns, not_before_ns, message.max_age_s, needs_labels, settings), regions=regions,
        order=message.order, max_regions=most, min_area_fraction=message.min_area_fraction,
        query=orders.query(message.query, message.detail, message.language, message.max_tokens, settings),
        timeout_s=orders.number('timeout_s', message.timeout_s, 0.05, 600.0, settings.scene_timeout_s))


def region_of(message: RegionMessage) -> Region:
    """Raises InvalidRequest, Unsupported."""
    mask = None
    if message.mask.width or message.mask.height or len(message.mask.data):
        mask = label_image(encoded(message.mask), 'region.mask')
        if not len(message.labels) and message.mask.encoding not in ('mono8', '8UC1'):
            raise invalid('region.mask.encoding', message.mask.encoding, 'mono8 or 8UC1 without labels')
    given = {name: getattr(message, name) for name in ('box_xywh', 'points', 'scribble', 'polygon')
             if len(getattr(message, name))}
    return Region(
        **given, point_labels=tuple(message.point_labels), scribble_width_px=message.scribble_width_px,
        labels=tuple(int(one) for one in message.labels), mask=mask,
        ref_size=(int(message.ref_width), int(message.ref_height)), box_is_region=message.box_is_region,
        tag=message.tag)


def _numbered(index: int, message: RegionMessage) -> Region:
    try:
        return region_of(message)
    except Failure as failure:
        raise type(failure)(f'regions[{index}]: {failure}') from failure


def _own_picture(message: Image) -> OwnPicture | None:
    if not (message.width or message.height or len(message.data)):
        return None
    return OwnPicture(message)


@dataclass(frozen=True)
class Subject:
    """What a description is about, as far as it is known.

    Attributes:
        where_frame: that of `place`, '' = `frame_id`.
    """

    id: str
    stamp_ns: int = 0
    frame_id: str = ''
    camera: str = ''
    tag: str = ''
    question: str = ''
    brief_only: bool = False
    label: int = -1
    label_name: str = ''
    speak: int = 0
    mask: StoredMask | None = None
    where_frame: str = ''
    place: Place | None = None


def subject_of(order: Order | SceneOrder) -> Subject:
    """Before a picture was chosen."""
    if isinstance(order, SceneOrder):
        return Subject(id=order.id, camera=order.camera, question=order.query.question,
                       brief_only=order.query.detail == BRIEF)
    own = order.picture
    return Subject(id=order.id, stamp_ns=own.stamp_ns if own else 0, frame_id=own.frame_id if own else '',
                   camera=order.camera, tag=order.region.tag, question=order.query.question,
                   brief_only=order.query.detail == BRIEF, label=order.region.label, speak=order.speak)


def subject_of_refused(message: Any, uses: Callable[[str], bool]) -> Subject:
    """Of a request that cannot be served: what of it can be given back, so that its caller knows it again."""
    try:
        id = orders.checked_id(message.id)
    except Failure:
        id = orders.new_id()
    region = getattr(message, 'region', None)
    return Subject(id=orders.new_id() if uses(id) else id, tag=region.tag[:MAX_TAG] if region else '',
                   question=message.query[:orders.MAX_QUERY], speak=min(getattr(message, 'speak', 0), SPEAK_ASKED))


def description(subject: Subject, failure: Failure | None, now_ns: int, outcome: Outcome | None = None,
                total_s: float = math.nan) -> Description:
    """The one place where Descriptions are made; what is unknown is NaN, never 0."""
    nan = math.nan
    message = Description(
        id=subject.id, camera=subject.camera, tag=subject.tag, query=subject.question, speak=subject.speak,
        label=subject.label, label_name=subject.label_name, bearing_rad=nan, elevation_rad=nan, distance_m=nan,
        confidence=nan, queue_s=nan, look_s=nan, first_s=nan, total_s=total_s, area_fraction=nan)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(subject.stamp_ns, NS)
    message.header.frame_id = subject.frame_id
    message.position.x = message.position.y = message.position.z = nan
    message.where_frame = subject.where_frame or subject.frame_id
    message.age_s = _age_s(subject, now_ns)
    if failure is not None:
        message.error_code, message.error_msg = failure.code, _text(failure.message)
    if subject.mask is not None:
        _fill_region(message, subject.mask)
    if subject.place is not None and failure is None:
        _fill_place(message, subject.place)
    if outcome is not None:
        _fill_answer(message, subject, outcome)
    return message


def _fill_region(message: Description, mask: StoredMask) -> None:
    left, top, width, height = mask.box
    message.box = RegionOfInterest(x_offset=left, y_offset=top, width=width, height=height, do_rectify=False)
    message.area_fraction = mask.area_fraction


def _fill_place(message: Description, place: Place) -> None:
    message.bearing_rad, message.elevation_rad = place.bearing_rad, place.elevation_rad
    message.distance_m, message.clock_hour, message.where = place.distance_m, place.clock_hour, place.words
    message.position.x, message.position.y, message.position.z = place.position


def _fill_answer(message: Description, subject: Subject, outcome: Outcome) -> None:
    answer = outcome.answer
    message.brief = answer.brief
    message.text = answer.brief if subject.brief_only else answer.text
    message.language, message.tokens = answer.language, answer.tokens
    message.truncated, message.abstained = answer.truncated, answer.abstained
    message.confidence = answer.brief_confidence if subject.brief_only else answer.confidence
    message.describer, message.model = outcome.describer, outcome.model
    message.queue_s, message.look_s = outcome.queue_s, outcome.look_s
    message.first_s, message.total_s = outcome.first_s, outcome.total_s


def _age_s(subject: Subject, now_ns: int) -> float:
    """NaN unknown, also where the clocks disagree."""
    age_s = (now_ns - subject.stamp_ns) / NS if subject.stamp_ns and now_ns else math.nan
    return age_s if age_s >= _BACKWARDS_S else math.nan


def partial(subject: Subject, part: Part, now_ns: int, describer: str = '', language: str = '') -> Partial:
    message = Partial(id=subject.id, seq=part.seq, offset=part.offset, piece=part.piece,
                      sentence_end=part.sentence_end, confidence=part.confidence, language=language,
                      speak=subject.speak, done=part.done, error_code=part.error_code, query=subject.question,
                      describer=describer, camera=subject.camera, label=subject.label, bearing_rad=math.nan,
                      distance_m=math.nan, where_frame=subject.where_frame or subject.frame_id,
                      age_s=_age_s(subject, now_ns))
    if subject.place is not None:
        place = subject.place
        message.bearing_rad, message.distance_m = place.bearing_rad, place.distance_m
        message.clock_hour, message.where = place.clock_hour, place.words
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(subject.stamp_ns, NS)
    message.header.frame_id = subject.frame_id
    return message


@dataclass(frozen=True)
class Answered:
    """What the caller gets: one description, or those of a scene.

    Attributes:
        failure: of the request as a whole, None for good.
        mask: what was used, None where the region never became one.
        refused: it never became a request; `descriptions` has one that says so.
    """

    failure: Failure | None
    descriptions: list[Description]
    mask: StoredMask | None = None
    left_out: int = 0
    refused: bool = False


def refusal(failure: Failure, subject: Subject, now_ns: int, arrival_s: float) -> Answered:
    """The answer to what never became a request."""
    total_s = time.monotonic() - arrival_s
    return Answered(failure, [description(subject, failure, now_ns, total_s=total_s)], refused=True)


def picked(subject: Subject, picture: Any, mask: StoredMask | None = None) -> Subject:
    """The subject once its picture (and region) is known."""
    return replace(subject, stamp_ns=picture.stamp_ns, frame_id=picture.frame_id, mask=mask)


def mask_pixels(mask: StoredMask) -> np.ndarray:
    """uint8 (H, W), 0 or 255."""
    return mask.array().view(np.uint8) * np.uint8(255)


def _text(text: str) -> str:
    """What rmw can carry: UTF-8 without NUL."""
    return text.encode('utf-8', 'replace').decode().replace('\x00', '')
