"""What README.md and docs/ tell people to type is typed here: every command line and every Python block.

The nodes are started by the README's own `ros2 run` lines. Where the `ros2` command is missing (it is no part of the
wheels), the same is called through rclpy, with the message made from the line's YAML.
"""
from __future__ import annotations

import ast
from collections.abc import Iterator
import importlib
import json
from pathlib import Path
import re
import shlex
import shutil
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.srv', reason='needs the built package: ./dev test builds it')

from builtin_interfaces.msg import Time   # noqa: E402
from lifecycle_msgs.srv import ChangeState   # noqa: E402
from rcl_interfaces.srv import SetParameters   # noqa: E402
from rclpy.parameter import Parameter   # noqa: E402
import yaml   # noqa: E402

from dam_ros.core.describe_settings import DescribeSettings   # noqa: E402
from dam_ros.core.player_settings import PlayerSettings   # noqa: E402
from dam_ros.core.settings import build   # noqa: E402
from dam_ros.core.speech_settings import SpeechSettings   # noqa: E402
from dam_ros.srv import DescribeRegion   # noqa: E402
from documents import ROOT, Block, blocks   # noqa: E402
from reader import SPEAKS, Robot, fill, type_of   # noqa: E402

pytestmark = pytest.mark.ros
SETTINGS = {'describe_node': DescribeSettings, 'speech_node': SpeechSettings, 'player_node': PlayerSettings}
# What changes the reader's machine, and shell lines around it. Whatever is not here and has no `_type_...` below fails.
NOT_TYPED = ('git', 'cd', 'mkdir', 'rosdep', 'colcon', 'source', '.', 'sudo', 'pip', 'export', 'docker')


@pytest.fixture(scope='module')
def robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Robot]:
    folder = tmp_path_factory.mktemp('readme')
    _make_pictures(folder)
    one = Robot(folder)
    try:
        for words in _by_hand():
            one.start(words)
        # A reader types slower than nodes find each other: this call waits for the first picture to its deadline.
        patient = DescribeRegion.Request(not_before=Time(sec=1), timeout_s=15.0)
        assert one.call(DescribeRegion, '/describe_node/describe_region', patient).error_code == 0
        yield one
    finally:
        one.stop()


def _by_hand() -> list[list[str]]:
    """The README's `ros2 run` lines: one for each node."""
    lines = [words for block in blocks('sh') if block.path.name == 'README.md' for words in block.commands()]
    return [words for words in lines if words[:2] == ['ros2', 'run']]


def _make_pictures(folder: Path) -> None:
    """What docs/dam-describe.md talks of."""
    pixels = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    labels = np.zeros((480, 640), np.uint8)
    labels[100:300, 200:400] = 3
    for name, image in (('photo.jpg', pixels), ('thing.png', labels), ('labels.png', labels), ('1.png', pixels),
                        ('2.png', pixels), ('1_mask.png', labels), ('2_mask.png', labels)):
        cv2.imwrite(str(folder / name), image)
    (folder / 'examples').symlink_to(ROOT / 'examples')


# -- the tests ------------------------------------------------------------------------------------------------------

def test_the_readme_starts_each_node_once():
    assert sorted(words[3] for words in _by_hand()) == sorted(SETTINGS)


def test_the_readme_asks_for_the_newest_picture_with_nothing_at_all():
    lines = [words for block in blocks('sh') if block.path.name == 'README.md' for words in block.commands()]
    assert ['ros2', 'service', 'call', '/describe_node/describe_region', 'dam_ros/srv/DescribeRegion', '{}'] in lines


@pytest.mark.parametrize('block', blocks('sh', 'bash', 'shell', 'console', ''), ids=str)
def test_command_lines_do_what_the_document_says(robot: Robot, block: Block):
    for words in block.commands():
        while re.fullmatch(r'[A-Za-z_]\w*=.*', words[0]):   # VARIABLE=value before the command
            words = words[1:]
        if words[0] in NOT_TYPED:
            continue
        kind = f'_type_{words[0].rpartition("/")[2]}'.replace('-', '_')
        assert kind in globals(), f'{block}: no idea how to try {shlex.join(words)}; teach it to this test'
        globals()[kind](robot, words)


@pytest.mark.parametrize('block', blocks('python'), ids=str)
def test_python_blocks_run(robot: Robot, block: Block, tmp_path: Path):
    path = tmp_path / 'block.py'
    path.write_text(block.text)
    _run([sys.executable, path], robot.folder)


@pytest.mark.parametrize('block', blocks('yaml'), ids=str)
def test_parameter_files_are_accepted(block: Block):
    for key, section in yaml.safe_load(block.text).items():
        build(SETTINGS[key.rpartition('/')[2]], section['ros__parameters'])


def test_a_field_that_does_not_exist_is_noticed():
    kind = type_of('dam_ros/srv/DescribeRegion')
    with pytest.raises(AssertionError, match='no field lable'):
        fill(kind.Request(), {'region': {'lable': [1]}})
    with pytest.raises(AssertionError, match='timeout_s'):
        fill(kind.Request(), {'timeout_s': 'soon'})
    filled = fill(type_of('dam_ros/srv/DescribeScene').Request(), {'regions': [{'box_xywh': [1, 2, 3, 4]}]})
    assert list(filled.regions[0].box_xywh) == [1, 2, 3, 4]


# -- one function for each first word -------------------------------------------------------------------------------

def _type_ros2(robot: Robot, words: list[str]) -> None:
    globals()[f'_ros2_{words[1]}'](robot, [one for one in words[2:] if one not in ('--feedback', '--once', '-f')])


def _ros2_service(robot: Robot, words: list[str]) -> None:
    _, name, type_name, *given = words
    kind = type_of(type_name)
    if shutil.which('ros2'):
        said = _run(['ros2', 'service', *words], robot.folder)
        assert 'error_code=0' in said or 'error_code' not in said, said
    answer = robot.call(kind, name, fill(kind.Request(), yaml.safe_load(given[0]) if given else {}))
    if hasattr(answer, 'error_code'):
        good = {0, 10107} if 'clip_s' in ''.join(given) else {0}   # without weights there is nobody for clips
        assert answer.error_code in good, f'{shlex.join(words)}: {answer.error_code} {answer.error_msg}'
    assert getattr(answer, 'success', True), f'{shlex.join(words)}: {answer.message}'


def _ros2_action(robot: Robot, words: list[str]) -> None:
    _, name, type_name, given = words
    kind = type_of(type_name)
    status, result, fed = robot.act(kind, name, fill(kind.Goal(), yaml.safe_load(given)))
    good = {0} if SPEAKS or not name.endswith('say') else {0, 10402}
    assert result.error_code in good, f'{shlex.join(words)}: {result.error_code} {result.error_msg}'
    assert fed, f'{shlex.join(words)}: no feedback came'


def _ros2_topic(robot: Robot, words: list[str]) -> None:
    what, name, *rest = words
    if what == 'echo':
        offered = robot.until(lambda: robot.node.get_publishers_info_by_topic(name), f'somebody publishes {name}')
    else:
        offered = robot.until(lambda: robot.node.get_subscriptions_info_by_topic(name), f'somebody hears {name}')
        fill(type_of(rest[0])(), yaml.safe_load(rest[1]) or {})
    assert not rest or rest[0] in {one.topic_type for one in offered}, f'{name} has {offered[0].topic_type}'


def _ros2_lifecycle(robot: Robot, words: list[str]) -> None:
    _, name, label = words
    request = ChangeState.Request()
    request.transition.label = label
    assert robot.call(ChangeState, f'{name}/change_state', request).success, shlex.join(words)


def _ros2_param(robot: Robot, words: list[str]) -> None:
    _, node, name, value = words
    changed = Parameter(name, value=yaml.safe_load(value)).to_parameter_msg()
    request = SetParameters.Request(parameters=[changed])
    result = robot.call(SetParameters, f'{node}/set_parameters', request).results[0]
    assert result.successful, f'{shlex.join(words)}: {result.reason}'


def _ros2_run(robot: Robot, words: list[str]) -> None:
    """Those of the README run already; here, that parameters and executable exist."""
    package, executable, *rest = words
    assert package == 'dam_ros'
    given = dict(one.split(':=', 1) for flag, one in zip(rest, rest[1:]) if flag == '-p')
    build(SETTINGS[executable], {name: yaml.safe_load(value) for name, value in given.items()}, ('use_sim_time',))


def _ros2_launch(robot: Robot, words: list[str]) -> None:
    package, file, *rest = words
    assert package == 'dam_ros'
    known = _launch_arguments(ROOT / 'launch' / file)
    given = {one.partition(':=')[0] for one in rest if ':=' in one}
    assert given <= known, f'{given - known} are no arguments of {file}; these are: {sorted(known)}'


def _launch_arguments(path: Path) -> set[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == 'ARGUMENTS':
            return {key.value for key in node.value.keys}
    raise AssertionError(f'{path} has no ARGUMENTS')


def _type_dev(robot: Robot, words: list[str]) -> None:
    """Its commands are tried in test_dev.py and test_demo.py; here, that they and their options exist."""
    usage = subprocess.run([ROOT / 'dev', 'help'], capture_output=True, text=True, check=True).stdout
    assert len(words) == 1 or re.search(rf'(?m)^  {re.escape(words[1])}\b', usage), f'./dev has no {words[1]}'
    if words[1:2] == ['demo']:
        known = _run([sys.executable, '-m', 'dam_ros.demo', '--help'], robot.folder)
        assert all(one in known for one in words if one.startswith('--')), f'{shlex.join(words)}\n{known}'
    elif words[1:2] == ['run']:
        assert words[2] == 'python', shlex.join(words)
        _type_python(robot, words[2:])


def _type_python(robot: Robot, words: list[str]) -> None:
    if words[1] == '-m':
        assert importlib.util.find_spec(words[2]), f'no module {words[2]}'
    elif words[1].startswith('examples/'):
        _run([sys.executable, *words[1:]], ROOT)
    else:
        assert (ROOT / words[1]).exists(), f'no file {words[1]}'


_type_python3 = _type_python


def _type_dam_describe(robot: Robot, words: list[str]) -> None:
    if '--model' in words:   # weights of gigabytes; the rehearsal takes whatever they take
        at = words.index('--model')
        words = [*words[:at], '--describer', 'rehearsal', *words[at + 2:]]
    said = _run([sys.executable, '-m', 'dam_ros.cli', *words[1:]], robot.folder)
    assert json.loads(said)['text'] if '--json' in words else said.strip()


# -- what they share --------------------------------------------------------------------------------------------------

def _run(words: list[Any], folder: Path) -> str:
    run = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert run.returncode == 0, f'{words}: exit code {run.returncode}\n{run.stdout}{run.stderr}'
    return run.stdout
