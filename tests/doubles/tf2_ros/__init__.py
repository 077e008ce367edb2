"""Stands in for tf2_ros, of which there is no wheel: what describe_node calls, transforms out of TEST_TRANSFORMS.

That is a JSON list of {target, source, from_s, to_s, translation, rotation}. As in tf2, a time of 0 means the latest.
"""
from __future__ import annotations

import json
import os

from geometry_msgs.msg import TransformStamped


class ExtrapolationException(Exception):
    """No transform at that time."""


class Buffer:
    """The part of tf2_ros.Buffer that is called."""

    def __init__(self, cache_time=None, node=None):
        self._known = json.loads(os.environ['TEST_TRANSFORMS'])

    def lookup_transform(self, target_frame, source_frame, time, timeout=None):
        at_s = time.nanoseconds / 1e9
        for one in self._known:
            fits = (one['target'], one['source']) == (target_frame, source_frame)
            if fits and (at_s == 0 or one['from_s'] <= at_s <= one['to_s']):
                made = TransformStamped()
                moved, turned = made.transform.translation, made.transform.rotation
                moved.x, moved.y, moved.z = one['translation']
                turned.x, turned.y, turned.z, turned.w = one['rotation']
                return made
        raise ExtrapolationException(f'"{source_frame}" to "{target_frame}" at {at_s:.3f} is not known')


class TransformListener:
    """Hears nothing."""

    def __init__(self, buffer, node, *, spin_thread=False):
        self._node = node

    def unregister(self):
        self._node.get_logger().info('the listener of transforms has ended')
