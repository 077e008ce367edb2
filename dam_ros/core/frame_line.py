"""Frames of one topic, in the order of their stamps. Frames are kept as they came: a stamp, a frame id and bytes."""
from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

NS = 1_000_000_000
_LATE_NS = NS   # nothing that comes in another order is later than that


@dataclass(frozen=True, eq=False)
class Frame:
    """One message as it came.

    Attributes:
        stamp_ns, frame_id: of its header.
        data: the serialized message.
        compressed: sensor_msgs/CompressedImage instead of Image.
        up: which edge of the picture is up in the world, see `turning`.
        kind: of detections the type of the message; '' for images.
    """

    stamp_ns: int
    frame_id: str
    data: bytes
    compressed: bool = False
    up: str = 'top'
    kind: str = ''


class Line:
    """See the module's text.

    Attributes:
        newest_ns: ever seen, also where it has left.
        left_ns: the newest that has left.
    """

    def __init__(self):
        self.frames: list[Frame] = []
        self.stamps: list[int] = []
        self.bytes = 0
        self.newest_ns = 0
        self.left_ns = -1

    def add(self, frame: Frame) -> None:
        at = len(self.stamps)
        while at and self.stamps[at - 1] > frame.stamp_ns:   # mostly it is the newest
            at -= 1
        self.frames.insert(at, frame)
        self.stamps.insert(at, frame.stamp_ns)
        self.bytes += len(frame.data)
        self.newest_ns = max(self.newest_ns, frame.stamp_ns)

    def drop_oldest(self) -> None:
        self.left_ns = max(self.left_ns, self.stamps.pop(0))
        self.bytes -= len(self.frames.pop(0).data)

    def nearest(self, stamp_ns: int, slop_ns: int) -> Frame | None:
        at = bisect_left(self.stamps, stamp_ns)
        near = self.frames[max(0, at - 1):at + 1]
        best = min(near, key=lambda one: abs(one.stamp_ns - stamp_ns), default=None)
        return best if best is not None and abs(best.stamp_ns - stamp_ns) <= slop_ns else None

    def between(self, first_ns: int, end_ns: int) -> list[Frame]:
        """From first_ns on, before end_ns."""
        return self.frames[bisect_left(self.stamps, first_ns):bisect_left(self.stamps, end_ns)]

    def trim(self, span_ns: int, most_bytes: int) -> None:
        """The newest stays whatever its size."""
        while len(self.frames) > 1 and (self.bytes > most_bytes or self.stamps[-1] - self.stamps[0] > span_ns):
            self.drop_oldest()

    def goes_back(self, frame: Frame, span_ns: int) -> bool:
        """A stamp so far before those of its topic that it would be dropped at once: a bag starts again, a simulation
        was reset, or one stamp was of the future, and all that are right would be lost until then."""
        return bool(self.newest_ns) and frame.stamp_ns < self.newest_ns - max(span_ns, _LATE_NS)

    def clear(self) -> None:
        self.__init__()


def seconds(stamp_ns: int) -> str:
    """A stamp in words, exactly."""
    return f'{stamp_ns // NS}.{stamp_ns % NS:09d}'
