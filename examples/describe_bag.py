#!/usr/bin/env python3
"""A bag in, descriptions out: one picture every few seconds of a recording, one JSON line for each.

    python examples/describe_bag.py drive/ --every 5 --out drive.jsonl
    python examples/describe_bag.py drive/ --image-topic /front/image_raw --box 300 120 280 200 --cut-out
    python examples/describe_bag.py drive/ --label-topic /front/segmentation --label 2

Each picture is sent with its request, so the running describe_node needs no camera. A picture that cannot be described
is a line with its error_code, and the next one is tried. Exit code: 0 all were described, 1 some or all were not,
2 nothing was asked (the bag or an option is wrong), 130 interrupted; what was written stays.
"""
from __future__ import annotations

import argparse
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
import json
from pathlib import Path
import sys
import time
from typing import Any

from asking import NO_ANSWER, Asking, CtrlC, State
import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import Image

from dam_ros.action import Describe
from dam_ros.core.errors import Failure, NoFrame, NoLabelImage, invalid
from dam_ros.core.images import decode_compressed, decode_compressed_labels
from dam_ros.msg import Description, ErrorCode

NS = 1_000_000_000
SOON = (ErrorCode.BUSY, ErrorCode.LOADING)   # the same request again after retry_after_s may succeed
_PICTURES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
_NO_COLOURS = ('depth', 'label', 'segment')  # in the names of topics whose images are no photographs
_SLOP_NS = NS // 50                          # between a picture and its label image, as the node's sync_slop_s
_LATE_NS = 5 * NS                            # of the recording: so long after its picture a label image may come
_LABEL_IMAGES = 100                          # are kept, for pictures that come after theirs


@dataclass
class Picture:
    """One of the recording.

    Attributes:
        at_ns: when it was recorded.
        message: as rosbags reads it, None where it cannot be read.
        labels: its label image, likewise.
    """

    at_ns: int
    stamp_ns: int
    message: Any
    labels: Any = None


def pictures(reader: AnyReader, image_topic: str, label_topic: str, every_s: float) -> Iterator[Picture]:
    """The first one, and then the first one after each `every_s`, with the label image that has its stamp."""
    waiting: deque[Picture] = deque()
    labels: deque[tuple[int, Any]] = deque(maxlen=_LABEL_IMAGES)
    due_ns = 0
    wanted = [one for one in reader.connections if one.topic in (image_topic, label_topic)]
    for connection, at_ns, data in reader.messages(wanted):
        if connection.topic == label_topic:
            labels.append(_read(reader, connection, at_ns, data))
        elif at_ns >= due_ns:
            due_ns = at_ns + round(every_s * NS)
            waiting.append(Picture(at_ns, *_read(reader, connection, at_ns, data)))
        while waiting and (not label_topic or _pair(waiting[0], labels) or at_ns > waiting[0].at_ns + _LATE_NS):
            yield waiting.popleft()
    for picture in waiting:
        _pair(picture, labels)
        yield picture


def _read(reader: AnyReader, connection: Any, at_ns: int, data: bytes) -> tuple[int, Any]:
    """(stamp in ns, message); one that is damaged is None and has the stamp of its recording."""
    try:
        message = reader.deserialize(data, connection.msgtype)
    except AnyReaderError:
        return at_ns, None
    stamp = message.header.stamp
    return stamp.sec * NS + stamp.nanosec or at_ns, message


def _pair(picture: Picture, labels: deque) -> bool:
    nearest = min(labels, key=lambda one: abs(one[0] - picture.stamp_ns), default=None)
    if nearest is None or abs(nearest[0] - picture.stamp_ns) > _SLOP_NS:
        return False
    picture.labels = nearest[1]
    return True


def choose_topics(reader: AnyReader, options: argparse.Namespace) -> tuple[str, str]:
    """(pictures, label images or ''). Raises InvalidRequest."""
    there = sorted(name for name, one in reader.topics.items() if one.msgtype in _PICTURES and one.msgcount)
    for option, asked in (('--image-topic', options.image_topic), ('--label-topic', options.label_topic)):
        if asked and asked not in there:
            raise invalid(option, asked, f'a topic of the bag with pictures: {", ".join(there) or "it has none"}')
    colours = [one for one in there if not any(word in one.lower() for word in _NO_COLOURS)]
    topic = options.image_topic or next(iter(colours), '')
    if not topic:
        raise invalid('the bag', options.bag, 'one with a topic of photographs', f'Name it with --image-topic; it has '
                      f'{", ".join(there) or "no topic of sensor_msgs Image or CompressedImage"}')
    return topic, options.label_topic


def image_of(message: Any, topic: str, labels: bool = False) -> Image:
    """The same as a message of rclpy; what is compressed is decoded. Raises Failure."""
    made = Image()
    made.header.frame_id = message.header.frame_id
    made.header.stamp.sec, made.header.stamp.nanosec = message.header.stamp.sec, message.header.stamp.nanosec
    if hasattr(message, 'encoding'):
        made.encoding, made.is_bigendian = message.encoding, message.is_bigendian
        made.height, made.width, made.step = message.height, message.width, message.step
        pixels = message.data
    else:
        pixels = (decode_compressed_labels if labels else decode_compressed)(message.data, topic)
        pixels = pixels.astype(np.int32) if labels else pixels
        made.encoding = '32SC1' if labels else 'rgb8'
        made.height, made.width, made.step = *pixels.shape[:2], pixels[0].nbytes
    made.data = array('B', pixels.tobytes())   # any other sequence is checked byte by byte
    return made


def goal_of(picture: Picture, options: argparse.Namespace) -> Describe.Goal:
    """Raises Failure where the picture or its label image cannot be sent."""
    if picture.message is None:
        raise NoFrame(f'{options.image_topic}: the message is damaged')
    goal = Describe.Goal(image=image_of(picture.message, options.image_topic), query=options.question)
    region = goal.region
    region.tag = options.tag
    if options.box:
        region.box_xywh, region.box_is_region = options.box, not options.cut_out
    elif options.point:
        points = options.point + options.not_point
        region.points = [number for point in points for number in point]
        region.point_labels = [1] * len(options.point) + [0] * len(options.not_point)
    elif options.label:
        if picture.labels is None:
            raise NoLabelImage(f'no label image with the stamp of the picture on {options.label_topic}')
        region.mask, region.labels = image_of(picture.labels, options.label_topic, labels=True), options.label
    return goal


class Client:
    """Asks describe_node for one picture after the other. `check` is called all the time and may raise."""

    def __init__(self, node: rclpy.node.Node, describe_node: str, check: Callable[[], None] = lambda: None):
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._asking, self._check = Asking(node, describe_node), check

    def describe(self, goal: Describe.Goal, timeout_s: float) -> tuple[int, str, Description]:
        """(error_code, error_msg, description) within `timeout_s` (s), the time until there is a node included."""
        asking, until = self._asking, time.monotonic() + timeout_s
        while True:
            asking.start(goal, until - time.monotonic())
            self._spin(lambda: asking.poll() == State.RUNNING)
            again = time.monotonic() + (asking.result.retry_after_s if asking.result else 0.0)
            if asking.error_code not in SOON or again >= until:
                about = asking.result.description if asking.result else Description()
                return asking.error_code, asking.error_msg, about
            self._spin(lambda: time.monotonic() < again)   # noqa: B023

    def _spin(self, on: Callable[[], bool]) -> None:
        while on():
            self._executor.spin_once(0.05)
            self._check()

    def cancel(self) -> None:
        self._asking.leave(self._executor.spin_once)


def describe_bag(client: Client, options: argparse.Namespace) -> int:
    """Returns the exit code. Raises Failure, AnyReaderError or OSError where nothing can be read or written."""
    with AnyReader([options.bag], default_typestore=get_typestore(Stores.ROS2_HUMBLE)) as reader:
        options.image_topic, options.label_topic = choose_topics(reader, options)
        with open(options.out, 'w', encoding='utf-8') if options.out else nullcontext(sys.stdout) as out:
            return _describe_all(client, reader, options, out)


def _describe_all(client: Client, reader: AnyReader, options: argparse.Namespace, out: Any) -> int:
    """Writes a line for each picture as soon as it is known."""
    good = bad = 0
    for picture in pictures(reader, options.image_topic, options.label_topic, options.every):
        about = Description()
        try:
            code, message, about = client.describe(goal_of(picture, options), options.timeout_s)
        except Failure as failure:
            code, message = failure.code, failure.message
        good, bad = good + (code == ErrorCode.NONE), bad + (code != ErrorCode.NONE)
        sec, nanosec = divmod(picture.stamp_ns, NS)
        line = {'stamp': f'{sec}.{nanosec:09d}', 'topic': options.image_topic, 'tag': options.tag,
                'brief': about.brief, 'text': about.text, 'error_code': code, 'error_msg': message}
        print(json.dumps(line, ensure_ascii=False), file=out, flush=True)
        at_s = (picture.at_ns - reader.start_time) / NS
        say(f'{at_s:.1f} of {reader.duration / NS:.1f} s: {f"{code}: {message}" if code else about.brief}')
        if code == NO_ANSWER:
            break   # each further picture would only wait in vain
    say(f'{good} described, {bad} not')
    return 1 if bad or not good else 0


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Describe the pictures of a bag, one JSON line for each.')
    parser.add_argument('bag', type=Path, help='folder of a rosbag2, or a .mcap, .db3 or ROS 1 .bag file')
    parser.add_argument('--image-topic', default='', help='default: the first one of photographs')
    parser.add_argument('--every', type=float, default=1.0, metavar='S', help='s of the recording, 0 = each picture; '
                        'default 1')
    region = parser.add_mutually_exclusive_group()
    region.add_argument('--box', type=float, nargs=4, metavar=('X', 'Y', 'W', 'H'), help='px: left, top, width, height')
    region.add_argument('--point', type=float, nargs=2, action='append', metavar=('X', 'Y'), help='px, on the thing')
    region.add_argument('--label', type=int, action='append', metavar='N', help='value in the label image')
    parser.add_argument('--cut-out', action='store_true', help='with --box: the thing in it instead of the box')
    parser.add_argument('--not-point', type=float, nargs=2, action='append', default=[], metavar=('X', 'Y'),
                        help='px, with --point: not on it')
    parser.add_argument('--label-topic', default='', help='of label images, with --label')
    parser.add_argument('--tag', default='', help='your name for it, comes back in each line')
    parser.add_argument('--question', default='', help='default: describe it')
    parser.add_argument('--node', default='/describe_node', help='default: /describe_node')
    parser.add_argument('--timeout-s', type=float, default=60.0, help='s for each picture, default 60')
    parser.add_argument('--out', type=Path, help='file; default: stdout')
    options = parser.parse_args(arguments)
    if bool(options.label) != bool(options.label_topic):
        parser.error('--label and --label-topic go together')
    for option, value, owner in (('--cut-out', options.cut_out, options.box),
                                 ('--not-point', options.not_point, options.point)):
        if value and not owner:
            parser.error(f'{option} goes with {"--box" if option == "--cut-out" else "--point"}')
    if not (options.every >= 0 and 0.05 <= options.timeout_s <= 600):
        parser.error('--every is 0 s or more, --timeout-s 0.05 to 600')
    return options


def main() -> int:
    options = parse()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)   # else Ctrl-C ends ROS before we can cancel
    node = rclpy.create_node('describe_bag')
    client = Client(node, options.node, CtrlC().check)
    try:
        return describe_bag(client, options)
    except (AnyReaderError, OSError, Failure) as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        client.cancel()
        return 130
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())
