"""One camera: its subscriptions, and the ring their frames go into. It decodes nothing."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math
import time
import traceback
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.subscription import SubscriptionEventCallbacks
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from dam_ros.core.describe_settings import DescribeSettings
from dam_ros.core.errors import Failure, NoFrame, NoLabelImage
from dam_ros.core.frames import NS, Found, Frame, Ring
from dam_ros.nodes import detections
from dam_ros.nodes.detections import type_name
from dam_ros.nodes.labelling import Labelling
from dam_ros.nodes.pictures import peek_header

_DEPTH = 10   # frames that may wait in the middleware while a callback runs: a third of a second at 30 Hz


@dataclass(frozen=True)
class Offer:
    """How we subscribe, after what publishers offer: to more than that nothing would come.

    Attributes:
        kind: None = not at all.
    """

    kind: type | None = None
    reliable: bool = False
    latched: bool = False


@dataclass
class Feed:
    """One subscribed topic, for diagnostics.

    Attributes:
        kinds: the types that are understood and installed; that which somebody publishes is taken, else the first.
        take: gets every message while the camera is open.
        optional: descriptions only lack something without it.
        awaited: requests may wait for it.
        lasting: what came stays true, and may have been sent once only: it is taken while the camera is not open,
            too, and latched messages are asked for.
        asked: how we subscribe.
        refusals: how often the middleware told of a publisher that does not offer that, since we subscribed so.
        last_s: time.monotonic of the newest frame, NaN before the first.
        damaged: messages whose header could not be read.
        unusable: why what was wanted of it last could not be used, '' = it could.
    """

    topic: str
    kinds: tuple[type, ...]
    take: Callable[[bytes], None]
    optional: bool = False
    awaited: bool = False
    lasting: bool = False
    subscription: Any = None
    asked: Offer = Offer()
    refusals: int = 0
    frames: int = 0
    damaged: int = 0
    unusable: str = ''
    last_s: float = float('nan')

    @property
    def type_name(self) -> str:
        kind = self.asked.kind or (self.kinds[0] if self.kinds else None)
        return type_name(kind) if kind is not None else ''


class Camera:
    """Subscribes to the topics below `<name>/` and keeps their last seconds.

    Depth and camera info are subscribed to always: where nobody publishes them that costs 1 to 2 % of a core for each
    camera of 30 Hz, and a subscription made only once somebody does would miss what comes in its first second.

    Args:
        up: which edge of its pictures is up in the world.
        settings_now: some may change while the node runs.
        on_frame: called after every picture, label image and message of detections that was kept.

    Attributes:
        open: frames are kept.
        open_s: time.monotonic since when.
        picture_s: the same when the newest picture that was kept came, NaN before the first since then.
    """

    def __init__(self, node: Node, name: str, up: str, settings_now: Callable[[], DescribeSettings],
                 labelling: Labelling, on_frame: Callable[[Camera], None]):
        self.name, self.labelling, self.up = name, labelling, up
        self._node, self._settings_now, self._on_frame = node, settings_now, on_frame
        settings, prefix = settings_now(), f'{name}/' if name else ''
        self._compressed = settings.image_transport == 'compressed'
        image = prefix + ('image/compressed' if self._compressed else 'image')
        names = (image, prefix + 'segmentation', prefix + 'detections')
        self.ring = Ring(settings.ring_s, settings.ring_mb, *map(node.resolve_topic_name, names))
        self.image = Feed(image, (CompressedImage if self._compressed else Image,), self._take_picture, awaited=True)
        self.labels = Feed(prefix + 'segmentation', (Image,), self._take_labels, awaited=True)
        self.detections = Feed(prefix + 'detections', detections.kinds(), self._take_detections, optional=True,
                               awaited=True)
        self.label_info = Feed(prefix + 'label_info', detections.label_info_kinds(), labelling.hear, optional=True,
                               lasting=True)
        self.depth = Feed(prefix + 'depth', (Image,), self._take_depth, optional=True)
        self.info = Feed(prefix + 'camera_info', (CameraInfo,), self._take_info, optional=True, lasting=True)
        self.open, self.open_s, self.picture_s = False, math.nan, math.nan
        for feed in self.feeds:
            self._subscribe(feed, self._wanted(feed))

    @property
    def feeds(self) -> tuple[Feed, ...]:
        return self.image, self.labels, self.detections, self.label_info, self.depth, self.info

    def follow_publishers(self) -> None:
        """Takes what publishers offer now; where that has changed, with a new subscription."""
        for feed in self.feeds:
            wanted = self._wanted(feed)
            if wanted != feed.asked:
                self._unsubscribe(feed)
                self._subscribe(feed, wanted)

    def activate(self) -> None:
        """From now on frames are kept."""
        self.open, self.open_s, self.picture_s = True, time.monotonic(), math.nan

    def deactivate(self) -> None:
        self.open = False
        self.ring.clear()

    def close(self) -> None:
        for feed in self.feeds:
            self._unsubscribe(feed)
        self.ring.clear()

    def tried(self, found: Found, failure: Failure | None) -> None:
        """What came of a picture that somebody wanted described, for diagnostics."""
        partner = self.detections if found.labels is not None and found.labels.kind else self.labels
        if isinstance(failure, NoFrame):
            self.image.unusable = str(failure)
        elif isinstance(failure, NoLabelImage):
            partner.unusable = str(failure)
        elif failure is None:
            self.image.unusable = ''
            if found.labels is not None:
                partner.unusable = ''

    def completed(self, found: Found) -> Found:
        """The same picture with the depth and camera info that have come by now."""
        return self.ring.completed(found, self._slop_ns)

    def publishers(self, feed: Feed) -> list:
        """Endpoint infos of who publishes on its topic."""
        return self._node.get_publishers_info_by_topic(self.topic(feed))

    def topic(self, feed: Feed) -> str:
        """Its full name. In any thread, also while it is subscribed to anew."""
        return self._node.resolve_topic_name(feed.topic)

    def _wanted(self, feed: Feed) -> Offer:
        """A best-effort subscription to a reliable publisher of large images lost 85 %, so take what all offer."""
        publishers = self.publishers(feed)
        types = {one.topic_type for one in publishers}
        kind = next((one for one in feed.kinds if type_name(one) in types), feed.asked.kind or next(iter(feed.kinds),
                                                                                                    None))
        offered = [one.qos_profile for one in publishers if kind is not None and one.topic_type == type_name(kind)]
        mode = self._settings_now().image_reliability if feed is not self.label_info else 'auto'
        reliable = bool(offered) and all(one.reliability == QoSReliabilityPolicy.RELIABLE for one in offered)
        latched = bool(offered) and all(one.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL for one in offered)
        return Offer(kind, reliable if mode == 'auto' else mode == 'reliable', feed.lasting and latched)

    def _unsubscribe(self, feed: Feed) -> None:
        if feed.subscription is not None:
            self._node.destroy_subscription(feed.subscription)
            feed.subscription = None

    def _subscribe(self, feed: Feed, asked: Offer) -> None:
        feed.asked, feed.refusals = asked, 0
        if asked.kind is None:
            return
        reliability = QoSReliabilityPolicy.RELIABLE if asked.reliable else QoSReliabilityPolicy.BEST_EFFORT
        durability = QoSDurabilityPolicy.TRANSIENT_LOCAL if asked.latched else QoSDurabilityPolicy.VOLATILE
        profile = QoSProfile(history=QoSHistoryPolicy.KEEP_LAST, depth=_DEPTH, reliability=reliability,
                             durability=durability)
        # Not those that rclpy adds on its own: each is one thing more to wait for, and diagnostics look at the types.
        events = SubscriptionEventCallbacks(incompatible_qos=lambda event: self._refused(feed, event),
                                            use_default_callbacks=False)
        feed.subscription = self._node.create_subscription(
            asked.kind, feed.topic, lambda data: self._arrived(feed, data), profile,
            callback_group=ReentrantCallbackGroup(), event_callbacks=events, raw=True)

    def _refused(self, feed: Feed, event: Any) -> None:
        feed.refusals += event.total_count_change
        if self._settings_now().image_reliability != 'auto':   # else it is cured within a second
            self._node.get_logger().warning(f'{feed.topic}: a publisher offers less than image_reliability '
                                            f'{self._settings_now().image_reliability}, so nothing comes from it')

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
        if not feed.awaited:
            return
        try:
            self._on_frame(self)
        except Exception:   # noqa: B902  what leaves a callback ends spin, and all requests with it
            self._node.get_logger().error('bug, please report:\n' + traceback.format_exc())

    def _take_picture(self, data: bytes) -> None:
        self.ring.add_picture(Frame(*peek_header(data), data, self._compressed, self.up), self._slop_ns)
        self.picture_s = time.monotonic()

    def _take_labels(self, data: bytes) -> None:
        self.ring.add_labels(Frame(*peek_header(data), data), self._slop_ns)

    def _take_detections(self, data: bytes) -> None:
        self.ring.add_detections(Frame(*peek_header(data), data, kind=self.detections.type_name), self._slop_ns)

    def _take_depth(self, data: bytes) -> None:
        self.ring.add_depth(Frame(*peek_header(data), data), self._slop_ns)

    def _take_info(self, data: bytes) -> None:
        self.ring.add_info(Frame(*peek_header(data), data))

    @property
    def _slop_ns(self) -> int:
        return int(self._settings_now().sync_slop_s * NS)
