"""What `/diagnostics` says: why nothing comes out, in words that say what to do. It changes nothing."""
from __future__ import annotations

import math
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from dam_ros.core.frames import NS
from dam_ros.engine.status import Status
from dam_ros.nodes.cameras import Camera, Feed

_SILENT_S = 3.0   # a camera slower than this is named
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def report(node: Node, state: str, trouble: str, status: Status | None, cameras: list[Camera],
           kept: int) -> DiagnosticArray:
    """One status for the node, one for the describer, two per camera."""
    found = [_node(node, state, trouble)]
    if status is not None:
        found.append(_describer(node, status, kept))
    for camera in cameras:
        found += [_feed(node, camera, camera.image, 'image'), _labels(node, camera)]
    array = DiagnosticArray(status=found)
    array.header.stamp = node.get_clock().now().to_msg()
    return array


def _status(node: Node, part: str, level: bytes, message: str, **values: object) -> DiagnosticStatus:
    name = node.get_fully_qualified_name().lstrip('/')   # /diagnostics is shared by the nodes of all namespaces
    return DiagnosticStatus(level=level, name=f'{name}: {part}', hardware_id='dam_ros', message=message,
                            values=[KeyValue(key=key, value=_shown(value)) for key, value in values.items()])


def _shown(value: object) -> str:
    return f'{value:.3f}' if isinstance(value, float) else str(value)


def _node(node: Node, state: str, trouble: str) -> DiagnosticStatus:
    name = node.get_fully_qualified_name()
    if state == 'active':
        return _status(node, 'lifecycle', OK, 'active', state=state)
    remedy = trouble or f'ros2 lifecycle set {name} ' + ('activate' if state == 'inactive' else 'configure')
    return _status(node, 'lifecycle', ERROR if trouble else WARN, f'{state}: {remedy}', state=state)


def _describer(node: Node, status: Status, kept: int) -> DiagnosticStatus:
    level, message = OK, f'{status.describer} {status.model} is ready'.replace('  ', ' ')
    if status.state == 'unloadable':
        level, message = ERROR, f'{status.trouble}. Then call ~/wake'
    elif status.state == 'asleep':
        message = f'{status.describer} {status.model} is asleep (idle_unload_s): the next request, or ~/wake, loads it'
        message = message.replace('  ', ' ')
    elif status.state != 'ready':
        level, message = WARN, status.trouble or 'the describer is being loaded'
    return _status(node, 'describer', level, message, state=status.state, describer=status.describer,
                   model=status.model, worker_pid=status.pid, load_s=status.load_s, worker_deaths=status.deaths,
                   waiting=status.waiting, running=status.running, answered=status.answered, failed=status.failed,
                   typical_s=status.typical_s, descriptions_kept=kept, looks_kept=status.looks,
                   looks_bytes=status.looks_bytes, weights_bytes=status.weights_bytes)


def _feed(node: Node, camera: Camera, feed: Feed, part: str) -> DiagnosticStatus:
    topic = feed.subscription.topic_name
    publishers = camera.publishers(feed)
    age_s = time.monotonic() - feed.last_s
    level, message = OK, 'frames come'
    if not publishers:
        level, message = WARN, f'nobody publishes {topic}: start the camera, or remap {feed.topic} to its topic'
    elif feed.frames == 0 and not _kind_fits(publishers, feed):
        level, message = ERROR, (f'{topic} is published as {publishers[0].topic_type}, expected {_type_name(feed)}: '
                                 'set image_transport, or remap another topic')
    elif math.isnan(age_s) or age_s > _SILENT_S:
        level, message = WARN, (f'{len(publishers)} publisher(s) of {topic}, but no frame ' + (
            'has come' if math.isnan(age_s) else f'for {age_s:.0f} s') + ': large images are lost with the default '
            'Fast DDS profile; give the driver config/fastdds.xml, or use image_transport compressed')
    elif feed.damaged:
        level, message = WARN, f'{feed.damaged} of {feed.frames} messages on {topic} could not be read'
    return _status(node, f'{part} {camera.name}'.strip(), level, message, topic=topic, publishers=len(publishers),
                   frames=feed.frames, age_s=age_s, reliable=feed.reliable, damaged=feed.damaged)


def _labels(node: Node, camera: Camera) -> DiagnosticStatus:
    status = _feed(node, camera, camera.labels, 'segmentation')
    ring = camera.ring
    picture, labels = ring.newest, ring.newest_labels
    if picture is not None and labels is not None:
        status.values.append(KeyValue(key='behind_picture_s',
                                      value=f'{(picture.stamp_ns - labels.stamp_ns) / NS:.3f}'))
        if ring.pair is None:
            status.level = WARN
            status.message = ('no label image has the stamp of a picture (sync_slop_s): the segmentation must copy the '
                              'header of the picture it is made from')
    if ring.unmatched:
        status.values.append(KeyValue(key='came_after_their_picture_had_left', value=str(ring.unmatched)))
    return status


def _type_name(feed: Feed) -> str:
    return f'sensor_msgs/msg/{feed.kind.__name__}'


def _kind_fits(publishers: list, feed: Feed) -> bool:
    return any(one.topic_type == _type_name(feed) for one in publishers)
