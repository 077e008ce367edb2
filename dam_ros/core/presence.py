"""What is in a picture, region by region: how large, how far, and what it looks like. It knows no message."""
from __future__ import annotations

from dataclasses import dataclass, field
import math

import numpy as np

from dam_ros.core.appearance import appearance
from dam_ros.core.detecting import Detections
from dam_ros.core.errors import CallerFailure
from dam_ros.core.masks import bounding_box
from dam_ros.core.planning import LabelImage
from dam_ros.core.viewing import View

_MOST = 100   # regions that are looked at; who divides a picture into more does not name things


@dataclass
class Presence:
    """As msg/Present.msg tells it: one number per label, or none at all."""

    labels: list[int]
    area_fraction: list[float] = field(default_factory=list)
    distance_m: list[float] = field(default_factory=list)
    appearance: list[int] = field(default_factory=list)


def presence(labels: LabelImage | Detections, grey: np.ndarray, size: tuple[int, int], view: View) -> Presence:
    """Everything that is known of what the labels mean.

    Args:
        grey: uint8 (h, w), the picture.
        size: (H, W) of the picture as it came.
        view: how it was taken.

    Raises:
        NoLabelImage: the label image is of another size.
    """
    found = Presence(list(labels.present()))
    if isinstance(labels, LabelImage):
        labels.check_size(size)
    if len(found.labels) > _MOST:
        return found
    scale = np.tile((grey.shape[1] / size[1], grey.shape[0] / size[0]), 2)
    for one in found.labels:
        area, distance_m, bits = 0.0, math.nan, 0
        try:
            mask = labels.shape_of((one,), size)[1]
        except CallerFailure:   # a detection beside the picture
            mask = None
        if mask is not None:
            area, distance_m = np.count_nonzero(mask) / mask.size, view.distance(mask)
            bits = appearance(grey, tuple(float(side) for side in bounding_box(mask) * scale))
        found.area_fraction.append(area)
        found.distance_m.append(distance_m)
        found.appearance.append(bits)
    return found
