"""From a request's regions to what will be looked at: masks, boxes, order, what is left out. No ROS, no segmenter."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dam_ros.core.clips import at_most
from dam_ros.core.errors import CallerFailure, EmptyRegion, Failure, Unsupported, complaint
from dam_ros.core.masks import StoredMask
from dam_ros.core.orders import AS_GIVEN, SceneOrder
from dam_ros.core.regions import Region, labels_present, mask_of, occurs, pixel_box


@dataclass(frozen=True, eq=False)
class Earlier:
    """A picture of a clip before its last. `picture` has `encoded()`, `size()` (H, W) and `nbytes`."""

    picture: Any
    mask: StoredMask


@dataclass(frozen=True)
class Planned:
    """One region to be described, or why it cannot be.

    Attributes:
        mask: for a box that a segmenter is to refine, the box.
        box: left, top, right, bottom in px where a segmenter is to cut the thing out; None otherwise.
        earlier: of a clip, oldest first.
    """

    region: Region
    mask: StoredMask | None = None
    box: tuple[int, int, int, int] | None = None
    failure: Failure | None = None
    earlier: tuple[Earlier, ...] = ()


@dataclass(frozen=True)
class Cutting:
    """How boxes are treated: is there a segmenter, and may the box stand for the thing where there is none."""

    segmenter: bool
    box_fallback: bool


def plan_region(region: Region, size: tuple[int, int], label_image: np.ndarray | None, cutting: Cutting) -> Planned:
    """Args: size: (H, W). Raises InvalidRequest, EmptyRegion, UnknownLabel, Unsupported."""
    mask = StoredMask(mask_of(region, *size, label_image))
    if not region.needs_segmenter:
        return Planned(region, mask)
    if cutting.segmenter:
        return Planned(region, mask, pixel_box(region, *size))
    if cutting.box_fallback:
        return Planned(region, mask)
    raise Unsupported(complaint('region.box_is_region', False, 'true, as there is no segmenter (parameter segmenter)'))


def plan_earlier(region: Region, pictures: Sequence[Any], labels_of: Callable[[int], np.ndarray | None],
                 most: int) -> tuple[Earlier, ...]:
    """What of a clip is looked at before its last picture.

    Pictures in which no label of the region occurs are left out; where with the last one more than `most` >= 2 remain,
    as many are taken, spread over all of them.

    Args:
        pictures: as in `Earlier`, oldest first, the last of the clip not among them.
        labels_of: index -> label image (H, W), asked again for those that are taken; None for whole pictures.

    Raises:
        InvalidRequest: a label image of another size than its picture.
    """
    there = [index for index in range(len(pictures)) if occurs(region, labels_of(index))]
    taken = [there[one] for one in at_most(len(there) + 1, most)[:-1]]   # the last of all is the clip's last picture
    return tuple(Earlier(pictures[one], StoredMask(mask_of(region, *pictures[one].size(), labels_of(one))))
                 for one in taken)


def plan_scene(order: SceneOrder, size: tuple[int, int], label_image: np.ndarray | None, background: tuple[int, ...],
               cutting: Cutting) -> tuple[list[Planned], int]:
    """(regions in the order in which they are described, how many were left out).

    A region that cannot be described comes last (with AS_GIVEN in its place), with its failure. NEAREST is by size, as
    long as no distance is known.

    Raises:
        EmptyRegion: a scene without regions, whose label image has none.
    """
    regions = order.regions or tuple(Region(labels=(label,)) for label in labels_present(label_image, background))
    if not regions:
        raise EmptyRegion('the label image of the picture has nothing but background '
                          f'{list(background)} (parameter background_labels)')
    planned = [_plan_one(one, size, label_image, cutting) for one in regions]
    taken = [one for one in planned if one.mask is None or one.mask.area_fraction >= order.min_area_fraction]
    if order.order != AS_GIVEN:
        taken.sort(key=lambda one: -one.mask.area_fraction if one.mask else 1.0)
    kept = taken[:order.max_regions]
    return kept, len(planned) - len(kept)


def _plan_one(region: Region, size: tuple[int, int], label_image: np.ndarray | None, cutting: Cutting) -> Planned:
    try:
        return plan_region(region, size, label_image, cutting)
    except CallerFailure as failure:
        return Planned(region, failure=failure)
