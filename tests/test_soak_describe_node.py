"""What takes minutes: thousands of requests, garbage for a minute, deaths in a row, and the node as good as new."""
from __future__ import annotations

import random
import time

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import Camera, picture, script, serving  # noqa: E402
from test_describe_node_hostile import CODES, attacked  # noqa: E402
from wear import use, wear_of  # noqa: E402

from dam_ros.msg import ErrorCode  # noqa: E402

pytestmark = [pytest.mark.ros, pytest.mark.soak, pytest.mark.timeout(900)]


@pytest.fixture
def served():
    with serving(image_reliability='reliable', remember=4, refer_for_s=1.0, ring_s=0.5, looks=2, stop_grace_s=0.3,
                 frame_wait_s=0.1) as node:
        yield node


def test_memory_is_flat_over_thousands_of_requests(served):
    camera = Camera(served)
    camera.connect()
    use(served, camera, 60)
    befores = []
    for _ in range(3):   # the heap breathes by some 2 MB: what it has had once is no growth
        use(served, camera, 25)
        befores.append(wear_of(served))
    before = max(befores, key=lambda one: one.memory_mb)
    for _ in range(5):
        use(served, camera, 50)
        served.until(lambda: not wear_of(served).grown(before), 20.0, lambda: wear_of(served).grown(before))


def test_a_minute_of_garbage(served):
    camera = Camera(served)
    camera.connect()
    camera.label(camera.show())
    attacked(served, random.Random(4), 10.0)
    served.describe(image=picture(), timeout_s=60.0, patience_s=70.0)
    threads_files = served.footprint()
    codes = attacked(served, random.Random(5), 60.0)
    assert set(codes) <= CODES, served.log()[-3000:]
    assert sum(codes.values()) > 300
    assert 'bug' not in served.log(), served.log()[-3000:]
    assert served.describe(image=picture(), timeout_s=60.0, patience_s=70.0).error_code == 0
    served.until(lambda: served.footprint() == threads_files, 10.0, f'{threads_files}, as before')


def test_deaths_in_a_row_with_back_off_up_to_20_s(served):
    assert served.describe(image=picture()).error_code == 0
    threads_files = served.footprint()
    for wait_s in (0, 0, 0, 5, 10, 20):
        answer = served.describe(image=picture(), query=script(fail='kill'), timeout_s=60.0, patience_s=70.0)
        assert answer.error_code == ErrorCode.WORKER_DIED
        assert (f'in {wait_s} s' in answer.error_msg) == bool(wait_s)
        begun = time.monotonic()
        assert served.describe(image=picture(), timeout_s=60.0, patience_s=70.0).error_code == 0
        assert time.monotonic() - begun < wait_s + 5
    served.until(lambda: served.footprint() == threads_files, 10.0, f'{threads_files}, as before')
