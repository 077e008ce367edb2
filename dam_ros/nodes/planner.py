"""What a request's regions are in pixels, and what the worker gets of them. No request's life is decided here."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
import traceback
from typing import Any

from dam_ros.core.clips import PICTURES
from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.detecting import Detections
from dam_ros.core.encoded import Encoded
from dam_ros.core.errors import Cancelled, Failure, Internal
from dam_ros.core.frames import Found, Frame
from dam_ros.core.orders import Order, SceneOrder
from dam_ros.core.planning import Cutting, Earlier, LabelImage, Planned, plan_earlier, plan_region, plan_scene
from dam_ros.core.regions import Region
from dam_ros.core.viewing import View
from dam_ros.engine.schedule import Work
from dam_ros.engine.status import Status
from dam_ros.nodes.labelling import Labelling
from dam_ros.nodes.pictures import CameraPicture
from dam_ros.nodes.whereabouts import Sight


def plan(order: Order | SceneOrder, picture: Any, found: Found | None, settings: DescribeSettings,
         most_pictures: int, sight: Sight | None, labelling: Labelling,
         wanted: Callable[[], bool] = lambda: True) -> tuple[list[Planned], int] | Failure:
    """([Planned], how many were left out), or the Failure. Never raises.

    Args:
        found: what the picture was chosen as, None for the caller's own.
        most_pictures: of a clip.
        sight: how the picture was taken, None for the caller's own.
        labelling: what the camera's labels mean.
        wanted: somebody waits for it still. Others wait behind it.
    """
    def go_on() -> None:
        if not wanted():
            raise Cancelled('nobody waits for it any more')

    read = partial(_read, labelling, settings)
    cutting = Cutting(settings.segmenter != 'none', settings.box_fallback)
    try:
        go_on()
        size = picture.size()
        view = sight.view() if sight is not None else View()
        labels = read(found.labels, size) if found is not None and found.labels is not None else None
        if isinstance(order, SceneOrder):
            planned, left_out = plan_scene(order, size, labels, cutting, view.distance, go_on)
            return [_placed(one, view, go_on) for one in planned], left_out
        one = plan_region(order.region, size, labels, cutting)
        earlier = _earlier(order.region, found.earlier, most_pictures, read, go_on) if found is not None else ()
        return [_placed(replace(one, earlier=earlier), view, go_on)], 0
    except Failure as failure:
        return failure
    except Exception:   # noqa: B902  everything must become an answer
        return Internal('bug while planning, please report: ' + traceback.format_exc(limit=-2))


def _read(labelling: Labelling, settings: DescribeSettings, frame: Frame,
          size: tuple[int, int]) -> LabelImage | Detections:
    """Args: size: (H, W) of its picture. Raises NoLabelImage."""
    labels = labelling.read(frame, settings)
    if isinstance(labels, LabelImage):
        labels.check_size(size)
    return labels


def _placed(planned: Planned, view: View, go_on: Callable[[], None]) -> Planned:
    """With its place, where its mask is known already."""
    go_on()
    if planned.failure is not None or planned.prompt is not None:
        return planned
    return replace(planned, place=view.place(planned.mask.array()))


def _earlier(region: Region, found: tuple[Found, ...], most: int,
             read: Callable[[Frame, tuple[int, int]], LabelImage | Detections],
             go_on: Callable[[], None]) -> tuple[Earlier, ...]:
    pictures = [CameraPicture(one.picture) for one in found]

    def labels_of(index: int) -> LabelImage | Detections | None:
        go_on()
        labels = found[index].labels
        return read(labels, pictures[index].size()) if labels is not None else None

    return plan_earlier(region, pictures, labels_of, most)


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
