"""The managed life of describe_node: what is answered in each state, and that nothing is left after ten lives."""
from __future__ import annotations

import os
import signal
import time

from lifecycle_msgs.msg import Transition
import psutil
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import Camera, picture, script, serving  # noqa: E402

from dam_ros.msg import ErrorCode  # noqa: E402

pytestmark = pytest.mark.ros
CONFIGURE, ACTIVATE = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
DEACTIVATE, CLEANUP = Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP
SLOW = script(text='One two three four five six.', words_per_s=0.5)


@pytest.fixture(scope='module')
def started():
    with serving(ready=False, autostart=False, image_reliability='reliable') as node:
        node.until(lambda: node.ready, what='the node is there')
        assert node.state() == 'unconfigured'
        assert node.ready == [False]
        assert node.change_state(CONFIGURE)
        assert node.change_state(ACTIVATE)
        yield node


@pytest.fixture
def served(started):
    """Every test begins active."""
    todo = {'active': [], 'inactive': [ACTIVATE], 'unconfigured': [CONFIGURE, ACTIVATE]}[started.state()]
    for transition in todo:
        assert started.change_state(transition)
    started.wait_ready()
    return started


def refused(served, state: str) -> None:
    for answer in (served.describe(image=picture()), served.ended(served.goal(image=picture())),
                   served.describe_scene()):
        assert answer.error_code == ErrorCode.NOT_ACTIVE
        assert f'the node is {state}' in answer.error_msg
        assert served.name in answer.error_msg
    assert not served.wake().success
    assert served.cancel('') == 0


def test_every_state_answers(served):
    assert served.change_state(DEACTIVATE)
    refused(served, 'inactive')
    assert served.worker() is not None   # kept: activate is quick
    assert served.change_state(CLEANUP)
    refused(served, 'unconfigured')
    assert served.worker() is None
    served.until(lambda: served.ready[-1] is False)
    assert served.change_state(CONFIGURE)
    refused(served, 'inactive')
    assert served.change_state(ACTIVATE)
    served.wait_ready()
    assert served.describe(image=picture()).error_code == 0


def test_a_parameter_that_needs_configure_counts_after_it(served):
    assert served.set_parameter('describer_options', script(text='Changed.')).successful
    assert served.describe(image=picture()).description.text.startswith('This is')
    for transition in (DEACTIVATE, CLEANUP, CONFIGURE, ACTIVATE):
        assert served.change_state(transition)
    assert served.describe(image=picture()).description.text == 'Changed.'


def test_deactivate_answers_what_is_running_and_waiting(served):
    running, waiting = served.begin(image=picture(), query=SLOW), served.begin(image=picture(), query=SLOW)
    goal = served.goal(image=picture(), query=SLOW)
    served.until(lambda: goal.feedback)
    begun = time.monotonic()
    assert served.change_state(DEACTIVATE)
    served.until(lambda: running.done() and waiting.done() and goal.result)
    assert time.monotonic() - begun < 2.0
    answers = [running.result(), waiting.result(), goal.result]
    assert [one.error_code for one in answers] == [ErrorCode.NOT_ACTIVE] * 3, answers
    assert served.change_state(ACTIVATE)
    assert served.describe(image=picture(), query=script(text='Again.')).description.text == 'Again.'


def test_cleanup_while_loading_takes_the_worker_away(served):
    for transition in (DEACTIVATE, CLEANUP):
        assert served.change_state(transition)
    assert served.set_parameter('describer_options', script(load_s=60.0)).successful
    assert served.change_state(CONFIGURE)
    assert served.set_parameter('describer_options', '{}').successful   # for the next life
    worker = served.until(served.worker)
    begun = time.monotonic()
    assert served.change_state(CLEANUP)
    assert time.monotonic() - begun < 3.0
    assert not worker.is_running()


@pytest.mark.parametrize('transition', [CONFIGURE, CLEANUP, ACTIVATE, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
                                        Transition.TRANSITION_ON_CONFIGURE_SUCCESS, 99, 255])
def test_a_transition_that_the_state_does_not_allow_is_refused_and_harmless(served, transition):
    assert not served.change_state(transition)
    assert served.state() == 'active'
    assert served.describe(image=picture()).error_code == 0


def test_what_cannot_be_configured_says_why_and_can_be_put_right(served):
    for transition in (DEACTIVATE, CLEANUP):
        assert served.change_state(transition)
    assert served.set_parameter('describer_options', '["no object"]').successful
    assert not served.change_state(CONFIGURE)
    assert served.state() == 'unconfigured'
    answer = served.describe(image=picture())
    assert answer.error_code == ErrorCode.NOT_ACTIVE
    assert 'describer_options' in answer.error_msg and 'JSON object' in answer.error_msg
    served.until(lambda: 'describer_options' in served.status['lifecycle'].message)
    assert served.worker() is None
    assert served.set_parameter('describer_options', '{}').successful
    assert served.change_state(CONFIGURE)
    assert served.change_state(ACTIVATE)
    served.wait_ready()
    assert served.describe(image=picture()).error_code == 0


def one_life(served, camera) -> None:
    for transition in (DEACTIVATE, CLEANUP, CONFIGURE, ACTIVATE):
        assert served.change_state(transition)
    served.wait_ready()
    camera.label(camera.show())
    assert served.describe(image=picture()).error_code == 0
    assert served.ended(served.goal(image=picture())).error_code == 0


def test_ten_lives_leave_no_thread_no_file_and_no_memory(served):
    camera = Camera(served)
    camera.connect()
    for _ in range(2):
        one_life(served, camera)
    threads_files, memory_mb = served.footprint(), served.memory_mb()
    for _ in range(10):
        worker = served.worker()
        one_life(served, camera)
        assert not worker.is_running()
    served.until(lambda: served.footprint() == threads_files, 5.0, f'{threads_files}, as before')
    assert served.memory_mb() <= memory_mb + max(3.0, 0.01 * memory_mb)
    assert len(served.process.children()) == 1


@pytest.mark.parametrize(('number', 'everyone'), [(signal.SIGTERM, False), (signal.SIGINT, True),
                                                  (signal.SIGTERM, True)])
def test_a_signal_while_busy_ends_within_3_s_and_the_callers_get_their_answers(number, everyone):
    with serving() as served:
        group = [one.pid for one in served.group()]
        assert len(group) == 2
        running, goal = served.begin(image=picture(), query=SLOW), served.goal(image=picture(), query=SLOW)
        served.until(lambda: goal.feedback and any(one.piece for one in served.partials))
        begun = time.monotonic()
        if everyone:
            os.killpg(served.child.pid, number)
        else:
            os.kill(served.child.pid, number)
        served.until(lambda: running.done() and goal.result, 3.0, 'answers')
        assert {running.result().error_code, goal.result.error_code} == {ErrorCode.NOT_ACTIVE}
        assert 'shut down' in running.result().error_msg
        assert served.child.wait(3.0) == 0
        assert time.monotonic() - begun < 3.0
        served.until(lambda: not any(psutil.pid_exists(pid) for pid in group), 1.0, 'nothing is left')


def test_shutdown_by_a_lifecycle_manager():
    with serving() as served:
        assert served.change_state(Transition.TRANSITION_ACTIVE_SHUTDOWN)
        assert served.state() == 'finalized'
        assert served.worker() is None
        assert served.describe(image=picture()).error_code == ErrorCode.NOT_ACTIVE
