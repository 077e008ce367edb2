"""Detections of a picture as the regions they mean: what a label image tells where there is one. No message types."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
import math
import re

import numpy as np

from dam_ros.core.errors import CallerFailure, EmptyRegion, InvalidRequest, UnknownLabel, complaint
from dam_ros.core.region_masks import mask_of
from dam_ros.core.regions import Region

_NUMBER = re.compile('[0-9]{1,10}')
_MOST = 2 ** 31 - 1        # Description.label is an int32
_FAR_PX = 1e9              # the numbers come as float64, whose squares need not be finite
_STRAIGHT = 1e-6           # rad; a box turned by less is not turned
_SHOWN = 20


@dataclass(frozen=True, eq=False)
class Detection:
    """One thing that a detector found, numbers in px; edges of pixels are whole numbers (a box as wide as a picture
    has its centre at half of it).

    Attributes:
        id: the detector's or tracker's, '' = none.
        name: of its class, '' unknown.
        centre, size: of its box, (x, y) and (width, height).
        theta: rad, how far the box is turned, from x to y.
        polygon: finite or not, (N, 2), the middle of the upper left pixel is (0, 0); with three corners it counts,
            else the box.
        ref_size: (width, height) of the picture that the polygon refers to, (0, 0) = the picture itself.
    """

    id: str
    name: str
    centre: tuple[float, float]
    size: tuple[float, float]
    theta: float = 0.0
    polygon: np.ndarray | None = None
    ref_size: tuple[int, int] = (0, 0)

    def region(self) -> Region:
        """As a polygon, or as a box out of which a segmenter may cut. Raises InvalidRequest for nonsense."""
        if self.polygon is not None and len(self.polygon) >= 3:
            if np.abs(self.polygon).max() > _FAR_PX:
                raise InvalidRequest(f'a corner is beyond {_FAR_PX:g} px')
            return Region(polygon=self.polygon, ref_size=self.ref_size if min(self.ref_size) > 0 else (0, 0))
        (x, y), (width, height) = self.centre, self.size
        quarters = self.theta / (math.pi / 2)
        if not math.isfinite(quarters):
            raise InvalidRequest(f'theta is {self.theta}; allowed: a finite angle')
        if max(map(abs, (x, y, width, height))) > _FAR_PX:
            raise InvalidRequest(f'the box is at {self.centre}; allowed: up to {_FAR_PX:g} px')
        box = Region(box_xywh=(x - width / 2, y - height / 2, width, height))   # its checks hold for a turned one, too
        if abs(quarters - round(quarters)) * math.pi / 2 > _STRAIGHT:
            return Region(polygon=self._corners())
        return box if round(quarters) % 2 == 0 else Region(
            box_xywh=(x - height / 2, y - width / 2, height, width))

    def _corners(self) -> np.ndarray:
        """(4, 2), of the turned box, from edges to middles of pixels."""
        cos, sin = math.cos(self.theta), math.sin(self.theta)
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * self.size / 2
        return corners @ np.array([(cos, sin), (-sin, cos)]) + self.centre - 0.5


class Detections:
    """All of a picture, by their label values; as `LabelImage` in planning.

    A label value is the id where that is a whole number that no other in the message has, else the place in the message
    from 1 on, or the next number that is free.

    Attributes:
        skipped: how many made no sense.
        classes: as a label image's; each detection is one thing.
    """

    classes = False

    def __init__(self, found: Sequence[Detection], boxes_are_regions: bool = False):
        self._regions: dict[int, Region] = {}
        self._names: dict[int, str] = {}
        self.skipped = 0
        for value, one in zip(_values([one.id for one in found]), found):
            try:
                region = one.region()
            except InvalidRequest:
                self.skipped += 1
                continue
            self._regions[value] = replace(region, box_is_region=boxes_are_regions and region.form == 'box')
            self._names[value] = one.name

    def present(self) -> dict[int, float]:
        """Label value -> roughly how many px, in the order of the values."""
        return {value: _area_px(self._regions[value]) for value in sorted(self._regions)}

    def name(self, label: int) -> str:
        return self._names.get(label, '')

    def occurs(self, labels: Sequence[int]) -> bool:
        return any(one in self._regions for one in labels)

    def nothing(self) -> EmptyRegion:
        """Why there is no region in it."""
        return EmptyRegion('the detections of the picture are none' + (
            f': all {self.skipped} of the message made no sense (NaN, no size)' if self.skipped else ''))

    def shape_of(self, labels: Sequence[int], size: tuple[int, int]) -> tuple[Region, np.ndarray]:
        """What a segmenter is to make of them, and their mask bool (H, W).

        Several are united, boxes as they are.

        Raises:
            UnknownLabel: none of them is there.
            EmptyRegion: they lie outside of the picture.
        """
        there = [one for one in dict.fromkeys(labels) if one in self._regions]
        if not there:
            raise UnknownLabel(complaint('region.labels', list(labels), f'detections of the picture: {self._shown()}'))
        masks, failure = [], None
        for label in there:
            try:
                masks.append(mask_of(self._regions[label], *size))
            except CallerFailure as error:
                failure = type(error)(f'detection {label}: {error}')
        if not masks:
            raise failure
        if len(labels) == 1:
            return self._regions[labels[0]], masks[0]
        return Region(labels=tuple(labels)), np.logical_or.reduce(masks)

    def _shown(self) -> str:
        values = sorted(self._regions)
        words = [f'{one} ({self._names[one]})' if self._names[one] else str(one) for one in values[:_SHOWN]]
        return ', '.join(words + ['...'] * (len(values) > _SHOWN)) or 'there are none'


def named(class_id: str, class_name: str, names: Mapping[int, str]) -> str:
    """The name of a detection's class: as the detector says it, else by the class's number; '' where nobody says."""
    if class_name or not _NUMBER.fullmatch(class_id):
        return class_name or class_id
    return names.get(int(class_id), '')


def _values(ids: Sequence[str]) -> list[int]:
    numbers = [int(one) if _NUMBER.fullmatch(one) and int(one) <= _MOST else -1 for one in ids]
    counts: dict[int, int] = {}
    for one in numbers:
        counts[one] = counts.get(one, 0) + 1
    own = {one for one in numbers if one >= 0 and counts[one] == 1}
    values, free = [], 0
    for place, number in enumerate(numbers, 1):
        if number not in own:
            free = max(free + 1, place)
            while free in own:
                free += 1
            number = free
        values.append(number)
    return values


def _area_px(region: Region) -> float:
    if region.box_xywh is not None:
        return region.box_xywh[2] * region.box_xywh[3]
    x, y = region.polygon.T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2
