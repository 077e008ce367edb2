"""The demo's processes: a domain nobody uses, who has ended, and nothing left of those that were killed."""
import os
from pathlib import Path
import signal
import socket
import time

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from dam_ros.demo import graph as module   # noqa: E402
from dam_ros.demo.graph import Graph, NodeDied   # noqa: E402
from dam_ros.demo.plan import bundled   # noqa: E402

pytestmark = pytest.mark.ros


@pytest.fixture
def graph(monkeypatch):
    for name, value in os.environ.items():   # what Graph changes for its nodes is put back after the test
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, '_can_launch', lambda: False)
    before = dict(os.environ)
    made = Graph()
    yield made
    made.stop()
    for name in set(os.environ) - set(before):
        del os.environ[name]


def until(condition, patience_s=20.0):
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def play(graph):
    """A player that has begun to publish. Returns its process id and its shared memory."""
    graph.start({'player_node': {'source': str(bundled('examples/photos')), 'rate_hz': 20.0, 'dwell_s': 0.0}})
    until(lambda: 'plays' in graph.last_words('player_node'))
    pid, = graph._alive()
    until(lambda: module._held(pid))
    return pid, module._held(pid)


def test_shared_memory_of_a_killed_node_is_removed(graph):
    pid, held = play(graph)
    graph._notice_segments()   # what `stop` does first, and while nodes end
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(NodeDied, match='player_node ended with code -9'):
        until(lambda: graph.check())
    assert graph.stop() == []
    assert [path for path in held if path.exists() and 'port7' not in path.name] == []


def test_a_node_that_does_not_end_is_killed_and_named(graph, monkeypatch):
    monkeypatch.setattr(module, '_ORDERLY_S', 0.5)
    pid, held = play(graph)
    os.kill(pid, signal.SIGSTOP)   # hears nothing any more
    forced, = graph.stop()
    assert 'dam_ros.nodes.player_node' in forced
    assert not Path(f'/proc/{pid}').exists()
    assert [path for path in held if path.exists() and 'port7' not in path.name] == []
    assert not graph.folder.exists()


def test_a_domain_with_a_participant_is_not_taken(monkeypatch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        for number in range(1, 102):
            try:
                participant.bind(('', 7410 + 250 * number))
                break
            except OSError:
                continue
        free = next(one for one in range(1, 102) if one != number)
        monkeypatch.setattr(module.random, 'sample', lambda *_: [number, free])
        assert module._free_domain() != number


def test_a_node_that_ended_inside_ros2_launch_is_noticed(graph):
    graph._run(module._LAUNCH, ['sleep', '30'])
    (graph.folder / f'{module._LAUNCH}.txt').write_text(
        '[INFO] [speech_node-2]: process has finished cleanly [pid 2]\n'
        "[ERROR] [describe_node-1]: process has died [pid 1, exit code 3, cmd 'x --y'].\n")
    with pytest.raises(NodeDied, match='describe_node ended with code 3'):
        graph.check('player_node', 'describe_node')
    with pytest.raises(NodeDied, match='speech_node ended with code 0'):
        graph.check('speech_node')
    graph.check('player_node')


def test_parameters_of_every_kind_are_written_as_yaml():
    yaml = pytest.importorskip('yaml')
    values = {'a': "it's \"quoted\": #1", 'b': 1.0, 'c': True, 'd': [1, 2], 'e': ''}
    assert yaml.safe_load(module._yaml('some_node', values)) == {'/**/some_node': {'ros__parameters': values}}
