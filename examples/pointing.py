"""What a person points at with a mouse, as a Region. It knows the interface only: no window, no node.

| | |
|---|---|
| click | the thing there |
| Shift and click | this belongs to it, too |
| right click, or Ctrl and click | this does not |
| drag | the thing in this box |
| Shift and drag, or drag where `scribbling` | the thing that is drawn over |
"""
from __future__ import annotations

import math

from dam_ros.msg import Region

Spot = tuple[float, float]   # px of the picture


class Pointing:
    """Mouse events in, a Region out when a gesture is complete. Points add up until something else is pointed at.

    Attributes:
        scribbling: a drag is a stroke instead of a box.
        trail: of the drag that is under way, from where the button went down.
        region: what was last pointed at, None = nothing yet.
    """

    def __init__(self, scribbling: bool = False):
        self.scribbling = scribbling
        self.clear()

    def clear(self) -> None:
        self.trail: list[Spot] = []
        self.region: Region | None = None
        self._shift = self._outside = False

    @property
    def draws_stroke(self) -> bool:
        """The drag under way will be a stroke."""
        return self.scribbling or self._shift

    def press(self, x: float, y: float, shift: bool = False, outside: bool = False) -> None:
        self.trail, self._shift, self._outside = [(x, y)], shift, outside

    def move(self, x: float, y: float) -> None:
        if self.trail:   # else the button went down elsewhere
            self.trail.append((x, y))

    def release(self, x: float, y: float, width: int) -> Region | None:
        """What is pointed at now; None where that is nothing, as a point outside of no thing.

        Args:
            width: px of the picture; on a large one the hand trembles over more of them.
        """
        self.move(x, y)
        trail, self.trail = self.trail, []
        if not trail:
            return None
        if self._outside or max(math.dist(trail[0], one) for one in trail) <= max(3.0, 0.006 * width):
            return self._with_point(trail[0])
        if self.draws_stroke:
            thick_px = min(200.0, max(5.0, 0.012 * width))
            self.region = Region(scribble=[n for spot in trail for n in spot], scribble_width_px=thick_px)
        else:
            left, top = (min(one) for one in zip(trail[0], trail[-1]))
            right, bottom = (max(one) + 1 for one in zip(trail[0], trail[-1]))   # edges: behind the last pixel
            self.region = Region(box_xywh=[left, top, right - left, bottom - top])
        return self.region

    def _with_point(self, spot: Spot) -> Region | None:
        before = self.region if self.region is not None and len(self.region.points) else Region()
        if self._outside and not len(before.points):
            return None   # of which thing?
        if not self._outside and not self._shift:
            before = Region()   # another thing
        self.region = Region(points=[*before.points, *map(float, spot)],
                             point_labels=[*before.point_labels, 0 if self._outside else 1])
        return self.region
