"""What speech_node hears of describe_node: answers, sight, what is present, clocks, where pictures go."""
from __future__ import annotations

from collections.abc import Callable
import math
from urllib.parse import urlsplit

from rcl_interfaces.srv import GetParameters
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

from dam_ros.core import phrases
from dam_ros.core.headings import Heading
from dam_ros.core.hosts import is_here
from dam_ros.core.narrating import things_of
from dam_ros.core.seeing import GONE, RUNNING, UNKNOWN
from dam_ros.core.speech_settings import SpeechSettings
from dam_ros.msg import Description, Partial, Present, Sight
from dam_ros.voices.speaker import Speaker
from dam_ros.voices.synthesized import now

_NS = 1_000_000_000
SKEW_S = 1.0   # clocks that differ by more are named
_REPLY_S = 5.0   # a reply that takes longer is lost
# Volatile: an old sentence must not be spoken to someone who joins late.
_ANSWERS = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE, durability=QoSDurabilityPolicy.VOLATILE)


class DescriberWatch:
    """`subscribe(type, name, callback, qos)` as the node does it, with bugs kept from ending `spin`.

    Attributes:
        skew_s: how far the describer's clock is behind ours, NaN unknown.
        on_gone: called when the describer is gone.
    """

    def __init__(self, node: Node, speaker: Speaker, settings: Callable[[], SpeechSettings],
                 subscribe: Callable[..., None]):
        self._node, self._speaker, self._settings = node, speaker, settings
        self._name = settings().describe_node
        self._was = UNKNOWN
        self.skew_s = math.nan
        self.on_gone: Callable[[], None] = lambda: None
        self._parameters = node.create_client(GetParameters, f'{self._name}/get_parameters',
                                              callback_group=ReentrantCallbackGroup())
        self._asked_s, self._asking, self._knows_where = -math.inf, None, False
        # Where both wait, the executor takes them in this order: a Description must not overtake the first Partial.
        subscribe(Partial, f'{self._name}/partial', self._on_partial, _ANSWERS)
        subscribe(Description, f'{self._name}/description', self._on_description, _ANSWERS)
        subscribe(Present, f'{self._name}/present', self._on_present, 10)
        subscribe(Sight, f'{self._name}/sight', self._on_sight, 10)

    def tick(self) -> None:
        """To be called a few times a second: notices that the describer is gone, or there again."""
        policy = self._speaker.policy
        if not policy.seeing.beats and self._node.count_publishers(f'{self._name}/description'):
            policy.seeing.sign_of_life(now())
        is_ = policy.seeing.describer(now())
        if is_ == GONE and self._was == RUNNING:
            self._speaker.perform(policy.describer_is_gone(now()))
            self.on_gone()
        self._was = is_
        if is_ == RUNNING:
            self._ask_where()
        else:
            self._asked_s, self._knows_where = -math.inf, False

    def _ask_where(self) -> None:
        """Where pictures go: again where a reply was lost."""
        if self._knows_where or now() - self._asked_s < _REPLY_S or not self._parameters.service_is_ready():
            return
        if self._asking is not None:
            self._parameters.remove_pending_request(self._asking)   # it would be kept for ever
        self._asked_s = now()
        self._asking = self._parameters.call_async(GetParameters.Request(names=['describer', 'remote_url']))
        self._asking.add_done_callback(self._on_parameters)

    def _on_partial(self, partial: Partial) -> None:
        self._speaker.partial(partial)

    def _on_description(self, description: Description) -> None:
        stamp = description.header.stamp
        if math.isfinite(description.age_s) and (stamp.sec or stamp.nanosec):
            published_s = stamp.sec + stamp.nanosec / _NS + description.age_s
            self.skew_s = self._node.get_clock().now().nanoseconds / _NS - published_s
        self._speaker.description(description)

    def _on_present(self, present: Present) -> None:
        policy = self._speaker.policy
        policy.seeing.sign_of_life(now())
        things = things_of(present.labels, present.area_fraction, present.distance_m, present.appearance)
        policy.present.saw(present.camera, _stamp_ns(present), things)
        policy.narrating.saw(now(), present.camera)

    def _on_sight(self, sight: Sight) -> None:
        policy = self._speaker.policy
        policy.seeing.sight(now(), sight.camera, sight.state, sight.age_s)
        heading = Heading(_stamp_ns(sight), sight.heading_rad, sight.heading_epoch)
        policy.headings.saw(now(), sight.camera, heading, sight.turning_rad_s)

    def _on_parameters(self, future) -> None:
        if self._knows_where or future.cancelled() or future.exception() is not None:
            return
        self._knows_where = True
        values = future.result().values
        if len(values) == 2 and values[0].string_value == 'remote':
            url = urlsplit(values[1].string_value)
            host = url.hostname or url.path
            if not is_here(host):
                self._speaker.volunteer(phrases.LEAVES_DEVICE, host=host)


def _stamp_ns(message: Present | Sight) -> int:
    return message.header.stamp.sec * _NS + message.header.stamp.nanosec
