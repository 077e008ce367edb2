"""One camera: its subscriptions, and the ring their frames go into. It decodes nothing."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.frames import NS, Frame, Ring
from dam_ros.nodes.pictures import peek_header

_DEPTH = 10   # frames that may wait in the middleware while a callback runs: a third of a second at 30 Hz


@dataclass
class Feed:
    """One subscribed topic, for diagnostics.

    Attributes:
        last_s: time.monotonic of the newest frame, NaN before the first.
        damaged: messages whose header could not be read.
    """

    topic: str
    kind: type
    take: Callable[[bytes], None]
    subscription: object = None
    reliable: bool = False
    frames: int = 0
    damaged: int = 0
    last_s: float = float('nan')


class Camera:
    """Subscribes to `<name>/image` and `<name>/segmentation` and keeps their last seconds.

    Args:
        on_frame: called after every frame that was kept.
    """

    def __init__(self, node: Node, name: str, settings: DescribeSettings, on_frame: Callable[[Camera], None]):
        self.name = name
        self._node, self._settings, self._on_frame = node, settings, on_frame
        prefix = f'{name}/' if name else ''
        self._compressed = settings.image_transport == 'compressed'
        image = prefix + ('image/compressed' if self._compressed else 'image')
        self.ring = Ring(settings.ring_s, settings.ring_mb, node.resolve_topic_name(image),
                         node.resolve_topic_name(prefix + 'segmentation'))
        self.image = Feed(image, CompressedImage if self._compressed else Image, self._take_picture)
        self.labels = Feed(prefix + 'segmentation', Image, self._take_labels)
        self.open = False
        for feed in self.feeds:
            self._subscribe(feed, self._wanted(feed))

    @property
    def feeds(self) -> tuple[Feed, Feed]:
        return self.image, self.labels

    def follow_publishers(self) -> None:
        """Takes the reliability that publishers offer now; a changed one means a new subscription."""
        for feed in self.feeds:
            reliable = self._wanted(feed)
            if reliable != feed.reliable:
                self._node.destroy_subscription(feed.subscription)
                self._subscribe(feed, reliable)

    def close(self) -> None:
        for feed in self.feeds:
            self._node.destroy_subscription(feed.subscription)
        self.ring.clear()

    def publishers(self, feed: Feed) -> list:
        """Endpoint infos of who publishes on its topic."""
        return self._node.get_publishers_info_by_topic(feed.subscription.topic_name)

    def _wanted(self, feed: Feed) -> bool:
        """A best-effort subscription to a reliable publisher of large images lost 85 %, so take what is offered."""
        mode = self._settings.image_reliability
        if mode != 'auto':
            return mode == 'reliable'
        name = feed.subscription.topic_name if feed.subscription else self._node.resolve_topic_name(feed.topic)
        offered = [one.qos_profile.reliability for one in self._node.get_publishers_info_by_topic(name)]
        return bool(offered) and all(one == QoSReliabilityPolicy.RELIABLE for one in offered)

    def _subscribe(self, feed: Feed, reliable: bool) -> None:
        reliability = QoSReliabilityPolicy.RELIABLE if reliable else QoSReliabilityPolicy.BEST_EFFORT
        profile = QoSProfile(history=QoSHistoryPolicy.KEEP_LAST, depth=_DEPTH, reliability=reliability)
        feed.reliable = reliable
        feed.subscription = self._node.create_subscription(
            feed.kind, feed.topic, lambda data: self._arrived(feed, data), profile,
            callback_group=ReentrantCallbackGroup(), raw=True)

    def _arrived(self, feed: Feed, data: bytes) -> None:
        feed.frames += 1
        feed.last_s = time.monotonic()
        if not self.open:
            return
        try:
            feed.take(data)
        except Exception:   # noqa: B902  a message that is none; the next may be good
            feed.damaged += 1
            return
        self._on_frame(self)

    def _take_picture(self, data: bytes) -> None:
        self.ring.add_picture(Frame(*peek_header(data), data, self._compressed), int(self._settings.sync_slop_s * NS))

    def _take_labels(self, data: bytes) -> None:
        self.ring.add_labels(Frame(*peek_header(data), data), int(self._settings.sync_slop_s * NS))
