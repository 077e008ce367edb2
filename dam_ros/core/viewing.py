"""What is known of how a picture was taken: lens, depth, which edge is up. From it comes the place of its regions."""
from __future__ import annotations

from dataclasses import dataclass, replace
import math

import numpy as np

from dam_ros.core.lens import Lens
from dam_ros.core.placing import Place, in_picture, place
from dam_ros.core.turning import in_world, upright


@dataclass(frozen=True, eq=False)
class View:
    """Of one picture.

    Attributes:
        lens: None = no camera info.
        depth: float32 (h, w) m along the optical axis, None = there is none.
        up: which edge of the picture is up in the world, see `turning`.
        why: what is not known although something came that should tell it, one line each.
    """

    lens: Lens | None = None
    depth: np.ndarray | None = None
    up: str = 'top'
    why: tuple[str, ...] = ()

    def place(self, mask: np.ndarray) -> Place:
        """Of a region, bool (H, W) with at least one pixel, in the camera's optical frame as the picture came."""
        found = place(mask, self.lens, self.depth)
        if self.up != 'top':
            found = replace(found, in_picture=in_picture(upright(mask, self.up)))
        return replace(found, why=(*self.why, *found.why))

    def distance(self, mask: np.ndarray) -> float:
        """m, NaN unknown."""
        return self.place(mask).distance_m if self.depth is not None else math.nan


def for_people(found: Place, up: str) -> Place:
    """The same with bearing and elevation about what is up in the world; the position keeps the axes of its frame."""
    bearing, elevation = in_world(found.bearing_rad, found.elevation_rad, up)
    return replace(found, bearing_rad=bearing, elevation_rad=elevation)
