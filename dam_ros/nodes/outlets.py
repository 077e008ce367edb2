"""What describe_node publishes of its answers and of itself, and with which QoS. What nobody hears is not computed."""
from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from std_msgs.msg import Bool, String

from dam_ros.core.records import Record
from dam_ros.msg import Description, Partial
from dam_ros.nodes.overlays import Background, Overlays

EVENTS = QoSProfile(depth=100, reliability=QoSReliabilityPolicy.RELIABLE)   # Description.msg, Partial.msg
LATCHED = QoSProfile(depth=1, reliability=QoSReliabilityPolicy.RELIABLE,
                     durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


class Outlets:
    """Made once with the node, so that refusals go out in every state of its life."""

    def __init__(self, node: Node):
        self._description = node.create_publisher(Description, '~/description', EVENTS)
        self._partial = node.create_publisher(Partial, '~/partial', EVENTS)
        self._text = node.create_publisher(String, '~/text', 10)
        self._ready = node.create_publisher(Bool, '~/ready', LATCHED)
        self._overlays = Overlays(node)
        self._diagnostics = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._is_ready: bool | None = None

    def description(self, description: Description) -> None:
        self._description.publish(description)
        if description.error_code == 0:
            self._text.publish(String(data=description.text))

    def partial(self, partial: Partial) -> None:
        self._partial.publish(partial)

    def diagnostics(self, array: DiagnosticArray) -> None:
        self._diagnostics.publish(array)

    def ready(self, ready: bool) -> None:
        """~/ready; only a change goes out."""
        if ready != self._is_ready:
            self._is_ready = ready
            self._ready.publish(Bool(data=ready))

    def overlay(self, record: Record, in_background: Background) -> None:
        """~/overlay and ~/annotations: what was just described, on its picture."""
        self._overlays.show(record, in_background)

    def forget(self) -> None:
        """The node is cleaned up: frames are let go."""
        self._overlays.forget()
