"""A bag in, descriptions out: bags that are written here, a real node, and the script itself where that matters."""
from __future__ import annotations

import json
from pathlib import Path
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.srv', reason='needs the built package: ./dev test builds it')
pytest.importorskip('rosbags', reason='needs the rosbags library')

from dam_ros.core.errors import Failure   # noqa: E402
from dam_ros.msg import ErrorCode   # noqa: E402
from documents import ROOT   # noqa: E402
from ros_graph import picture, script, serving   # noqa: E402
from rosbags.rosbag2 import Writer   # noqa: E402
from rosbags.typesys import Stores, get_typestore   # noqa: E402

sys.path.insert(0, str(ROOT / 'examples'))   # where Python looks when it is run as a script

from describe_bag import Client, describe_bag, parse   # noqa: E402

pytestmark = pytest.mark.ros
STORE = get_typestore(Stores.ROS2_HUMBLE)
FIRST = 1_700_000_000_000_000_000   # ns
STEP = 500_000_000
BGR = {'red': (20, 20, 220), 'green': (20, 160, 20), 'blue': (220, 20, 20)}
COLOURS = ('red', 'green', 'blue')
HALVES = np.repeat(np.array([[1, 2]], np.uint8), 32, axis=1).repeat(48, axis=0)


class Bag:
    """Pictures every half second, red, green and blue, each left half white; label images 100 ms after them."""

    def __init__(self, path: Path):
        self.path, self._writer = path, Writer(path, version=9)
        self._topics = {}

    def __enter__(self) -> Bag:
        self._writer.open()
        return self

    def __exit__(self, *_) -> None:
        self._writer.close()

    def show(self, number: int, colour: str, topic: str = '/front/image', **changes) -> None:
        pixels = np.full((48, 64, 3), BGR[colour], np.uint8)
        pixels[:, :32] = 255
        self._write(topic, number * STEP, self.image(number, pixels, **{'encoding': 'bgr8', **changes}))

    def show_compressed(self, number: int, colour: str) -> None:
        pixels = np.full((48, 64, 3), BGR[colour], np.uint8)
        message = STORE.types['sensor_msgs/msg/CompressedImage'](
            header=self._header(number), format='jpeg', data=cv2.imencode('.jpg', pixels)[1].ravel())
        self._write('/front/image/compressed', number * STEP, message)

    def label(self, number: int, after_ns: int = 100_000_000) -> None:
        self._write('/front/labels', number * STEP + after_ns, self.image(number, HALVES, 'mono8'))

    def damaged(self, number: int) -> None:
        self._writer.write(self._topic('/front/image', 'sensor_msgs/msg/Image'), FIRST + number * STEP, b'\0\1\0\0ab')

    def image(self, number: int, pixels: np.ndarray, encoding: str, **changes):
        fields = {'height': 48, 'width': 64, 'encoding': encoding, 'is_bigendian': 0, 'step': pixels[0].nbytes}
        return STORE.types['sensor_msgs/msg/Image'](header=self._header(number), data=pixels.ravel(),
                                                    **{**fields, **changes})

    def _header(self, number: int):
        moment = STORE.types['builtin_interfaces/msg/Time'](*divmod(FIRST + number * STEP, 10 ** 9))
        return STORE.types['std_msgs/msg/Header'](stamp=moment, frame_id='old_camera')

    def _topic(self, name: str, kind: str):
        if name not in self._topics:
            self._topics[name] = self._writer.add_connection(name, kind, typestore=STORE)
        return self._topics[name]

    def _write(self, topic: str, after_ns: int, message) -> None:
        self._writer.write(self._topic(topic, message.__msgtype__), FIRST + after_ns,
                           STORE.serialize_cdr(message, message.__msgtype__))


@pytest.fixture(scope='module')
def served():
    with serving(describer='attributes') as one:
        yield one


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with Bag(tmp_path / 'drive') as bag:
        for number in range(6):
            bag.show(number, 'green', '/depth/image')   # a topic that sorts first and holds no photographs
            bag.show(number, COLOURS[number % 3])
            bag.label(number)
    return bag.path


@pytest.fixture(scope='module')
def client(served):
    node = rclpy.create_node('describe_bag', context=served.context)
    yield Client(node, served.name)
    node.destroy_node()


@pytest.fixture
def described(client, capsys):
    """(exit code, lines, what was said on stderr) for the words of a command line."""
    def describe(*words) -> tuple[int, list[dict], str]:
        code = describe_bag(client, parse([str(one) for one in words]))
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return describe


def start(name: str, *words) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, ROOT / 'examples' / 'describe_bag.py', '--node', name, *map(str, words)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def colours(lines: list[dict]) -> list[str]:
    return [next((one for one in COLOURS if one in line['text']), '') for line in lines]


def test_each_picture_is_a_line(described, bag):
    code, lines, said = described(bag, '--every', 0, '--tag', 'drive', '--box', 32, 0, 32, 48)
    assert (code, colours(lines)) == (0, [*COLOURS, *COLOURS]), said
    assert [line['stamp'] for line in lines[:2]] == ['1700000000.000000000', '1700000000.500000000']
    first = lines[0]
    assert (first['topic'], first['tag'], first['error_code'], first['error_msg']) == ('/front/image', 'drive', 0, '')
    assert first['brief'] in first['text']
    assert '2.5 of 2.6 s: ' in said and '6 described, 0 not' in said


def test_one_picture_every_so_often(described, bag):
    code, lines, _ = described(bag, '--every', 1)
    assert (code, [line['stamp'][-11:] for line in lines]) == (0, ['0.000000000', '1.000000000', '2.000000000'])


def test_a_label_out_of_a_topic_of_the_bag(described, bag):
    options = ('--every', 0, '--label-topic', '/front/labels', '--label')
    assert colours(described(bag, *options, 2)[1]) == [*COLOURS, *COLOURS]
    code, lines, _ = described(bag, *options, 1)
    assert code == 0 and all('white' in line['text'] for line in lines)
    code, lines, _ = described(bag, *options, 7)
    assert (code, {line['error_code'] for line in lines}) == (1, {ErrorCode.UNKNOWN_LABEL})


def test_points_and_boxes_whose_thing_is_cut_out(described, bag):
    for region in (('--point', 50, 20, '--not-point', 10, 20), ('--box', 28, 0, 36, 48, '--cut-out')):
        code, lines, said = described(bag, '--every', 2, *region)
        assert (code, colours(lines)) == (0, ['red', 'green']), said


def test_what_is_wrong_with_one_picture_does_not_end_it(described, tmp_path):
    with Bag(tmp_path / 'odd') as bag:
        bag.show(0, 'red')
        bag.show(1, 'green', encoding='nonsense')
        bag.damaged(2)
        bag.show(3, 'blue')
        for number in (0, 1, 2):
            bag.label(number)
    code, lines, said = described(bag.path, '--every', 0)
    assert code == 1 and '2 described, 2 not' in said
    assert [line['error_code'] for line in lines] == [0, ErrorCode.UNSUPPORTED, ErrorCode.NO_FRAME, 0]
    assert 'nonsense' in lines[1]['error_msg'] and lines[2]['error_msg'] == '/front/image: the message is damaged'
    code, lines, _ = described(bag.path, '--every', 1.5, '--label-topic', '/front/labels', '--label', 2)
    assert (code, [line['error_code'] for line in lines]) == (1, [0, ErrorCode.NO_LABEL_IMAGE])


def test_compressed_pictures(described, tmp_path):
    with Bag(tmp_path / 'small') as bag:
        bag.show_compressed(0, 'blue')
    code, lines, said = described(bag.path)
    assert (code, colours(lines), lines[0]['topic']) == (0, ['blue'], '/front/image/compressed'), said


@pytest.mark.parametrize(('words', 'complaint'), [
    ('DRIVE --label 1', '--label and --label-topic go together'), ('DRIVE --cut-out', '--cut-out goes with --box'),
    ('DRIVE --not-point 1 2', '--not-point goes with --point'), ('DRIVE --every -1', '--every is 0 s or more'),
    ('DRIVE --box 1 2 3 4 --point 1 2', 'not allowed with')])
def test_options_that_do_not_fit_each_other(words, complaint, capsys):
    with pytest.raises(SystemExit):
        parse(words.split())
    assert complaint in capsys.readouterr().err


def test_topics_and_files_that_are_not_there(described, bag, tmp_path):
    with pytest.raises(Failure, match="--image-topic is '/rear'; allowed: .* /depth/image, /front/image, "):
        described(bag, '--image-topic', '/rear')
    with Bag(tmp_path / 'deep') as deep:
        deep.show(0, 'red', '/depth/image')
    with pytest.raises(Failure, match='Name it with --image-topic; it has /depth/image'):
        described(deep.path)
    with pytest.raises(OSError, match='missing'):
        described(bag, '--out', tmp_path / 'missing' / 'out.jsonl')


def test_as_a_command(bag):
    none = start('/nobody', bag.parent / 'none')   # at the same time, as each takes a second to start
    nobody = start('/nobody', bag, '--every', 0, '--timeout-s', 0.3)
    assert 'none' in none.communicate(timeout=30)[1] and none.returncode == 2
    out, said = nobody.communicate(timeout=30)
    assert nobody.returncode == 1 and '0 described, 1 not' in said and 'Traceback' not in said
    lines = [json.loads(line) for line in out.splitlines()]
    assert ['nobody serves /nobody/describe' in line['error_msg'] for line in lines] == [True], 'each would wait anew'


@pytest.fixture(scope='module')
def slow():
    with serving(describer_options=script(capacity=1), queue=1) as one:
        yield one


def test_ctrl_c_leaves_what_was_written_and_cancels(slow, bag, tmp_path):
    running = start(slow.name, bag, '--every', 0, '--out', tmp_path / 'out.jsonl', '--question',
                    script(text='word ' * 24, words_per_s=8.0))
    slow.until(lambda: len(slow.descriptions) == 1)
    before = len(slow.partials)
    slow.until(lambda: len(slow.partials) > before + 2, what='the second picture is being described')
    running.send_signal(signal.SIGINT)
    slow.until(lambda: running.poll() is not None)
    said = running.communicate()[1]
    assert running.returncode == 130 and 'Traceback' not in said, said
    slow.until(lambda: len(slow.descriptions) == 2)
    assert slow.descriptions[1].error_code == ErrorCode.CANCELLED
    lines = [json.loads(line) for line in (tmp_path / 'out.jsonl').read_text().splitlines()]
    assert [line['text'] for line in lines] == [('word ' * 24).strip()]


def test_where_the_node_is_busy_it_asks_again(slow, bag):
    for id in ('runs', 'waits'):
        taken = slow.begin(id=id, image=picture(), query=script(text='word ' * 200, words_per_s=5.0))
        slow.until(lambda: any(one.id == id for one in slow.partials), what='a full queue')   # noqa: B023
    running = start(slow.name, bag, '--every', 9)
    slow.until(lambda: slow.descriptions[-1].error_code == ErrorCode.BUSY)
    assert slow.cancel('') == 2
    slow.until(lambda: running.poll() is not None)
    out, said = running.communicate()
    assert running.returncode == 0 and json.loads(out)['error_code'] == 0, said
    assert taken.done()
