"""Sudden ends of the worker and of the node: who waits is answered, and nothing of ours is left."""
from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import number_in, picture, script, serving  # noqa: E402

from dam_ros.msg import ErrorCode  # noqa: E402

pytestmark = pytest.mark.ros
SLOW = script(words_per_s=0.5)


@pytest.fixture
def served():
    """A fresh one each: the engine counts deaths per minute."""
    with serving() as node:
        yield node


@pytest.fixture(scope='module')
def lasting():
    """For the three tests whose deaths are free."""
    with serving(stop_grace_s=0.5) as node:
        yield node


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_killed_worker_is_answered_for_and_replaced_and_what_waited_goes_on(lasting):
    served = lasting
    worker = served.worker()
    running = served.begin(id='first', image=picture(), query=SLOW)
    served.until(lambda: any(one.piece for one in served.partials))
    waiting = served.begin(id='second', image=picture())
    served.until(lambda: any(one.id == 'second' for one in served.partials))
    begun = time.monotonic()
    worker.kill()
    served.until(running.done)
    assert time.monotonic() - begun < 1.0
    assert running.result().error_code == ErrorCode.WORKER_DIED
    assert 'signal 9' in running.result().error_msg
    served.until(waiting.done)
    assert waiting.result().error_code == 0
    assert served.worker().pid != worker.pid
    served.until(lambda: {'first', 'second'} <= {one.id for one in served.descriptions})   # not the answers' way
    served.spin(0.2)
    assert [len([one for one in served.descriptions if one.id == id]) for id in ('first', 'second')] == [1, 1]
    served.until(lambda: number_in(served.status.get('describer'), 'worker_deaths') == 1)


def test_a_worker_that_is_killed_while_idle_is_replaced_before_anyone_asks(lasting):
    served = lasting
    worker = served.worker()
    worker.kill()
    served.until(lambda: (now := served.worker()) and now.pid != worker.pid)
    served.until(lambda: served.ready[-2:] == [False, True])
    assert served.describe(image=picture()).error_code == 0


def test_many_deaths_make_it_wait_but_it_answers_again_and_wake_does_not_wait(served):
    """Three deaths in a minute are free; then it waits 5 s, 10 s, ... before the next start."""
    for _ in range(3):
        assert served.describe(image=picture(), query=script(fail='kill')).error_code == ErrorCode.WORKER_DIED
    answer = served.describe(image=picture(), query=script(fail='exit'))
    assert answer.error_code == ErrorCode.WORKER_DIED
    assert 'started again in 5 s' in answer.error_msg
    early = served.describe(image=picture(), timeout_s=0.3)
    assert early.error_code == ErrorCode.LOADING
    assert early.retry_after_s > 0
    served.until(lambda: 'started again in 5 s' in served.status['describer'].message, what='diagnostics say so')
    begun = time.monotonic()
    later = served.describe(image=picture(), timeout_s=20.0)
    assert later.error_code == 0
    assert time.monotonic() - begun < 8.0
    answer = served.describe(image=picture(), query=script(fail='exit'))
    assert 'started again in 10 s' in answer.error_msg
    begun = time.monotonic()
    assert served.wake().success
    assert time.monotonic() - begun < 5.0
    assert served.describe(image=picture()).error_code == 0


def test_of_a_killed_node_nothing_remains(served):
    worker = served.worker().pid
    served.begin(image=picture(), query=SLOW)
    served.until(lambda: any(one.piece for one in served.partials))
    begun = time.monotonic()
    os.kill(served.child.pid, signal.SIGKILL)
    served.child.wait(5.0)
    served.until(lambda: gone(worker), 1.0, 'the worker ends with the node')
    assert time.monotonic() - begun < 1.0
    assert served.group() == []


def test_of_a_node_that_is_killed_while_its_describer_hangs_nothing_remains(served):
    worker = served.worker().pid
    served.begin(image=picture(), query=script(fail='hang'))
    served.until(lambda: served.partials)
    served.spin(0.1)
    os.kill(served.child.pid, signal.SIGKILL)
    served.child.wait(5.0)
    served.until(lambda: gone(worker), 1.0, 'the worker ends with the node')
    assert served.group() == []


def test_a_worker_that_is_stopped_by_a_debugger_does_not_hold_the_deadline(lasting):
    """SIGSTOP: neither dead nor answering."""
    served = lasting
    worker = served.worker()
    worker.suspend()
    begun = time.monotonic()
    answer = served.describe(image=picture(), timeout_s=0.5)
    assert answer.error_code == ErrorCode.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < 1.5
    served.until(lambda: gone(worker.pid), 10.0, 'killed for not stopping')
    assert served.describe(image=picture()).error_code == 0


@pytest.mark.parametrize('options', [{'fail': 'raise'}, {'nonsense': 1}])
def test_a_describer_that_cannot_be_loaded_is_one_clear_error_until_wake(options):
    with serving(ready=False, describer_options=script(fail_at='load', **options)) as served:
        served.until(lambda: served.ready, what='the node is there')
        begun = time.monotonic()
        answers = [served.describe(image=picture(), timeout_s=20.0) for _ in range(2)]
        assert time.monotonic() - begun < 15.0
        for answer in answers:
            assert answer.error_code in (ErrorCode.DESCRIBER_FAILED, ErrorCode.INVALID_REQUEST)
            assert next(iter(options)) in answer.error_msg or 'told to raise' in answer.error_msg
        assert not served.wake().success
        served.until(lambda: 'describer' in served.status and served.status['describer'].level == b'\x02')
        assert '~/wake' in served.status['describer'].message
        assert not served.ready[-1]


def test_a_describer_that_ends_while_it_is_loaded_does_not_spin_or_hang():
    with serving(ready=False, describer_options=script(fail_at='load', fail='exit')) as served:
        served.until(lambda: served.ready, what='the node is there')
        answer = served.describe(image=picture(), timeout_s=1.0)
        assert answer.error_code in (ErrorCode.LOADING, ErrorCode.WORKER_DIED)
        served.until(lambda: number_in(served.status.get('describer'), 'worker_deaths') == 4)
        assert 'exit status 3' in served.status['describer'].message
