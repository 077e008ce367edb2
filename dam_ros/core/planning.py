"""From a request's regions to what will be looked at: masks, prompts, order, what is left out. No ROS, no segmenter."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
import math
from typing import Any

import cv2
import numpy as np

from dam_ros.core.clips import at_most
from dam_ros.core.detecting import Detections
from dam_ros.core.errors import CallerFailure, EmptyRegion, Failure, NoLabelImage, Unsupported, complaint
from dam_ros.core.masks import StoredMask
from dam_ros.core.orders import AS_GIVEN, MAX_REGIONS, NEAREST, SceneOrder
from dam_ros.core.placing import Place
from dam_ros.core.region_masks import labels_present, mask_of, occurs, prompt_of
from dam_ros.core.regions import Region
from dam_ros.core.segmenting import Prompt


_MANY = 1000   # parts that are held until the largest are looked for


@dataclass(frozen=True, eq=False)
class Earlier:
    """A picture of a clip before its last.

    Attributes:
        picture: has `encoded()`, `size()` (H, W) and `nbytes`.
        mask: None = the segmenter follows the region to it.
    """

    picture: Any
    mask: StoredMask | None


@dataclass(frozen=True)
class Planned:
    """One region to be described, or why it cannot be.

    Attributes:
        mask: for what a segmenter is to cut out, what was pointed at.
        prompt: what a segmenter is to cut it out of; None where the mask is the region.
        earlier: of a clip, oldest first.
        name: of what its label means, '' unknown.
        place: where the mask is in the camera's own frame, None = not known yet.
    """

    region: Region
    mask: StoredMask | None = None
    prompt: Prompt | None = None
    failure: Failure | None = None
    earlier: tuple[Earlier, ...] = ()
    name: str = ''
    place: Place | None = None


@dataclass(frozen=True)
class Cutting:
    """How boxes are treated: is there a segmenter, and may the box stand for the thing where there is none."""

    segmenter: bool
    box_fallback: bool


@dataclass(frozen=True, eq=False)
class LabelImage:
    """What a camera's segmentation says, and how it is meant.

    Attributes:
        pixels: int (H, W).
        background: values that are no region.
        classes: a value means a class, and each connected part of it is a thing of its own; else an instance.
        names: of the values, as far as they are known.
    """

    pixels: np.ndarray
    background: tuple[int, ...] = (0,)
    classes: bool = False
    names: Mapping[int, str] = field(default_factory=dict)

    def present(self) -> dict[int, int]:
        """Label value -> number of pixels, in the order of the values."""
        return labels_present(self.pixels, self.background)

    def name(self, label: int) -> str:
        return self.names.get(label, '')

    def occurs(self, labels: Sequence[int]) -> bool:
        return occurs(self.pixels, labels)

    def nothing(self) -> EmptyRegion:
        """Why there is no region in it."""
        return EmptyRegion('the label image of the picture has nothing but background '
                           f'{list(self.background)} (parameter background_labels)')

    def check_size(self, size: tuple[int, int]) -> None:
        """Args: size: (H, W) of the picture. Raises NoLabelImage: this is of another."""
        if self.pixels.shape != size:
            (own_height, own_width), (height, width) = self.pixels.shape, size
            raise NoLabelImage(complaint('label image', f'{own_width}x{own_height} px', f'the size of the picture, '
                                         f'{width}x{height} px', 'Let the segmentation scale it by nearest neighbour. '
                                         'A box or a mask would work'))

    def shape_of(self, labels: Sequence[int], size: tuple[int, int]) -> tuple[Region, np.ndarray]:
        """The region, of which a segmenter makes nothing else, and its mask bool (H, W). Raises as `mask_of`."""
        region = Region(labels=tuple(labels))
        return region, mask_of(region, *size, self.pixels)


def plan_region(region: Region, size: tuple[int, int], labels: LabelImage | Detections | None,
                cutting: Cutting) -> Planned:
    """Args: size: (H, W). Raises InvalidRequest, EmptyRegion, UnknownLabel, Unsupported."""
    if region.form != 'labels':
        shape, mask, name = region, mask_of(region, *size), ''
    else:
        shape, mask = labels.shape_of(region.labels, size)
        name = labels.name(region.label) if len(region.labels) == 1 else ''
    planned = Planned(region, StoredMask(mask), name=name)
    if not shape.needs_segmenter:
        return planned
    if cutting.segmenter:
        return replace(planned, prompt=prompt_of(shape, *size, mask))
    if shape.form != 'box':
        raise Unsupported(complaint(shape.field, 'set', 'a box with box_is_region, a polygon, labels or a mask, as '
                                    'there is no segmenter (parameter segmenter)'))
    if cutting.box_fallback:
        return planned
    which = 'region.box_is_region' if shape is region else 'detection_boxes_are_regions'
    raise Unsupported(complaint(which, False, 'true, as there is no segmenter (parameter segmenter)'))


def plan_earlier(region: Region, pictures: Sequence[Any], labels_of: Callable[[int], LabelImage | Detections | None],
                 most: int) -> tuple[Earlier, ...]:
    """What of a clip is looked at before its last picture.

    Pictures in which no label of the region occurs are left out; where with the last one more than `most` >= 2 remain,
    as many are taken, spread over all of them. What neither labels nor the whole picture tell, the segmenter follows;
    so it does where the label is that of a box out of which it cuts.

    Args:
        pictures: as in `Earlier`, oldest first, the last of the clip not among them.
        labels_of: index -> label image or detections, asked again for those that are taken; None for whole pictures.

    Raises:
        Whatever `labels_of` raises.
    """
    if region.form not in ('labels', 'picture'):
        return tuple(Earlier(pictures[one], None) for one in at_most(len(pictures) + 1, most)[:-1])
    there = [index for index in range(len(pictures))
             if (labels := labels_of(index)) is None or labels.occurs(region.labels)]
    taken = [there[one] for one in at_most(len(there) + 1, most)[:-1]]   # the last of all is the clip's last picture
    return tuple(_earlier(region, pictures[one], labels_of(one)) for one in taken)


def _earlier(region: Region, picture: Any, labels: LabelImage | Detections | None) -> Earlier:
    if labels is None:
        return Earlier(picture, StoredMask(mask_of(region, *picture.size())))
    shape, mask = labels.shape_of(region.labels, picture.size())
    return Earlier(picture, None if shape.needs_segmenter else StoredMask(mask))


def plan_scene(order: SceneOrder, size: tuple[int, int], labels: LabelImage | Detections | None, cutting: Cutting,
               distance_of: Callable[[np.ndarray], float] = lambda mask: math.nan,
               go_on: Callable[[], None] = lambda: None) -> tuple[list[Planned], int]:
    """(regions in the order in which they are described, how many were left out).

    A region that cannot be described comes last (with AS_GIVEN in its place), with its failure.

    Args:
        distance_of: bool (H, W) -> m, NaN unknown; what is unknown comes after what is known.
        go_on: called again and again; raises where nobody waits for the scene any more.

    Raises:
        EmptyRegion: a scene without regions, whose label image or detections have none.
    """
    if order.regions:
        planned = [_plan_one(one, size, labels, cutting, go_on) for one in order.regions]
        count = len(planned)
    else:
        planned, count = _plan_labels(size, labels, cutting, go_on)
    taken = [one for one in planned if one.mask is None or one.mask.area_fraction >= order.min_area_fraction]
    if order.order == NEAREST:
        taken.sort(key=lambda one: _nearness(one, distance_of, go_on))
    elif order.order != AS_GIVEN:
        taken.sort(key=_largeness)
    kept = taken[:order.max_regions]
    return kept, count - len(kept)


def _plan_labels(size: tuple[int, int], labels: LabelImage | Detections, cutting: Cutting,
                 go_on: Callable[[], None]) -> tuple[list[Planned], int]:
    """The regions in the order of their values, and how many there are; of more than a scene can have only the
    largest."""
    present = labels.present()
    if not present:
        raise labels.nothing()
    if labels.classes and labels.pixels.shape == size:
        planned, count = _plan_parts(labels.pixels, list(present), go_on)
        return [replace(one, name=labels.name(one.region.label)) for one in planned], count
    largest = sorted(present, key=lambda label: -present[label])[:MAX_REGIONS]
    return [_plan_one(Region(labels=(label,)), size, labels, cutting, go_on) for label in sorted(largest)], len(present)


def _plan_parts(pixels: np.ndarray, classes: list[int], go_on: Callable[[], None]) -> tuple[list[Planned], int]:
    """As `_plan_labels`, of the connected parts of each class."""
    found, count, boxes = [], 0, _boxes(pixels)   # (area in px, class, left, top, its pixels)
    for value in classes:
        go_on()
        x, y, right, bottom = boxes[value]
        number, parts, stats, _ = cv2.connectedComponentsWithStats(
            (pixels[y:bottom, x:right] == value).view(np.uint8), connectivity=8)
        count += number - 1
        largest = np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind='stable')[:MAX_REGIONS] + 1
        for part in largest:
            left, top, width, height, area = stats[part]
            found.append((area, value, left + x, top + y, parts[top:top + height, left:left + width] == part))
        if len(found) > _MANY:
            found = sorted(found, key=lambda one: -one[0])[:MAX_REGIONS]
    found.sort(key=lambda one: -one[0])
    planned = []
    for _, value, left, top, part in sorted(found[:MAX_REGIONS], key=lambda one: one[1]):
        mask = np.zeros(pixels.shape, bool)
        mask[top:top + part.shape[0], left:left + part.shape[1]] = part
        planned.append(Planned(Region(labels=(value,)), StoredMask(mask)))
    return planned, count


def _boxes(pixels: np.ndarray) -> dict[int, tuple[int, int, int, int]]:
    """Value -> (left, top, right, bottom) of its pixels, half open."""
    order = np.argsort(pixels, axis=None, kind='stable')   # a radix sort up to 16 bit
    ordered = pixels.ravel()[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rows, columns = np.divmod(order, pixels.shape[1])
    edges = (np.minimum.reduceat(columns, begins), np.minimum.reduceat(rows, begins),
             np.maximum.reduceat(columns, begins) + 1, np.maximum.reduceat(rows, begins) + 1)
    return dict(zip(ordered[begins].tolist(), zip(*(one.tolist() for one in edges))))


def _largeness(planned: Planned) -> float:
    return -planned.mask.area_fraction if planned.mask else 1.0


def _nearness(planned: Planned, distance_of: Callable[[np.ndarray], float],
              go_on: Callable[[], None]) -> tuple[float, float]:
    go_on()
    distance_m = distance_of(planned.mask.array()) if planned.mask else math.nan
    return distance_m if math.isfinite(distance_m) else math.inf, _largeness(planned)


def _plan_one(region: Region, size: tuple[int, int], labels: LabelImage | Detections | None, cutting: Cutting,
              go_on: Callable[[], None]) -> Planned:
    go_on()
    try:
        return plan_region(region, size, labels, cutting)
    except CallerFailure as failure:
        return Planned(region, failure=failure)
