"""What a request's regions are in pixels, and what the worker gets of them. No request's life is decided here."""
from __future__ import annotations

from dataclasses import replace
import traceback
from typing import Any

from dam_ros.core.clips import PICTURES
from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.encoded import Encoded
from dam_ros.core.errors import Failure, Internal
from dam_ros.core.frames import Found
from dam_ros.core.orders import Order, SceneOrder
from dam_ros.core.planning import Cutting, Earlier, LabelImage, Planned, plan_earlier, plan_region, plan_scene
from dam_ros.core.regions import Region
from dam_ros.engine.schedule import Work
from dam_ros.engine.status import Status
from dam_ros.nodes.pictures import CameraPicture, read_labels


def plan(order: Order | SceneOrder, picture: Any, found: Found | None, settings: DescribeSettings,
         most_pictures: int) -> tuple[list[Planned], int] | Failure:
    """([Planned], how many were left out), or the Failure. Never raises.

    Args:
        found: what the picture was chosen as, None for the caller's own.
        most_pictures: of a clip.
    """
    cutting = Cutting(settings.segmenter != 'none', settings.box_fallback)
    try:
        size = picture.size()
        labels = None
        if found is not None and found.labels is not None:
            labels = LabelImage(read_labels(found.labels), tuple(settings.background_labels),
                                settings.label_kind == 'classes')
        if isinstance(order, SceneOrder):
            return plan_scene(order, size, labels, cutting)
        one = plan_region(order.region, size, labels, cutting)
        earlier = _earlier(order.region, found.earlier, most_pictures) if found is not None else ()
        return [replace(one, earlier=earlier)], 0
    except Failure as failure:
        return failure
    except Exception:   # noqa: B902  everything must become an answer
        return Internal('bug while planning, please report: ' + traceback.format_exc(limit=-2))


def _earlier(region: Region, found: tuple[Found, ...], most: int) -> tuple[Earlier, ...]:
    def labels_of(index: int):
        return read_labels(found[index].labels) if found[index].labels is not None else None

    return plan_earlier(region, [CameraPicture(one.picture) for one in found], labels_of, most)


def most_pictures(status: Status) -> int:
    """Of a clip; before the describer has said how many it takes, the usual number.

    Never one: a clip that came to a describer of single pictures at this very moment is refused, not shortened.
    """
    return max(2, min(PICTURES, status.max_pictures)) if status.state == 'ready' else PICTURES


def work(planned: Planned, picture: Encoded) -> Work | Failure:
    """For the worker, or the failure of what cannot be described."""
    if planned.failure is not None:
        return planned.failure
    earlier = tuple((one.picture.encoded(), one.mask) for one in planned.earlier)
    return Work((*earlier, (picture, planned.mask)), planned.prompt)
