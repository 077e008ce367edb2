"""Hundreds of requests leave nothing behind: threads and files exactly as before, memory flat."""
from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')

from ros_graph import Camera, serving  # noqa: E402
from wear import Wear, use, wear_of  # noqa: E402

from dam_ros.msg import Present, Sight  # noqa: E402

pytestmark = pytest.mark.ros


def test_hundreds_of_requests_leave_no_thread_no_file_and_no_memory():
    """In the warm-up everything bounded reaches its bound: results of goals, for one, are kept for 10 s.

    What was to be spoken is kept for refer_for_s: with its default of 60 s it would grow by 5 MB in 20 rounds until
    then. ~/sight and ~/present are looked after as well, as somebody hears them.
    """
    with serving(image_reliability='reliable', remember=4, ring_s=0.5, looks=2, refer_for_s=1.0) as served:
        heard: list[object] = []
        served.hear(Sight, 'describe_node/sight', lambda one: heard.append(one.state))
        served.hear(Present, 'describe_node/present', lambda one: heard.append(list(one.labels)))
        camera = Camera(served)
        camera.connect()
        use(served, camera, 40)
        before = wear_of(served)
        count = use(served, camera, 20)
        assert count > 200
        assert Sight.GOOD in heard or Sight.FROZEN in heard
        assert [1, 2] in heard
        served.until(lambda: not wear_of(served).grown(before), 10.0, lambda: wear_of(served).grown(before))
        assert len(served.process.children()) == 1


def test_the_measure_sees_a_thread_a_file_and_four_megabytes():
    """The gate is shown to fail."""
    before = Wear(10, 20, 100.0)
    assert Wear(10, 20, 102.9).grown(before) == ''
    assert 'threads' in Wear(11, 20, 100.0).grown(before)
    assert 'files' in Wear(10, 21, 100.0).grown(before)
    assert 'memory' in Wear(10, 20, 104.0).grown(before)
    assert Wear(10, 20, 1009.0).grown(Wear(10, 20, 1000.0)) == ''
