"""A recorded bag (ROS 1 or 2) as frames, read with the rosbags library. It does not know what is done with them."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dam_ros.core.errors import complaint, Failure, invalid, InvalidRequest, Unsupported
from dam_ros.core.images import decode_compressed, decode_compressed_labels, decode_labels, decode_raw, LABELS
from dam_ros.core.player_settings import PlayerSettings
from dam_ros.core.playing import Frame, narrowed, narrowed_labels

_RAW, _COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
_LABEL_WORDS = ('label', 'segment')


class Bag:
    """The picture topic of a bag and, where it has one, its label image topic.

    Attributes:
        problems: messages that could not be played, in words; whoever reads them takes them out.
    """

    endless = False

    def __init__(self, settings: PlayerSettings):
        """Raises InvalidRequest: no bag, no such topic, no pictures in it; Unsupported: rosbags is not installed."""
        self._settings, self._path, self.problems = settings, Path(settings.source), []
        with self._reader() as reader:
            topics = {name: info.msgtype for name, info in reader.topics.items()
                      if info.msgtype in (_RAW, _COMPRESSED) and info.msgcount}
            self._label_topic = _choose('label_topic', settings.label_topic, topics, labels=True)
            self._image_topic = _choose('image_topic', settings.image_topic,
                                        {name: one for name, one in topics.items() if name != self._label_topic})
            if not self._image_topic:
                raise invalid('source', settings.source, 'a bag with a topic of sensor_msgs Image or CompressedImage')
            count, seconds = reader.topics[self._image_topic].msgcount, reader.duration / 1e9
            self.speed = settings.rate_hz * seconds / (count - 1) if settings.rate_hz and count > 1 and seconds else 1.0
        first = next((one for one in self.frames() if one.image is not None), None)
        if first is None:
            raise InvalidRequest(self.problems[0] if self.problems else f'{self._image_topic} has no picture')
        self.problems.clear()
        self.title = f'{settings.source}: pictures {self._image_topic}, labels {self._label_topic or "none"}'

    def frames(self) -> Iterator[Frame]:
        with self._reader() as reader:
            wanted = [one for one in reader.connections if one.topic in (self._image_topic, self._label_topic)]
            began = None
            for connection, time_ns, data in reader.messages(wanted):
                began = time_ns if began is None else began
                at_s = (time_ns - began) / 1e9 / self.speed
                try:
                    yield self._frame(reader.deserialize(data, connection.msgtype), connection.topic, at_s, time_ns)
                except Failure as failure:
                    if failure.message not in self.problems:
                        self.problems.append(failure.message)

    def next(self) -> str:
        raise InvalidRequest(f'{self._path} is no folder of photos')

    def _frame(self, message, topic: str, at_s: float, time_ns: int) -> Frame:
        stamp = message.header.stamp
        stamp_ns = stamp.sec * 1_000_000_000 + stamp.nanosec or time_ns
        image = labels = None
        width = self._settings.max_width_px
        raw = hasattr(message, 'encoding')
        if raw:
            fields = (message.encoding, message.width, message.height, message.step, bool(message.is_bigendian),
                      message.data, topic)
        if topic == self._label_topic:
            labels = narrowed_labels(decode_labels(*fields) if raw else decode_compressed_labels(message.data, topic),
                                     width)
        elif raw and message.encoding in LABELS and message.encoding not in ('mono8', 'mono16', '8UC1'):
            raise Unsupported(complaint(f'{topic}.encoding', message.encoding, 'an encoding of pictures',
                                        'Name the topic with -p image_topic:=...'))
        else:
            image = narrowed(decode_raw(*fields) if raw else decode_compressed(message.data, topic), width)
        return Frame(self._path.name, at_s, image, labels, stamp_ns)

    def _reader(self):
        try:
            from rosbags.highlevel import AnyReader, AnyReaderError  # noqa: PLC0415  only bags need it
            from rosbags.typesys import get_typestore, Stores  # noqa: PLC0415
        except ImportError as error:
            raise Unsupported(complaint('source', self._settings.source, 'a photo, folder, video file or camera, as '
                                        f'bags need the rosbags library ({error})', 'pip install rosbags')) from error
        try:
            reader = AnyReader([self._path], default_typestore=get_typestore(Stores.ROS2_HUMBLE))
            reader.open()
            return _Opened(reader)
        except (AnyReaderError, OSError) as error:
            raise invalid('source', self._settings.source, f'a whole bag ({error})') from error


class _Opened:
    """An open reader that closes at the end of `with`."""

    def __init__(self, reader):
        self._reader = reader

    def __enter__(self):
        return self._reader

    def __exit__(self, *_):
        self._reader.close()


def _choose(field: str, asked: str, topics: dict[str, str], labels: bool = False) -> str:
    """The topic that was asked for, else the first that may be one, else ''. Raises InvalidRequest."""
    if asked:
        if asked not in topics:
            raise invalid(field, asked,
                          'a topic of the bag that carries pictures: ' + (', '.join(topics) or 'it has none'))
        return asked
    named = [name for name in topics if any(word in name.lower() for word in _LABEL_WORDS)]
    if labels:
        return min(named, default='')
    # A depth image is an Image, too, and sorts before the colours.
    return min((name for name in topics if name not in named), key=lambda name: ('depth' in name, name), default='')
