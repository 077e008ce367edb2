"""~/overlay and ~/annotations: the picture that was described with its regions, drawn and as primitives.

Both come out of one layout, so that they show the same. What nobody subscribes to is not computed.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import Image

from dam_ros.core.records import Record
from dam_ros.drawing.annotations import annotations_of
from dam_ros.drawing.described import Described, described
from dam_ros.drawing.overlay import lay_out
from dam_ros.drawing.paint import paint
from dam_ros.nodes.annotations import ImageAnnotations, annotations_message
from dam_ros.nodes.pictures import image_message

# (work in the thread for pixels, what to do with its result in the engine's): Desk.in_background
Background = Callable[[Callable[[], Any], Callable[[Any], None]], None]


class Overlays:
    """Draws one at a time: of the regions that are described meanwhile, the next drawing shows all at once."""

    def __init__(self, node: Node):
        self._log = node.get_logger()
        self._picture = node.create_publisher(Image, '~/overlay', 1)
        self._annotations = node.create_publisher(ImageAnnotations, '~/annotations', 1) if ImageAnnotations else None
        self._newest: Described | None = None
        self._drawing: Described | None = None

    def show(self, record: Record, in_background: Background) -> None:
        """What was just described, beside what else was described of the same picture. In the engine's thread."""
        if not any(self._wanted()):
            self._newest = None   # a picture is not kept for nobody
            return
        self._newest = described(self._newest, record)
        if self._drawing is None:
            self._begin(in_background)

    def forget(self) -> None:
        """The node is cleaned up: pictures are let go."""
        self._newest = self._drawing = None

    def _wanted(self) -> tuple[bool, bool]:
        """Whether somebody listens to (~/overlay, ~/annotations)."""
        return tuple(one is not None and one.get_subscription_count() > 0 for one in (self._picture, self._annotations))

    def _begin(self, in_background: Background) -> None:
        self._drawing = what = self._newest
        wanted = self._wanted()
        in_background(lambda: self._messages(what, *wanted), lambda found: self._publish(what, found, in_background))

    def _messages(self, what: Described, picture: bool, annotations: bool) -> tuple:
        """(Image, ImageAnnotations), None for what nobody wants. In the thread for pixels."""
        try:
            pixels, stamp_ns = what.picture.pixels(), what.picture.stamp_ns
            overlay = lay_out(pixels, what.marks(), what.first)
            return (image_message(paint(pixels, overlay), 'rgb8', stamp_ns, what.picture.frame_id) if picture else None,
                    annotations_message(annotations_of(overlay), stamp_ns) if annotations else None)
        except Exception as error:   # noqa: B902  nothing would be drawn ever again
            self._log.warning(f'~/overlay leaves out a picture: {error}')
            return None, None

    def _publish(self, what: Described, found: tuple, in_background: Background) -> None:
        if self._drawing is not what:   # forgotten meanwhile
            return
        self._drawing = None
        for publisher, message in zip((self._picture, self._annotations), found):
            if message is not None:
                publisher.publish(message)
        if not any(self._wanted()):
            self._newest = None
        elif self._newest is not what:
            self._begin(in_background)
