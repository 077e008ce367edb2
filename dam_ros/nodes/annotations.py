"""Annotations as `foxglove_msgs/ImageAnnotations`, where that package is installed. It decides no place and no colour.

Fields: https://docs.foxglove.dev/docs/sdk/schemas/image-annotations
"""
from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rclpy.time import Time

from dam_ros.drawing.annotations import Annotations, Disc, Line, Rgba, Text

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time as Stamp

try:   # by name: the package is optional, ~/overlay shows the same
    _msg = import_module('foxglove_msgs.msg')
    ImageAnnotations = _msg.ImageAnnotations
except ImportError:
    ImageAnnotations = None

# What diagnostics say, as information.
MISSING = '' if ImageAnnotations else (
    'foxglove_msgs is not installed, so there is no topic ~/annotations: ~/overlay shows the same as a picture. If you '
    'want it, install ros-<distro>-foxglove-msgs and start the node again')


def annotations_message(annotations: Annotations, stamp_ns: int) -> Any:
    """An ImageAnnotations, stamped like the picture in every part: viewers show it on the picture with that stamp."""
    stamp = Time(nanoseconds=stamp_ns).to_msg()
    message = ImageAnnotations(circles=[_circle(one, stamp) for one in annotations.discs],
                               points=[_points(one, stamp) for one in annotations.lines],
                               texts=[_text(one, stamp) for one in annotations.texts])
    if hasattr(message, 'timestamp'):   # newer releases of foxglove_msgs
        message.timestamp = stamp
    return message


def _points(line: Line, stamp: Stamp) -> Any:
    kind = _msg.PointsAnnotation.LINE_LOOP if line.closed else _msg.PointsAnnotation.LINE_STRIP
    return _msg.PointsAnnotation(
        timestamp=stamp, type=kind, points=[_msg.Point2(x=x, y=y) for x, y in line.points.astype(float).tolist()],
        outline_color=_color(line.colour), fill_color=_color(line.fill), thickness=float(line.thickness_px))


def _circle(disc: Disc, stamp: Stamp) -> Any:
    x, y = disc.centre
    return _msg.CircleAnnotation(
        timestamp=stamp, position=_msg.Point2(x=x, y=y), diameter=disc.diameter_px, thickness=float(disc.rim_px),
        fill_color=_color(disc.fill), outline_color=_color(disc.rim))


def _text(text: Text, stamp: Stamp) -> Any:
    x, y = text.position
    return _msg.TextAnnotation(
        timestamp=stamp, position=_msg.Point2(x=x, y=y), text=text.text, font_size=text.font_px,
        text_color=_color(text.colour), background_color=_color(text.ground))


def _color(colour: Rgba) -> Any:
    red, green, blue, alpha = colour
    return _msg.Color(r=red, g=green, b=blue, a=alpha)
