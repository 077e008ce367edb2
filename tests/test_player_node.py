"""player_node in a process of its own, heard by a real subscriber: stamps, rates, transports, bags, errors."""
from contextlib import contextmanager
import json
import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from dam_ros.core.images import decode_compressed, decode_labels, decode_raw  # noqa: E402

pytestmark = pytest.mark.ros
PATIENCE_S = 20.0
MODULE = [sys.executable, '-m', 'dam_ros.nodes.player_node']


def with_parameters(namespace='/', **parameters):
    given = [word for name, value in parameters.items() for word in ('-p', f'{name}:={json.dumps(value)}')]
    return [*MODULE, '--ros-args', '-r', f'__ns:={namespace}', *given]


class Listener:
    """A subscriber in this process; everything it heard, with the time of arrival."""

    def __init__(self, namespace):
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('listener', namespace=namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.images, self.labels, self.jpegs, self.playing = [], [], [], []

    def listen(self, kind, topic, into, latched=False):
        durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
        qos = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE, durability=durability)
        self.node.create_subscription(kind, topic, lambda one: into.append((time.monotonic(), one)), qos)

    def until(self, condition, patience_s=PATIENCE_S):
        until = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < until, 'not in time'
            self.executor.spin_once(0.05)

    def call(self, service):
        client = self.node.create_client(Trigger, service)
        assert client.wait_for_service(PATIENCE_S)
        future = client.call_async(Trigger.Request())
        self.until(future.done)
        return future.result()

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def listener(request):
    heard = Listener(f'/player_{os.getpid()}_{abs(hash(request.node.name)) % 10 ** 6}')
    heard.listen(String, 'player_node/playing', heard.playing, latched=True)
    heard.listen(Image, 'segmentation', heard.labels)
    heard.listen(CompressedImage, 'image/compressed', heard.jpegs)
    heard.listen(Image, 'image', heard.images)   # last: it is the one that `wait_for_subscribers` waits for
    yield heard
    heard.close()


@contextmanager
def player(listener, **parameters):
    process = subprocess.Popen(with_parameters(listener.node.get_namespace(), **parameters), stderr=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            pytest.fail('player_node did not end within 10 s of SIGTERM')


@pytest.fixture
def photo(tmp_path):
    """a.png of 64x48 px with labels 0..3. Returns (path, RGB, labels)."""
    pixels = np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8)
    labels = (np.arange(48 * 64).reshape(48, 64) // 800).astype(np.uint8)
    cv2.imwrite(str(tmp_path / 'a.png'), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(tmp_path / 'a.labels.png'), labels)
    return tmp_path / 'a.png', pixels, labels


def stamp_ns(message):
    return message.header.stamp.sec * 10 ** 9 + message.header.stamp.nanosec


def picture_of(one):
    return decode_raw(one.encoding, one.width, one.height, one.step, bool(one.is_bigendian), one.data)


def labels_of(one):
    return decode_labels(one.encoding, one.width, one.height, one.step, bool(one.is_bigendian), one.data)


@pytest.mark.parametrize('encoding', ['bgr8', 'rgb8'])
def test_picture_and_label_image_are_those_of_the_files_with_one_stamp_and_the_rate(listener, photo, encoding):
    path, pixels, labels = photo
    with player(listener, source=str(path), rate_hz=20, encoding=encoding, wait_for_subscribers=1):
        listener.until(lambda: len(listener.images) >= 25 and len(listener.labels) >= 25)
    images, segmentations = ([one for _, one in many] for many in (listener.images, listener.labels))
    assert images[0].encoding == encoding
    assert images[0].header.frame_id == 'camera_optical_frame'
    np.testing.assert_array_equal(picture_of(images[7]), pixels)
    np.testing.assert_array_equal(labels_of(segmentations[7]), labels)
    stamps = [stamp_ns(one) for one in images]
    assert len(set(stamps)) == len(stamps)
    paired = {stamp_ns(one) for one in segmentations}
    assert set(stamps[2:20]) <= paired
    assert np.median(np.diff(stamps)) / 1e9 == pytest.approx(0.05, abs=0.01)


def test_compressed_and_both(listener, photo):
    path, pixels, _ = photo
    with player(listener, source=str(path), image_transport='compressed', jpeg_quality=100):
        listener.until(lambda: len(listener.jpegs) >= 5 and len(listener.labels) >= 5)
    assert not listener.images
    got = decode_compressed(listener.jpegs[0][1].data)
    assert got.shape == pixels.shape
    with player(listener, source=str(path), image_transport='both'):
        listener.until(lambda: len(listener.images) >= 5)
    both = {stamp_ns(one) for _, one in listener.images} & {stamp_ns(one) for _, one in listener.jpegs}
    assert both


def test_a_delayed_label_image_has_the_stamp_of_its_picture(listener, photo):
    with player(listener, source=str(photo[0]), rate_hz=30, label_delay_s=0.8):
        def late():
            came = {stamp_ns(one): at for at, one in listener.images}
            return [at - came[stamp_ns(one)] for at, one in listener.labels if stamp_ns(one) in came]

        listener.until(lambda: len(late()) >= 10)
    assert 0.6 < np.median(late()) < 1.1   # when they reach the listener, which may have been kept from looking


def test_next_shows_the_next_photo_and_playing_says_which_since_when(listener, photo, tmp_path):
    cv2.imwrite(str(tmp_path / 'b.png'), np.full((30, 40, 3), 200, np.uint8))
    with player(listener, source=str(tmp_path), dwell_s=0.0):
        listener.until(lambda: listener.playing and listener.images)
        assert listener.call('player_node/next').message == 'b.png'
        listener.until(lambda: len(listener.playing) == 2)
        listener.until(lambda: listener.images[-1][1].width == 40)
    names = [json.loads(one.data) for _, one in listener.playing]
    assert [one['name'] for one in names] == ['a.png', 'b.png']
    first = names[1]['first_stamp']['sec'] * 10 ** 9 + names[1]['first_stamp']['nanosec']
    assert first == min(stamp_ns(one) for _, one in listener.images if one.width == 40)


def test_next_of_a_single_photo_says_why_not(listener, photo):
    with player(listener, source=str(photo[0])):
        answer = listener.call('player_node/next')
    assert not answer.success
    assert 'only photo' in answer.message


def test_a_video_is_played_to_its_end_without_loss(listener, tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / 'v.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 30.0, (64, 48))
    for number in range(15):
        writer.write(np.full((48, 64, 3), number * 16, np.uint8))
    writer.release()
    with player(listener, source=str(tmp_path / 'v.avi'), loop=False, wait_for_subscribers=1, depth=50) as process:
        listener.until(lambda: process.poll() is not None)
        assert process.returncode == 0
    greys = [picture_of(one)[0, 0, 0] for _, one in listener.images]
    assert len(greys) == 15
    assert sorted(greys) == greys


def test_labels_above_255_are_mono16_and_quality_of_service_is_as_asked(listener, photo, tmp_path):
    labels = np.full((48, 64), 1000, np.uint16)
    cv2.imwrite(str(tmp_path / 'a.labels.png'), labels)
    with player(listener, source=str(photo[0]), reliability='best_effort'):
        offered = listener.node.get_publishers_info_by_topic
        topic = f'{listener.node.get_namespace()}/segmentation'
        listener.until(lambda: offered(topic))
        assert offered(topic)[0].qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    assert not listener.labels   # a reliable subscriber and a best effort publisher do not match
    with player(listener, source=str(photo[0])):
        listener.until(lambda: listener.labels)
    assert listener.labels[0][1].encoding == 'mono16'
    np.testing.assert_array_equal(labels_of(listener.labels[0][1]), labels)


STAMPS = [1_700_000_000_000_000_000 + n * 50_000_000 for n in range(8)]   # 20 Hz, long ago


def record(path, version):
    """A bag of 8 pictures 32x24 whose grey says their number, and label images 30 ms after each."""
    from rosbags.rosbag1 import Writer as Writer1
    from rosbags.rosbag2 import Writer as Writer2
    from rosbags.typesys import get_typestore, Stores
    store = get_typestore(Stores.ROS1_NOETIC if version == 1 else Stores.ROS2_HUMBLE)
    image, header, moment = (store.types[name] for name in (
        'sensor_msgs/msg/Image', 'std_msgs/msg/Header', 'builtin_interfaces/msg/Time'))
    write = store.serialize_ros1 if version == 1 else store.serialize_cdr

    def message(stamp, encoding, value, channels):
        extra = {'seq': 0} if version == 1 else {}
        stamped = header(stamp=moment(sec=stamp // 10 ** 9, nanosec=stamp % 10 ** 9), frame_id='old_camera', **extra)
        return write(image(header=stamped, height=24, width=32, encoding=encoding, is_bigendian=0,
                           step=32 * channels, data=np.full(32 * 24 * channels, value, np.uint8)), image.__msgtype__)

    opened = Writer1(path) if version == 1 else Writer2(path, version=9)
    with opened as writer:
        topics = {name: writer.add_connection(name, image.__msgtype__, typestore=store)
                  for name in ('/depth/image', '/front/image', '/front/segmentation')}
        for number, stamp in enumerate(STAMPS):
            writer.write(topics['/depth/image'], stamp, message(stamp, 'mono8', 99, 1))
            writer.write(topics['/front/image'], stamp, message(stamp, 'bgr8', number * 30, 3))
            writer.write(topics['/front/segmentation'], stamp + 30_000_000, message(stamp, 'mono8', number, 1))


@pytest.mark.parametrize('version', [1, 2])
def test_a_bag_keeps_its_pairs_and_their_distances(listener, tmp_path, version):
    pytest.importorskip('rosbags', reason='needs the rosbags library')
    path = tmp_path / ('old.bag' if version == 1 else 'new')
    record(path, version)
    with player(listener, source=str(path), loop=False, wait_for_subscribers=1, depth=50) as process:
        listener.until(lambda: process.poll() is not None)
        assert process.returncode == 0
    numbers = {stamp_ns(one): picture_of(one)[0, 0, 0] // 30 for _, one in listener.images}
    pairs = {stamp_ns(one): labels_of(one)[0, 0] for _, one in listener.labels}
    assert list(numbers.values()) == list(range(8))
    assert numbers == pairs
    np.testing.assert_allclose(np.diff(list(numbers)), 50_000_000)
    assert abs(min(numbers) / 1e9 - time.time()) < 60   # stamps of now


def test_a_bag_with_its_own_stamps_and_a_named_topic(listener, tmp_path):
    pytest.importorskip('rosbags', reason='needs the rosbags library')
    record(tmp_path / 'new', 2)
    with player(listener, source=str(tmp_path / 'new'), loop=False, wait_for_subscribers=1, depth=50,
                stamps='original', image_topic='/depth/image', rate_hz=100) as process:
        listener.until(lambda: process.poll() is not None)
    assert [stamp_ns(one) for _, one in listener.images] == STAMPS
    assert picture_of(listener.images[0][1])[0, 0, 0] == 99


@pytest.mark.parametrize(('parameters', 'words'), [
    ({}, "source is ''"),
    ({'source': 'gone.png'}, 'a file that exists'),
    ({'source': 'note.txt'}, 'OpenCV can read'),
    ({'source': 'empty.mcap'}, 'a whole bag'),
    ({'source': 'bag', 'image_topic': '/none'}, "image_topic is '/none'; allowed: a topic of the bag that carries "
                                                'pictures: /depth/image, /front/image'),
    ({'source': 'empty_bag'}, 'a bag with a topic of sensor_msgs Image'),
    ({'source': 'note.txt', 'rate_hz': -1.0}, 'rate_hz is -1.0; allowed: a number from 0 to 1000 (Hz)'),
    ({'source': 'note.txt', 'ratehz': 1.0}, 'did you mean rate_hz?'),
    ({'source': 'note.txt', 'stamps': 'never'}, "one of 'now', 'original'"),
])
def test_what_cannot_be_played_is_one_line_and_exit_code_2(tmp_path, parameters, words):
    pytest.importorskip('rosbags', reason='needs the rosbags library')
    (tmp_path / 'note.txt').write_text('no picture')
    (tmp_path / 'empty.mcap').touch()
    if parameters.get('source') == 'bag':
        record(tmp_path / 'bag', 2)
    if parameters.get('source') == 'empty_bag':
        from rosbags.rosbag2 import Writer
        with Writer(tmp_path / 'empty_bag', version=9):
            pass
    done = subprocess.run(with_parameters(**parameters), cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
