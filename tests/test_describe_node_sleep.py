"""idle_unload_s in the real node: asleep is told, and whoever asks is answered."""
from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import number_in, picture, serving  # noqa: E402

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def served():
    with serving(idle_unload_s=0.4) as node:
        yield node


def sleeps(served) -> bool:
    status = served.status.get('describer')
    return status is not None and 'asleep (idle_unload_s)' in status.message and served.worker() is None


def test_diagnostics_say_that_it_sleeps_and_it_stays_ready(served):
    served.until(lambda: sleeps(served), what='sleep')
    status = served.status['describer']
    assert status.level == b'\x00'
    assert (number_in(status, 'worker_pid'), number_in(status, 'worker_deaths')) == (0, 0)
    assert served.ready[-1] is True


def test_who_asks_is_answered_and_so_is_about(served):
    served.until(lambda: sleeps(served), what='sleep')
    first = served.describe(image=picture())
    assert first.error_code == 0, first.error_msg
    assert served.worker() is not None
    served.until(lambda: sleeps(served), what='sleep again')
    about = served.describe(about=first.description.id, query='What is it?')
    assert (about.error_code, about.description.text) == (0, first.description.text)


def test_wake_loads_it(served):
    served.until(lambda: sleeps(served), what='sleep')
    answer = served.wake()
    assert (answer.success, answer.message) == (True, 'rehearsal is loaded')
    assert served.worker() is not None
