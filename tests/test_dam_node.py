"""The describer dam in the real node, on tiny random checkpoints: the same texts as without ROS, looks, deaths."""
from __future__ import annotations

import os
from pathlib import Path
import signal
import sys
import sysconfig
import venv
import time

from action_msgs.msg import GoalStatus
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')
pytest.importorskip('torch', reason='the model needs torch')

from ros_graph import as_bytes, Camera, grey, serving, stamp_of  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from tiny_dam import checkpoint  # noqa: E402

from dam_ros import describers  # noqa: E402
from dam_ros.action import Describe  # noqa: E402
from dam_ros.core.answering import first_of  # noqa: E402
from dam_ros.core.describing import BRIEF, Query, Subject, tell  # noqa: E402
from dam_ros.msg import Description, ErrorCode, Region  # noqa: E402

pytestmark = pytest.mark.ros
HEIGHT, WIDTH = 48, 64
LOOKING = Describe.Feedback.LOOKING
ENDLESS = {'end_gain': 0.0}   # every text is as long as it may be
# A pass of this tower takes about a second on two cores, and there are two of them in a look.
SLOW = {'side_px': 384, 'vision_hidden': 512, 'vision_mlp': 2048, 'vision_layers': 16, 'vision_heads': 8,
        'context_heads': 8}


def photo() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)


def as_message(pixels: np.ndarray) -> Image:
    return Image(width=pixels.shape[1], height=pixels.shape[0], encoding='rgb8', step=3 * pixels.shape[1],
                 data=as_bytes(pixels))


def region(index: int = 0) -> np.ndarray:
    """One of eight."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    top, left = divmod(index, 4)
    mask[top * 24 + 2:top * 24 + 20, left * 16 + 1:left * 16 + 13] = True
    return mask


def by_mask(mask: np.ndarray) -> Region:
    return Region(mask=grey(mask.astype(np.uint8)))


def parameters(kind: str = 'joint', **sizes) -> dict:
    return {'describer': 'dam', 'model': str(checkpoint(kind, **ENDLESS, **sizes)), 'device': 'cpu'}


@pytest.fixture(scope='module')
def served():
    with serving(image_reliability='reliable', max_frame_age_s=3600.0, **parameters()) as node:
        yield node


@pytest.fixture(scope='module')
def alone():
    """What the describer says without node and engine: (query, region) -> text."""
    describer = describers.create('dam', {'model': str(checkpoint('joint', **ENDLESS)), 'device': 'cpu'})

    def told(query: Query, index: int = 0) -> str:
        look, = describer.look([Subject(((photo(), region(index)),))])
        return ''.join(one.text for one in tell(describer, look, query)).strip()
    return told


def asked(served, index: int = 0, **fields) -> Description:
    answer = served.describe(image=as_message(photo()), region=by_mask(region(index)), **{'max_tokens': 24, **fields})
    assert (answer.error_code, answer.error_msg) == (0, '')
    return answer.description


def test_the_service_says_what_the_describer_says(served, alone):
    one = asked(served)
    assert one.text == alone(Query(max_tokens=24))
    assert (one.describer, one.model) == ('dam', 'joint float32')
    assert 0 < one.confidence < 1 and one.tokens == 24 and one.truncated
    assert one.look_s > 0
    question = 'Is it </s> <image> red?'
    assert asked(served, query=question).text == alone(Query(question, max_tokens=24))
    hot = asked(served, temperature=1.5, top_p=0.9, seed=7).text
    assert hot == alone(Query(temperature=1.5, top_p=0.9, seed=7, max_tokens=24)) != one.text


def test_a_second_question_about_a_look_costs_no_look(served, alone):
    first = asked(served, 1)
    second = served.describe(about=first.id, query='What colour is it?', max_tokens=24).description
    assert second.text == alone(Query('What colour is it?', max_tokens=24), 1)
    assert second.look_s == 0 and second.box == first.box
    assert served.describe(about=first.id, max_tokens=24).description.text == first.text


def test_brief_and_detail_are_two_tellings_of_one_request(served, alone):
    one = asked(served, 2, speak=Description.SPEAK_ASKED)
    assert one.text == alone(Query(max_tokens=24), 2)
    brief = alone(Query(detail=BRIEF, max_tokens=24), 2)
    assert one.brief and one.brief == first_of(brief)
    assert one.tokens > 24


def test_the_same_question_after_the_worker_was_killed(served, alone):
    """At once, without waiting until the node has noticed: it waits for the next worker, and looks again."""
    first = asked(served, 3)
    pid = served.worker().pid
    os.kill(pid, signal.SIGKILL)
    again = served.describe(about=first.id, query='What is it?', max_tokens=24)
    assert (again.error_code, again.error_msg) == (0, '')
    assert again.description.text == alone(Query('What is it?', max_tokens=24), 3)
    assert served.worker().pid != pid and again.description.look_s > 0
    assert served.describe(about=first.id, max_tokens=24).description.text == first.text


def test_the_regions_of_a_scene_run_side_by_side_and_what_is_urgent_joins(served, alone):
    camera = Camera(served)
    camera.connect()
    stamp_ns = camera.show(encoding='rgb8', data=as_bytes(photo()))
    labels = sum((index + 1) * region(index).astype(np.uint8) for index in range(8))
    camera.label(stamp_ns, labels)
    served.until(lambda: stamp_of(served.describe(region=Region(labels=[8]), max_tokens=1).description) == stamp_ns)
    goal = served.scene_goal(id='scene', order=2, detail=0, max_tokens=100)
    served.until(lambda: goal.handle)
    served.spin(0.1)   # all eight run
    urgent = asked(served, 5, query='Now?', speak=Description.SPEAK_ASKED)
    assert urgent.text == alone(Query('Now?', max_tokens=24), 5)
    assert goal.result is None, 'it did not wait for the scene'
    result = served.ended(goal)
    assert [one.text for one in result.descriptions] == [alone(Query(max_tokens=100), index) for index in range(8)]
    quiet = served.ended(served.scene_goal(id='quiet', order=2, detail=0, max_tokens=100)).descriptions
    assert max(one.queue_s for one in quiet) < min(one.total_s for one in quiet), 'all began before the first ended'
    assert [one.text for one in quiet] == [one.text for one in result.descriptions]


def cancelled_after(served, delay_s: float) -> float:
    """How long the end of a goal takes, s, that is cancelled so long after its look began."""
    goal = served.goal(id='slow', image=as_message(photo()), region=by_mask(region(1)))
    served.until(lambda: goal.feedback and goal.feedback[-1].phase == LOOKING, what='it is looked at')
    served.spin(delay_s)
    begun = time.monotonic()
    goal.cancel()
    served.ended(goal)
    assert goal.status == GoalStatus.STATUS_CANCELED
    return time.monotonic() - begun


def test_what_is_stopped_in_the_middle_of_a_look_ends_at_once_and_the_worker_lives_on():
    with serving(stop_grace_s=5.0, **parameters('image', **SLOW)) as served:
        worker = served.worker().pid
        begun = time.monotonic()
        whole = asked(served)
        whole_s = time.monotonic() - begun
        assert whole.look_s > 0.5, 'slow enough for what follows'
        for delay_s in (0.05, 0.6 * whole.look_s):
            assert cancelled_after(served, delay_s) < 0.5
        late = served.describe(image=as_message(photo()), region=by_mask(region(2)), timeout_s=0.3)
        assert late.error_code == ErrorCode.DEADLINE_EXCEEDED
        begun = time.monotonic()
        assert asked(served).text == whole.text
        assert time.monotonic() - begun < 3 * whole_s + 2, 'nothing that was stopped is still looked at'
        assert served.worker().pid == worker and 'killed' not in served.log()


def test_without_weights_the_command_is_said_and_auto_says_why():
    with serving(ready=False, describer='dam', model='nvidia/DAM-3B-Video') as served:
        served.until(lambda: served.ready, what='the node is there')
        answer = served.describe(image=as_message(photo()))
        assert answer.error_code == ErrorCode.DESCRIBER_FAILED
        assert './dev weights nvidia/DAM-3B-Video' in answer.error_msg
        served.until(lambda: 'describer' in served.status and './dev weights' in served.status['describer'].message)
        assert served.state() == 'active', 'weights that are missing are no reason not to be there'


@pytest.mark.soak
def test_auto_without_weights_is_attributes_and_says_why():
    with serving(describer='auto') as served:
        assert served.describe(image=as_message(photo())).description.describer == 'attributes'
        assert 'auto: attributes' in served.log() and './dev weights nvidia/DAM-3B' in served.log()


def test_a_worker_in_another_venv(tmp_path: Path, alone):
    """As on a Jetson: torch and its numpy are not where rclpy is."""
    venv.create(tmp_path / 'venv', with_pip=False)
    python = tmp_path / 'venv/bin/python'
    packages = next((tmp_path / 'venv/lib').iterdir()) / 'site-packages'
    (packages / 'borrowed.pth').write_text(sysconfig.get_path('purelib') + '\n')
    assert python.exists() and str(python) != sys.executable
    with serving(worker_python=str(python), **parameters()) as served:
        assert asked(served).text == alone(Query(max_tokens=24))
        assert served.worker().cmdline()[0] == str(python)
