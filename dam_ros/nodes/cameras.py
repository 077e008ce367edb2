"""One camera: its subscriptions, and the ring their frames go into. It decodes nothing."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.subscription import SubscriptionEventCallbacks
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.frames import NS, Frame, Ring
from dam_ros.nodes.pictures import peek_header

_DEPTH = 10   # frames that may wait in the middleware while a callback runs: a third of a second at 30 Hz


@dataclass(frozen=True)
class Offer:
    """How we subscribe, after what publishers offer: to more than that nothing would come."""

    reliable: bool = False
    latched: bool = False


@dataclass
class Feed:
    """One subscribed topic, for diagnostics.

    Attributes:
        take: gets every message while the camera is open.
        optional: descriptions only lack something without it.
        lasting: what came stays true, and may have been sent once only: it is taken while the camera is not open,
            too, and latched messages are asked for.
        asked: how we subscribe.
        refusals: how often the middleware told of a publisher that does not offer that, since we subscribed so.
        last_s: time.monotonic of the newest frame, NaN before the first.
        damaged: messages whose header could not be read.
    """

    topic: str
    kind: type
    take: Callable[[bytes], None]
    optional: bool = False
    lasting: bool = False
    subscription: Any = None
    asked: Offer = Offer()
    refusals: int = 0
    frames: int = 0
    damaged: int = 0
    last_s: float = float('nan')

    @property
    def type_name(self) -> str:
        return f'sensor_msgs/msg/{self.kind.__name__}'


class Camera:
    """Subscribes to the topics below `<name>/` and keeps their last seconds.

    Depth and camera info are subscribed to always: where nobody publishes them that costs 1 to 2 % of a core for each
    camera of 30 Hz, and a subscription made only once somebody does would miss what comes in its first second.

    Args:
        up: which edge of its pictures is up in the world.
        on_frame: called after every picture and label image that was kept.
    """

    def __init__(self, node: Node, name: str, up: str, settings: DescribeSettings,
                 on_frame: Callable[[Camera], None]):
        self.name, self._up = name, up
        self._node, self._settings, self._on_frame = node, settings, on_frame
        prefix = f'{name}/' if name else ''
        self._compressed = settings.image_transport == 'compressed'
        image = prefix + ('image/compressed' if self._compressed else 'image')
        self.ring = Ring(settings.ring_s, settings.ring_mb, node.resolve_topic_name(image),
                         node.resolve_topic_name(prefix + 'segmentation'))
        self.image = Feed(image, CompressedImage if self._compressed else Image, self._take_picture)
        self.labels = Feed(prefix + 'segmentation', Image, self._take_labels)
        self.depth = Feed(prefix + 'depth', Image, self._take_depth, optional=True)
        self.info = Feed(prefix + 'camera_info', CameraInfo, self._take_info, optional=True, lasting=True)
        self.open = False
        for feed in self.feeds:
            self._subscribe(feed, self._wanted(feed))

    @property
    def feeds(self) -> tuple[Feed, ...]:
        return self.image, self.labels, self.depth, self.info

    def follow_publishers(self) -> None:
        """Takes what publishers offer now; where that has changed, with a new subscription."""
        for feed in self.feeds:
            wanted = self._wanted(feed)
            if wanted != feed.asked:
                self._node.destroy_subscription(feed.subscription)
                self._subscribe(feed, wanted)

    def close(self) -> None:
        for feed in self.feeds:
            self._node.destroy_subscription(feed.subscription)
        self.ring.clear()

    def publishers(self, feed: Feed) -> list:
        """Endpoint infos of who publishes on its topic."""
        name = feed.subscription.topic_name if feed.subscription else self._node.resolve_topic_name(feed.topic)
        return self._node.get_publishers_info_by_topic(name)

    def _wanted(self, feed: Feed) -> Offer:
        """A best-effort subscription to a reliable publisher of large images lost 85 %, so take what all offer."""
        offered = [one.qos_profile for one in self.publishers(feed) if one.topic_type == feed.type_name]
        mode = self._settings.image_reliability
        reliable = bool(offered) and all(one.reliability == QoSReliabilityPolicy.RELIABLE for one in offered)
        latched = bool(offered) and all(one.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL for one in offered)
        return Offer(reliable if mode == 'auto' else mode == 'reliable', feed.lasting and latched)

    def _subscribe(self, feed: Feed, asked: Offer) -> None:
        reliability = QoSReliabilityPolicy.RELIABLE if asked.reliable else QoSReliabilityPolicy.BEST_EFFORT
        durability = QoSDurabilityPolicy.TRANSIENT_LOCAL if asked.latched else QoSDurabilityPolicy.VOLATILE
        profile = QoSProfile(history=QoSHistoryPolicy.KEEP_LAST, depth=_DEPTH, reliability=reliability,
                             durability=durability)
        feed.asked, feed.refusals = asked, 0
        # Not those that rclpy adds on its own: each is one thing more to wait for, and diagnostics look at the types.
        events = SubscriptionEventCallbacks(incompatible_qos=lambda event: self._refused(feed, event),
                                            use_default_callbacks=False)
        feed.subscription = self._node.create_subscription(
            feed.kind, feed.topic, lambda data: self._arrived(feed, data), profile,
            callback_group=ReentrantCallbackGroup(), event_callbacks=events, raw=True)

    def _refused(self, feed: Feed, event: Any) -> None:
        feed.refusals += event.total_count_change
        if self._settings.image_reliability != 'auto':   # else it is cured within a second
            self._node.get_logger().warning(f'{feed.topic}: a publisher offers less than image_reliability '
                                            f'{self._settings.image_reliability}, so nothing comes from it')

    def _arrived(self, feed: Feed, data: bytes) -> None:
        feed.frames += 1
        feed.last_s = time.monotonic()
        if not self.open and not feed.lasting:
            return
        try:
            feed.take(data)
        except Exception:   # noqa: B902  a message that is none; the next may be good
            feed.damaged += 1
            return
        if not feed.optional:
            self._on_frame(self)

    def _take_picture(self, data: bytes) -> None:
        self.ring.add_picture(Frame(*peek_header(data), data, self._compressed, self._up), self._slop_ns)

    def _take_labels(self, data: bytes) -> None:
        self.ring.add_labels(Frame(*peek_header(data), data), self._slop_ns)

    def _take_depth(self, data: bytes) -> None:
        self.ring.add_depth(Frame(*peek_header(data), data), self._slop_ns)

    def _take_info(self, data: bytes) -> None:
        self.ring.add_info(Frame(*peek_header(data), data))

    @property
    def _slop_ns(self) -> int:
        return int(self._settings.sync_slop_s * NS)
