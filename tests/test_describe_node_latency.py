"""From the piece with a full stop, as it leaves the describer, to the Partial that says so at a subscriber."""
from __future__ import annotations

import json
import os
from pathlib import Path
import statistics
import time

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import picture, serving  # noqa: E402

from dam_ros.msg import Partial  # noqa: E402

pytestmark = pytest.mark.ros
ON_PATH = {'PYTHONPATH': os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get('PYTHONPATH')]))}
TEXT = 'A cup stands here. It is white, e.g. like milk. A spoon of about 1.5 cm lies in it. Is it yours?'
ENDS = {'here.', 'milk.', 'it.', 'yours?'}
BOUND_S = 0.03   # median; the first sound is to come within 150 ms of the full stop, and synthesis takes 50
ROUNDS = 3


@pytest.fixture(scope='module')
def timed(tmp_path_factory):
    """(the node, path of the describer's own times)"""
    log = tmp_path_factory.mktemp('timed') / 'pieces'
    options = json.dumps({'log': str(log), 'text': TEXT, 'brief': TEXT, 'words_per_s': 20.0})
    with serving(describer='timed_describer:create', describer_options=options, environment=ON_PATH) as node:
        yield node, log


def delays_of(node, log: Path, **request) -> list[float]:
    """s, for each sentence of some answers."""
    came: list[tuple[float, Partial]] = []
    node.hear(Partial, 'describe_node/partial', lambda part: came.append((time.monotonic(), part)))
    delays, is_brief = [], 'speak' in request
    for _ in range(ROUNDS):
        log.write_text('')
        came.clear()
        assert node.describe(image=picture(), **request).error_code == 0
        node.until(lambda: came and came[-1][1].done, what='the last partial')
        said = [line.split('\t') for line in log.read_text().splitlines()][:len(TEXT.split())]
        made = [float(when) for when, word in said if word in ENDS]
        heard = [when for when, part in came if part.sentence_end]
        if is_brief:   # that is the first sentence alone
            made = made[:1]
        assert len(made) == len(heard) == (1 if is_brief else len(ENDS))
        delays += [there - here for here, there in zip(made, heard)]
    return delays


@pytest.mark.parametrize('request_', [{'speak': 2}, {'speak': 2, 'detail': 1}, {}], ids=['spoken', 'brief', 'text'])
def test_the_end_of_a_sentence_is_told_at_once(timed, request_):
    """With 20 words per second; it once came with the next word, and that of a brief after the whole text."""
    delays = delays_of(*timed, **request_)
    print(f'median {statistics.median(delays) * 1e3:.1f} ms, longest {max(delays) * 1e3:.1f} ms of {len(delays)}')
    assert statistics.median(delays) < BOUND_S
