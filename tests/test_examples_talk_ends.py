"""push_to_talk.py when it ends, and where nobody answers: the terminal is as it was, and it says what is missing."""
from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from dam_ros.msg import ErrorCode   # noqa: E402
from documents import ROOT   # noqa: E402
from ros_graph import Camera, script, serving   # noqa: E402
from typist import ESCAPE, furnished, Typist   # noqa: E402

pytestmark = pytest.mark.ros
CTRL_C, CTRL_D = '\x03', '\x04'
NOBODY = ('--speech', '/nobody/speech_node', '--node', '/nobody/describe_node')


@pytest.fixture(scope='module')
def room():
    with furnished() as made:
        yield made


@pytest.fixture(scope='module')
def slow():
    """A describer that writes for long, and its camera."""
    options = script(text='word ' * 100, words_per_s=10.0)
    with serving(image_reliability='reliable', describer_options=options) as one:
        camera = Camera(one)
        camera.connect()
        yield one, camera


@pytest.fixture
def sit():
    """Typists, each ended at the end."""
    typists: list[Typist] = []

    def sit(*arguments: str) -> Typist:
        typists.append(Typist(*arguments))
        return typists[-1]
    yield sit
    for one in typists:
        one.close()


@pytest.fixture
def fresh(room, sit):
    one = sit(*room.names)
    one.shows('ready. h lists the keys')
    return one


@pytest.mark.parametrize('how, typing', (
    ('x', False), (CTRL_C, False), (signal.SIGTERM, False), (CTRL_C, True), (CTRL_D, True), (signal.SIGTERM, True)),
    ids=repr)
def test_at_every_end_the_terminal_is_as_it_was(fresh, how, typing):
    assert fresh.mode() != fresh.before
    if typing:
        fresh.press('/')
        fresh.shows('your question')
        fresh.press('why ')
    if typing and how == CTRL_D:
        fresh.press(how * 2)   # of a line that has begun the first is no end, as everywhere
        fresh.shows('asked: why')
    if isinstance(how, str):
        fresh.press(how)
    else:
        fresh.process.send_signal(how)
    assert fresh.ended() == 0
    assert fresh.mode() == fresh.before


def test_a_terminal_that_goes_is_an_end(fresh):
    fresh.hang_up()
    fresh.ended()


@pytest.mark.parametrize('how', ('x', CTRL_C, signal.SIGTERM), ids=repr)
def test_what_was_asked_is_cancelled_at_the_end(slow, sit, how):
    served, camera = slow
    one, before = sit('--speech', '/nobody/speech_node', '--node', served.name), len(served.descriptions)
    one.shows('ready. h lists the keys', 20.0)
    camera.show()
    served.spin(0.5)   # until the picture is there
    one.press(' ')
    one.shows('what is in front')
    if isinstance(how, str):
        one.press(how)
    else:
        one.process.send_signal(how)
    served.until(lambda: len(served.descriptions) > before, what='its end')
    assert served.descriptions[-1].error_code == ErrorCode.CANCELLED
    assert one.ended() == 0


def test_where_no_node_runs_it_says_so_and_goes_on(sit):
    typist = sit(*NOBODY)
    typist.shows('ready. h lists the keys')
    typist.shows('/nobody/speech_node is not running')
    typist.shows('/nobody/describe_node is not running')
    for key, name in (('s', 'status: '), ('n', 'narration: '), ('\n', 'more: '), ('/why?\n', ''),
                      (ESCAPE, 'silence: '), (' ', '')):
        typist.press(key)
        typist.shows(f'{name}/nobody/speech_node is not running')
    typist.shows('/nobody/describe_node is not running')
    typist.press('x')
    assert typist.ended() == 0


def test_a_node_that_does_not_answer_any_more_is_named(room, fresh):
    room.person.child.send_signal(signal.SIGSTOP)
    try:
        fresh.press('s')
        fresh.shows(f'status: {room.person.namespace}/speech_node does not answer')
    finally:
        room.person.child.send_signal(signal.SIGCONT)


def test_without_a_terminal_it_says_what_it_needs():
    run = subprocess.run([sys.executable, ROOT / 'examples' / 'push_to_talk.py'], stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, timeout=30)
    assert run.returncode == 2 and run.stderr.endswith('stdin is no terminal: keys are read from it\n')
