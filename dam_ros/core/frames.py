"""The last seconds of a camera and its label images, and the choice of the right one. Frames are kept as they came.

Stamps are ns of the sender's clock, compared with each other and with `now_ns` of ROS time. It knows no ROS
types: a frame is a stamp, a frame id and bytes that somebody else can decode. Depth and camera info are taken where
they are there; no request waits for them or fails for lack of them.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import wraps
import threading

from dam_ros.core.errors import Failure, NoFrame, NoLabelImage, StaleFrame, complaint
from dam_ros.core.frame_line import Frame, Line

NS = 1_000_000_000


@dataclass(frozen=True)
class Wish:
    """Which picture is wanted; 0 as in DescribeRegion.srv."""

    stamp_ns: int = 0
    not_before_ns: int = 0
    max_age_s: float = 2.0
    needs_labels: bool = False
    slop_ns: int = 20_000_000
    clip_ns: int = 0


@dataclass(frozen=True)
class Found:
    """The picture, and its label image where one was asked for.

    Attributes:
        earlier: of a clip what came before it, oldest first.
        depth: the depth image nearest to the picture in time, None where there is none within the slop.
        info: the camera info with the picture's stamp, else the last that came; None before the first.
    """

    picture: Frame
    labels: Frame | None = None
    earlier: tuple[Found, ...] = ()
    depth: Frame | None = None
    info: Frame | None = None


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
        pictures_seen, labels_seen: how many came since the start.
        unmatched: label images for which no picture was there any more.
        jumps: how often the stamps of pictures went back, so that everything was forgotten.
        depth_fits: some depth image had the stamp of a picture.
    """

    def __init__(self, seconds: float, megabytes: float, topic: str = 'image', labels_topic: str = 'segmentation'):
        self._span_ns, self._most_bytes = int(seconds * NS), int(megabytes * 1e6)
        self._topic, self._labels_topic = topic, labels_topic
        self._pictures, self._labels, self._depths, self._infos = Line(), Line(), Line(), Line()
        self._last_info: Frame | None = None
        self._pair: Found | None = None
        self._lock = threading.RLock()
        self.pictures_seen = self.labels_seen = self.unmatched = self.jumps = 0
        self.depth_fits = False

    @_alone
    def add_picture(self, frame: Frame, slop_ns: int) -> None:
        if self._goes_back(self._pictures, frame):
            self.clear()
            self.jumps += 1
        self._pictures.add(frame)
        self.pictures_seen += 1
        self._match(frame, self._labels.nearest(frame.stamp_ns, slop_ns), slop_ns)
        self.depth_fits = self.depth_fits or self._depths.nearest(frame.stamp_ns, slop_ns) is not None
        self._trim(self._pictures, self._most_bytes)

    @_alone
    def add_labels(self, frame: Frame, slop_ns: int) -> None:
        if self._goes_back(self._labels, frame):
            self._labels.clear()   # the pictures are judged by their own stamps: a segmentation may be late
        self._labels.add(frame)
        self.labels_seen += 1
        picture = self._pictures.nearest(frame.stamp_ns, slop_ns)
        self._match(picture, frame, slop_ns)
        self.unmatched += picture is None and frame.stamp_ns < self._pictures.newest_ns
        self._trim(self._labels, self._most_bytes)

    @_alone
    def add_depth(self, frame: Frame, slop_ns: int) -> None:
        if self._goes_back(self._depths, frame):
            self._depths.clear()
        self._depths.add(frame)
        self.depth_fits = self.depth_fits or self._pictures.nearest(frame.stamp_ns, slop_ns) is not None
        self._pair = self._pair and self._placed(self._pair, slop_ns)   # it may outlive the depth in the ring
        self._trim(self._depths, self._most_bytes)

    @_alone
    def add_info(self, frame: Frame) -> None:
        if self._goes_back(self._infos, frame):
            self._infos.clear()
        self._infos.add(frame)
        self._last_info = frame
        self._trim(self._infos, self._most_bytes)

    @_alone
    def clear(self) -> None:
        """Time went back, or the node was deactivated. The last camera info stays: some cameras send only one."""
        self._pictures.clear(), self._labels.clear(), self._depths.clear(), self._infos.clear()
        self._pair, self.depth_fits = None, False

    @property
    @_alone
    def newest(self) -> Frame | None:
        return self._pictures.frames[-1] if self._pictures.frames else None

    @property
    @_alone
    def newest_labels(self) -> Frame | None:
        return self._labels.frames[-1] if self._labels.frames else None

    @property
    @_alone
    def newest_depth(self) -> Frame | None:
        return self._depths.frames[-1] if self._depths.frames else None

    @property
    def pair(self) -> Found | None:
        return self._pair

    @_alone
    def choose(self, wish: Wish, now_ns: int) -> Found | Pending:
        """The picture for a wish, or what is missing.

        Raises:
            NoFrame, StaleFrame, NoLabelImage: it will never come.
        """
        if not self._pictures.frames and self._pair is None:
            explicit = bool(wish.stamp_ns or wish.not_before_ns)
            return Pending(NoFrame(f'no picture has come on {self._topic} yet; ~/diagnostics say why'), explicit)
        found = self._at_stamp(wish) if wish.stamp_ns else self._newest(wish, now_ns)
        if isinstance(found, Pending):
            return found
        return self._placed(self._with_earlier(found, wish) if wish.clip_ns else found, wish.slop_ns)

    @_alone
    def placed(self, found: Found, slop_ns: int) -> Found:
        """Once more with the depth and the camera info that have come by now: both may be later than their picture."""
        return self._placed(found, slop_ns)

    def _placed(self, found: Found, slop_ns: int) -> Found:
        at_ns = found.picture.stamp_ns
        return replace(found, depth=self._depths.nearest(at_ns, slop_ns) or found.depth,
                       info=self._infos.nearest(at_ns, 0) or self._last_info)

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
        earlier = [Found(one, self._labels_of(one, wish.slop_ns)) for one in pictures]
        missing = sum(1 for one in earlier if one.labels is None)
        if missing:
            raise NoLabelImage(complaint(
                'clip_s', round(wish.clip_ns / NS, 3), 'a time whose pictures all have their label image',
                f'{missing} of {len(earlier) + 1} have none within sync_slop_s {wish.slop_ns / NS:g}: let one come for '
                'every picture, or ask about one picture (clip_s 0)'))
        return replace(end, earlier=tuple(earlier))

    def _labels_of(self, picture: Frame, slop_ns: int) -> Frame | None:
        labels = self._labels.nearest(picture.stamp_ns, slop_ns)
        return labels if labels is not None and self._belong(picture, labels, slop_ns) else None

    def _at_stamp(self, wish: Wish) -> Found | Pending:
        pair = self._pair
        kept = [self._pictures.nearest(wish.stamp_ns, wish.slop_ns), pair.picture if pair is not None else None]
        near = [one for one in kept if one is not None and abs(one.stamp_ns - wish.stamp_ns) <= wish.slop_ns]
        picture = min(near, key=lambda one: abs(one.stamp_ns - wish.stamp_ns), default=None)
        if picture is None:
            return self._no_such_stamp(wish)
        if not wish.needs_labels:
            return Found(picture)
        if pair is not None and picture is pair.picture:
            return pair
        labels = self._labels_of(picture, wish.slop_ns)
        if labels is not None:
            return Found(picture, labels)
        failure = self._no_labels(picture, wish)
        if self._labels.newest_ns > picture.stamp_ns + wish.slop_ns:
            raise failure   # they come in order: its own was lost
        return Pending(failure, to_deadline=self.labels_seen > 0)

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
            found = self._pair
            if found is None:
                newest = self.newest
                return Pending(self._no_labels(newest, wish), to_deadline=bool(wish.not_before_ns))
        else:
            # Stamps may differ from the order of arrival; the pinned pair may be all that is left.
            found = Found(self.newest) if self.newest is not None else Found(self._pair.picture)
        if found.picture.stamp_ns < wish.not_before_ns:
            return Pending(NoFrame(complaint('not_before', _s(wish.not_before_ns), 'a time at or after which a picture '
                                             + ('with its label image ' if wish.needs_labels else '') + 'comes',
                                             f'The newest is {_s(found.picture.stamp_ns)}')), to_deadline=True)
        self._check_age(found.picture, wish, now_ns)
        return found

    def _check_age(self, picture: Frame, wish: Wish, now_ns: int) -> None:
        age_s = (now_ns - picture.stamp_ns) / NS
        if age_s > wish.max_age_s:
            which = 'picture with a label image' if wish.needs_labels else 'picture'
            topic = self._labels_topic if wish.needs_labels else self._topic
            raise StaleFrame(complaint(
                f'age of the newest {which}', f'{age_s:.2f} s', f'at most {wish.max_age_s:g} s',
                f'See whether {topic} still comes, or raise max_age_s' if picture.stamp_ns else
                'The driver leaves the stamp at 0'))

    def _no_labels(self, picture: Frame, wish: Wish) -> NoLabelImage:
        near = min(self._labels.stamps, key=lambda one: abs(one - picture.stamp_ns), default=None)
        if near is None:
            return NoLabelImage(f'region.labels needs a label image and none has come on {self._labels_topic}; '
                                'a box or a mask would work')
        return NoLabelImage(complaint('stamp of the nearest label image', f'{(near - picture.stamp_ns) / 1e6:+.0f} ms '
                                      'off', f'within sync_slop_s {wish.slop_ns / NS:g} of the picture at '
                                      f'{_s(picture.stamp_ns)}', 'A box or a mask would work'))

    def _match(self, picture: Frame | None, labels: Frame | None, slop_ns: int) -> None:
        if picture is None or labels is None or not self._belong(picture, labels, slop_ns):
            return
        if self._pair is None or picture.stamp_ns >= self._pair.picture.stamp_ns:
            self._pair = Found(picture, labels)

    def _belong(self, picture: Frame, labels: Frame, slop_ns: int) -> bool:
        """Each is the nearest to the other: at 60 Hz the default slop reaches the label image of the next frame."""
        near = self._pictures.nearest(labels.stamp_ns, slop_ns), self._labels.nearest(picture.stamp_ns, slop_ns)
        return None not in near and [one.stamp_ns for one in near] == [picture.stamp_ns, labels.stamp_ns]

    def _trim(self, line: Line, most_bytes: int) -> None:
        while len(line.frames) > 1 and (line.bytes > most_bytes or line.stamps[-1] - line.stamps[0] > self._span_ns):
            line.drop_oldest()

    def _goes_back(self, line: Line, frame: Frame) -> bool:
        """A stamp far before those of its topic: a bag starts again, a simulation was reset."""
        return bool(line.newest_ns) and frame.stamp_ns < line.newest_ns - max(self._span_ns, 10 * NS)


def _s(stamp_ns: int) -> str:
    return f'{stamp_ns // NS}.{stamp_ns % NS:09d}'
