"""The last seconds of a camera, its label images and detections, and the choice of the right ones, kept as they came.

Stamps are ns of the sender's clock, compared with each other and with `now_ns` of ROS time. It knows no ROS
types: a frame is a stamp, a frame id and bytes that somebody else can decode. Depth and camera info are taken where
they are there; no request waits for them or fails for lack of them.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import wraps
import threading

from dam_ros.core.errors import Failure, NoFrame, NoLabelImage, StaleFrame, complaint
from dam_ros.core.frame_line import NS, Frame, Line
from dam_ros.core.frame_line import seconds as _s
from dam_ros.core.frame_pairs import Found, Partners

_FORGOTTEN = 100   # pictures; three seconds of most cameras, in which even a slow depth comes


@dataclass(frozen=True)
class Wish:
    """Which picture is wanted; 0 as in DescribeRegion.srv.

    Attributes:
        needs_labels: with its label image or its detections.
        regions_from: 'labels' or 'detections', the one that is meant by that; 'auto' = the label image where the
            picture has one.
    """

    stamp_ns: int = 0
    not_before_ns: int = 0
    max_age_s: float = 2.0
    needs_labels: bool = False
    regions_from: str = 'auto'
    slop_ns: int = 20_000_000
    clip_ns: int = 0


@dataclass(frozen=True)
class Pending:
    """Not there yet.

    Attributes:
        failure: the answer if it never comes.
        to_deadline: worth waiting for until the deadline; otherwise only `frame_wait_s`.
    """

    failure: Failure
    to_deadline: bool


def _alone(method):
    """Frames come in one thread, requests look in another."""
    @wraps(method)
    def call(self, *arguments):
        with self._lock:
            return method(self, *arguments)
    return call


class Ring:
    """One camera: bounded by seconds and megabytes; the newest complete pair stays whatever its age. Thread-safe.

    Attributes:
        pictures_seen: how many came since the start.
        labels, detections: what comes for each picture; to be read only.
        jumps: how often the stamps of pictures went back, so that everything was forgotten.
    """

    def __init__(self, span_s: float, megabytes: float, topic: str = 'image', labels_topic: str = 'segmentation',
                 detections_topic: str = 'detections'):
        self._bounds = self._span_ns, _ = int(span_s * NS), int(megabytes * 1e6)
        self._topic = topic
        self._pictures, self._depths, self._infos = Line(), Line(), Line()
        self.labels = Partners(self._pictures, labels_topic, 'label image', 'a label image and none has come')
        self.detections = Partners(self._pictures, detections_topic, 'detections', 'detections and none have come')
        self._last_info: Frame | None = None
        self._lock = threading.RLock()
        self.pictures_seen = self.jumps = 0
        self._depth_fitted = -_FORGOTTEN   # pictures_seen when one last had a depth image

    @_alone
    def add_picture(self, frame: Frame, slop_ns: int) -> None:
        if self._pictures.goes_back(frame, self._span_ns):
            self.clear()
            self.jumps += 1
        self._pictures.add(frame)
        self.pictures_seen += 1
        self.labels.picture_came(frame, slop_ns)
        self.detections.picture_came(frame, slop_ns)
        if self._depths.nearest(frame.stamp_ns, slop_ns) is not None:
            self._depth_fitted = self.pictures_seen
        self._pictures.trim(*self._bounds)

    @_alone
    def add_labels(self, frame: Frame, slop_ns: int) -> None:
        self._add_partner(self.labels, frame, slop_ns)

    @_alone
    def add_detections(self, frame: Frame, slop_ns: int) -> None:
        self._add_partner(self.detections, frame, slop_ns)

    def _add_partner(self, partners: Partners, frame: Frame, slop_ns: int) -> None:
        if partners.line.goes_back(frame, self._span_ns):
            partners.line.clear()   # the pictures are judged by their own stamps: a segmentation may be late
        partners.add(frame, slop_ns)
        partners.line.trim(*self._bounds)

    @_alone
    def add_depth(self, frame: Frame, slop_ns: int) -> None:
        if self._depths.goes_back(frame, self._span_ns):
            self._depths.clear()
        self._depths.add(frame)
        if self._pictures.nearest(frame.stamp_ns, slop_ns) is not None:
            self._depth_fitted = self.pictures_seen
        for one in (self.labels, self.detections):
            one.pair = one.pair and self._completed(one.pair, slop_ns)   # it may outlive the depth in the ring
        self._depths.trim(*self._bounds)

    @_alone
    def add_info(self, frame: Frame) -> None:
        if self._infos.goes_back(frame, self._span_ns):
            self._infos.clear()
        self._infos.add(frame)
        self._last_info = frame
        self._infos.trim(*self._bounds)

    @_alone
    def clear(self) -> None:
        """Time went back, or the node was deactivated. The last camera info stays: some cameras send only one."""
        for one in (self._pictures, self.labels, self.detections, self._depths, self._infos):
            one.clear()
        self._depth_fitted = -_FORGOTTEN

    @property
    @_alone
    def newest(self) -> Frame | None:
        return self._pictures.frames[-1] if self._pictures.frames else None

    @_alone
    def newest_labels(self, regions_from: str = 'auto') -> Frame | None:
        """The newest label image, or detections where none has come for long, whether their picture has come or not."""
        frames = [one.line.frames[-1] for one in self._sources(regions_from) if one.line.frames]
        newest_ns = max((one.stamp_ns for one in frames), default=0)
        return next((one for one in frames if one.stamp_ns >= newest_ns - self._span_ns), None)

    @property
    def depth_fits(self) -> bool:
        """One of the last hundred pictures, or of the depth images since, had the stamp of the other."""
        return self.pictures_seen - self._depth_fitted < _FORGOTTEN

    @property
    @_alone
    def newest_depth(self) -> Frame | None:
        return self._depths.frames[-1] if self._depths.frames else None

    @_alone
    def pair(self, regions_from: str = 'auto') -> Found | None:
        """The newest picture that has its label image, or its detections; of both for one picture the label image."""
        pairs = [one.pair for one in self._sources(regions_from) if one.pair is not None]
        return max(pairs, key=lambda one: one.picture.stamp_ns, default=None)

    def _sources(self, regions_from: str) -> tuple[Partners, ...]:
        return {'labels': (self.labels,), 'detections': (self.detections,)}.get(regions_from,
                                                                               (self.labels, self.detections))

    @_alone
    def choose(self, wish: Wish, now_ns: int) -> Found | Pending:
        """The picture for a wish, or what is missing.

        Raises:
            NoFrame, StaleFrame, NoLabelImage: it will never come.
        """
        if not self._pictures.frames and self.pair() is None:
            explicit = bool(wish.stamp_ns or wish.not_before_ns)
            return Pending(NoFrame(f'no picture has come on {self._topic} yet; ~/diagnostics say why'), explicit)
        found = self._at_stamp(wish) if wish.stamp_ns else self._newest(wish, now_ns)
        if isinstance(found, Pending):
            return found
        return self._completed(self._with_earlier(found, wish) if wish.clip_ns else found, wish.slop_ns)

    @_alone
    def completed(self, found: Found, slop_ns: int) -> Found:
        """Once more with the depth and the camera info that have come by now: both may be later than their picture."""
        return self._completed(found, slop_ns)

    def _completed(self, found: Found, slop_ns: int) -> Found:
        at_ns, info = found.picture.stamp_ns, found.info
        if info is None or info.stamp_ns != at_ns:   # its own may have left the ring meanwhile
            info = self._infos.nearest(at_ns, 0) or self._last_info
        return replace(found, depth=self._depths.nearest(at_ns, slop_ns) or found.depth, info=info)

    def _with_earlier(self, end: Found, wish: Wish) -> Found:
        """The clip that ends there: every picture of that time, none without the label image that it needs."""
        end_ns = end.picture.stamp_ns
        first_ns = end_ns - wish.clip_ns
        if self._pictures.left_ns >= first_ns:
            kept_s = max(0.0, (end_ns - self._pictures.stamps[0]) / NS)
            raise StaleFrame(complaint('clip_s', round(wish.clip_ns / NS, 3), f'at most {kept_s:.2f} here, as older '
                                       'pictures are no longer kept', 'Raise ring_s and ring_mb'))
        pictures = self._pictures.between(first_ns, end_ns)
        if not wish.needs_labels:
            return replace(end, labels=None, earlier=tuple(Found(one) for one in pictures))
        partners, what = (self.detections, 'detections') if end.labels.kind else (self.labels, 'label image')
        earlier = [Found(one, partners.of(one, wish.slop_ns)) for one in pictures]
        missing = sum(1 for one in earlier if one.labels is None)
        if missing:
            raise NoLabelImage(complaint(
                'clip_s', round(wish.clip_ns / NS, 3), f'a time whose pictures all have their {what}',
                f'{missing} of {len(earlier) + 1} have none within sync_slop_s {wish.slop_ns / NS:g}: let one come for '
                'every picture, or ask about one picture (clip_s 0)'))
        return replace(end, earlier=tuple(earlier))

    def _at_stamp(self, wish: Wish) -> Found | Pending:
        sources = self._sources(wish.regions_from)
        pairs = [one.pair for one in (self.labels, self.detections) if one.pair is not None]
        kept = [self._pictures.nearest(wish.stamp_ns, wish.slop_ns), *(one.picture for one in pairs)]
        near = [one for one in kept if one is not None and abs(one.stamp_ns - wish.stamp_ns) <= wish.slop_ns]
        picture = min(near, key=lambda one: abs(one.stamp_ns - wish.stamp_ns), default=None)
        if picture is None:
            return self._no_such_stamp(wish)
        if not wish.needs_labels:
            return Found(picture)
        for one in sources:
            if one.pair is not None and picture is one.pair.picture:
                return one.pair
            labels = one.of(picture, wish.slop_ns)
            if labels is not None:
                return Found(picture, labels)
        failure, coming = self._no_labels(picture, wish), [one for one in sources if one.line.newest_ns]
        if coming and all(one.lost(picture, wish.slop_ns) for one in coming):
            raise failure
        return Pending(failure, to_deadline=any(one.seen for one in sources))

    def _no_such_stamp(self, wish: Wish) -> Pending:
        kept, field = self._pictures.stamps, 'stamp'
        if not kept or wish.stamp_ns > kept[-1]:
            return Pending(NoFrame(complaint(field, _s(wish.stamp_ns), 'the stamp of a picture', 'None came before the '
                                             'deadline')), to_deadline=True)
        if wish.stamp_ns < kept[0]:
            raise StaleFrame(complaint(field, _s(wish.stamp_ns), f'{_s(kept[0])} to {_s(kept[-1])}, what is still kept',
                                       'Ask sooner, or raise ring_s and ring_mb'))
        nearest = min(kept, key=lambda one: abs(one - wish.stamp_ns))
        raise NoFrame(complaint(field, _s(wish.stamp_ns), f'within sync_slop_s {wish.slop_ns / NS:g} of a picture',
                                f'The nearest is {_s(nearest)}'))

    def _newest(self, wish: Wish, now_ns: int) -> Found | Pending:
        if wish.needs_labels:
            found = self.pair(wish.regions_from)
            if found is None:
                newest = self.newest
                return Pending(self._no_labels(newest, wish), to_deadline=bool(wish.not_before_ns))
        else:
            # Stamps may differ from the order of arrival; the pinned pair may be all that is left.
            found = Found(self.newest if self.newest is not None else self.pair().picture)
        if found.picture.stamp_ns < wish.not_before_ns:
            return Pending(NoFrame(complaint('not_before', _s(wish.not_before_ns), 'a time at or after which a picture '
                                             + ('with its label image ' if wish.needs_labels else '') + 'comes',
                                             f'The newest is {_s(found.picture.stamp_ns)}')), to_deadline=True)
        self._check_age(found, wish, now_ns)
        return found

    def _check_age(self, found: Found, wish: Wish, now_ns: int) -> None:
        picture, which, topic = found.picture, 'picture', self._topic
        age_s = (now_ns - picture.stamp_ns) / NS
        if age_s > wish.max_age_s:
            if found.labels is not None:
                which, topic = ('picture with detections', self.detections.topic) if found.labels.kind else (
                    'picture with a label image', self.labels.topic)
            raise StaleFrame(complaint(
                f'age of the newest {which}', f'{age_s:.2f} s', f'at most {wish.max_age_s:g} s',
                f'See whether {topic} still comes, or raise max_age_s' if picture.stamp_ns else
                'The driver leaves the stamp at 0'))

    def _no_labels(self, picture: Frame, wish: Wish) -> NoLabelImage:
        sources = self._sources(wish.regions_from)
        if len(sources) == 1:
            return sources[0].missing(picture, wish.slop_ns)
        if self.detections.line.frames and not self.labels.line.frames:
            return self.detections.missing(picture, wish.slop_ns)
        return self.labels.missing(picture, wish.slop_ns, f', nor detections on {self.detections.topic}')
