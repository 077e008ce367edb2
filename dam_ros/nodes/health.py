"""What `/diagnostics` says: why nothing comes out, in words that say what to do. It changes nothing."""
from __future__ import annotations

from collections.abc import Mapping
import math
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSReliabilityPolicy

from dam_ros.core.frames import NS, Frame
from dam_ros.core.sighting import BLURRED, COVERED, DARK, FROZEN, GOOD, NO_PICTURE, OFF
from dam_ros.engine.status import Status
from dam_ros.nodes.annotations import MISSING as NO_ANNOTATIONS
from dam_ros.nodes.cameras import Camera, Feed
from dam_ros.nodes.sights import Known

_SILENT_S = 3.0   # a camera slower than this is named
_HINTS = 3        # topics that are named where ours has no publisher
_FLOWS = 'frames come'
_SIGHTS = {GOOD: 'the camera sees', NO_PICTURE: 'no picture comes that can be read',
           FROZEN: 'the pictures are the very same: the driver repeats itself, or it is a still picture '
                   '(sight_frozen_s 0 says that this is meant)',
           DARK: 'too dark', COVERED: 'covered, or nothing but a plain surface', BLURRED: 'blurred',
           OFF: 'the first picture is awaited'}
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def report(node: Node, state: str, trouble: str, status: Status | None, cameras: list[Camera],
           kept: int, unplaced: Mapping[str, tuple[str, ...]], untransformed: str,
           sights: Mapping[str, Known]) -> DiagnosticArray:
    """Two for the node, three for its worker, eight per camera.

    Args:
        unplaced: camera -> why something of the last place was not known.
        untransformed: why no place can be told in reference_frame, '' = it can.
        sights: camera -> whether it sees; none while nobody asks.
    """
    found = [_node(node, state, trouble), _status(node, 'annotations', OK, NO_ANNOTATIONS or 'on')]
    if status is not None:
        found += [_describer(node, status, kept), _segmenter(node, status), _reader(node, status)]
    for camera in cameras:
        found += [_feed(node, camera, camera.image, 'image'), _labels(node, camera), _detections(node, camera),
                  _optional(node, camera, camera.label_info, 'label_info'), _depth(node, camera),
                  _feed(node, camera, camera.info, 'camera_info'),
                  _where(node, camera, unplaced.get(camera.name), untransformed),
                  _sight(node, camera, sights.get(camera.name))]
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


def _segmenter(node: Node, status: Status) -> DiagnosticStatus:
    message = status.segmenter_trouble or status.segmenter or 'not known before the describer is loaded'
    return _status(node, 'segmenter', WARN if status.segmenter_trouble else OK, message, segmenter=status.segmenter,
                   follows=status.follows)


def _reader(node: Node, status: Status) -> DiagnosticStatus:
    """Nothing is wrong where there is none: it is optional."""
    known = status.describer and (status.reader_trouble or 'tesseract reads')   # both come with `ready`
    return _status(node, 'reader', OK, known or 'not known before the describer is loaded')


def _feed(node: Node, camera: Camera, feed: Feed, part: str) -> DiagnosticStatus:
    publishers = camera.publishers(feed)
    age_s = time.monotonic() - feed.last_s
    level, message = _absent(node, camera, feed) if not publishers else _present(feed, publishers, age_s)
    return _status(node, f'{part} {camera.name}'.strip(), level, message, topic=camera.topic(feed),
                   publishers=len(publishers), offered='; '.join(_profile(one) for one in publishers),
                   frames=feed.frames, age_s=age_s, reliable=feed.asked.reliable, refusals=feed.refusals,
                   damaged=feed.damaged)


def _absent(node: Node, camera: Camera, feed: Feed) -> tuple[bytes, str]:
    topic = camera.topic(feed)
    if feed.optional:
        return OK, f'nobody publishes {topic}: it is optional' + _lacking(camera, feed)
    other, transport = ((topic.removesuffix('/compressed'), 'raw') if topic.endswith('/compressed') else
                        (topic + '/compressed', 'compressed'))
    if feed is camera.image and node.count_publishers(other):
        return WARN, f'nobody publishes {topic}, but somebody {other}: set image_transport {transport}'
    hint = ', '.join(_candidates(node, camera, feed))
    return WARN, (f'nobody publishes {topic}: start the camera, or remap {feed.topic} to its topic'
                  + (f'; there are {hint}' if hint else ''))


def _lacking(camera: Camera, feed: Feed) -> str:
    if feed is camera.detections:
        return ''
    if feed is camera.label_info:
        return ', without it labels have the names of label_names_file'
    lacking = 'distances and positions' if feed is camera.depth else 'directions, distances and positions'
    return f', without it {lacking} stay unknown'


def _present(feed: Feed, publishers: list, age_s: float) -> tuple[bytes, str]:
    topic, silent = feed.subscription.topic_name, math.isnan(age_s) or age_s > _SILENT_S
    fitting = [one for one in publishers if one.topic_type == feed.type_name]
    if not fitting:
        return WARN if feed.optional else ERROR, (
            f'{topic} is published as {publishers[0].topic_type}, expected {feed.type_name}: set image_transport, '
            'or remap another topic')
    refused = [one for one in fitting if feed.asked.reliable and not _reliable(one)]
    if refused:
        names = ', '.join(_owner(one) for one in refused)
        return ERROR if silent and not feed.optional else WARN, (
            f'nothing comes from {names}: incompatible QoS on {topic}, published best_effort, but image_reliability is '
            'reliable. Set it to auto, or let the driver publish reliably')
    if silent:
        return OK if feed.optional else WARN, _silence(feed, fitting, age_s)
    if feed.damaged:
        return WARN, f'{feed.damaged} of {feed.frames} messages on {topic} could not be read'
    if feed.unusable:
        return WARN, f'what comes could not be used: {feed.unusable}'
    return OK, _FLOWS


def _silence(feed: Feed, publishers: list, age_s: float) -> str:
    who = f'{feed.subscription.topic_name} ({"; ".join(_profile(one) for one in publishers)})'
    if feed.optional:
        return f'{len(publishers)} publisher(s) of {who}, but no message ' + (
            'has come' if math.isnan(age_s) else f'for {age_s:.0f} s') + ': it is optional'
    reliably = '' if all(_reliable(one) for one in publishers) else 'let it publish reliably, '
    compressed = ', or use image_transport compressed' if feed.type_name.endswith('/Image') else ''
    return f'{len(publishers)} publisher(s) of {who}, but no frame ' + (
        'has come' if math.isnan(age_s) else f'for {age_s:.0f} s') + (
        ': its driver sends nothing, or large images are lost with the default Fast DDS profile; '
        f'{reliably}give the driver config/fastdds.xml{compressed}')


def _labels(node: Node, camera: Camera) -> DiagnosticStatus:
    status = _feed(node, camera, camera.labels, 'segmentation')
    if camera.detections.frames and not camera.publishers(camera.labels):
        status.level, status.message = OK, 'nobody publishes it, and detections come in its place'
    _tell_match(status, camera, 'labels', 'no label image has the stamp of a picture (sync_slop_s): the segmentation '
                'must copy the header of the picture it is made from')
    unmatched = camera.ring.labels.unmatched
    if unmatched:
        status.values.append(KeyValue(key='came_after_their_picture_had_left', value=str(unmatched)))
    return status


def _detections(node: Node, camera: Camera) -> DiagnosticStatus:
    status = _optional(node, camera, camera.detections, 'detections')
    _tell_match(status, camera, 'detections', 'no message of detections has the stamp of a picture (sync_slop_s): the '
                'detector must copy the header of the picture')
    if camera.labelling.skipped:
        status.values.append(KeyValue(key='skipped_as_nonsense', value=str(camera.labelling.skipped)))
    return status


def _optional(node: Node, camera: Camera, feed: Feed, part: str) -> DiagnosticStatus:
    """What needs a package that may not be installed."""
    if feed.kinds:
        return _feed(node, camera, feed, part)
    message = ('off, neither vision_msgs nor yolo_msgs is installed' if feed is camera.detections else
               'off, vision_msgs is not installed')
    publishers = camera.publishers(feed)
    if publishers:
        message += (f', but {camera.topic(feed)} is published as {publishers[0].topic_type}: install its package and '
                    'start the node again')
    return _status(node, f'{part} {camera.name}'.strip(), WARN if publishers else OK, message,
                   topic=camera.topic(feed), publishers=len(publishers))


def _depth(node: Node, camera: Camera) -> DiagnosticStatus:
    status = _feed(node, camera, camera.depth, 'depth')
    ring = camera.ring
    _tell_lag(status, ring.newest, ring.newest_depth)
    if ring.newest is not None and ring.newest_depth is not None and not ring.depth_fits and status.message == _FLOWS:
        status.level = WARN
        status.message = ('no depth image is within sync_slop_s of a picture, so distances stay unknown: let both have '
                          'the stamps of one clock, or raise sync_slop_s')
    return status


def _where(node: Node, camera: Camera, why: tuple[str, ...] | None, untransformed: str) -> DiagnosticStatus:
    """What of the last description's place could not be known although something came that should tell it."""
    message = untransformed or (
        'nothing has been described yet' if why is None else '; '.join(why) or 'what is sent is used')
    return _status(node, f'where {camera.name}'.strip(), WARN if why or untransformed else OK, message)


def _sight(node: Node, camera: Camera, known: Known | None) -> DiagnosticStatus:
    """Whether it sees, and whether tf tells how it turns."""
    if known is None:
        return _status(node, f'sight {camera.name}'.strip(), OK, 'nobody subscribes to ~/sight, so nobody looks')
    words = '; '.join(one for one in (_SIGHTS[known.state], known.untold) if one)
    bad = known.untold or known.state not in (GOOD, OFF)
    return _status(node, f'sight {camera.name}'.strip(), WARN if bad else OK, words, state=known.state)


def _tell_match(status: DiagnosticStatus, camera: Camera, source: str, never: str) -> None:
    """Of what comes for each picture: how late it is, and where it never has the stamp of one."""
    ring = camera.ring
    newest = ring.newest_labels(source)
    _tell_lag(status, ring.newest, newest)
    if ring.newest is not None and newest is not None and ring.pair(source) is None:
        status.level, status.message = WARN, never


def _tell_lag(status: DiagnosticStatus, picture: Frame | None, other: Frame | None) -> None:
    if picture is not None and other is not None:
        status.values.append(KeyValue(key='behind_picture_s', value=f'{(picture.stamp_ns - other.stamp_ns) / NS:.3f}'))


def _candidates(node: Node, camera: Camera, feed: Feed) -> list[str]:
    """Topics that may have been meant: of the same type, somebody else's, and not subscribed to already."""
    own = tuple(camera.topic(one) for one in camera.feeds)
    inside = node.get_fully_qualified_name() + '/'
    names = [name for name, types in node.get_topic_names_and_types()
             if feed.type_name in types and name not in own and not name.startswith(inside)]
    return [name for name in names if node.count_publishers(name)][:_HINTS]


def _profile(publisher: Any) -> str:
    latched = publisher.qos_profile.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL
    return f'{_owner(publisher)}: {_word(_reliable(publisher))}, {"transient local" if latched else "volatile"}'


def _owner(publisher: Any) -> str:
    """A node that has just ended has no name any more."""
    return f'{publisher.node_namespace.rstrip("/")}/{publisher.node_name}'


def _reliable(publisher: Any) -> bool:
    return publisher.qos_profile.reliability == QoSReliabilityPolicy.RELIABLE


def _word(reliable: bool) -> str:
    return 'reliable' if reliable else 'best_effort'
