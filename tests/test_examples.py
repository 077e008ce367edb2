"""The examples do what they are an example of, the unpleasant cases included."""
from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.srv', reason='needs the built package: ./dev test builds it')

from dam_ros.msg import ErrorCode   # noqa: E402
from documents import ROOT   # noqa: E402
from ros_graph import Camera, picture, script, serving   # noqa: E402

pytestmark = pytest.mark.ros
COUNT = 'One. Two. Three. Four. Five. Six. Seven. Eight.'


class Asking:
    """examples/planner.py as a process."""

    def __init__(self, name: str, *arguments: str):
        self._said = tempfile.NamedTemporaryFile(prefix='planner-')
        self.process = subprocess.Popen(
            [sys.executable, '-u', ROOT / 'examples' / 'planner.py', '--node', name, *arguments],
            stdin=subprocess.DEVNULL, stdout=self._said, stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def lines(self) -> list[str]:
        """What it printed so far."""
        return Path(self._said.name).read_text().splitlines()   # not by our file: its place is the child's, too

    def says(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def ended(self) -> bool:
        return self.process.poll() is not None

    def end(self) -> None:
        self.process.kill()
        self.process.wait(5.0)
        self._said.close()


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', describer_options=script(capacity=1), queue=1) as one:
        camera = Camera(one)
        camera.connect()
        timer = one.node.create_timer(0.1, lambda: camera.label(camera.show()))   # runs while the test waits
        yield one
        one.node.destroy_timer(timer)


@pytest.fixture
def ask(served):
    asking: list[Asking] = []

    def start(*arguments: str) -> Asking:
        asking.append(Asking(served.name, *arguments))
        return asking[-1]

    yield start
    for one in asking:
        one.end()


def test_it_shows_the_words_as_they_come_and_then_the_answer(served, ask):
    planner = ask('--label', '2', '--question', script(text=COUNT, words_per_s=8.0))
    served.until(planner.ended)
    assert planner.process.returncode == 0
    grown = [line for line in planner.lines if line.startswith('  ... ')]
    assert len(grown) >= 2 and all(late.startswith(early) for early, late in zip(grown, grown[1:]))
    assert COUNT in planner.lines


def test_a_label_that_is_not_there_is_said_with_its_code(served, ask):
    planner = ask('--label', '77')
    served.until(planner.ended)
    assert planner.process.returncode == 1
    assert planner.says(f'{ErrorCode.UNKNOWN_LABEL}: ')


def test_where_the_node_is_busy_it_asks_again(served, ask):
    slow = script(text='word ' * 100, words_per_s=2.0)
    taken = [served.begin(id='runs', image=picture(), query=slow)]
    served.until(lambda: any(one.id == 'runs' and one.piece for one in served.partials))
    taken.append(served.begin(id='waits', image=picture(), query=slow))
    served.until(lambda: any(one.id == 'waits' for one in served.partials), what='a full queue')
    planner = ask()
    served.until(lambda: planner.says('again in'), what='the planner is told to come again')
    assert served.cancel('') == 2
    served.until(planner.ended)
    assert planner.process.returncode == 0, planner.lines
    assert all(one.done() for one in taken)


def test_ctrl_c_cancels_what_was_asked(served, ask):
    planner = ask('--question', script(text='word ' * 100, words_per_s=5.0))
    served.until(lambda: planner.says('  ... word word'))
    before = len(served.descriptions)
    planner.process.send_signal(signal.SIGINT)
    served.until(planner.ended)
    assert planner.says(f'{ErrorCode.CANCELLED}: ') and planner.process.returncode == 1
    served.until(lambda: len(served.descriptions) > before)
    assert served.descriptions[-1].error_code == ErrorCode.CANCELLED


def test_it_does_not_hang_where_nobody_serves():
    planner = Asking('/nobody/describe_node', '--patience-s', '0.5')
    try:
        assert planner.process.wait(20.0) == 1
        assert planner.says('nobody serves describe')
    finally:
        planner.end()


def test_a_describer_of_your_own_is_brought_by_its_name():
    path = os.pathsep.join([str(ROOT / 'examples'), os.environ.get('PYTHONPATH', '')])
    with serving(describer='own_describer:create', environment={'PYTHONPATH': path}) as served:
        answer = served.describe(image=picture())
        assert (answer.error_code, answer.description.text) == (0, 'Its mean colour is #808080.')
        assert answer.description.describer == 'mean_colour'
        assert served.describe(image=picture(), max_tokens=3).description.truncated
