"""Messages of detections as core values. The packages that define them may be missing; then nothing here is used."""
from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
import math
from typing import Any

import numpy as np
from rclpy.serialization import deserialize_message

from dam_ros.core.detecting import Detection, named
from dam_ros.core.errors import NoLabelImage
from dam_ros.core.frames import NS, Frame
from dam_ros.core.label_names import clean


def type_name(kind: type) -> str:
    """As the graph has it, 'sensor_msgs/msg/Image'."""
    return f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}'


def kinds() -> tuple[type, ...]:
    """The message types of detections that are installed."""
    return _installed('vision_msgs', 'Detection2DArray') + _installed('yolo_msgs', 'DetectionArray')


def label_info_kinds() -> tuple[type, ...]:
    """vision_msgs/LabelInfo, where it is installed."""
    return _installed('vision_msgs', 'LabelInfo')


def read_detections(frame: Frame, names: Mapping[int, str]) -> list[Detection]:
    """What is in a message, in its order. Raises NoLabelImage where it cannot be used."""
    convert = _of_vision_msgs if frame.kind.startswith('vision_msgs/') else _of_yolo_msgs
    try:
        kind = next(one for one in kinds() if type_name(one) == frame.kind)
        return [convert(one, names) for one in deserialize_message(frame.data, kind).detections]
    except Exception as error:   # noqa: B902  rmw's own, which have no common class, or fields of another version
        raise NoLabelImage(f'the detections at {frame.stamp_ns / NS:.3f} cannot be used: {error}') from error


def read_label_info(data: bytes) -> list[tuple[int, str]]:
    """(value, name) pairs of a serialized vision_msgs/LabelInfo. Raises whatever rmw does."""
    return [(one.class_id, one.class_name) for one in deserialize_message(data, label_info_kinds()[0]).class_map]


def _installed(package: str, name: str) -> tuple[type, ...]:
    try:
        return (getattr(import_module(f'{package}.msg'), name),)
    except (ImportError, AttributeError):   # AttributeError: a version without it
        return ()


def _of_vision_msgs(one: Any, names: Mapping[int, str]) -> Detection:
    likely = max((each.hypothesis for each in one.results), key=_score, default=None)
    box, centre = one.bbox, one.bbox.center
    return Detection(one.id, clean(named(likely.class_id, '', names)) if likely else '',
                     (centre.position.x, centre.position.y), (box.size_x, box.size_y), centre.theta)


def _of_yolo_msgs(one: Any, names: Mapping[int, str]) -> Detection:
    centre, size, mask = one.bbox.center, one.bbox.size, one.mask
    corners = np.array([(point.x, point.y) for point in mask.data], np.float64).reshape(-1, 2)
    return Detection(one.id, clean(named(str(one.class_id), one.class_name, names)),
                     (centre.position.x, centre.position.y), (size.x, size.y), centre.theta, corners,
                     (mask.width, mask.height))


def _score(hypothesis: Any) -> float:
    return -math.inf if math.isnan(hypothesis.score) else hypothesis.score
