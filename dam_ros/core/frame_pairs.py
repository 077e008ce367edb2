"""Which label image or message of detections belongs to which picture. It locks nothing; `frames` does."""
from __future__ import annotations

from dataclasses import dataclass

from dam_ros.core.errors import NoLabelImage, complaint
from dam_ros.core.frame_line import Frame, Line, seconds


@dataclass(frozen=True)
class Found:
    """The picture, and its label image where one was asked for.

    Attributes:
        labels: the label image, or the detections (`Frame.kind`).
        earlier: of a clip what came before it, oldest first.
        depth: the depth image nearest to the picture in time, None where there is none within the slop.
        info: the camera info with the picture's stamp, else the last that came; None before the first.
    """

    picture: Frame
    labels: Frame | None = None
    earlier: tuple[Found, ...] = ()
    depth: Frame | None = None
    info: Frame | None = None


class Partners:
    """What comes once for a picture, with its stamp.

    Attributes:
        pair: the newest picture that has its partner; it stays whatever its age.
        seen: how many came since the start.
        unmatched: those for which no picture was there any more.
    """

    def __init__(self, pictures: Line, topic: str, name: str, whole: str):
        """Args: name, whole: what one of them, and what all that is needed, is called in errors."""
        self.line, self.topic = Line(), topic
        self._pictures, self._name, self._whole = pictures, name, whole
        self.pair: Found | None = None
        self.seen = self.unmatched = 0

    def add(self, frame: Frame, slop_ns: int) -> None:
        self.line.add(frame)
        self.seen += 1
        picture = self._pictures.nearest(frame.stamp_ns, slop_ns)
        self._match(picture, frame, slop_ns)
        self.unmatched += picture is None and frame.stamp_ns - slop_ns <= self._pictures.left_ns

    def picture_came(self, picture: Frame, slop_ns: int) -> None:
        self._match(picture, self.line.nearest(picture.stamp_ns, slop_ns), slop_ns)

    def clear(self) -> None:
        self.line.clear()
        self.pair = None

    def of(self, picture: Frame, slop_ns: int) -> Frame | None:
        """That of a picture, None where there is none."""
        one = self.line.nearest(picture.stamp_ns, slop_ns)
        return one if one is not None and self._belong(picture, one, slop_ns) else None

    def lost(self, picture: Frame, slop_ns: int) -> bool:
        """That of the picture will not come any more: they come in order."""
        return self.line.newest_ns > picture.stamp_ns + slop_ns

    def missing(self, picture: Frame, slop_ns: int, others: str = '') -> NoLabelImage:
        """The answer where the picture has none. Args: others: what has not come either."""
        near = min(self.line.stamps, key=lambda one: abs(one - picture.stamp_ns), default=None)
        if near is None:
            return NoLabelImage(f'region.labels needs {self._whole} on {self.topic}{others}; a box or a mask would '
                                'work')
        return NoLabelImage(complaint(f'stamp of the nearest {self._name}', f'{(near - picture.stamp_ns) / 1e6:+.0f} '
                                      f'ms off', f'within sync_slop_s {slop_ns / 1e9:g} of the picture at '
                                      f'{seconds(picture.stamp_ns)}', 'A box or a mask would work'))

    def _match(self, picture: Frame | None, partner: Frame | None, slop_ns: int) -> None:
        if picture is None or partner is None or not self._belong(picture, partner, slop_ns):
            return
        if self.pair is None or picture.stamp_ns >= self.pair.picture.stamp_ns:
            self.pair = Found(picture, partner)

    def _belong(self, picture: Frame, partner: Frame, slop_ns: int) -> bool:
        """Each is the nearest to the other: at 60 Hz the default slop reaches the label image of the next frame."""
        near = self._pictures.nearest(partner.stamp_ns, slop_ns), self.line.nearest(picture.stamp_ns, slop_ns)
        return None not in near and [one.stamp_ns for one in near] == [picture.stamp_ns, partner.stamp_ns]
